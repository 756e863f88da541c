package httpapi

import (
	"context"
	"net/http"
	"net/url"

	"github.com/aws/aws-lambda-go/events"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/request"
)

// Request is an HTTP request from any gateway. It is shared by the layers of an
// invocation and safe for concurrent use. Do not change what it returns.
type Request struct {
	// Method is the HTTP method, in upper case.
	Method string
	// Path is the path that a route is matched against: decoded once, without the
	// stage and without the base path of a custom domain.
	Path string

	event   *guard.Event
	in      *request.Request // partial if the request was refused
	matched *http.Request    // by Routes, nil before
	outer   *Request         // before it was matched
}

// RequestFrom returns the request that ctx belongs to. It returns false outside the
// handlers and layers of this package.
func RequestFrom(ctx context.Context) (*Request, bool) {
	x := exchangeOf(ctx)
	if x == nil {
		return nil, false
	}
	req, err := x.request()
	return req, err == nil
}

func newRequest(event *guard.Event, in *request.Request) Request {
	path, _ := in.Path()
	return Request{event: event, in: in, Method: in.Method(), Path: path}
}

// Event returns the request of any gateway as an event of payload format 2.0. It is
// never nil. It is empty if the authorizer's context has a form that AWS does not
// send.
func (r *Request) Event() *events.APIGatewayV2HTTPRequest {
	in, err := r.event.HTTP()
	if err != nil {
		return new(events.APIGatewayV2HTTPRequest)
	}
	return in
}

// RouteKey returns the gateway's route, such as "POST /orders" or "$default". It
// returns "" for VPC Lattice and a load balancer, which have none.
func (r *Request) RouteKey() string { return r.in.RouteKey() }

// Header returns the value of a header, its name in any case, and "" if it is not
// there. Several values are joined by a comma, as a gateway does, and never split
// again.
func (r *Request) Header(name string) string { return r.in.Header(name) }

// Query returns the values of the query string.
func (r *Request) Query() url.Values { return r.in.Query() }

// PathValue returns the value of a wildcard in the route of [Routes], or else of
// the gateway, and "" if there is none of that name.
func (r *Request) PathValue(name string) string {
	for m := r; m.matched != nil; m = m.outer { // Routes inside Routes
		if value := m.matched.PathValue(name); value != "" {
			return value
		}
	}
	value, _ := r.in.PathValue(name)
	return value
}

// Cookie returns the value of a cookie, the first of that name, and false if it is
// not there.
func (r *Request) Cookie(name string) (string, bool) { return r.in.Cookie(name) }

// ClientIP returns the address that the gateway took the request from. It ignores
// X-Forwarded-For, which a client can set. It returns "" for VPC Lattice and a load
// balancer, which report the address in that header alone.
func (r *Request) ClientIP() string { return r.in.SourceIP() }

// Authorizer returns the result of the gateway's authorizer: claims and scopes of a
// JWT, the context of a Lambda authorizer, or an IAM identity. It is nil if there
// was no authorizer.
func (r *Request) Authorizer() *events.APIGatewayV2HTTPRequestContextAuthorizerDescription {
	return r.Event().RequestContext.Authorizer
}

// Body returns the request's body, decoded from base64. See [guard.Event.Body].
func (r *Request) Body() ([]byte, error) { return r.event.Body() }
