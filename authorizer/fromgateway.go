package authorizer

import (
	"context"
	"slices"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/request"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// FromGateway returns a layer that calls the handler with the grant of the gateway's
// authorizer in its context: see [GrantFrom]. The log and idempotency keys use its
// principal. The grant comes from
//
//	a Lambda authorizer      what [Simple] and [Policy] have answered
//	a JWT authorizer         the token: its subject, scopes, groups and claims
//	a Cognito user pool      the same
//	IAM                      the role, the user or the Cognito identity, see [IAM]
//
// A request is Unauthenticated, with the code authorizer_context_missing, if the event has
// no principal or lacks one of the names in expect. They are looked up in the context of a
// Lambda authorizer, or among the claims. Such a request has bypassed the authorizer: by a
// route without one, by the default endpoint, or by an invocation of the function itself.
// An expired grant, which a gateway may still have stored, has the code credential_expired.
//
// The groups of a token are the claim cognito:groups, or else groups. An HTTP API passes on
// a list as one text, "[a b]", where a group may have a space in its name. A claim groups
// with more than one word is therefore ignored there: if you need it, verify the token in
// the function, with [Require] and package jwt.
//
// A caller with permission to invoke the function can forge its event. FromGateway
// does not replace a resource policy that allows only the gateway. It panics for an
// empty name.
func FromGateway(expect ...string) guard.Middleware {
	if slices.Contains(expect, "") {
		panic("authorizer: FromGateway with an empty name")
	}
	expect = slices.Clone(expect)
	return granting("authorizer.FromGateway", func(ctx context.Context, payload []byte) (*Grant, error) {
		r, err := guard.EventOf(ctx, payload).Request()
		if err != nil {
			return nil, err
		}
		said := r.Authorized()
		g, err := authorizedGrant(said)
		if err != nil {
			return nil, bypassed(err)
		}
		for _, name := range expect {
			if said.Lambda[name] == nil && said.Claims[name] == nil && g.Context[name] == nil {
				return nil, bypassed(reason.New("authorizer: the gateway's authorizer has not set " + name))
			}
		}
		if err := g.expired(); err != nil {
			return nil, err
		}
		return g, nil
	})
}

var errNotAuthorized = reason.New("authorizer: the request has not been through the gateway's authorizer")

func authorizedGrant(said request.Authorized) (*Grant, error) {
	switch {
	case said.Lambda != nil:
		return decodeGrant(said.Lambda)
	case said.Claims != nil:
		return claimsGrant(said.Claims, said.Scopes)
	case said.IAM != nil:
		return signerGrant(said.IAM)
	default:
		return nil, errNotAuthorized
	}
}

func bypassed(err error) error {
	return &guard.Error{
		Kind: guard.Unauthenticated, Code: "authorizer_context_missing",
		Detail: "The request has not been authorized.", Err: err,
	}
}
