package authorizer

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
)

// Answer401 has [Simple] answer a request without a credential, or with one that
// does not hold, by the error Unauthorized, which the gateway makes a 401 and does
// not keep. Without it the client gets a 403, which the gateway keeps: a token
// that is sent again and again then costs one call.
func Answer401() Option { return func(d *decider) { d.with401 = true } }

// Simple is an authorizer of an HTTP API with payload format 2.0 and simple
// responses. What becomes of a decision:
//
//	a grant               isAuthorized true, and the grant as context
//	Unauthenticated       isAuthorized false: the client gets a 403; see Answer401
//	Forbidden             isAuthorized false
//	any other error       the error: a 500, of which the gateway keeps nothing
//
// The gateway keeps a decision for the values of the identity sources alone. A
// grant then allows every route to whoever sends them, and a denial refuses all.
// So a decision that depended on anything else of the request is refused: it is
// an error, of which the gateway keeps nothing, and the record of the invocation
// has the code authorizer_cache_hazard and, as fix, what to add to the identity
// sources. Without identity sources nothing is kept, and [Uncached] declares the
// same of a TTL of 0. Reading an absent header counts like reading a present one.
// A custom check need not do anything for it.
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
	v := logged(ctx, g, err)
	if v == failed {
		return nil, err
	}
	if v == unauthenticated && d.with401 {
		return nil, errUnauthorized
	}
	if uncovered := d.uncovered(r.in, r.reads.withEdge(d.edge)); len(uncovered) > 0 {
		return nil, hazard(ctx, fix(r.in, uncovered))
	}
	if v == allowed {
		return append(answer, '}'), nil
	}
	return []byte(`{"isAuthorized":false}`), nil
}
