package authorizer

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/request"
)

// FromGateway takes over the grant of the gateway's authorizer, whichever kind
// that is. The handler is called with the grant in its context, see [GrantFrom],
// and the log and the idempotency keys go by its principal. The grant is
//
//	a Lambda authorizer      what [Simple] and [Policy] told
//	a JWT authorizer         the subject of the token, its scopes, groups and claims
//	a Cognito user pool      the same
//	IAM                      the role, user or Cognito identity, see [IAM]
//
// Where the gateway says of no principal, or lacks one of the names that the
// context of the grant is expected to have, the request has come past the
// authorizer: by a route without one, a path that the gateway took for another,
// the default endpoint, an invocation of the function itself. It is refused as
// Unauthenticated. So is a grant that has expired since, which the gateway may
// go on to answer with for as long as it keeps decisions.
//
// Who may invoke the function can forge its event: FromGateway does not replace
// a resource policy that lets in the gateway alone.
func FromGateway(expect ...string) guard.Middleware {
	for _, name := range expect {
		if name == "" {
			panic("authorizer: FromGateway with an empty name")
		}
	}
	return guard.Named("authorizer.FromGateway", func(next lambda.Handler) lambda.Handler {
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
			return nil, bypassed(errors.New("authorizer: the gateway's authorizer has not told " + name))
		}
	}
	if g.expired(time.Now()) {
		return nil, guard.Errorf(guard.Unauthenticated, "credential_expired", "The credential has expired.")
	}
	return g, nil
}

var errNotAsked = errors.New("authorizer: the request has not been through the gateway's authorizer")

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
