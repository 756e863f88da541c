package authorizer

import "time"

// Grant allows a request, and says what a backend may know of its caller. It must
// not be changed once a [Check] has returned it.
type Grant struct {
	// Principal names the caller, the same for each of their requests. It must not
	// be empty.
	Principal string
	// Context is what else the backend may know. Values are strings, numbers (int,
	// int32, int64, float64) and booleans, as REST APIs pass on nothing else. A
	// string must not itself be JSON: an HTTP API answers 500 when it takes one from
	// its cache. Names must not be those of the other fields, see [NamePrincipal]. A
	// grant that breaks this is an error.
	Context map[string]any
	// Scopes are what the caller's credential was issued for (RFC 6749, section
	// 3.3).
	Scopes []string
	// Groups are those that the caller belongs to.
	Groups []string
	// Expires is when the credential ends; zero if it does not. From then on the
	// grant allows nothing, also in [FromGateway].
	Expires time.Time
	// UsageKey is the API key whose usage plan a REST API counts the request
	// against: usageIdentifierKey. It may be empty.
	UsageKey string
}
