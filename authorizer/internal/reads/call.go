package reads

import (
	"context"
	"strings"

	"github.com/lambdarmor/lambdarmor/authorizer/policy"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/request"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// Format is the format of an authorizer's event.
type Format string

// The formats.
const (
	HTTP2       Format = "http-2.0"     // HTTP API, payload format 2.0
	HTTP1       Format = "http-1.0"     // HTTP API, payload format 1.0
	RESTToken   Format = "rest-token"   // REST API, authorizer of type TOKEN
	RESTRequest Format = "rest-request" // REST API, authorizer of type REQUEST
	WebSocket   Format = "websocket"    // WebSocket API, $connect
	AppSync     Format = "appsync"
	InHandler   Format = "handler" // the request itself, inside Require
)

// Call is the parsed event. It does not change.
type Call struct {
	*request.Request
	Format   Format
	ARN      policy.ARN // zero for AppSync and inside Require
	RouteKey string
	Method   string
	Sources  []string // the values of the identity sources
}

// ByAuthorizer reads the event of an authorizer.
func ByAuthorizer(ctx context.Context, payload []byte) (*Call, error) {
	r, err := guard.EventOf(ctx, payload).Request()
	if r.Trigger() != guard.Authorizer {
		return nil, notAsked(reason.New("authorizer: the event does not ask for a decision"))
	}
	if err != nil {
		return nil, err
	}
	c, err := read(r)
	if err != nil {
		return nil, notAsked(err)
	}
	return c, nil
}

func notAsked(err error) error {
	return &guard.Error{Kind: guard.Internal, Code: "not_an_authorizer_event", Err: err}
}

// ByHandler reads the event of a handler.
func ByHandler(ctx context.Context, payload []byte) (*Call, error) {
	r, err := guard.EventOf(ctx, payload).Request()
	if err != nil {
		return nil, err
	}
	if !r.Trigger().IsHTTP() {
		return nil, guard.Errorf(guard.Invalid, "not_an_http_event", "The event is not an HTTP request.")
	}
	c := &Call{Request: r, Format: InHandler, Method: r.Method(), RouteKey: r.RouteKey()}
	if r.Trigger() == guard.FunctionURL { // which has no routes
		c.RouteKey = ""
	}
	return c, nil
}

var errIncomplete = reason.New("authorizer: an event without a method or a route")

// read finds the format of an event, and checks that the event is complete.
func read(r *request.Request) (*Call, error) {
	c := &Call{Request: r, Method: r.Method(), RouteKey: r.RouteKey()}
	token, hasToken := r.Token()
	if r.Kind() == "" && hasToken {
		if r.APIID() == "" {
			return nil, errIncomplete
		}
		c.Format, c.Sources = AppSync, []string{token}
		return c, nil
	}
	var err error
	if c.ARN, err = policy.ParseARN(r.ARN()); err != nil {
		return nil, err
	}
	if r.Kind() == "TOKEN" && hasToken {
		c.Format, c.Method, c.RouteKey, c.Sources = RESTToken, c.ARN.Method, "", []string{token}
		return c, nil
	}
	_, hasHTTP, hasIdentity := r.HasContext()
	id, event := r.Connection()
	switch version := r.Version(); {
	case version == "2.0" && hasHTTP:
		c.Format, c.Sources = HTTP2, r.IdentitySources()
	case !hasIdentity:
		return nil, reason.New("authorizer: an event without an identity")
	case version == "1.0":
		c.Format, c.RouteKey = HTTP1, r.ResourceID()
		if joined := strings.Join(r.IdentitySources(), ","); joined != "" {
			c.Sources = []string{joined}
		}
	case version != "":
		return nil, reason.New("authorizer: an event of an unknown version")
	case event == "CONNECT" && id != "":
		c.Format = WebSocket
	default:
		c.Format = RESTRequest
	}
	if c.RouteKey == "" || c.Format != WebSocket && (c.Method == "" || c.Format != HTTP2 && r.Resource() == "") {
		return nil, errIncomplete
	}
	return c, nil
}

// Header returns the token as the header Authorization if the gateway has taken it out
// of the headers. Other headers of that name are ignored, as decisions are not stored
// by them.
func (c *Call) Header(name string) string {
	if token, taken := c.Token(); taken && name == "authorization" && (c.Format == RESTToken || c.Format == AppSync) {
		return token
	}
	return c.Request.Header(name)
}

// PEM returns the certificate of the client, "" without mutual TLS.
func (c *Call) PEM() string {
	if cert := c.Certificate(); cert != nil {
		return cert.PEM
	}
	return ""
}

// Cacheable reports whether the gateway may store the decision. An HTTP API needs an
// identity source for that.
func (c *Call) Cacheable() bool {
	switch c.Format {
	case HTTP2, HTTP1:
		return len(c.Sources) > 0
	default:
		return c.Format != WebSocket
	}
}

// Gateway returns how paths are read where a policy for the call is used.
func (c *Call) Gateway() policy.Gateway {
	switch c.Format {
	case RESTToken:
		return policy.RESTToken
	case RESTRequest:
		return policy.RESTAPI
	default:
		return policy.HTTPAPI
	}
}
