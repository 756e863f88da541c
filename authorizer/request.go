package authorizer

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/lambdarmor/lambdarmor/authorizer/internal/routekey"
	"github.com/lambdarmor/lambdarmor/authorizer/policy"
	"github.com/lambdarmor/lambdarmor/guard/request"
	"github.com/lambdarmor/lambdarmor/internal/fieldlines"
)

// Format is the shape of the event that asks for a decision.
type Format string

// The formats.
const (
	HTTP2       Format = "http-2.0"     // HTTP API, payload format 2.0
	HTTP1       Format = "http-1.0"     // HTTP API, payload format 1.0
	RESTToken   Format = "rest-token"   // REST API, authorizer of type TOKEN
	RESTRequest Format = "rest-request" // REST API, authorizer of type REQUEST
	WebSocket   Format = "websocket"    // WebSocket API, $connect
	GraphQL     Format = "appsync"      // AppSync
	InHandler   Format = "handler"      // the request itself, by way of [Require]
)

// Request is a request as an authorizer sees it, whichever event it came in. What
// an event does not have is empty.
//
// A Request records what is read from it. The gateway stores a decision under the
// values of the identity sources, so a decision may depend on nothing else: see
// [Simple] and [Policy]. A Request is for one decision, and safe for concurrent use
// until that is made.
type Request struct {
	in    *input
	reads *reads
	memo  *memo
	as    *supposed // the route to be taken for the request's own, if not nil
	found bool      // by a table that the check stands in
}

// supposed is a route that a request is supposed to have been sent to.
type supposed struct {
	*routekey.Route
	method  string
	granted bool // by the check
}

func (s *supposed) routeKey(f Format) string {
	if f == RESTRequest { // whose event has the method that was called
		if _, template, ok := strings.Cut(s.Key, " "); ok {
			return s.method + " " + template
		}
	}
	return s.Key
}

// input is what an event says. It is not written to once it is made.
type input struct {
	*request.Request
	format   Format
	arn      policy.ARN // of what has one
	routeKey string
	method   string
	sources  []string // the identity sources' values
	joined   string   // they as one, in format 1.0
	stage    string
	query    func() url.Values
}

func (in *input) header(name string) string {
	token, taken := in.Token()
	if name == "authorization" && taken && (in.format == RESTToken || in.format == GraphQL) {
		// A gateway has taken it out of its header; what a client sends beside it
		// is not what decisions are kept for.
		return token
	}
	return in.Header(name)
}

func (in *input) queryValue(name string) string { return strings.Join(in.query()[name], ",") }

// Format returns the shape of the event. It is not recorded.
func (r *Request) Format() Format { return r.in.format }

// Header returns the value of a header, its name in any case, and "" if it is not
// there. Several values are joined by a comma, cookies by a semicolon, and never
// split again. The token of a [RESTToken] or [GraphQL] event is the header
// Authorization, by whatever name it was sent.
func (r *Request) Header(name string) string {
	name = fieldlines.Key(name)
	value := r.in.header(name)
	r.reads.note(place{inHeader, name}, value)
	return value
}

// Query returns the value of a name in the query string, several joined by a comma,
// and "" if it is not there.
func (r *Request) Query(name string) string {
	value := r.in.queryValue(name)
	r.reads.note(place{inQuery, name}, value)
	return value
}

// Cookie returns the value of a cookie, the first of that name, and false if it is
// not there. The decision then depends on the whole header.
func (r *Request) Cookie(name string) (string, bool) {
	r.Header("cookie")
	return r.in.Cookie(name)
}

// RouteKey returns the route that the gateway has found, "GET /orders/{id}",
// "ANY /files/{proxy+}", "$default", "$connect"; of a REST API the method and the
// resource. It is "" if the event does not have it: [RESTToken], [GraphQL], a
// function URL and VPC Lattice.
func (r *Request) RouteKey() string {
	key := r.in.routeKey
	if r.as != nil && key != "" {
		key = r.as.routeKey(r.in.format)
	}
	r.reads.note(place{kind: inRouteKey}, key)
	return key
}

// Method returns the HTTP method, and "" for [WebSocket] and [GraphQL].
func (r *Request) Method() string {
	method := r.in.method
	if r.as != nil {
		method = r.as.method
	}
	r.reads.note(place{kind: inMethod}, method)
	return method
}

// Path returns the path as the event has it: decoded by an HTTP API, and otherwise
// as the client sent it. It may have the stage or a custom domain's base path in
// front; that of [Request.ARN] has neither.
func (r *Request) Path() string {
	r.reads.note(place{kind: inPath}, r.in.RawPath())
	return r.in.RawPath()
}

// PathValue returns the value of a parameter in the route's path, and "" if there
// is none of that name. The decision then depends on the route and the path. The
// value of a greedy parameter also depends on the domain, and is in no identity
// source.
func (r *Request) PathValue(name string) string {
	r.reads.note(place{kind: inRouteKey}, r.in.routeKey)
	r.reads.note(place{kind: inPath}, r.in.RawPath())
	if strings.Contains(r.in.routeKey, "+}") {
		// What a greedy parameter holds depends on the base path that a domain
		// puts in front, which is in no identity source.
		r.reads.note(place{inPathValue, name}, "")
	}
	value, _ := r.in.PathValue(name)
	return value
}

// ARN returns that of the call, and the zero ARN for [GraphQL] and [InHandler]. The
// decision then depends on the method, the path and the domain.
func (r *Request) ARN() policy.ARN {
	if r.in.arn != (policy.ARN{}) {
		r.reads.note(place{kind: inMethod}, r.in.method)
		r.reads.note(place{kind: inPath}, r.in.RawPath())
		r.reads.note(place{kind: inDomain}, r.in.Domain())
	}
	return r.in.arn
}

// noteTablePath notes what the path follows from that [Routes] goes by, which is
// that of the request without the base path that a domain has put in front.
func (r *Request) noteTablePath() {
	r.reads.note(place{kind: inTablePath}, r.in.RawPath())
	r.reads.note(place{kind: inDomain}, r.in.Domain())
}

// SourceIP returns the address that the gateway took the request from. It ignores
// X-Forwarded-For, which a client can send. It is "" for VPC Lattice, which has no
// other.
func (r *Request) SourceIP() string {
	r.reads.note(place{kind: inSourceIP}, r.in.SourceIP())
	return r.in.SourceIP()
}

// ClientCert returns the client's certificate that the gateway has verified, and
// nil without mutual TLS. It must not be changed.
func (r *Request) ClientCert() *Certificate {
	cert := r.in.Certificate()
	r.reads.note(place{kind: inClientCert}, pemOf(cert))
	return cert
}

// Operation returns the GraphQL operation of a [GraphQL] event, and the zero
// Operation for others.
func (r *Request) Operation() Operation {
	r.reads.note(place{kind: inOperation}, "")
	name, query, variables := r.in.Request.Operation()
	return Operation{Name: name, Query: query, Variables: slices.Clone(variables)}
}

// IdentitySource returns the values of the identity sources in their order, of
// [HTTP2]; joined by commas to one value, of [HTTP1]; the token, of [RESTToken] and
// [GraphQL]. It is nil for others.
func (r *Request) IdentitySource() []string {
	if r.in.joined != "" {
		return []string{r.in.joined}
	}
	return slices.Clone(r.in.sources)
}

// Stage returns the name of the API's stage.
func (r *Request) Stage() string { return r.in.stage }

// StageVariable returns the value of a variable of the stage, and "" if there is
// none of that name.
func (r *Request) StageVariable(name string) string { return r.in.Request.StageVariable(name) }

// APIID returns the id of the API.
func (r *Request) APIID() string { return cmp.Or(r.in.arn.API, r.in.Request.APIID()) }

// AccountID returns the id of the account that the API belongs to.
func (r *Request) AccountID() string { return cmp.Or(r.in.arn.Account, r.in.Request.AccountID()) }

// RequestID returns the gateway's id of the request.
func (r *Request) RequestID() string { return r.in.Request.RequestID() }

// Certificate is a client's certificate, its names and times as the gateway writes
// them.
type Certificate = request.Certificate

func pemOf(c *Certificate) string {
	if c == nil {
		return ""
	}
	return c.PEM
}

// Operation is a GraphQL operation.
type Operation struct {
	Name      string // may be empty
	Query     string // the document
	Variables []byte // a JSON object, or nothing
}
