package authorizer

import (
	"context"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/guard/request"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// FromGateway returns a layer that calls the handler with the grant of the
// gateway's authorizer in its context: see [GrantFrom]. The log and the idempotency
// keys go by its principal. The grant is that of
//
//	a Lambda authorizer      what [Simple] and [Policy] have answered
//	a JWT authorizer         the token: its subject, scopes, groups and claims
//	a Cognito user pool      the same
//	IAM                      the role, the user or the Cognito identity, see [IAM]
//
// A request is Unauthenticated, with the code authorizer_context_missing, if the
// event has no principal, or lacks one of the names that expect lists; these are
// names in the context of a Lambda authorizer, or claims. Such a request has come
// past the authorizer: by a route without one, by the default endpoint, by an
// invocation of the function itself. A grant that has expired is Unauthenticated as
// well, with the code credential_expired: a gateway goes on to answer with it for as
// long as it stores decisions.
//
// The groups of a token are the claim cognito:groups, or else groups. An HTTP API
// passes on a list as one text, "[a b]". A claim groups of more than one word is
// ignored there, for a group of another issuer may have a space in its name: verify
// the token in the function if you need it, with [Require] and package jwt.
//
// Who may invoke the function can forge its event, so FromGateway does not replace
// a resource policy that lets in the gateway alone. It panics for an empty name.
func FromGateway(expect ...string) guard.Middleware {
	for _, name := range expect {
		if name == "" {
			panic("authorizer: FromGateway with an empty name")
		}
	}
	return layer.Named("authorizer.FromGateway", func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			g, err := gatewayGrant(ctx, payload, expect)
			if err != nil {
				return nil, err
			}
			ctx, err = enter(ctx, g)
			if err != nil {
				return nil, err
			}
			return next.Invoke(ctx, payload)
		})
	})
}

// gatewayGrant reads the grant that the gateway passes on.
func gatewayGrant(ctx context.Context, payload []byte, expect []string) (*Grant, error) {
	r, err := guard.EventOf(ctx, payload).Request()
	if err != nil {
		return nil, err
	}
	told := r.Authorized()
	g, err := authorizedGrant(told)
	if err != nil {
		return nil, bypassed(err)
	}
	for _, name := range expect {
		if told.Lambda[name] == nil && told.Claims[name] == nil && g.Context[name] == nil {
			return nil, bypassed(reason.New("authorizer: the gateway's authorizer has not told " + name))
		}
	}
	if g.expired(time.Now()) {
		return nil, guard.Errorf(guard.Unauthenticated, "credential_expired", "The credential has expired.")
	}
	return g, nil
}

var errNotAsked = reason.New("authorizer: the request has not been through the gateway's authorizer")

// authorizedGrant makes a grant of what an authorizer has said.
func authorizedGrant(a request.Authorized) (*Grant, error) {
	switch {
	case a.Lambda != nil:
		return grantOf(a.Lambda)
	case a.Claims != nil:
		return claimsGrant(a.Claims, a.Scopes)
	case a.IAM != nil:
		return signerGrant(a.IAM)
	default:
		return nil, errNotAsked
	}
}

func bypassed(err error) error {
	return &guard.Error{
		Kind: guard.Unauthenticated, Code: "authorizer_context_missing",
		Detail: "The request has not been authorized.", Err: err,
	}
}
