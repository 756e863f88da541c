package authorizer

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// Grant allows a request, and describes the caller to the backend. It must not be
// changed after a [Check] has returned it.
//
// [FromGateway] reads a grant from the event. Other backends find it in
// requestContext.authorizer, or its member lambda. It has the values of Context,
// principalId, and expires in seconds since 1970. The values in scope and groups are
// separated by spaces, and each group is escaped as in the path of a URL.
type Grant struct {
	// Principal names the caller, the same in each of their requests. It must not
	// be empty.
	Principal string
	// Context is what else the backend may know: strings, numbers (int, int32,
	// int64, float64) and booleans. A string must not itself be JSON: an HTTP API
	// answers 500 when it takes one from its cache. The names principalId, scope,
	// groups, expires, claims and integrationLatency are reserved.
	Context map[string]any
	// Scopes are what the credential was issued for (RFC 6749, section 3.3).
	Scopes []string
	// Groups are the groups that the caller belongs to.
	Groups []string
	// Expires is when the credential ends; zero if it does not. From then on the
	// grant allows nothing, also in [FromGateway].
	Expires time.Time
	// UsageKey is the API key whose usage plan a REST API counts the request
	// against: usageIdentifierKey. It may be empty.
	UsageKey string
}

type grantKey struct{}

// GrantFrom returns the grant of the caller, which must not be changed, and false if
// there is none. A handler inside [Require] or [FromGateway] has a grant. A check
// inside [All] has the grant of the check before it.
func GrantFrom(ctx context.Context) (*Grant, bool) {
	g, ok := ctx.Value(grantKey{}).(*Grant)
	return g, ok
}

func withGrant(ctx context.Context, g *Grant) context.Context {
	return context.WithValue(ctx, grantKey{}, g)
}

// reserved reports whether a name has another meaning in an authorizer's context.
func reserved(name string) bool {
	switch name {
	case namePrincipal, nameScope, nameGroups, nameExpires,
		"integrationLatency", // the gateway sets it
		"claims":             // would be read as the claims of a JWT authorizer
		return true
	}
	return false
}

// Validate returns an error if a field breaks the rules above, or a text has a control
// character, such as a line break. Authorizers call it. Call it yourself for grants
// that are made ahead of time.
func (g *Grant) Validate() error {
	if g.Principal == "" {
		return reason.New("authorizer: a grant without a principal")
	}
	if err := checkText(g.Principal); err != nil {
		return fmt.Errorf("authorizer: a grant's principal: %w", err)
	}
	if err := checkCharacters(g.UsageKey); err != nil {
		return fmt.Errorf("authorizer: a grant's usage key: %w", err)
	}
	if !validScopes(g.Scopes) {
		return reason.New("authorizer: a grant with a malformed scope (RFC 6749, section 3.3)")
	}
	if err := checkText(strings.Join(g.Scopes, " ")); err != nil {
		return fmt.Errorf("authorizer: a grant's scopes: %w", err)
	}
	if slices.ContainsFunc(g.Groups, badName) {
		return reason.New("authorizer: a grant with a group that is empty, not UTF-8 or has a control character")
	}
	for name, value := range g.Context {
		if badName(name) {
			return reason.New("authorizer: the context has a name that is empty, not UTF-8 or has a control character")
		}
		if reserved(name) {
			return fmt.Errorf("authorizer: the context's %q: the name is reserved, see Grant.Context", name)
		}
		if err := checkValue(value); err != nil {
			return fmt.Errorf("authorizer: the context's %q: %w", name, err)
		}
	}
	return nil
}

func badName(name string) bool { return name == "" || checkCharacters(name) != nil }

// maxInt is the largest integer that a double represents exactly, with all below
// it. The gateway and most backends read numbers as doubles.
const maxInt = 1 << 53

func checkValue(value any) error {
	var n int64
	switch v := value.(type) {
	case string:
		return checkText(v)
	case bool:
	case int:
		n = int64(v)
	case int32:
		n = int64(v)
	case int64:
		n = v
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return reason.New("a number that is not finite")
		}
	case nil:
		return reason.New("nil: leave out the name instead")
	default:
		return fmt.Errorf("a %T: gateways pass on strings, numbers and booleans (string, bool, int, int32, int64, float64)", value)
	}
	if n > maxInt || n < -maxInt {
		return reason.New("an integer beyond 2^53, which readers round: make it a string")
	}
	return nil
}

// checkCharacters refuses control characters: a backend may map a value to a header,
// where a line break begins another one.
func checkCharacters(text string) error {
	switch {
	case !utf8.ValidString(text):
		return reason.New("not UTF-8")
	case strings.ContainsFunc(text, unicode.IsControl):
		return reason.New("a control character")
	default:
		return nil
	}
}

// checkText also refuses an object, an array or a string of JSON, which an HTTP API
// answers with a 500 when it takes it from its cache.
func checkText(text string) error {
	if err := checkCharacters(text); err != nil {
		return err
	}
	trimmed := strings.TrimLeft(text, " ")
	if trimmed != "" && strings.IndexByte(`{["`, trimmed[0]) >= 0 && jsontext.Value(text).IsValid(jsontext.AllowDuplicateNames(true)) {
		return reason.New("a string that is itself JSON: an HTTP API answers 500 when it takes it from its cache; encode it, as base64")
	}
	return nil
}

// validScopes follows RFC 6749, section 3.3.
func validScopes(scopes []string) bool {
	bad := func(c rune) bool { return c <= ' ' || c > '~' || c == '"' || c == '\\' }
	return !slices.ContainsFunc(scopes, func(scope string) bool { return scope == "" || strings.ContainsFunc(scope, bad) })
}
