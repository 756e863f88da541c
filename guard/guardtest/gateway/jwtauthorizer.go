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

	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway/internal/event"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway/internal/route"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway/internal/token"
)

// JWTAuthorizer is a JWT authorizer of an HTTP API, before all of its routes. It
// accepts RSA signatures by a key of the issuer.
//
//   - A token that is missing, not signed by the issuer, not yet or no longer valid,
//     or for another audience is 401, with the reason in WWW-Authenticate.
//   - A token with none of the route's scopes is 403.
//   - The function finds the claims, all as strings, and those scopes of the route
//     that the token has, in requestContext.authorizer.jwt in format 2.0 and in
//     requestContext.authorizer in 1.0. The scopes are null for a route without any.
//
// See https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
// and https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-jwt.html
type JWTAuthorizer struct {
	// Issuer is the URL that the claim iss has to be. AWS accepts https alone.
	Issuer string

	// Audience lists accepted values of aud, or of client_id in a token without aud.
	// At least one is needed.
	Audience []string

	// Scopes are the scopes of routes, by route key. A token needs one of them.
	Scopes map[string][]string

	// IdentitySource is one selection expression, a header or a query parameter;
	// "$request.header.Authorization" when empty. "Bearer " before the token is optional.
	IdentitySource string

	// Keys is the issuer's JSON Web Key Set. When nil it is fetched through the
	// issuer's discovery document and kept for two hours.
	Keys json.RawMessage

	// Client fetches the keys; [http.DefaultClient] when nil.
	Client *http.Client

	// Now is the clock for tokens and keys; [time.Now] when nil. It is called
	// concurrently.
	Now func() time.Time
}

// jwtGate lets requests with a good token pass.
type jwtGate struct {
	JWTAuthorizer
	source event.Source
	keys   *token.Keys
}

func newJWTGate(a JWTAuthorizer, routes []route.Route) (*jwtGate, error) {
	switch {
	case a.Issuer == "":
		return nil, errors.New("gateway: a JWT authorizer needs an issuer")
	case len(a.Audience) == 0:
		return nil, errors.New("gateway: a JWT authorizer needs an audience")
	}
	if err := checkScopes(a.Scopes, routes); err != nil {
		return nil, err
	}
	source, err := event.HTTPAPISources.ParseOne(cmp.Or(a.IdentitySource, "$request.header.Authorization"))
	if err != nil {
		return nil, err
	}
	keys, err := token.NewKeys(a.Issuer, a.Keys, a.Client, a.Now)
	return &jwtGate{a, source, keys}, err
}

func checkScopes(scopes map[string][]string, routes []route.Route) error {
	for key := range scopes {
		if !slices.ContainsFunc(routes, func(r route.Route) bool { return r.Key == key }) {
			return fmt.Errorf("gateway: scopes of %q, which is no route of the API", key)
		}
	}
	return nil
}

func (g *jwtGate) admit(ctx context.Context, req *event.Request) error {
	text := g.source(req)
	if text == "" {
		return &refusal{status: http.StatusUnauthorized, message: unauthorized, challenge: "Bearer"}
	}
	wanted := g.Scopes[req.Route.Key]
	claims, err := token.Verify(ctx, text, g.keys)
	if err == nil && !g.isFor(claims) {
		err = token.ErrAudience
	}
	if err != nil {
		return challenged(http.StatusUnauthorized, wanted, "invalid_token", err.Error())
	}
	granted := common(wanted, claims.Scopes())
	if len(wanted) > 0 && len(granted) == 0 {
		return challenged(http.StatusForbidden, wanted, "insufficient_scope", "the token does not have a required scope")
	}
	req.Token = &event.Token{Claims: claims.Strings(), Scopes: granted}
	return nil
}

// isFor looks at client_id only where there is no aud.
func (g *jwtGate) isFor(claims token.Claims) bool {
	name := "aud"
	if _, ok := claims[name]; !ok {
		name = "client_id"
	}
	return len(common(g.Audience, claims.List(name))) > 0
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
