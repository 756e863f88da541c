package gateway

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// JWTAuthorizer is a JWT authorizer of an HTTP API, before all of its routes. It
// takes tokens that are signed by RSA with a key of the issuer.
//
//   - A token that is missing, not signed by the issuer, not yet or no longer
//     valid, or for another audience is 401, with the reason in WWW-Authenticate.
//   - A token with none of the route's scopes is 403.
//   - The function finds the claims, all as strings, and the scopes of the route
//     that the token has as requestContext.authorizer.jwt in format 2.0 and as
//     requestContext.authorizer in 1.0. The scopes are null for a route with none.
//
// See https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
// and https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-jwt.html
type JWTAuthorizer struct {
	// Issuer is the URL that the claim iss has to be. AWS takes https alone.
	Issuer string

	// Audience has the values of which aud has to be one, or client_id in a token
	// without aud. At least one is needed.
	Audience []string

	// Scopes are the scopes of routes, by route key. A token needs one of them.
	Scopes map[string][]string

	// IdentitySource is one selection expression, a header or a query parameter;
	// "$request.header.Authorization" when empty. The token may stand behind
	// "Bearer ".
	IdentitySource string

	// Keys is the issuer's key set, a JSON Web Key Set. When nil it is fetched by
	// way of the issuer's discovery document and kept for two hours.
	Keys json.RawMessage

	// Client fetches the keys; [http.DefaultClient] when nil.
	Client *http.Client

	// Now is the clock of tokens and keys; [time.Now] when nil. Requests ask it
	// concurrently.
	Now func() time.Time
}

// jwtGate lets requests with a good token pass.
type jwtGate struct {
	JWTAuthorizer
	source identitySource
	keys   *issuerKeys
}

func newJWTGate(a JWTAuthorizer, routes []Route) (*jwtGate, error) {
	a.IdentitySource = cmp.Or(a.IdentitySource, "$request.header.Authorization")
	if a.Now == nil {
		a.Now = time.Now
	}
	switch {
	case a.Issuer == "":
		return nil, errors.New("gateway: a JWT authorizer needs an issuer")
	case len(a.Audience) == 0:
		return nil, errors.New("gateway: a JWT authorizer needs an audience")
	}
	if err := checkScopes(a.Scopes, routes); err != nil {
		return nil, err
	}
	g := &jwtGate{JWTAuthorizer: a}
	var err error
	if g.source, err = identityOfHTTPAPI().parseOne(a.IdentitySource); err != nil {
		return nil, err
	}
	g.keys, err = newIssuerKeys(a.Issuer, a.Keys, a.Client, a.Now)
	return g, err
}

func checkScopes(scopes map[string][]string, routes []Route) error {
	for key := range scopes {
		if !slices.ContainsFunc(routes, func(r Route) bool { return r.key == key }) {
			return fmt.Errorf("gateway: scopes of %q, which is no route of the API", key)
		}
	}
	return nil
}

func (g *jwtGate) admit(ctx context.Context, req *request) error {
	token := g.source.value(req)
	if token == "" {
		return &refusal{status: http.StatusUnauthorized, message: unauthorized, challenge: "Bearer"}
	}
	wanted := g.Scopes[req.route.key]
	claims, err := verifyJWT(ctx, bearer(token), g.keys)
	if err == nil && !g.isFor(claims) {
		err = errAudience
	}
	if err != nil {
		return challenged(http.StatusUnauthorized, wanted, "invalid_token", err.Error())
	}
	granted := common(wanted, claims.scopes())
	if len(wanted) > 0 && len(granted) == 0 {
		return challenged(http.StatusForbidden, wanted, "insufficient_scope", "the token does not have a required scope")
	}
	req.token = &jwtToken{claims.strings(), granted}
	return nil
}

// isFor looks at client_id only where there is no aud.
func (g *jwtGate) isFor(claims jwtClaims) bool {
	name := "aud"
	if _, ok := claims[name]; !ok {
		name = "client_id"
	}
	return len(common(g.Audience, claims.list(name))) > 0
}

func challenged(status int, scopes []string, code, description string) error {
	return &refusal{status: status, message: description, challenge: fmt.Sprintf(`Bearer scope="%s" error="%s" error_description="%s"`,
		strings.Join(scopes, " "), code, description)}
}

// common are the elements of a that are in b as well; nil when there are none.
func common(a, b []string) (both []string) {
	for _, s := range a {
		if slices.Contains(b, s) {
			both = append(both, s)
		}
	}
	return both
}

func bearer(token string) string {
	if scheme, rest, ok := strings.Cut(token, " "); ok && strings.EqualFold(scheme, "Bearer") {
		return rest
	}
	return token
}

// jwtToken is what a function is told of a token.
type jwtToken struct {
	claims map[string]string
	scopes []string // null in the event when there are none
}

// told is what an HTTP API says of a token: as "jwt" in format 2.0, at the top in
// 1.0.
// See https://github.com/awsdocs/amazon-api-gateway-developer-guide/issues/113
func (t jwtToken) told() map[string]json.RawMessage {
	return map[string]json.RawMessage{"claims": marshal(t.claims), "scopes": marshal(t.scopes)}
}
