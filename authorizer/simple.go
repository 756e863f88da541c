package authorizer

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/authorizer/internal/reads"
)

// Simple returns an authorizer for an HTTP API with payload format 2.0 and simple
// responses. It answers
//
//	a grant               isAuthorized true, and the grant as context
//	Unauthenticated       isAuthorized false: the client gets a 403; see Answer401
//	Forbidden             isAuthorized false
//	any other error       the error: a 500, which the gateway does not store
//
// The gateway stores a decision under the values of the identity sources, and uses it for
// every route. A decision that depends on anything else of the request is therefore an
// error with the code authorizer_cache_hazard; the log says as fix what to add to the
// identity sources. Without identity sources the gateway stores nothing, and there is no
// hazard. [Uncached] declares the same for a TTL of 0.
//
// Simple panics if the check is nil.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
func Simple(c Check, opts ...Option) lambda.Handler {
	d := newDecider("Simple", c, opts, reads.HTTP2)
	return d.handler(func(_ context.Context, r *Request, g *Grant, err error) (any, *Grant, error) {
		answer := simpleAnswer{IsAuthorized: err == nil}
		if err == nil {
			answer.Context, err = g.encode(r.in.Format)
		}
		v := verdictOf(err)
		stored := v == allowed || v == forbidden || v == unauthenticated && !d.answer401
		if uncovered := d.cache.Uncovered(r.in, r.reads); stored && len(uncovered) > 0 {
			err = hazard(reads.Fix(r.in, uncovered))
		}
		return answer, g, err
	})
}

type simpleAnswer struct {
	IsAuthorized bool            `json:"isAuthorized"`
	Context      json.RawMessage `json:"context,omitempty"`
}
