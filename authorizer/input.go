package authorizer

import (
	"context"
	"strings"
	"sync"

	"github.com/lambdarmor/lambdarmor/authorizer/policy"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/request"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// requestOf reads the event of an authorizer.
func requestOf(ctx context.Context, payload []byte) (*Request, error) {
	r, err := guard.EventOf(ctx, payload).Request()
	if r.Trigger() != guard.Authorizer {
		return nil, notAsked(reason.New("authorizer: the event does not ask for a decision"))
	}
	if err != nil {
		return nil, err
	}
	in, err := inputOf(r)
	if err != nil {
		return nil, notAsked(err)
	}
	return newRequest(in), nil
}

func notAsked(err error) error {
	return &guard.Error{Kind: guard.Internal, Code: "not_an_authorizer_event", Err: err}
}

func newRequest(in *input) *Request {
	return &Request{in: in, reads: new(reads)}
}

func newInput(r *request.Request, f Format) *input {
	return &input{
		Request: r, format: f, method: r.Method(), routeKey: r.RouteKey(), stage: r.Stage(),
		query: sync.OnceValue(r.Query),
	}
}

// inputOf finds the format of an event, and checks that it is all of that.
func inputOf(r *request.Request) (*input, error) {
	token, hasToken := r.Token()
	_, hasHTTP, hasIdentity := r.HasContext()
	in := newInput(r, "")
	if r.Kind() == "" && hasToken {
		if r.APIID() == "" {
			return nil, errIncomplete
		}
		in.format, in.sources = GraphQL, []string{token}
		return in, nil
	}
	var err error
	if in.arn, err = policy.ParseARN(r.ARN()); err != nil {
		return nil, err
	}
	in.stage = in.arn.Stage
	switch {
	case r.Kind() == "TOKEN" && hasToken:
		in.format, in.method, in.routeKey, in.sources = RESTToken, in.arn.Method, "", []string{token}
		return in, nil
	case r.Version() == "2.0" && hasHTTP:
		in.format = HTTP2
		in.takeSources()
	case !hasIdentity:
		return nil, reason.New("authorizer: an event without an identity")
	case r.Version() == "1.0":
		in.format, in.routeKey = HTTP1, r.ResourceID()
		in.takeSources()
	case r.Version() != "":
		return nil, reason.New("authorizer: an event of another version")
	default:
		if id, event := r.Connection(); event == "CONNECT" && id != "" {
			in.format = WebSocket
			if in.routeKey == "" {
				return nil, errIncomplete
			}
			return in, nil
		}
		in.format = RESTRequest
	}
	if in.routeKey == "" || in.method == "" || in.format != HTTP2 && r.Resource() == "" {
		return nil, errIncomplete
	}
	return in, nil
}

var errIncomplete = reason.New("authorizer: an event without a method or a route")

// takeSources reads the values of the identity sources: apart in format 2.0, and
// in 1.0 joined to one.
func (in *input) takeSources() {
	all := in.IdentitySources()
	if in.format == HTTP1 {
		in.joined = strings.Join(all, ",")
		return
	}
	in.sources = all
}

// handlerInput reads the request that a handler is given.
func handlerInput(ctx context.Context, payload []byte) (*input, error) {
	r, err := guard.EventOf(ctx, payload).Request()
	if err != nil {
		return nil, err
	}
	if !r.Trigger().IsHTTP() {
		return nil, guard.Errorf(guard.Invalid, "not_an_http_event", "The event is not an HTTP request.")
	}
	in := newInput(r, InHandler)
	if r.Trigger() == guard.FunctionURL { // which has no routes
		in.routeKey = ""
	}
	return in, nil
}
