package agent

import "github.com/lambdarmor/lambdarmor/secrets"

// AddressOf returns the address that a source of this package asks.
func AddressOf(src secrets.Source) string { return src.(*source).address }
