package httpapi

import (
	"context"
	"net/http"
	"net/url"
	"sync"

	"github.com/aws/aws-lambda-go/events"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/request"
)

// Request is the HTTP request behind an event. It is shared by the layers of an
// invocation and safe for concurrent use; what it returns must not be changed.
type Request struct {
	// Method is the HTTP method, in upper case.
	Method string
	// Path is the path that a route is matched against: decoded once, without
	// the stage and without the base path of a custom domain.
	Path string

	event   *guard.Event
	in      *request.Request // partial, where the request was refused
	matched *http.Request    // by Routes, nil before
	outer   *Request         // before it was matched
	query   *query           // shared by the copies that Routes makes
}

// query is the query string, taken apart when it is first asked for.
type query struct {
	once   sync.Once
	values url.Values
}

// RequestFrom returns the request that ctx belongs to. It is there inside every
// handler and layer of this package, and false elsewhere.
func RequestFrom(ctx context.Context) (*Request, bool) {
	x := exchangeOf(ctx)
	if x == nil {
		return nil, false
	}
	req, err := x.request()
	return req, err == nil
}

// read fills in the request from what there is of it in the event.
func (r *Request) read(event *guard.Event, in *request.Request) {
	r.event, r.in, r.Method = event, in, in.Method()
	r.Path, _ = in.Path()
}

// Event returns the request as an event of payload format 2.0, whichever form
// it came in. It is never nil; of an event whose authorizer has said something in
// another form than AWS sends, it is empty.
func (r *Request) Event() *events.APIGatewayV2HTTPRequest {
	in, err := r.event.HTTP()
	if err != nil {
		return new(events.APIGatewayV2HTTPRequest)
	}
	return in
}

// RouteKey returns the gateway's route, "POST /orders" or "$default"; "" of VPC
// Lattice and a load balancer, which have none.
func (r *Request) RouteKey() string { return r.in.RouteKey() }

// Header returns the value of a header, its name in any case, "" when it is not
// there. Several values are joined by a comma, as the gateway does; they are
// never split again.
func (r *Request) Header(name string) string { return r.in.Header(name) }

// Query returns the values of the query string.
func (r *Request) Query() url.Values {
	r.query.once.Do(func() { r.query.values = r.in.Query() })
	return r.query.values
}

// PathValue returns the value of a wildcard in the route, of [Routes] or else of
// the gateway's; "" when there is none of that name.
func (r *Request) PathValue(name string) string {
	for m := r; m.matched != nil; m = m.outer { // Routes inside Routes
		if value := m.matched.PathValue(name); value != "" {
			return value
		}
	}
	value, _ := r.in.PathValue(name)
	return value
}

// Cookie returns the value of a cookie, the first of that name, and false when it
// is not there.
func (r *Request) Cookie(name string) (string, bool) { return r.in.Cookie(name) }

// ClientIP returns the address that the gateway took the request from. What a
// client says of itself in X-Forwarded-For is not looked at; VPC Lattice and load
// balancers provide no other, so it is "" there.
func (r *Request) ClientIP() string { return r.in.SourceIP() }

// Authorizer returns what the gateway's authorizer said: claims and scopes of a
// JWT, the context of a Lambda authorizer, an IAM identity. It is nil when
// there was none.
func (r *Request) Authorizer() *events.APIGatewayV2HTTPRequestContextAuthorizerDescription {
	return r.Event().RequestContext.Authorizer
}

// Body returns the request's body, base64 taken off. See [guard.Event.Body].
func (r *Request) Body() ([]byte, error) { return r.event.Body() }

// url returns the request's URL. It has no other form of the path beside the
// decoded one: a handler that looks at both could take another route.
func (r *Request) url() *url.URL { return &url.URL{Path: r.Path, RawQuery: r.in.RawQuery()} }
