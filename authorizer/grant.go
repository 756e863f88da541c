package authorizer

import "time"

// Grant is a decision for the caller, and what a backend may know of who that
// is. A Grant that a [Check] has returned is not written to any more.
type Grant struct {
	// Principal names who calls, the same for every request of theirs. It must
	// not be empty.
	Principal string
	// Context is what else the backend is told. Its values are strings, numbers
	// (int, int32, int64, float64) and booleans, as REST APIs pass on nothing
	// else, and a string is not itself JSON: an HTTP API takes that for a broken
	// answer once it comes from its cache. Names are not those of the fields here,
	// see [NamePrincipal]. A grant that breaks this is an error.
	Context map[string]any
	// Scopes are what the caller's credential was issued for (RFC 6749, section
	// 3.3).
	Scopes []string
	// Groups are those that the caller belongs to.
	Groups []string
	// Expires is when the credential ends; zero when it does not. From then on
	// the grant is none, also to [FromGateway].
	Expires time.Time
	// UsageKey is the API key whose usage plan a REST API counts the request
	// to: usageIdentifierKey.
	UsageKey string
}
