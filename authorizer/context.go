package authorizer

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// The names under which a grant travels in the context of the authorizer's
// answer, beside those of [Grant.Context]. The backend finds them in
// requestContext.authorizer, of an HTTP API's format 2.0 in its member lambda.
const (
	// NamePrincipal is [Grant.Principal]. REST and WebSocket APIs add it
	// themselves.
	NamePrincipal = "principalId"
	// NameScope is [Grant.Scopes], separated by spaces (RFC 8693, section 4.2).
	NameScope = "scope"
	// NameGroups is [Grant.Groups], separated by spaces, each escaped as in the
	// path of a URL.
	NameGroups = "groups"
	// NameExpires is [Grant.Expires] in seconds since 1970.
	NameExpires = "expires"
)

// reserved are names that mean something else in an authorizer's context.
var reserved = map[string]string{
	NamePrincipal:        "it is the Principal's",
	NameScope:            "it is that of Scopes",
	NameGroups:           "it is that of Groups",
	NameExpires:          "it is that of Expires",
	"integrationLatency": "the gateway sets it",
	"claims":             "it would be read as the claims of a JWT authorizer",
}

// How large a context may be, in bytes: AppSync's own limit, and one for the
// gateways, which document none.
//
// https://docs.aws.amazon.com/appsync/latest/devguide/security-authz.html
const (
	maxResolverContext = 5 << 20
	maxContext         = 64 << 10
)

// appendContext appends the context of a grant as a JSON object, or tells why
// no gateway would pass it on.
func (g *Grant) appendContext(b []byte, f Format) ([]byte, error) {
	start := len(b)
	b = append(b, '{')
	if f == HTTP2 || f == HTTP1 || f == GraphQL {
		b = appendMember(b, NamePrincipal, g.Principal)
	}
	if len(g.Scopes) > 0 {
		b = appendMember(b, NameScope, strings.Join(g.Scopes, " "))
	}
	if len(g.Groups) > 0 {
		b = appendMember(b, NameGroups, joinGroups(g.Groups))
	}
	if !g.Expires.IsZero() {
		b = appendScalar(appendName(b, NameExpires), strconv.FormatInt(g.Expires.Unix(), 10), f)
	}
	for _, name := range slices.Sorted(maps.Keys(g.Context)) {
		text, quoted, err := valueText(g.Context[name])
		if err != nil { // a grant that has not been checked
			return nil, fmt.Errorf("authorizer: the context's %q: %w", name, err)
		}
		if quoted {
			b = appendMember(b, name, text)
		} else {
			b = appendScalar(appendName(b, name), text, f)
		}
	}
	b = append(b, '}')
	limit := maxContext
	if f == GraphQL {
		limit = maxResolverContext
	}
	if len(b)-start > limit {
		return nil, fmt.Errorf("authorizer: the context has more than %d bytes", limit)
	}
	return b, nil
}

// appendScalar appends a number or a boolean, to AppSync as the string that it
// takes.
func appendScalar(b []byte, text string, f Format) []byte {
	if f != GraphQL {
		return append(b, text...)
	}
	b = append(append(b, '"'), text...)
	return append(b, '"')
}

// Validate tells why no gateway would pass a grant on, nil where one would: it
// breaks what is said of a field, or a text has a control character, like a line
// break. An authorizer does so by itself; this is for
// what makes grants ahead of time.
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
	for _, scope := range g.Scopes {
		if !validScope(scope) {
			return reason.New("authorizer: a grant with a scope that is none (RFC 6749, section 3.3)")
		}
	}
	if err := checkText(strings.Join(g.Scopes, " ")); err != nil {
		return fmt.Errorf("authorizer: a grant's scopes: %w", err)
	}
	for _, group := range g.Groups {
		if group == "" || checkCharacters(group) != nil {
			return reason.New("authorizer: a grant with a group without a name, or with a character that no name has")
		}
	}
	for name, value := range g.Context {
		if why, ok := reserved[name]; ok {
			return fmt.Errorf("authorizer: the context's %q: the name is taken: %s", name, why)
		}
		if name == "" || checkCharacters(name) != nil {
			return reason.New("authorizer: the context has a value without a name, or with a character that no name has")
		}
		text, quoted, err := valueText(value)
		if err == nil && quoted {
			err = checkText(text)
		}
		if err != nil {
			return fmt.Errorf("authorizer: the context's %q: %w", name, err)
		}
	}
	return nil
}

// checkCharacters refuses what cannot be told in JSON, and control characters: a
// backend may have a value mapped to a header, where a line break begins another.
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

// checkText also refuses what an HTTP API answers with a 500 once it comes from the
// cache: a string that is itself an object, an array or a string of JSON. A
// number, true or null is left alone, as "42" is a usual name.
func checkText(text string) error {
	if err := checkCharacters(text); err != nil {
		return err
	}
	trimmed := strings.TrimLeft(text, " ")
	if trimmed == "" || strings.IndexByte(`{["`, trimmed[0]) < 0 {
		return nil
	}
	if jsontext.Value(text).IsValid(jsontext.AllowDuplicateNames(true)) {
		return reason.New("a string that is itself JSON: an HTTP API answers 500 when it takes it from its cache; encode it, as base64")
	}
	return nil
}

func appendName(b []byte, name string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	b, _ = jsontext.AppendQuote(b, name) // checked to be UTF-8
	return append(b, ':')
}

func appendMember(b []byte, name, value string) []byte {
	b, _ = jsontext.AppendQuote(appendName(b, name), value)
	return b
}

// valueText gives the text of a value of the kinds that REST and WebSocket APIs
// take: strings, which are to be quoted, numbers and booleans.
func valueText(value any) (text string, quoted bool, err error) {
	switch v := value.(type) {
	case string:
		return v, true, nil
	case bool:
		return strconv.FormatBool(v), false, nil
	case int:
		return intText(int64(v))
	case int32:
		return intText(int64(v))
	case int64:
		return intText(v)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return "", false, reason.New("a number that is not finite")
		}
		return strconv.FormatFloat(v, 'g', -1, 64), false, nil
	case nil:
		return "", false, reason.New("nil: leave the name out instead")
	default:
		return "", false, fmt.Errorf("a %T: gateways pass on strings, numbers and booleans (string, bool, int, int32, int64, float64)", value)
	}
}

// intText holds an integer to what a double holds exactly: the gateway and most
// backends read one.
func intText(v int64) (string, bool, error) {
	if v > 1<<53 || v < -1<<53 {
		return "", false, reason.New("an integer beyond 2^53, which readers round: make it a string")
	}
	return strconv.FormatInt(v, 10), false, nil
}

// validScope follows RFC 6749, section 3.3.
func validScope(scope string) bool {
	if scope == "" {
		return false
	}
	for i := range len(scope) {
		if c := scope[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

func joinGroups(groups []string) string {
	escaped := make([]string, len(groups))
	for i, group := range groups {
		escaped[i] = url.PathEscape(group)
	}
	return strings.Join(escaped, " ")
}

// grantOf reads a grant back from the context that the gateway passes on. Every
// value may have become a string on the way.
func grantOf(told map[string]any) (*Grant, error) {
	principal, _ := told[NamePrincipal].(string) // a number may have been rounded
	g := &Grant{Principal: principal}
	if g.Principal == "" {
		return nil, reason.New("authorizer: the gateway's authorizer has told no principal")
	}
	g.Scopes = strings.Fields(textOf(told[NameScope]))
	for _, escaped := range strings.Fields(textOf(told[NameGroups])) {
		group, err := url.PathUnescape(escaped)
		if err != nil {
			return nil, reason.New("authorizer: the groups of the gateway's authorizer are malformed")
		}
		g.Groups = append(g.Groups, group)
	}
	if value, ok := told[NameExpires]; ok { // which a grant without an end has not
		seconds, err := strconv.ParseFloat(textOf(value), 64)
		if err != nil || !(math.Abs(seconds) <= 1<<53) { // nor NaN
			return nil, reason.New("authorizer: the expiry of the gateway's authorizer is malformed")
		}
		g.Expires = time.Unix(int64(seconds), 0)
	}
	for name, value := range told {
		if _, ok := reserved[name]; ok {
			continue
		}
		if g.Context == nil {
			g.Context = make(map[string]any, len(told))
		}
		g.Context[name] = plainValue(value)
	}
	return g, nil
}

// plainValue makes a number of JSON one of Go.
func plainValue(value any) any {
	if n, ok := value.(json.Number); ok {
		f, _ := n.Float64()
		return f
	}
	return value
}

// textOf is a string, or a number or a boolean as one.
func textOf(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		f, _ := v.Float64()
		return strconv.FormatFloat(f, 'f', -1, 64)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	default:
		return ""
	}
}
