package gateway

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway/internal/event"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway/internal/route"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway/internal/token"
)

// UserPoolAuthorizer is a Cognito user pool's authorizer of a REST API, before all
// of its methods.
//
//   - A method without scopes accepts the pool's ID tokens. A method with scopes
//     accepts its access tokens that have one of them.
//   - Anything else is 401.
//   - The function finds the claims in requestContext.authorizer.claims, all as
//     strings.
//
// See https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-integrate-with-cognito.html
// and https://repost.aws/questions/QUrEQW0PtJTZm34jx0UrnLlw/need-access-token-as-header-in-cognito
type UserPoolAuthorizer struct {
	// Issuer is the pool's,
	// "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_example".
	Issuer string

	// Header has the token, with or without "Bearer "; "Authorization" when empty.
	Header string

	// Scopes are the scopes of methods, by "METHOD /resource" as in the API's
	// routes. A token needs one of them.
	Scopes map[string][]string

	// Keys, Client and Now are the same as in a [JWTAuthorizer].
	Keys   json.RawMessage
	Client *http.Client
	Now    func() time.Time
}

// poolGate lets requests with a good token of a user pool pass.
type poolGate struct {
	UserPoolAuthorizer
	keys *token.Keys
}

func newPoolGate(a UserPoolAuthorizer, routes []route.Route) (*poolGate, error) {
	a.Header = cmp.Or(a.Header, "Authorization")
	if a.Issuer == "" {
		return nil, errors.New("gateway: a user pool's authorizer needs the pool's issuer")
	}
	if err := checkScopes(a.Scopes, routes); err != nil {
		return nil, err
	}
	keys, err := token.NewKeys(a.Issuer, a.Keys, a.Client, a.Now)
	return &poolGate{a, keys}, err
}

// admit answers 401 to a token without the scope, which AWS names among the
// causes of 401: https://repost.aws/knowledge-center/api-gateway-cognito-401-unauthorized
func (g *poolGate) admit(ctx context.Context, req *event.Request) error {
	refused := &refusal{status: http.StatusUnauthorized, errorType: "UnauthorizedException", message: unauthorized}
	claims, err := token.Verify(ctx, req.HeaderValue(g.Header), g.keys)
	wanted, use := g.Scopes[req.Route.Key], "id"
	if len(wanted) > 0 {
		use = "access"
	}
	switch {
	case errors.Is(err, token.ErrExpired):
		refused.message = "The incoming token has expired"
		return refused
	case err != nil, claims.Text("token_use") != use, len(wanted) > 0 && len(common(wanted, claims.Scopes())) == 0:
		return refused
	}
	req.Token = &event.Token{Claims: claims.UserPoolStrings()}
	return nil
}
