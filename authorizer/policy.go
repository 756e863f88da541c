package authorizer

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/authorizer/internal/reads"
	"github.com/lambdarmor/lambdarmor/authorizer/policy"
	"github.com/lambdarmor/lambdarmor/guard"
)

// Policy returns an authorizer that answers with an IAM policy: for a REST API, types
// TOKEN and REQUEST; for a WebSocket API; for an HTTP API, payload formats 1.0 and 2.0.
// It answers
//
//	a grant               a policy that allows, and the grant as context
//	Unauthenticated       the error Unauthorized: a 401
//	Forbidden             a policy that denies: a 403
//	any other error       the error: a 500, which the gateway does not store
//
// The gateway stores a policy under the values of the identity sources, and applies it
// to every call with these values. The policy therefore allows what the check would
// allow, whichever route is called first:
//
//   - If the check reads no route, the policy allows the whole stage.
//   - If it uses [Routes], the check is asked about each route of the tables, and about
//     a call of none of them. The policy allows those that it grants. All grants must
//     be the same. A credential is verified once for all routes.
//   - If the route is among the identity sources, the policy is for that route.
//   - With [Uncached], and for a WebSocket API, it is for the one call.
//
// A route without parameters is allowed by its path, and a route with parameters as
// "prefix/*". That needs [CompleteRoutes]. If the check refuses a route without
// parameters below the prefix, the policy denies it in every spelling: with a character
// escaped, an empty segment or a dot segment. It also denies paths that Routes refuses
// as ambiguous. If the check refuses a route with parameters below the prefix, no
// policy can express that.
//
// A decision that no policy can express is an error with the code
// authorizer_cache_hazard, like a decision that depends on anything that is not an
// identity source: see [Simple]. If the policy is for one path, and that has "*", "?"
// or "${" in it, the error has the code path_not_grantable.
//
// The identity source of a TOKEN authorizer is the token. The event of a REQUEST
// authorizer of a REST API does not have its identity sources: declare them with
// [IdentitySources] or declare Uncached. The gateway stores its answers for 300 seconds
// by default.
//
// Policy panics if the check is nil.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
func Policy(c Check, opts ...Option) lambda.Handler {
	d := newDecider("Policy", c, opts, reads.HTTP2, reads.HTTP1, reads.RESTToken, reads.RESTRequest, reads.WebSocket)
	d.answer401 = true
	return guard.HandlerFunc(d.policy)
}

type policyAnswer struct {
	PrincipalID    string           `json:"principalId"`
	PolicyDocument *policy.Document `json:"policyDocument"`
	Context        json.RawMessage  `json:"context,omitempty"`
	UsageKey       string           `json:"usageIdentifierKey,omitempty"`
}

// maxWebSocketAnswer is the largest answer that a WebSocket API takes, in bytes.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
const maxWebSocketAnswer = 8 << 10

func (d *decider) policy(ctx context.Context, payload []byte) ([]byte, error) {
	r, err := d.request(ctx, payload)
	if err != nil {
		return nil, err
	}
	g, refusal := d.decide(ctx, r)
	if v := verdictOf(refusal); v == unauthenticated || v == failed {
		return d.reply(ctx, nil, refusal, nil)
	}
	doc, g, err := d.document(ctx, r, g)
	if err != nil { // a hazard, or a call that cannot be named
		refusal = err
	}
	if err != nil || doc.Empty() {
		return d.reply(ctx, g, refusal, policyAnswer{PrincipalID: "nobody", PolicyDocument: &policy.Document{}}) // which denies all calls
	}
	answer := policyAnswer{PrincipalID: g.Principal, PolicyDocument: doc}
	if answer.Context, err = g.encode(r.in.Format); err != nil {
		refusal = err
	}
	if r.in.Format == reads.RESTToken || r.in.Format == reads.RESTRequest {
		answer.UsageKey = g.UsageKey
	}
	out, err := d.reply(ctx, g, refusal, answer)
	if r.in.Format == reads.WebSocket && len(out) > maxWebSocketAnswer {
		return d.reply(ctx, g, fmt.Errorf("authorizer: an answer of %d bytes: a WebSocket API takes up to %d", len(out), maxWebSocketAnswer), nil)
	}
	return out, err
}
