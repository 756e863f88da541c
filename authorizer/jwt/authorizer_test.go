package jwt_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/authorizer/jwt"
	"github.com/lambdarmor/lambdarmor/guard"
)

// gatewayEvent is what an HTTP API asks an authorizer.
func gatewayEvent(token string) []byte {
	return must(json.Marshal(map[string]any{
		"version": "2.0", "type": "REQUEST", "routeArn": "arn:aws:execute-api:us-east-1:123456789012:abcdef123/$default/GET/orders",
		"identitySource": []string{"Bearer " + token}, "routeKey": "GET /orders", "rawPath": "/orders",
		"headers":        map[string]string{"authorization": "Bearer " + token},
		"requestContext": map[string]any{"http": map[string]any{"method": "GET", "path": "/orders", "sourceIp": "203.0.113.7"}},
	}))
}

// endless are claims that hold by the clock of an authorizer too, which is the
// one on the wall.
func endless(changes map[string]any) string {
	all := map[string]any{"exp": int64(253402300799)}
	maps.Copy(all, changes)
	return claims(all)
}

// What an HTTP API gets of an authorizer: a bad token is a denial, and keys
// that cannot be had are a failure.
func TestWhatAnAuthorizerMakesOfAToken(t *testing.T) {
	k := newEC("a")
	s := newKeyServer(t, serve(jwks(k)))
	v, _ := remote(t, s)
	down, _ := remote(t, newKeyServer(t, fail))
	good := k.token(endless(nil))
	for name, c := range map[string]struct {
		v     authorizer.Verifier
		token string
		want  string
		kind  guard.Kind
	}{
		"a good one":     {v: v, token: good, want: "true"},
		"a forged one":   {v: v, token: newEC("a").token(endless(nil)), want: "false"},
		"an expired one": {v: v, token: k.token(claims(map[string]any{"exp": now.Unix()})), want: "false"},
		"one without the scope": {
			v:     v,
			token: k.token(endless(map[string]any{"scope": "orders:write"})),
			want:  "false",
		},
		"a good one, without keys": {v: down, token: good, kind: guard.Unavailable},
		"an edited one":            {v: v, token: flipped(good, len(good)/2), want: "false"},
		"an expired one, and an outage": {
			v:     down,
			token: k.token(claims(map[string]any{"exp": now.Unix()})),
			want:  "false",
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := authorizer.Simple(authorizer.All(authorizer.Bearer(c.v), authorizer.Scopes("orders:read")))
			out, err := h.Invoke(t.Context(), gatewayEvent(c.token))
			if c.want == "" {
				if guard.KindOf(err) != c.kind {
					t.Errorf("got %s, %v; want an error of kind %v", out, err, c.kind)
				}
				return
			}
			var answer struct {
				IsAuthorized bool `json:"isAuthorized"`
			}
			if err := json.Unmarshal(out, &answer); err != nil || fmt.Sprint(answer.IsAuthorized) != c.want {
				t.Errorf("got %s, %v; want isAuthorized %s", out, err, c.want)
			}
		})
	}
}

// Whatever a verified token says, an authorizer allows or denies: what no
// gateway would pass on is refused with the token.
func TestNoTokenMakesAnAuthorizerFail(t *testing.T) {
	k := newEC("a")
	c := config(k)
	c.Context, c.Groups = []string{"x"}, "groups"
	h := authorizer.Simple(authorizer.Bearer(verifier(t, c)))
	values := []any{
		"", " ", "a", "a b", "a\tb", "[]", "[1]", " {}", `"x"`, `{"a":1}`, "{x", "42", "null", "\x00", "é", "\u2028", true, 0.5,
		raw("9007199254740993"), raw("-9007199254740993"), raw("99999999999999999999"), raw("1e308"), raw("1e309"), raw("-0"), raw("null"),
		[]any{},
		[]any{""},
		[]any{"a b"},
		[]any{"[]"},
		[]any{"[1", "2]"},
		[]any{"a", "b"},
		[]any{1},
		map[string]any{},
	}
	for _, claim := range []string{"sub", "scope", "scp", "groups", "x", "aud", "client_id", "jti"} {
		for _, value := range values {
			changes := map[string]any{"scope": nil}
			changes[claim] = value
			if _, err := h.Invoke(t.Context(), gatewayEvent(k.token(endless(changes)))); err != nil {
				t.Errorf("%s %v: got %v, want a decision", claim, value, err)
			}
		}
	}
}

// The leeway counts where the grant is judged again.
func TestAnAuthorizerTakesTheLeewayIntoAccount(t *testing.T) {
	k := newEC("a")
	for leeway, denied := range map[time.Duration]bool{0: true, time.Minute: false} {
		c := config(k)
		c.Leeway = leeway
		h := authorizer.Simple(authorizer.Bearer(jwt.New(c)))
		out, err := h.Invoke(t.Context(), gatewayEvent(k.token(claims(map[string]any{"iat": nil, "exp": time.Now().Unix() - 1}))))
		if err != nil || (string(out) == `{"isAuthorized":false}`) != denied {
			t.Errorf("a leeway of %v: got %s, %v; want a denial: %v", leeway, out, err, denied)
		}
	}
}
