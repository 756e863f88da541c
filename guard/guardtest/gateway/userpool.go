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

// UserPoolAuthorizer is a Cognito user pool's authorizer of a REST API, before
// all of its methods.
//
//   - A method without scopes takes the pool's ID tokens, one with scopes its
//     access tokens that have one of them.
//   - Anything else is 401.
//   - The function finds the claims as requestContext.authorizer.claims, all as
//     strings.
//
// See https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-integrate-with-cognito.html
// and https://repost.aws/questions/QUrEQW0PtJTZm34jx0UrnLlw/need-access-token-as-header-in-cognito
type UserPoolAuthorizer struct {
	// Issuer is the pool's,
	// "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_example".
	Issuer string

	// Header has the token, behind "Bearer " or alone; "Authorization" when empty.
	Header string

	// Scopes are the scopes of methods, by "METHOD /resource" as in the API's
	// routes. A token needs one of them.
	Scopes map[string][]string

	// Keys is the pool's key set, a JSON Web Key Set. When nil it is fetched by way
	// of the pool's discovery document and kept for two hours.
	Keys json.RawMessage

	// Client fetches the keys; [http.DefaultClient] when nil.
	Client *http.Client

	// Now is the clock of tokens and keys; [time.Now] when nil. Requests ask it
	// concurrently.
	Now func() time.Time
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
