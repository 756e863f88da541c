package request

import (
	"bytes"
	"cmp"
	"encoding/base64"
	nethttp "net/http"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/lambdarmor/lambdarmor/internal/reason"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// Request is the HTTP request in an event, or the call that an authorizer is
// asked about. Nothing of it is made before it is asked for. It is safe for
// concurrent use; what it returns is shared and must not be changed.
type Request struct {
	raw     []byte
	trigger Trigger
	at      [numMembers]span
	pairs   []pair
	room    [28]pair // for pairs, as many as most requests have

	route sync.Once // guards prefix, routed, ambiguous
	prefix,
	routed string
	ambiguous bool
}

// span is where a value stands in the event; the zero value is nowhere.
type span struct{ start, end int32 }

// pair is a header line, a value of a query, a cookie, and so on.
type pair struct {
	of          member
	name, value span
}

// Trigger returns what sent the event.
func (r *Request) Trigger() Trigger { return r.trigger }

// has reports whether the event has a member that is not null.
func (r *Request) has(m member) bool { return r.at[m].end > 0 }

// value returns the JSON text of a member, nil where there is none.
func (r *Request) value(m member) []byte { return r.slice(r.at[m]) }

func (r *Request) slice(s span) []byte {
	if s.end == 0 {
		return nil
	}
	return r.raw[s.start:s.end]
}

func (r *Request) text(m member) string { return unquote(r.value(m)) }

// unquote returns what a string stands for, "" for any other value. The walk has
// checked its form.
func unquote(value []byte) string { return string(strictjson.Unquote(value)) }

// plainText returns what stands between the quotes of a string.
func plainText(value []byte) []byte {
	if len(value) < 2 || value[0] != '"' {
		return nil
	}
	return value[1 : len(value)-1]
}

// is reports whether a member is a certain text, which has nothing to escape.
func (r *Request) is(m member, want string) bool { return string(plainText(r.value(m))) == want }

// first returns the text of the first member that has one.
func (r *Request) first(all ...member) string {
	for _, m := range all {
		if t := r.text(m); t != "" {
			return t
		}
	}
	return ""
}

// Version returns that of the payload format: "2.0", "1.0", or "" of a load
// balancer, a WebSocket and AppSync. That of a REST API is "1.0".
func (r *Request) Version() string {
	switch r.trigger {
	case REST:
		return "1.0"
	case ALB, WebSocket:
		return ""
	}
	return r.text(version)
}

// Lists reports whether headers or query parameters came as lists of values: by
// that a load balancer tells which form of answer it takes.
func (r *Request) Lists() bool { return r.has(multiValueHeaders) || r.has(multiValueQuery) }

// Method returns the HTTP method, "" of a WebSocket and of AppSync.
func (r *Request) Method() string {
	return r.first(httpMethod2, httpMethod, method)
}

// RouteKey returns the route that the gateway has found, "POST /orders" or
// "$default", "$connect"; "" where there are none: of a function URL as an
// authorizer sees it, of a load balancer and VPC Lattice.
func (r *Request) RouteKey() string {
	for _, m := range []member{routeKey, contextRouteKey} {
		if r.has(m) {
			return r.text(m)
		}
	}
	if r.trigger == ALB || r.trigger == VPCLattice || !r.has(httpMethod) {
		return ""
	}
	template := r.text(resource)
	if template == "" || template == "$default" {
		return "$default"
	}
	return r.text(httpMethod) + " " + template
}

// RawQuery returns the query string: as it was sent where the event has that,
// else made again from its values.
func (r *Request) RawQuery() string {
	switch r.trigger {
	case VPCLattice:
		if _, query, ok := strings.Cut(r.text(path), "?"); ok {
			return query
		}
	case ALB:
		return r.joinQuery()
	}
	if r.has(rawQueryString) {
		return r.text(rawQueryString)
	}
	return r.Query().Encode()
}

// RawBody returns the body as the event has it: a JSON string, nil where there
// is none, and whether that is base64.
func (r *Request) RawBody() (quoted []byte, isBase64 bool) {
	return r.value(body), string(r.value(isBase64Encoded)) == "true"
}

// ErrNotBase64 is a body that was said to be base64 and is not.
var ErrNotBase64 = reason.New("the body is not base64")

// Body returns the bytes of the body, of the caller's own. The error is
// [ErrNotBase64].
func (r *Request) Body() ([]byte, error) {
	quoted, isBase64 := r.RawBody()
	if quoted == nil {
		return nil, nil
	}
	plain, _ := jsontext.AppendUnquote(nil, quoted) // checked to be a string
	if !isBase64 {
		return plain, nil
	}
	n, err := base64.StdEncoding.Decode(plain, plain)
	if err != nil {
		return nil, ErrNotBase64
	}
	return plain[:n], nil
}

// SourceIP returns the address that the gateway took the request from, "" of
// VPC Lattice and of a load balancer, which say it in a header alone.
func (r *Request) SourceIP() string { return r.first(httpSourceIP2, identitySourceIP) }

// UserAgent returns what the client says of itself.
func (r *Request) UserAgent() string {
	if agent := r.first(httpUserAgent2, identityUserAgent); agent != "" {
		return agent
	}
	return r.Header("user-agent")
}

// Protocol returns "HTTP/1.1" and the like, "" where the event does not tell.
func (r *Request) Protocol() string { return r.first(httpProtocol2, protocol) }

// Stage returns the name of the API's stage.
func (r *Request) Stage() string { return r.text(stage) }

// Domain returns the name that the API was called by.
func (r *Request) Domain() string { return r.text(domainName) }

// Host returns the name that the request was sent to, in lower case: the API's
// domain, else the header Host.
func (r *Request) Host() string { return strings.ToLower(cmp.Or(r.Domain(), r.Header("host"))) }

// APIID returns the id of the API.
func (r *Request) APIID() string { return r.text(apiID) }

// AccountID returns the id of the API's account.
func (r *Request) AccountID() string { return r.text(accountID) }

// RequestID returns the gateway's id of the request.
func (r *Request) RequestID() string { return r.text(requestID) }

// StageVariable returns a variable of the stage.
func (r *Request) StageVariable(name string) string {
	value, _ := r.exact(stageVariables, name)
	return value
}

// PathValue returns the value of a parameter in the gateway's route.
func (r *Request) PathValue(name string) (string, bool) { return r.exact(pathParameters, name) }

// exact returns the value of a name that has no other spellings.
func (r *Request) exact(of member, name string) (string, bool) {
	for _, p := range r.pairs {
		if p.of == of && unquote(r.slice(p.name)) == name {
			return unquote(r.slice(p.value)), true
		}
	}
	return "", false
}

// Header returns the value of a header, its name in any case, "" where there is
// none. Several lines are joined by a comma, cookies by a semicolon, and never
// split again.
func (r *Request) Header(name string) string {
	value, count := r.header(name)
	if !sameName(name, "cookie") {
		return value
	}
	apart := strings.Join(r.separateCookies(), "; ") // which come before those that a gateway has left there
	if apart != "" && count > 0 && apart != value {
		return apart + "; " + value
	}
	return cmp.Or(apart, value)
}

// HeaderLines returns how many lines, or spellings, a header came in.
func (r *Request) HeaderLines(name string) int {
	_, count := r.header(name)
	return count
}

func (r *Request) header(name string) (value string, count int) {
	of := r.headerMember()
	for _, p := range r.pairs {
		if p.of == of && r.spells(p, name) {
			if count++; count == 1 {
				value = unquote(r.slice(p.value))
			}
		}
	}
	if count < 2 {
		return value, count
	}
	lines := make([]line, 0, count)
	for _, p := range r.pairs {
		if p.of == of && r.spells(p, name) {
			lines = append(lines, r.line(p))
		}
	}
	return combine(lines)[0].Value, count
}

// spells reports whether a header line has a name in some spelling.
func (r *Request) spells(p pair, name string) bool {
	quoted := r.slice(p.name)
	if bytes.IndexByte(quoted, '\\') >= 0 {
		return sameName(unquote(quoted), name)
	}
	return sameName(string(quoted[1:len(quoted)-1]), name)
}

func (r *Request) line(p pair) line {
	return line{name: unquote(r.slice(p.name)), value: unquote(r.slice(p.value))}
}

// headerMember is where the headers are: lists of values say more than one.
func (r *Request) headerMember() member {
	switch {
	case r.trigger == AppSync:
		return resolverHeaders
	case r.has(multiValueHeaders):
		return multiValueHeaders
	case r.has(requestHeaders):
		return requestHeaders
	default:
		return headers
	}
}

// Headers returns each header once, by name in lower case, cookies that stand
// by themselves included.
func (r *Request) Headers() []Field {
	of := r.headerMember()
	lines := make([]line, 0, 16)
	for _, p := range r.pairs {
		if p.of == of {
			lines = append(lines, r.line(p))
		}
	}
	return combine(lines)
}

// Cookies returns the cookies as they were sent, of a header as of a list, each
// like "name=value".
func (r *Request) Cookies() []string {
	all := r.separateCookies()
	header, _ := r.header("cookie")
	for c := range strings.SplitSeq(header, ";") {
		if c = strings.TrimSpace(c); c != "" {
			all = append(all, c)
		}
	}
	return all
}

// Cookie returns the value of a cookie, the first of that name, and false when
// it is not there.
func (r *Request) Cookie(name string) (string, bool) {
	for part := range strings.SplitSeq(strings.Join(r.Cookies(), ";"), ";") {
		if cookies, err := nethttp.ParseCookie(part); err == nil && cookies[0].Name == name {
			return cookies[0].Value, true
		}
	}
	return "", false
}

// separateCookies are those that a gateway has taken out of the headers.
func (r *Request) separateCookies() (all []string) {
	for _, p := range r.pairs {
		if p.of == cookies {
			all = append(all, unquote(r.slice(p.value)))
		}
	}
	return all
}
