package jwt_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard"
)

// What an HTTP API gets of an authorizer: a bad token is a denial, and keys
// that cannot be had are a failure.
func TestWhatAnAuthorizerMakesOfAToken(t *testing.T) {
	k := newEC("a")
	s := newKeyServer(t, serve(jwks(k)))
	v, _ := remote(t, s)
	down, _ := remote(t, newKeyServer(t, fail))
	event := func(token string) []byte {
		return must(json.Marshal(map[string]any{
			"version": "2.0", "type": "REQUEST", "routeArn": "arn:aws:execute-api:us-east-1:123456789012:abcdef123/$default/GET/orders",
			"identitySource": []string{"Bearer " + token}, "routeKey": "GET /orders", "rawPath": "/orders",
			"headers":        map[string]string{"authorization": "Bearer " + token},
			"requestContext": map[string]any{"http": map[string]any{"method": "GET", "path": "/orders", "sourceIp": "203.0.113.7"}},
		}))
	}
	good := k.token(claims(nil))
	for name, c := range map[string]struct {
		v     authorizer.Verifier
		token string
		want  string
		kind  guard.Kind
	}{
		"a good one":                    {v, good, "true", 0},
		"a forged one":                  {v, newEC("a").token(claims(nil)), "false", 0},
		"an expired one":                {v, k.token(claims(map[string]any{"exp": now.Unix()})), "false", 0},
		"one without the scope":         {v, k.token(claims(map[string]any{"scope": "orders:write"})), "false", 0},
		"a good one, without keys":      {down, good, "", guard.Unavailable},
		"an edited one":                 {v, flipped(good, len(good)/2), "false", 0},
		"an expired one, and an outage": {down, k.token(claims(map[string]any{"exp": now.Unix()})), "false", 0},
	} {
		t.Run(name, func(t *testing.T) {
			h := authorizer.Simple(authorizer.All(authorizer.Bearer(c.v), authorizer.Scopes("orders:read")))
			out, err := h.Invoke(t.Context(), event(c.token))
			if c.want == "" {
				if guard.KindOf(err) != c.kind {
					t.Errorf("%s, %v", out, err)
				}
				return
			}
			var answer struct {
				IsAuthorized bool `json:"isAuthorized"`
			}
			if err := json.Unmarshal(out, &answer); err != nil || fmt.Sprint(answer.IsAuthorized) != c.want {
				t.Errorf("%s, %v", out, err)
			}
		})
	}
}
