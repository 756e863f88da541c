package gateway

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"
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

	// ForbidOtherScopes answers 403 to an access token with none of the scopes, as
	// https://github.com/KensioSoftware/yulin/pull/801 has it. The default is 401,
	// among whose causes AWS names it.
	// See https://repost.aws/knowledge-center/api-gateway-cognito-401-unauthorized
	ForbidOtherScopes bool

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
	keys *issuerKeys
}

func newPoolGate(a UserPoolAuthorizer, routes []Route) (*poolGate, error) {
	a.Header = cmp.Or(a.Header, "Authorization")
	if a.Now == nil {
		a.Now = time.Now
	}
	if a.Issuer == "" {
		return nil, errors.New("gateway: a user pool's authorizer needs the pool's issuer")
	}
	if err := checkScopes(a.Scopes, routes); err != nil {
		return nil, err
	}
	keys, err := newIssuerKeys(a.Issuer, a.Keys, a.Client, a.Now)
	return &poolGate{a, keys}, err
}

func (g *poolGate) admit(ctx context.Context, req *request) error {
	claims, err := verifyJWT(ctx, bearer(req.headerValue(g.Header)), g.keys)
	if errors.Is(err, errExpired) {
		return poolRefusal("The incoming token has expired")
	}
	wanted, use := g.Scopes[req.route.key], "id"
	if len(wanted) > 0 {
		use = "access"
	}
	if err != nil || claims.text("token_use") != use {
		return poolRefusal(unauthorized)
	}
	if len(wanted) > 0 && len(common(wanted, claims.scopes())) == 0 {
		if g.ForbidOtherScopes {
			return &refusal{status: http.StatusForbidden, errorType: "ForbiddenException", message: "Forbidden"}
		}
		return poolRefusal(unauthorized)
	}
	req.token = &jwtToken{claims: claims.userPoolStrings()}
	return nil
}

func poolRefusal(message string) error {
	return &refusal{status: http.StatusUnauthorized, errorType: "UnauthorizedException", message: message}
}
