package authorizer

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
)

// Answer401 makes [Simple] return the error Unauthorized for a credential that is
// missing or does not hold. The client gets a 401, of which the gateway stores
// nothing. Without Answer401 it gets a 403, which the gateway stores: a bad token
// that is sent again and again then costs one invocation. [Policy] always answers
// 401 and ignores Answer401.
func Answer401() Option { return func(d *decider) { d.with401 = true } }

// Simple returns an authorizer for an HTTP API with payload format 2.0 and simple
// responses. It answers
//
//	a grant               isAuthorized true, and the grant as context
//	Unauthenticated       isAuthorized false: the client gets a 403; see Answer401
//	Forbidden             isAuthorized false
//	any other error       the error: a 500, of which the gateway stores nothing
//
// The gateway stores a decision under the values of the identity sources alone. A
// grant then allows every route to whoever sends them, and a denial refuses every
// route. A decision that depended on anything else of the request is therefore an
// error with the code authorizer_cache_hazard, a 500 of which the gateway stores
// nothing. The log has, as fix, what to add to the identity sources. Without identity
// sources the gateway stores nothing and there is no hazard; [Uncached] declares
// the same of a TTL of 0.
//
// Simple panics if the check is nil.
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
