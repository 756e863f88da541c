package agent

import "github.com/lambdarmor/lambdarmor/secrets"

// AddressOf is where a source of this package asks.
func AddressOf(src secrets.Source) string {
	switch s := src.(type) {
	case *secretSource:
		return s.address
	case *parameterSource:
		return s.address
	case *configSource:
		return s.address
	}
	panic("a source of another package")
}
