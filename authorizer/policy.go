package authorizer

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/authorizer/internal/reads"
	"github.com/lambdarmor/lambdarmor/authorizer/policy"
)

// Policy returns an authorizer that answers with an IAM policy. It is for REST APIs
// (types TOKEN and REQUEST), WebSocket APIs and HTTP APIs (payload formats 1.0 and
// 2.0). It answers
//
//	a grant               a policy that allows, and the grant as context
//	Unauthenticated       the error Unauthorized: a 401
//	Forbidden             a policy that denies: a 403
//	any other error       the error: a 500, which the gateway does not store
//
// The gateway stores a policy under the values of the identity sources, and applies it to
// every call with these values. The policy therefore allows what the check would allow,
// and does not depend on which route is called first:
//
//   - If the check reads no route, the policy allows the whole stage.
//   - If it uses [Routes], the check is asked about each route of the tables, and about a
//     call of none of them. All grants must be the same. A credential is verified once.
//   - If the route is among the identity sources, the policy is for that route.
//   - With [Uncached], and for a WebSocket API, it is for the one call.
//
// A route without parameters is allowed by its path, and a route with parameters as
// "prefix/*", which needs [CompleteRoutes]. A refused route below the prefix is denied in
// every spelling of its path. No policy can do that if it has parameters itself.
//
// A decision that no policy can express is an error with the code authorizer_cache_hazard,
// like one that depends on anything but identity sources: see [Simple]. If the policy is
// for one path, and that has "*", "?" or "${" in it, the code is path_not_grantable.
//
// The identity source of a TOKEN authorizer is the token. For a REQUEST authorizer of a
// REST API declare the [IdentitySources], which its event does not have, or Uncached.
//
// Policy panics if the check is nil.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
func Policy(c Check, opts ...Option) lambda.Handler {
	d := newDecider("Policy", c, opts, reads.HTTP2, reads.HTTP1, reads.RESTToken, reads.RESTRequest, reads.WebSocket)
	d.answer401 = true
	return d.handler(d.policy)
}

type policyAnswer struct {
	PrincipalID    string           `json:"principalId"`
	PolicyDocument *policy.Document `json:"policyDocument"`
	Context        json.RawMessage  `json:"context,omitempty"`
	UsageKey       string           `json:"usageIdentifierKey,omitempty"`
}

func (d *decider) policy(ctx context.Context, r *Request, g *Grant, refusal error) (any, *Grant, error) {
	denial := policyAnswer{PrincipalID: "nobody", PolicyDocument: &policy.Document{}}
	if v := verdictOf(refusal); v == unauthenticated || v == failed {
		return denial, nil, refusal
	}
	doc, g, err := d.document(ctx, r, g)
	if err != nil { // a hazard, or a call that cannot be named
		return denial, g, err
	}
	if doc.Empty() {
		return denial, g, refusal
	}
	answer := policyAnswer{PrincipalID: g.Principal, PolicyDocument: doc}
	if answer.Context, err = g.encode(r.in.Format); err != nil {
		return denial, g, err
	}
	if r.in.Format == reads.RESTToken || r.in.Format == reads.RESTRequest {
		answer.UsageKey = g.UsageKey
	}
	return answer, g, refusal
}
