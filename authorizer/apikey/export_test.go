package apikey

import (
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer"
)

// SetClock sets the clock of a verifier that Secrets or JSON returned.
func SetClock(keys authorizer.Verifier, now func() time.Time) { keys.(*stored).now = now }
