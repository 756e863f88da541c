package authorizer

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
)

// Simple is an authorizer of an HTTP API with payload format 2.0 and simple
// responses. What becomes of a decision:
//
//	a grant               isAuthorized true, and the grant as context
//	Unauthenticated       isAuthorized false: the client gets a 403
//	Forbidden             isAuthorized false
//	any other error       the error: a 500, of which the gateway keeps nothing
//
// The gateway keeps a decision for the values of the identity sources alone,
// and a grant then allows every route to whoever sends them. Therefore a grant
// that depended on anything else of the request is refused, and the record of
// the invocation has the error authorizer_cache_hazard and, as fix, what to add
// to the identity sources. Without identity sources nothing is kept, and
// [Uncached] declares the same of a TTL of 0. What was read counts: a value, and
// that there was none. A custom check need not do anything for it.
//
// A denial is kept just the same. With the route among the identity sources it
// is that of the route.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
func Simple(c Check, opts ...Option) lambda.Handler {
	d := newDecider("Simple", c, opts, HTTP2)
	return guard.HandlerFunc(d.simple)
}

func (d *decider) simple(ctx context.Context, payload []byte) ([]byte, error) {
	r, err := d.request(ctx, payload)
	if err != nil {
		return nil, err
	}
	g, err := d.ask(ctx, r)
	var answer []byte
	if err == nil {
		answer, err = g.appendContext([]byte(`{"isAuthorized":true,"context":`), r.in.format)
	}
	switch logged(ctx, g, err) {
	case failed:
		return nil, err
	case allowed:
		if uncovered := d.uncovered(r.in, r.reads.list()); len(uncovered) > 0 {
			d.hazard(ctx, fix(r.in, uncovered))
			break
		}
		return append(answer, '}'), nil
	}
	return []byte(`{"isAuthorized":false}`), nil
}
