package request

import (
	"cmp"
	"encoding/base64"
	"iter"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/lambdarmor/lambdarmor/internal/reason"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// Request is the HTTP request in an event, or the call that an authorizer decides
// on. Its parts are decoded on first use. It is safe for concurrent use. What it
// returns is shared and must not be changed.
type Request struct {
	raw     []byte
	trigger Trigger
	at      [numMembers]span
	pairs   []pair
	room    [28]pair // for pairs, as many as most requests have

	find      sync.Once // of the path; guards all below
	prefix    string
	routed    string
	ambiguous bool
}

// span is the position of a value in the event; the zero value means none.
type span struct{ start, end int32 }

// pair is a header line, a value of a query, a cookie, and so on.
type pair struct {
	of          member
	name, value span
}

// has reports whether the event has a member that is not null.
func (r *Request) has(m member) bool { return r.at[m].end > 0 }

// value returns the JSON text of a member, nil if there is none.
func (r *Request) value(m member) []byte { return r.slice(r.at[m]) }

func (r *Request) slice(s span) []byte {
	if s.end == 0 {
		return nil
	}
	return r.raw[s.start:s.end]
}

func (r *Request) text(m member) string { return unquote(r.value(m)) }

// unquote returns the decoded text of a string, "" for any other value. The walk
// has checked its form.
func unquote(value []byte) string { return string(strictjson.Unquote(value)) }

// plainText returns the text between the quotes of a string.
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

// all returns the names and values of a member that has several.
func (r *Request) all(of member) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for _, p := range r.pairs {
			if p.of == of && !yield(unquote(r.slice(p.name)), unquote(r.slice(p.value))) {
				return
			}
		}
	}
}

// values returns the values of a member that has several.
func (r *Request) values(of member) (all []string) {
	for _, value := range r.all(of) {
		all = append(all, value)
	}
	return all
}

// exact returns the value of a name that has no other spellings.
func (r *Request) exact(of member, name string) (string, bool) {
	for n, value := range r.all(of) {
		if n == name {
			return value, true
		}
	}
	return "", false
}

// Trigger returns what sent the event.
func (r *Request) Trigger() Trigger { return r.trigger }

// Version returns the version of the payload format: "2.0", "1.0" also for a REST
// API, "" for a load balancer, a WebSocket and AppSync.
func (r *Request) Version() string {
	switch r.trigger {
	case REST:
		return "1.0"
	case ALB, WebSocket:
		return ""
	}
	return r.text(version)
}

// Lists reports whether headers or query parameters came as lists of values. A
// load balancer then takes an answer with lists.
func (r *Request) Lists() bool { return r.has(multiValueHeaders) || r.has(multiValueQuery) }

// Method returns the HTTP method, "" for a WebSocket and AppSync.
func (r *Request) Method() string { return r.first(httpMethod2, httpMethod, method) }

// RouteKey returns the route that the gateway has found: "POST /orders",
// "ANY /carts", "$default", "$connect". It is "" for a load balancer, for VPC Lattice,
// and for a function URL in the event of an authorizer. A REST API does not report ANY:
// the method is that of the request.
func (r *Request) RouteKey() string {
	for _, m := range []member{routeKey, contextRouteKey} {
		if r.has(m) {
			return r.text(m)
		}
	}
	if r.trigger == ALB || r.trigger == VPCLattice || !r.has(httpMethod) {
		return ""
	}
	if id := r.text(resourceID); r.trigger == HTTPAPI && strings.Contains(id, " ") {
		return id // in format 1.0, also with the method ANY
	}
	template := r.text(resource)
	if template == "" || template == "$default" {
		return "$default"
	}
	return r.text(httpMethod) + " " + template
}

// RawBody returns the body as the event has it, a JSON string, and whether the
// string is base64. It is nil if there is none.
func (r *Request) RawBody() (quoted []byte, isBase64 bool) {
	return r.value(body), string(r.value(isBase64Encoded)) == "true"
}

// ErrNotBase64 is the error if isBase64Encoded is set and the body is not base64.
var ErrNotBase64 = reason.New("the body is not base64")

// Body returns a copy of the bytes of the body. The error is [ErrNotBase64].
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

// PathValue returns the value of a parameter in the gateway's route.
func (r *Request) PathValue(name string) (string, bool) { return r.exact(pathParameters, name) }

// StageVariable returns a variable of the stage, "" if there is none.
func (r *Request) StageVariable(name string) string {
	value, _ := r.exact(stageVariables, name)
	return value
}

// SourceIP returns the address that the gateway took the request from. It is "" for
// VPC Lattice and a load balancer, which report it only in a header.
func (r *Request) SourceIP() string { return r.first(httpSourceIP2, identitySourceIP) }

// UserAgent returns the User-Agent of the client.
func (r *Request) UserAgent() string {
	return cmp.Or(r.first(httpUserAgent2, identityUserAgent), r.Header("user-agent"))
}

// Protocol returns "HTTP/1.1" and the like, "" if the event does not have it.
func (r *Request) Protocol() string { return r.first(httpProtocol2, protocol) }

// Stage returns the name of the API's stage.
func (r *Request) Stage() string { return r.text(stage) }

// Domain returns the name that the API was called by.
func (r *Request) Domain() string { return r.text(domainName) }

// Host returns the name that the request was sent to, in lower case: the API's
// domain, or the header Host.
func (r *Request) Host() string { return strings.ToLower(cmp.Or(r.Domain(), r.Header("host"))) }

// APIID returns the id of the API.
func (r *Request) APIID() string { return r.text(apiID) }

// AccountID returns the id of the API's account.
func (r *Request) AccountID() string { return r.text(accountID) }

// RequestID returns the gateway's id of the request.
func (r *Request) RequestID() string { return r.text(requestID) }
