package gateway_test

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
)

const testIssuer = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_example"

// A tokenIssuer signs tokens with an RSA key.
type tokenIssuer struct {
	kid string
	key *rsa.PrivateKey
}

func makeIssuer(kid string) func() tokenIssuer {
	return sync.OnceValue(func() tokenIssuer {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		return tokenIssuer{kid: kid, key: key}
	})
}

var (
	theIssuer    = makeIssuer("k1")
	anotherOne   = makeIssuer("k1") // the same kid, another key
	rotatedLater = makeIssuer("k2")
)

func (i tokenIssuer) jwks() json.RawMessage {
	n := base64.RawURLEncoding.EncodeToString(i.key.N.Bytes())
	return fmt.Appendf(nil, `{"keys":[{"kty":"EC","crv":"P-256","kid":%[1]q,"x":"","y":""},{"kty":"RSA","kid":%[1]q,"use":"sig","n":%[2]q,"e":"AQAB"}]}`, i.kid, n)
}

// sign returns a token with the claims.
func (i tokenIssuer) sign(t *testing.T, claims map[string]any) string {
	return i.signAs(t, "RS256", claims)
}

func (i tokenIssuer) signAs(t *testing.T, alg string, claims map[string]any) string {
	t.Helper()
	return i.signWith(t, alg, "", claims)
}

// signWith adds members to the header.
func (i tokenIssuer) signWith(t *testing.T, alg, more string, claims map[string]any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	part := base64.RawURLEncoding.EncodeToString
	signed := part(fmt.Appendf(nil, `{"alg":%q,"kid":%q%s}`, alg, i.kid, more)) + "." + part(payload)
	hash := crypto.SHA256
	switch alg {
	case "RS384":
		hash = crypto.SHA384
	case "RS512":
		hash = crypto.SHA512
	}
	digest := hash.New()
	digest.Write([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, i.key, hash, digest.Sum(nil))
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + part(signature)
}

// claimsWith are good ones, with changes: nil takes one away.
func claimsWith(changes map[string]any) map[string]any {
	now := time.Now().Unix()
	claims := map[string]any{"iss": testIssuer, "aud": "client-1", "sub": "jane", "iat": now - 10, "exp": now + 600}
	for name, value := range changes {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	return claims
}

func jwtAPI(changes func(*gateway.JWTAuthorizer)) gateway.HTTPAPIConfig {
	a := gateway.JWTAuthorizer{
		Issuer: testIssuer, Audience: []string{"client-1", "client-2"}, Keys: theIssuer().jwks(),
		Scopes: map[string][]string{"POST /orders": {"orders:write", "orders:admin"}},
	}
	if changes != nil {
		changes(&a)
	}
	return gateway.HTTPAPIConfig{Routes: []string{"GET /orders", "POST /orders"}, JWT: &a}
}

func TestGoodTokenPasses(t *testing.T) {
	api := serveAPI(t, jwtAPI(nil))
	for _, tt := range []struct {
		name, target, alg string
		claims            map[string]any
	}{
		{name: "an audience", target: "GET /orders"},
		{name: "one of several audiences", target: "GET /orders", claims: map[string]any{"aud": []string{"x", "client-2"}}},
		{name: "a client where there is no audience", target: "GET /orders", claims: map[string]any{"aud": nil, "client_id": "client-1"}},
		{name: "a scope", target: "POST /orders", claims: map[string]any{"scope": "openid orders:write"}},
		{name: "a scope in scp", target: "POST /orders", claims: map[string]any{"scp": []string{"orders:admin"}}},
		{name: "RS384", alg: "RS384", target: "GET /orders"},
		{name: "RS512", alg: "RS512", target: "GET /orders"},
		{name: "past its nbf", target: "GET /orders", claims: map[string]any{"nbf": time.Now().Unix() - 5}},
	} {
		token := theIssuer().signAs(t, cmp.Or(tt.alg, "RS256"), claimsWith(tt.claims))
		for _, header := range []string{"Bearer " + token, "bearer " + token, token} {
			if status, body := api.do(tt.target, "Authorization", header); status != 200 {
				t.Errorf("%s: %d %s", tt.name, status, body)
			}
		}
	}
	elsewhere := serveAPI(t, jwtAPI(func(a *gateway.JWTAuthorizer) { a.IdentitySource = "$request.querystring.token" }))
	if status, body := elsewhere.do("GET /orders?token=" + theIssuer().sign(t, claimsWith(nil))); status != 200 {
		t.Errorf("a token in the query: %d %s", status, body)
	}
}

func TestTokenThatIsNotGoodIsRefused(t *testing.T) {
	api := serveAPI(t, jwtAPI(nil))
	now := time.Now().Unix()
	good := theIssuer().sign(t, claimsWith(nil))
	const why = `Bearer scope="" error="invalid_token" error_description="`
	for _, tt := range []struct {
		name, target, token string
		status              int
		challenge           string // how it begins
	}{
		{name: "none", status: 401, challenge: "Bearer"},
		{name: "no JWT", token: "x.y.z", status: 401, challenge: why},
		{name: "unsigned", token: "eyJhbGciOiJub25lIn0.eyJzdWIiOiJqYW5lIn0.", status: 401, challenge: why},
		{name: "of another key", token: anotherOne().sign(t, claimsWith(nil)), status: 401, challenge: why},
		{name: "of an unknown key", token: rotatedLater().sign(t, claimsWith(nil)), status: 401, challenge: why},
		{name: "of an algorithm that is not RSA's", token: theIssuer().signAs(t, "HS256", claimsWith(nil)), status: 401, challenge: why + "the token is not a signed JWT\""},
		{name: "of RSA in another padding", token: theIssuer().signAs(t, "PS256", claimsWith(nil)), status: 401, challenge: why + "the token is not a signed JWT\""},
		{name: "with an extension that is critical", token: theIssuer().signWith(t, "RS256", `,"crit":["x"],"x":1`, claimsWith(nil)), status: 401, challenge: why + "the token is not a signed JWT\""},
		{name: "without the dots", token: strings.ReplaceAll(good, ".", ""), status: 401, challenge: why},
		{name: "with a dot more", token: good + ".", status: 401, challenge: why},
		{name: "a signature changed", token: good[:len(good)-4] + "AAAA", status: 401, challenge: why},
		{name: "another issuer", token: theIssuer().sign(t, claimsWith(map[string]any{"iss": testIssuer + "/"})), status: 401, challenge: why},
		{name: "expired", token: theIssuer().sign(t, claimsWith(map[string]any{"exp": now - 1})), status: 401, challenge: why},
		{name: "no expiry", token: theIssuer().sign(t, claimsWith(map[string]any{"exp": nil})), status: 401, challenge: why},
		{name: "not yet", token: theIssuer().sign(t, claimsWith(map[string]any{"nbf": now + 60})), status: 401, challenge: why},
		{name: "issued later", token: theIssuer().sign(t, claimsWith(map[string]any{"iat": now + 60})), status: 401, challenge: why},
		{name: "another audience", token: theIssuer().sign(t, claimsWith(map[string]any{"aud": "x", "client_id": "client-1"})), status: 401, challenge: why + "the token does not have a valid audience\""},
		{name: "no audience", token: theIssuer().sign(t, claimsWith(map[string]any{"aud": nil})), status: 401, challenge: why},
		{name: "no scope", target: "POST /orders", token: good, status: 403, challenge: `Bearer scope="orders:write orders:admin" error="insufficient_scope"`},
		{name: "another scope", target: "POST /orders", token: theIssuer().sign(t, claimsWith(map[string]any{"scope": "orders:read"})), status: 403, challenge: `Bearer scope="orders:write orders:admin" error="insufficient_scope"`},
	} {
		method := "GET"
		if tt.target != "" {
			method = "POST"
		}
		r, err := http.NewRequestWithContext(t.Context(), method, api.URL+"/orders", nil)
		if err != nil {
			t.Fatal(err)
		}
		if tt.token != "" {
			r.Header.Set("Authorization", "Bearer "+tt.token)
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		want := map[int]string{401: `{"message":"Unauthorized"}`, 403: `{"message":"Forbidden"}`}[tt.status]
		if tt.token == "" && res.Header.Get("Www-Authenticate") != "Bearer" {
			t.Errorf("%s: challenge %q, want Bearer alone", tt.name, res.Header.Get("Www-Authenticate"))
		}
		if challenge := res.Header.Get("Www-Authenticate"); res.StatusCode != tt.status || string(body) != want || !strings.HasPrefix(challenge, tt.challenge) {
			t.Errorf("%s: %d %s, challenge %q, want %d with %q", tt.name, res.StatusCode, body, challenge, tt.status, tt.challenge)
		}
	}
}

func TestClaimsAreToldAsStrings(t *testing.T) {
	claims := claimsWith(map[string]any{
		"cognito:groups": []any{"admin", "power user", 3}, "verified": true, "n": 1.5, "none": nil, "scope": "openid orders:write",
		"address": map[string]any{"city": "x"}, "iat": 1_600_000_000, "exp": 4_000_000_000,
	})
	claims["null"] = nil
	token := "Bearer " + theIssuer().sign(t, claims)
	want := map[string]any{
		"iss": testIssuer, "aud": "client-1", "sub": "jane", "iat": "1600000000", "exp": "4000000000", "scope": "openid orders:write",
		"cognito:groups": "[admin power user 3]", "verified": "true", "n": "1.5", "address": `{"city":"x"}`,
	}
	for _, tt := range []struct {
		name, target string
		scopes       any
	}{
		{name: "a route without scopes", target: "GET /orders", scopes: nil},
		{name: "a route with scopes", target: "POST /orders", scopes: []any{"orders:write"}},
	} {
		told := map[string]any{"claims": want, "scopes": tt.scopes}
		for format, expected := range map[string]any{"2.0": map[string]any{"jwt": told}, "1.0": told} {
			cfg := jwtAPI(nil)
			cfg.Format = format
			_, body := serveAPI(t, cfg).do(tt.target, "Authorization", token)
			var got any
			if err := json.Unmarshal([]byte(body), &got); err != nil {
				t.Fatalf("%v: %s", err, body)
			}
			if !reflect.DeepEqual(got, expected) {
				t.Errorf("%s, format %s: got\n%v, want\n%v", tt.name, format, got, expected)
			}
		}
	}
}

func TestKeysAreFetchedFromTheIssuerAndKept(t *testing.T) {
	var fetched, down, large, rotated atomic.Int32
	var issuer *httptest.Server
	issuer = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() != 0 {
			w.WriteHeader(http.StatusServiceUnavailable) // with an answer that would be good
		}
		switch r.URL.Path {
		case "/pool/.well-known/openid-configuration":
			_ = json.NewEncoder(w).Encode(map[string]string{"issuer": issuer.URL + "/pool", "jwks_uri": issuer.URL + "/keys"})
		case "/keys":
			fetched.Add(1)
			keys := theIssuer().jwks()
			if large.Load() != 0 {
				keys = append(keys, bytes.Repeat([]byte(" "), 150_000)...)
			}
			if rotated.Load() != 0 {
				keys = rotatedLater().jwks()
			}
			_, _ = w.Write(keys)
		default:
			http.NotFound(w, r)
		}
	}))
	defer issuer.Close()
	var clock atomic.Int64
	clock.Store(time.Now().Unix())
	api := serveAPI(t, jwtAPI(func(a *gateway.JWTAuthorizer) {
		a.Issuer, a.Keys = issuer.URL+"/pool", nil
		a.Now = func() time.Time { return time.Unix(clock.Load(), 0) }
	}))
	claims := claimsWith(map[string]any{"iss": issuer.URL + "/pool", "exp": time.Now().Add(24 * time.Hour).Unix()})
	old, later := theIssuer().sign(t, claims), rotatedLater().sign(t, claims)
	ask := func(what, token string, want int) {
		t.Helper()
		if status, body := api.do("GET /orders", "Authorization", "Bearer "+token); status != want {
			t.Errorf("%s: %d %s, want %d", what, status, body, want)
		}
	}
	down.Store(1)
	ask("the issuer is down", old, 401)
	down.Store(0)
	large.Store(1)
	ask("the issuer answers too much", old, 401)
	large.Store(0)
	fetched.Store(0)
	ask("the first", old, 200)
	ask("the second", old, 200)
	rotated.Store(1)
	ask("a new key, too early", later, 401)
	ask("the old key, which is kept", old, 200)
	if got := fetched.Load(); got != 1 {
		t.Errorf("fetched %d times, want once", got)
	}
	clock.Add(int64((2 * time.Hour).Seconds()))
	ask("a new key, after two hours", later, 200)
	ask("the old key, after two hours", old, 401)
	if got := fetched.Load(); got != 2 {
		t.Errorf("fetched %d times, want twice", got)
	}
}

func TestKeyThatIsNotRSAsIsIgnored(t *testing.T) {
	api := serveAPI(t, jwtAPI(func(a *gateway.JWTAuthorizer) {
		a.Keys = bytes.ReplaceAll(a.Keys, []byte(`"kty":"RSA"`), []byte(`"kty":"oct"`))
	}))
	if status, body := api.do("GET /orders", "Authorization", theIssuer().sign(t, claimsWith(nil))); status != 401 {
		t.Errorf("%d %s, want 401", status, body)
	}
}

func TestUserPoolTellsItsClaimsToAMethod(t *testing.T) {
	routes := []string{"GET /orders", "POST /orders"}
	pool := gateway.UserPoolAuthorizer{Issuer: testIssuer, Keys: theIssuer().jwks(), Scopes: map[string][]string{"POST /orders": {"orders/write"}}}
	api := serve(t, newREST(t, authorizerOf, gateway.RESTAPIConfig{Routes: routes, UserPool: &pool}))
	now := time.Now().Unix()
	id := map[string]any{"token_use": "id"}
	access := map[string]any{"token_use": "access", "aud": nil, "client_id": "client-1", "scope": "openid orders/write"}
	with := func(base map[string]any, name string, value any) map[string]any {
		changed := map[string]any{name: value}
		for n, v := range base {
			if n != name {
				changed[n] = v
			}
		}
		return claimsWith(changed)
	}
	for _, tt := range []struct {
		name, target, token string
		status              int
		body                string // when refused
	}{
		{name: "an ID token", target: "GET /orders", token: theIssuer().sign(t, claimsWith(id)), status: 200},
		{name: "an access token without scopes", target: "GET /orders", token: theIssuer().sign(t, claimsWith(access)), status: 401},
		{name: "an access token with the scope", target: "POST /orders", token: theIssuer().sign(t, claimsWith(access)), status: 200},
		{name: "an access token with another scope", target: "POST /orders", token: theIssuer().sign(t, with(access, "scope", "openid")), status: 401},
		{name: "an ID token where a scope is needed", target: "POST /orders", token: theIssuer().sign(t, with(id, "scope", "orders/write")), status: 401},
		{name: "another pool's", target: "GET /orders", token: theIssuer().sign(t, with(id, "iss", testIssuer+"2")), status: 401},
		{name: "another key's", target: "GET /orders", token: anotherOne().sign(t, claimsWith(id)), status: 401},
		{name: "an old one", target: "GET /orders", token: theIssuer().sign(t, with(id, "exp", now-1)), status: 401, body: `{"message":"The incoming token has expired"}`},
		{name: "none", target: "GET /orders", status: 401},
	} {
		status, body := api.do(tt.target, "Authorization", tt.token)
		if tt.body == "" {
			tt.body = `{"message":"Unauthorized"}`
		}
		if status != tt.status || status != 200 && body != tt.body {
			t.Errorf("%s: %d %s, want %d", tt.name, status, body, tt.status)
		}
	}
	token := theIssuer().sign(t, claimsWith(map[string]any{"token_use": "id", "cognito:groups": []string{"a", "b"}, "auth_time": 1_600_000_000, "iat": 1_600_000_000, "exp": 4_000_000_000}))
	_, body := api.do("GET /orders", "Authorization", token)
	var got any
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	want := map[string]any{"claims": map[string]any{
		"iss": testIssuer, "aud": "client-1", "sub": "jane", "token_use": "id", "cognito:groups": "a,b", "auth_time": "1600000000",
		"iat": "Sun Sep 13 12:26:40 UTC 2020", "exp": "Tue Oct 02 07:06:40 UTC 2096",
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%v, want\n%v", got, want)
	}
	pool.Header = "X-Token"
	elsewhere := serve(t, newREST(t, authorizerOf, gateway.RESTAPIConfig{Routes: routes, UserPool: &pool}))
	if status, body := elsewhere.do("GET /orders", "X-Token", token); status != 200 {
		t.Errorf("a token in a header of its own: %d %s", status, body)
	}
}

func TestMisconfiguredTokenAuthorizerIsRefused(t *testing.T) {
	for want, change := range map[string]func(*gateway.JWTAuthorizer){
		"needs an issuer":     func(a *gateway.JWTAuthorizer) { a.Issuer = "" },
		"needs an audience":   func(a *gateway.JWTAuthorizer) { a.Audience = nil },
		"no route of the API": func(a *gateway.JWTAuthorizer) { a.Scopes = map[string][]string{"GET /x": {"s"}} },
		`identity source "x"`: func(a *gateway.JWTAuthorizer) { a.IdentitySource = "x" },
		"the keys of issuer":  func(a *gateway.JWTAuthorizer) { a.Keys = json.RawMessage(`[`) },
	} {
		if _, err := gateway.NewHTTPAPI(authorizerOf, jwtAPI(change)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	for want, pool := range map[string]gateway.UserPoolAuthorizer{
		"the pool's issuer":   {},
		"no route of the API": {Issuer: testIssuer, Scopes: map[string][]string{"GET /x": {"s"}}},
		"the keys of issuer":  {Issuer: testIssuer, Keys: json.RawMessage(`1`)},
	} {
		if _, err := gateway.NewRESTAPI(authorizerOf, gateway.RESTAPIConfig{UserPool: &pool}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	if _, err := gateway.NewHTTPAPI(authorizerOf, gateway.HTTPAPIConfig{FunctionURL: true, JWT: jwtAPI(nil).JWT}); err == nil {
		t.Error("a function URL has a JWT authorizer, and no error")
	}
}
