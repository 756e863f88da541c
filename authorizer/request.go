package authorizer

import (
	"cmp"
	"slices"
	"strings"

	"github.com/lambdarmor/lambdarmor/authorizer/internal/reads"
	"github.com/lambdarmor/lambdarmor/authorizer/internal/routekey"
	"github.com/lambdarmor/lambdarmor/authorizer/policy"
	"github.com/lambdarmor/lambdarmor/guard/request"
)

// Request is a request as an authorizer sees it. What the event does not have is empty.
//
// A Request records what is read from it: see [Simple] and [Policy]. It is for one
// decision, and safe for concurrent use until the check returns.
type Request struct {
	in    *reads.Call
	reads *reads.Record
	memo  *memo
	as    *supposed // replaces the route of the request, if not nil
	found bool      // Routes has found the route
}

// supposed is a route that a check runs for, although another route was called.
type supposed struct {
	*routekey.Route
	method  string
	granted bool // by the check
}

// routeKey returns the route key in the form of the event: for a REST API the method
// that was called, and the resource.
func (s *supposed) routeKey(f reads.Format) string {
	if _, template, ok := strings.Cut(s.Key, " "); ok && f == reads.RESTRequest {
		return s.method + " " + template
	}
	return s.Key
}

func newRequest(in *reads.Call) *Request {
	return &Request{in: in, reads: new(reads.Record), memo: new(memo)}
}

// fork returns the same request with a record of its own.
func (r *Request) fork() *Request {
	forked := *r
	forked.reads = new(reads.Record)
	return &forked
}

func (r *Request) note(kind reads.Kind, value string) string { return r.noteNamed(kind, "", value) }

func (r *Request) noteNamed(kind reads.Kind, name, value string) string {
	r.reads.Add(reads.Read{Place: reads.Place{Kind: kind, Name: name}, Value: value})
	return value
}

// Header returns the value of a header, its name in any case, and "" if it is absent.
// Several values are joined by a comma, cookies by a semicolon. The token of a TOKEN
// authorizer and of AppSync is the header Authorization.
func (r *Request) Header(name string) string {
	name = strings.ToLower(name)
	return r.noteNamed(reads.Header, name, r.in.Header(name))
}

// Query returns the value of a name in the query string, several joined by a comma,
// and "" if it is absent.
func (r *Request) Query(name string) string {
	return r.noteNamed(reads.Query, name, strings.Join(r.in.Query()[name], ","))
}

// Cookie returns the value of a cookie, the first of that name, and false if it is
// absent. The decision then depends on the whole header.
func (r *Request) Cookie(name string) (string, bool) {
	r.Header("cookie")
	return r.in.Cookie(name)
}

// RouteKey returns the route that the gateway has found: "GET /orders/{id}", "$default",
// "$connect"; for a REST API the method and the resource. TOKEN authorizers, AppSync,
// function URLs and VPC Lattice do not have it.
func (r *Request) RouteKey() string {
	key := r.in.RouteKey
	if r.as != nil && key != "" {
		key = r.as.routeKey(r.in.Format)
	}
	return r.note(reads.RouteKey, key)
}

// Method returns the HTTP method. WebSocket APIs and AppSync do not have it.
func (r *Request) Method() string {
	if r.as != nil {
		return r.note(reads.Method, r.as.method)
	}
	return r.note(reads.Method, r.in.Method)
}

// Path returns the path as the event has it: decoded by an HTTP API, and otherwise as
// the client sent it. The stage or the base path of a custom domain may precede it.
// The path of [Request.ARN] has neither.
func (r *Request) Path() string { return r.note(reads.Path, r.in.RawPath()) }

// PathValue returns the value of a parameter in the path of the route, and "" if there
// is no such parameter. The decision then depends on the route and the path. A greedy
// parameter also depends on the domain, so no identity source covers it.
func (r *Request) PathValue(name string) string {
	r.note(reads.RouteKey, r.in.RouteKey)
	r.note(reads.Path, r.in.RawPath())
	if strings.Contains(r.in.RouteKey, "+}") {
		r.note(reads.PathValue, "")
	}
	value, _ := r.in.PathValue(name)
	return value
}

// ARN returns the ARN of the call, which is zero for AppSync and inside [Require]. The
// decision then depends on the method, the path and the domain.
func (r *Request) ARN() policy.ARN {
	if r.in.ARN != (policy.ARN{}) {
		r.note(reads.Method, r.in.Method)
		r.note(reads.Path, r.in.RawPath())
		r.note(reads.Domain, r.in.Domain())
	}
	return r.in.ARN
}

// SourceIP returns the address that the gateway took the request from, and not a
// header such as X-Forwarded-For, which a client can send. VPC Lattice does not have
// it.
func (r *Request) SourceIP() string { return r.note(reads.SourceIP, r.in.SourceIP()) }

// ClientCert returns the client's certificate that the gateway has verified, and nil
// without mutual TLS. It must not be changed.
func (r *Request) ClientCert() *request.Certificate {
	r.note(reads.ClientCert, r.in.PEM())
	return r.in.Certificate()
}

// GraphQL returns the operation that AppSync asks about: its name, which may be empty,
// the document, and the variables as a JSON object.
func (r *Request) GraphQL() (name, query string, variables []byte) {
	r.note(reads.Operation, "")
	name, query, variables = r.in.Operation()
	return name, query, slices.Clone(variables)
}

// IdentitySource returns the values of the identity sources, if the event has them: each
// by itself in payload format 2.0, joined by commas in 1.0, and the token otherwise.
func (r *Request) IdentitySource() []string { return slices.Clone(r.in.Sources) }

// Stage returns the name of the API's stage. It is the same for all requests to the stage,
// so it is not recorded, and neither are its variables and the id of the API.
func (r *Request) Stage() string { return cmp.Or(r.in.ARN.Stage, r.in.Request.Stage()) }

// StageVariable returns the value of a variable of the stage, and "" if it is not set.
func (r *Request) StageVariable(name string) string { return r.in.Request.StageVariable(name) }

// APIID returns the id of the API.
func (r *Request) APIID() string { return cmp.Or(r.in.ARN.API, r.in.Request.APIID()) }
