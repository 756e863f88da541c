package agent

import (
	"time"

	"github.com/lambdarmor/lambdarmor/secrets"
)

// AddressOf returns the address that a source of this package asks.
func AddressOf(src secrets.Source) string { return src.(*source).address }

// SetPatience sets how long a source asks an agent that is not ready.
func SetPatience(src secrets.Source, d time.Duration) { src.(*source).patience = d }
