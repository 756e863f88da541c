package httpapi

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/aws/aws-lambda-go/events"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/fieldlines"
)

// Request is the HTTP request behind an event. It is shared by the layers of an
// invocation and safe for concurrent use; what it returns must not be changed.
type Request struct {
	// Method is the HTTP method, in upper case.
	Method string
	// Path is the path, percent-decoded, without the stage and without the base
	// path of a custom domain: what a route is matched against.
	Path string

	event   *guard.Event
	light   *guard.Request // what is read of it at once
	glimpse *glimpse       // in its place, where the request was refused
	prefix  string         // of RawPath, what Path lacks
	rawPath string         // Path, escaped
	matched *http.Request  // by Routes, nil before
	outer   *Request       // before it was matched
	query   *query         // shared by the copies that Routes makes
}

// query is the query string, taken apart when it is first asked for.
type query struct {
	once   sync.Once
	values url.Values
}

// RequestFrom gives the request that ctx belongs to. It is there inside every
// handler and layer of this package, and false elsewhere.
func RequestFrom(ctx context.Context) (*Request, bool) {
	x := exchangeOf(ctx)
	if x == nil {
		return nil, false
	}
	req, err := x.request()
	return req, err == nil
}

// read fills in the request from its event.
func (r *Request) read(event *guard.Event) error {
	in, err := event.Request()
	if err != nil {
		return err
	}
	r.Method, r.event, r.light = in.Method, event, in
	r.prefix, r.Path, r.rawPath = splitPath(in, r.pathParameters)
	return nil
}

func (r *Request) pathParameters() map[string]string { return r.Event().PathParameters }

// lowerNames gives headers whose names are in lower case, as a gateway sends
// them. Where an event has two spellings of a name, every reader must see the
// same.
func lowerNames(headers map[string]string) map[string]string {
	plain := true
	for name := range headers {
		plain = plain && name == fieldlines.Key(name)
	}
	if plain {
		return headers
	}
	return fieldlines.Map(fieldlines.Lines(headers))
}

// Event is the request as the gateway sent it, one of payload format 1.0 or of
// VPC Lattice in the form of 2.0. It is never nil; of an event that has a member of another
// type than AWS sends, where nothing else looks, it is empty.
func (r *Request) Event() *events.APIGatewayV2HTTPRequest {
	in, err := r.event.HTTP()
	if err != nil {
		return new(events.APIGatewayV2HTTPRequest)
	}
	return in
}

// RouteKey is the gateway's route, "POST /orders" or "$default"; "" of VPC
// Lattice, which has none.
func (r *Request) RouteKey() string { return r.light.RouteKey }

// Header gives the value of a header, its name in any case, "" when it is not
// there. Several values are joined by a comma, as the gateway does; they are
// never split again.
func (r *Request) Header(name string) string {
	if r.glimpse != nil {
		return r.glimpse.header(name)
	}
	return r.light.Header(name)
}

// Query gives the values of the query string.
func (r *Request) Query() url.Values {
	r.query.once.Do(func() {
		r.query.values, _ = url.ParseQuery(r.light.RawQueryString) // what can be read of it
	})
	return r.query.values
}

// PathValue gives the value of a wildcard in the route, of [Routes] or else of
// the gateway's; "" when there is none of that name.
func (r *Request) PathValue(name string) string {
	for m := r; m.matched != nil; m = m.outer { // Routes inside Routes
		if value := m.matched.PathValue(name); value != "" {
			return value
		}
	}
	return r.pathParameters()[name]
}

// Cookie gives the value of a cookie, the first of that name, and false when it
// is not there.
func (r *Request) Cookie(name string) (string, bool) {
	for part := range strings.SplitSeq(r.cookies(), ";") {
		cookies, err := http.ParseCookie(part)
		if err == nil && cookies[0].Name == name {
			return cookies[0].Value, true
		}
	}
	return "", false
}

// cookies is the Cookie header, which a gateway takes apart.
func (r *Request) cookies() string {
	if cookies := r.Event().Cookies; len(cookies) > 0 {
		return strings.Join(cookies, "; ")
	}
	return r.Header("cookie")
}

// identified reports whether the request carries credentials, or a caller that
// the gateway has made out from some.
func (r *Request) identified() bool {
	if r.glimpse != nil {
		return r.Header("authorization") != "" || r.Header("cookie") != ""
	}
	return r.light.Identified()
}

// ClientIP is the address that the gateway took the request from. What a
// client says of itself in X-Forwarded-For is not looked at; VPC Lattice tells
// no other, so it is "" there.
func (r *Request) ClientIP() string { return r.Event().RequestContext.HTTP.SourceIP }

// Authorizer is what the gateway's authorizer told: claims and scopes of a
// JWT, the context of a Lambda authorizer, an IAM identity. It is nil when
// there was none.
func (r *Request) Authorizer() *events.APIGatewayV2HTTPRequestContextAuthorizerDescription {
	return r.Event().RequestContext.Authorizer
}

// Body is the request's body, base64 taken off. See [guard.Event.Body].
func (r *Request) Body() ([]byte, error) { return r.event.Body() }

// format1 reports whether the answer has to be in payload format 1.0.
func (r *Request) format1() bool {
	if r.glimpse != nil {
		return r.glimpse.format1()
	}
	return r.light.Version == "1.0"
}
