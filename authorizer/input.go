package authorizer

import (
	"context"
	"strings"

	"github.com/lambdarmor/lambdarmor/authorizer/policy"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/request"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// format is the shape of the event that asks for a decision.
type format string

const (
	http2       format = "http-2.0"     // HTTP API, payload format 2.0
	http1       format = "http-1.0"     // HTTP API, payload format 1.0
	restToken   format = "rest-token"   // REST API, authorizer of type TOKEN
	restRequest format = "rest-request" // REST API, authorizer of type REQUEST
	webSocket   format = "websocket"    // WebSocket API, $connect
	appSync     format = "appsync"
	inHandler   format = "handler" // the request itself, inside Require
)

// input is what an event says. It is not changed once it is made.
type input struct {
	*request.Request
	format   format
	arn      policy.ARN // zero for AppSync and inside Require
	routeKey string
	method   string
	sources  []string // the values of the identity sources
}

func newRequest(in *input) *Request {
	return &Request{in: in, reads: new(reads), memo: new(memo)}
}

// authorizerInput reads the event of an authorizer.
func authorizerInput(ctx context.Context, payload []byte) (*input, error) {
	r, err := guard.EventOf(ctx, payload).Request()
	if r.Trigger() != guard.Authorizer {
		return nil, notAsked(reason.New("authorizer: the event does not ask for a decision"))
	}
	if err != nil {
		return nil, err
	}
	in, err := readInput(r)
	if err != nil {
		return nil, notAsked(err)
	}
	return in, nil
}

func notAsked(err error) error {
	return &guard.Error{Kind: guard.Internal, Code: "not_an_authorizer_event", Err: err}
}

// handlerInput reads the event of a handler.
func handlerInput(ctx context.Context, payload []byte) (*input, error) {
	r, err := guard.EventOf(ctx, payload).Request()
	if err != nil {
		return nil, err
	}
	if !r.Trigger().IsHTTP() {
		return nil, guard.Errorf(guard.Invalid, "not_an_http_event", "The event is not an HTTP request.")
	}
	in := &input{Request: r, format: inHandler, method: r.Method(), routeKey: r.RouteKey()}
	if r.Trigger() == guard.FunctionURL { // which has no routes
		in.routeKey = ""
	}
	return in, nil
}

var errIncomplete = reason.New("authorizer: an event without a method or a route")

// readInput finds the format of an event, and checks that the event is complete.
func readInput(r *request.Request) (*input, error) {
	in := &input{Request: r, method: r.Method(), routeKey: r.RouteKey()}
	token, hasToken := r.Token()
	if r.Kind() == "" && hasToken {
		if r.APIID() == "" {
			return nil, errIncomplete
		}
		in.format, in.sources = appSync, []string{token}
		return in, nil
	}
	var err error
	if in.arn, err = policy.ParseARN(r.ARN()); err != nil {
		return nil, err
	}
	if r.Kind() == "TOKEN" && hasToken {
		in.format, in.method, in.routeKey, in.sources = restToken, in.arn.Method, "", []string{token}
		return in, nil
	}
	_, hasHTTP, hasIdentity := r.HasContext()
	id, event := r.Connection()
	switch version := r.Version(); {
	case version == "2.0" && hasHTTP:
		in.format, in.sources = http2, r.IdentitySources()
	case !hasIdentity:
		return nil, reason.New("authorizer: an event without an identity")
	case version == "1.0":
		in.format, in.routeKey = http1, r.ResourceID()
		if joined := strings.Join(r.IdentitySources(), ","); joined != "" {
			in.sources = []string{joined}
		}
	case version != "":
		return nil, reason.New("authorizer: an event of an unknown version")
	case event == "CONNECT" && id != "":
		in.format = webSocket
	default:
		in.format = restRequest
	}
	if in.routeKey == "" || in.format != webSocket && (in.method == "" || in.format != http2 && r.Resource() == "") {
		return nil, errIncomplete
	}
	return in, nil
}

// header returns the token as the header Authorization if the gateway has taken it
// out. Decisions are not stored by what a client sends beside it.
func (in *input) header(name string) string {
	if token, taken := in.Token(); taken && name == "authorization" && (in.format == restToken || in.format == appSync) {
		return token
	}
	return in.Header(name)
}

func (in *input) pem() string {
	if c := in.Certificate(); c != nil {
		return c.PEM
	}
	return ""
}

// gateway says how paths are read where a policy for the event is used.
func (in *input) gateway() policy.Gateway {
	switch in.format {
	case restToken:
		return policy.RESTToken
	case restRequest:
		return policy.RESTAPI
	default:
		return policy.HTTPAPI
	}
}
