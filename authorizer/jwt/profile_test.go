package jwt_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer/jwt"
)

// An internet answers for URIs, and is a transport.
type internet struct {
	mu    sync.Mutex
	at    map[string][]byte // URI → body; absent is 404
	asked map[string]int
}

func newInternet(at map[string][]byte) *internet {
	return &internet{at: at, asked: map[string]int{}}
}

func (n *internet) client() *http.Client { return &http.Client{Transport: n} }

func (n *internet) put(uri string, body []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.at[uri] = body
}

func (n *internet) drop(uri string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.at, uri)
}

func (n *internet) count(uri string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.asked[uri]
}

// total is how many requests there were.
func (n *internet) total() (sum int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, requests := range n.asked {
		sum += requests
	}
	return sum
}

func (n *internet) RoundTrip(r *http.Request) (*http.Response, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked[r.URL.String()]++
	w := httptest.NewRecorder()
	if body, ok := n.at[r.URL.String()]; ok {
		_, _ = w.Write(body)
	} else {
		w.WriteHeader(http.StatusNotFound)
	}
	return w.Result(), nil
}

func changed(base, changes map[string]any) string {
	all := maps.Clone(base)
	for name, value := range changes {
		if all[name] = value; value == nil {
			delete(all, name)
		}
	}
	return string(must(json.Marshal(all)))
}

func TestIssuersOfUserPools(t *testing.T) {
	for pool, want := range map[string]string{
		"eu-central-1_AbCdEfGhI":    "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI",
		"us-east-1_x":               "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_x",
		"us-gov-west-1_AbCdEfGhI":   "https://cognito-idp.us-gov-west-1.amazonaws.com/us-gov-west-1_AbCdEfGhI",
		"cn-north-1_AbCdEfGhI":      "https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_AbCdEfGhI",
		"cn-northwest-1_AbCdEfGhI":  "https://cognito-idp.cn-northwest-1.amazonaws.com.cn/cn-northwest-1_AbCdEfGhI",
		"us-iso-east-1_AbCdEfGhI":   "https://cognito-idp.us-iso-east-1.c2s.ic.gov/us-iso-east-1_AbCdEfGhI",
		"us-isob-east-1_AbCdEfGhI":  "https://cognito-idp.us-isob-east-1.sc2s.sgov.gov/us-isob-east-1_AbCdEfGhI",
		"us-isof-south-1_AbCdEfGhI": "https://cognito-idp.us-isof-south-1.csp.hci.ic.gov/us-isof-south-1_AbCdEfGhI",
		"eu-isoe-west-1_AbCdEfGhI":  "https://cognito-idp.eu-isoe-west-1.cloud.adc-e.uk/eu-isoe-west-1_AbCdEfGhI",
		"eusc-de-east-1_AbCdEfGhI":  "https://cognito-idp.eusc-de-east-1.amazonaws.eu/eusc-de-east-1_AbCdEfGhI",
		"mx-central-1_AbCdEfGhI":    "https://cognito-idp.mx-central-1.amazonaws.com/mx-central-1_AbCdEfGhI",
	} {
		if got := jwt.Cognito(pool, "c").Issuer; got != want {
			t.Errorf("%s: %s, want %s", pool, got, want)
		}
	}
}

func TestCognito(t *testing.T) {
	const (
		pool   = "eu-central-1_AbCdEfGhI"
		client = "7h2k3j4l5m6n7o8p9q0r1s2t3u"
		iss    = "https://cognito-idp.eu-central-1.amazonaws.com/" + pool
	)
	k, rs512 := newRSA(jwt.RS256, "a"), newRSA(jwt.RS512, "a")
	n := newInternet(map[string][]byte{iss + "/.well-known/jwks.json": jwks(k)})
	start := func(c jwt.Config) *jwt.Verifier {
		c.HTTPClient = n.client()
		return verifier(t, c)
	}
	access := start(jwt.Cognito(pool, client, "other"))
	id := start(jwt.CognitoID(pool, client))

	at := map[string]any{
		"sub": "u-1", "cognito:groups": []string{"staff"}, "iss": iss, "client_id": client, "token_use": "access",
		"scope": "orders/read", "exp": now.Unix() + 60, "iat": now.Unix(), "jti": "j", "username": "ada",
	}
	it := map[string]any{
		"sub": "u-1", "cognito:groups": []string{"staff"}, "iss": iss, "aud": client, "token_use": "id",
		"exp": now.Unix() + 60, "iat": now.Unix(), "cognito:username": "ada", "email": "ada@example.com",
	}
	// Cognito sets no typ.
	sign := func(k signingKey, claims string) string {
		return k.sign(`{"kid":"a","alg":"`+string(k.alg)+`"}`, claims)
	}
	for _, c := range []struct {
		name  string
		v     *jwt.Verifier
		token string
		code  string
	}{
		{name: "an access token", v: access, token: sign(k, changed(at, nil))},
		{
			name:  "an access token with an audience",
			v:     access,
			token: sign(k, changed(at, map[string]any{"aud": "https://api.example"})),
		},
		{name: "an ID token as an access token", v: access, token: sign(k, changed(it, nil)), code: "token_type"},
		{
			name:  "an ID token with a client_id as an access token",
			v:     access,
			token: sign(k, changed(it, map[string]any{"client_id": client})),
			code:  "token_type",
		},
		{
			name:  "an access token of another client",
			v:     access,
			token: sign(k, changed(at, map[string]any{"client_id": "another"})),
			code:  "token_audience",
		},
		{
			name:  "an access token of no client",
			v:     access,
			token: sign(k, changed(at, map[string]any{"client_id": nil, "aud": client})),
			code:  "token_audience",
		},
		{
			name:  "an access token of another pool",
			v:     access,
			token: sign(k, changed(at, map[string]any{"iss": iss + "J"})),
			code:  "token_issuer",
		},
		{
			name:  "token_use in upper case",
			v:     access,
			token: sign(k, changed(at, map[string]any{"token_use": "ACCESS"})),
			code:  "token_type",
		},
		{name: "no token_use", v: access, token: sign(k, changed(at, map[string]any{"token_use": nil})), code: "token_type"},
		{name: "another algorithm", v: access, token: sign(rs512, changed(at, nil)), code: "token_algorithm"},
		{name: "an ID token", v: id, token: sign(k, changed(it, nil))},
		{name: "an access token as an ID token", v: id, token: sign(k, changed(at, nil)), code: "token_type"},
		{
			name:  "an access token with an audience as an ID token",
			v:     id,
			token: sign(k, changed(at, map[string]any{"aud": client})),
			code:  "token_type",
		},
		{
			name:  "an ID token of another client",
			v:     id,
			token: sign(k, changed(it, map[string]any{"aud": "another"})),
			code:  "token_audience",
		},
	} {
		grant, err := c.v.Verify(t.Context(), c.token)
		if codeOf(err) != c.code {
			t.Errorf("%s: %v, want %q", c.name, err, c.code)
		}
		if err == nil && (grant.Principal != "u-1" || len(grant.Groups) != 1 || grant.Groups[0] != "staff") {
			t.Errorf("%s: got %+v, want u-1 of the group staff", c.name, grant)
		}
	}
	if got := n.count(iss + "/.well-known/jwks.json"); got != 2 || len(n.asked) != 1 {
		t.Errorf("got requests %v, want two for the keys", n.asked)
	}
}

func TestAccessTokensOfRFC9068(t *testing.T) {
	k := newRSA(jwt.RS256, "a")
	n := newInternet(map[string][]byte{
		issuer + "/.well-known/openid-configuration": []byte(`{"issuer":"` + issuer + `","jwks_uri":"https://keys.example/set"}`),
		"https://keys.example/set":                   jwks(k),
	})
	c := jwt.AccessToken(issuer, audience)
	c.HTTPClient = n.client()
	v := verifier(t, c)
	base := map[string]any{
		"iss": issuer, "exp": now.Unix() + 60, "aud": audience, "sub": "u-1", "client_id": "c", "iat": now.Unix(), "jti": "j",
	}
	token := func(typ string, changes map[string]any) string {
		return k.sign(`{"alg":"RS256","kid":"a"`+typ+`}`, changed(base, changes))
	}
	for _, c := range []struct{ name, token, code string }{
		{name: "at+jwt", token: token(`,"typ":"at+jwt"`, nil)},
		{name: "in full and in another case", token: token(`,"typ":"Application/AT+JWT"`, nil)},
		{name: "no typ", token: token(``, nil), code: "token_type"},
		{name: "JWT", token: token(`,"typ":"JWT"`, nil), code: "token_type"},
		{name: "no client_id", token: token(`,"typ":"at+jwt"`, map[string]any{"client_id": nil}), code: "token_claims"},
		{name: "no sub", token: token(`,"typ":"at+jwt"`, map[string]any{"sub": nil}), code: "token_claims"},
		{name: "no iat", token: token(`,"typ":"at+jwt"`, map[string]any{"iat": nil}), code: "token_claims"},
		{name: "no jti", token: token(`,"typ":"at+jwt"`, map[string]any{"jti": nil}), code: "token_claims"},
		{name: "no exp", token: token(`,"typ":"at+jwt"`, map[string]any{"exp": nil}), code: "token_claims"},
		{name: "no aud", token: token(`,"typ":"at+jwt"`, map[string]any{"aud": nil}), code: "token_audience"},
	} {
		expectCode(t, v, c.name, c.token, c.code)
	}
	// Also where their value makes no difference.
	c.Audiences, c.Clients = nil, []string{"c"}
	c.Issuer, c.UnsafeAnyIssuer, c.Keys = "", true, jwt.StaticJWKS(jwks(k))
	v = verifier(t, c)
	expectCode(t, v, "of anybody for anybody", token(`,"typ":"at+jwt"`, nil), "")
	expectCode(t, v, "of nobody", token(`,"typ":"at+jwt"`, map[string]any{"iss": nil}), "token_claims")
	for _, none := range []any{nil, []string{}} {
		expectCode(t, v, "for nobody", token(`,"typ":"at+jwt"`, map[string]any{"aud": none}), "token_claims")
	}
}

func TestDiscovery(t *testing.T) {
	k := newEC("a")
	const at = issuer + "/tenant/.well-known/openid-configuration"
	const iss = issuer + "/tenant"
	document := func(issuer, uri string) []byte {
		return must(json.Marshal(map[string]any{"issuer": issuer, "jwks_uri": uri, "scopes_supported": []string{"openid"}}))
	}
	for name, body := range map[string][]byte{
		"another issuer":             document("https://other.example", "https://keys.example/set"),
		"the issuer with a slash":    document(iss+"/", "https://keys.example/set"),
		"the issuer in another case": document("https://ISSUER.example/tenant", "https://keys.example/set"),
		"no issuer":                  []byte(`{"jwks_uri":"https://keys.example/set"}`),
		"two issuers":                []byte(`{"issuer":"https://other.example","issuer":"` + iss + `","jwks_uri":"https://keys.example/set"}`),
		"an issuer in another case":  []byte(`{"Issuer":"` + iss + `","issuer":"` + iss + `","jwks_uri":"https://keys.example/set"}`),
		"keys without https":         document(iss, "http://keys.example/set"),
		"keys at this host":          document(iss, "https://:443/set"),
		"keys in a file":             document(iss, "file:///etc/passwd"),
		"keys behind a user":         document(iss, "https://user:password@keys.example/set"),
		"no keys":                    []byte(`{"issuer":"` + iss + `"}`),
		"HTML":                       []byte("<html>"),
		"levels without an end":      []byte(`{"issuer":"` + iss + `","x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `,"jwks_uri":"https://keys.example/set"}`),
		"null":                       []byte("null"),
	} {
		n := newInternet(map[string][]byte{at: body, "https://keys.example/set": jwks(k), "http://keys.example/set": jwks(k)})
		v, _ := started(jwt.Config{Issuer: iss, Audiences: []string{audience}, HTTPClient: n.client()})
		expectCode(t, v, name, k.token(claims(map[string]any{"iss": iss})), outage)
		if len(n.asked) != 1 || n.count(at) != 1 {
			t.Errorf("%s: got requests %v, want one for the metadata", name, n.asked)
		}
	}

	empty := newInternet(nil)
	v, _ := started(jwt.Config{Issuer: iss, Audiences: []string{audience}, HTTPClient: empty.client()})
	expectCode(t, v, "no document", k.token(claims(map[string]any{"iss": iss})), outage)

	n := newInternet(map[string][]byte{at: document(iss, "https://keys.example/1"), "https://keys.example/1": jwks(k)})
	v, clock := started(jwt.Config{Issuer: iss, Audiences: []string{audience}, HTTPClient: n.client()})
	if len(n.asked) != 0 {
		t.Errorf("before the first token: got requests %v, want none", n.asked)
	}
	token := k.token(claims(map[string]any{"iss": iss, "exp": now.Add(100 * time.Hour).Unix()}))
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() { expectCode(t, v, "at first", token, "") })
	}
	all.Wait()
	if n.count(at) != 1 || n.count("https://keys.example/1") != 1 {
		t.Errorf("for 32 tokens: got requests %v, want one for each document", n.asked)
	}
	// The keys have moved.
	other := newEC("b")
	n.put(at, document(iss, "https://keys.example/2"))
	n.put("https://keys.example/2", jwks(other))
	clock.move(time.Hour)
	expectCode(t, v, "the old key", token, "token_unknown_key")
	expectCode(t, v, "the new key", other.token(claims(map[string]any{"iss": iss, "exp": now.Add(100 * time.Hour).Unix()})), "")
}

func TestAnyIssuerAndAudience(t *testing.T) {
	k := newEC("a")
	v := verifier(t, jwt.Config{UnsafeAnyIssuer: true, UnsafeAnyAudience: true, Keys: jwt.StaticJWKS(jwks(k))})
	expectCode(t, v, "of anybody for anybody", k.token(claims(map[string]any{"iss": "https://x.example", "aud": nil})), "")
	expectCode(t, v, "expired all the same", k.token(claims(map[string]any{"exp": now.Unix()})), "token_expired")
	expectCode(t, v, "forged all the same", newEC("a").token(claims(nil)), "token_signature")
}

func TestAudienceAndClientMustBothHold(t *testing.T) {
	k := newEC("a")
	c := config(k)
	c.Clients = []string{"c"}
	v := verifier(t, c)
	expectCode(t, v, "both", k.token(claims(map[string]any{"client_id": "c"})), "")
	expectCode(t, v, "another client", k.token(claims(map[string]any{"client_id": "d"})), "token_audience")
	expectCode(t, v, "another audience", k.token(claims(map[string]any{"client_id": "c", "aud": "x"})), "token_audience")
}

func TestTheClientIsInTheClaimThatIsNamed(t *testing.T) {
	k := newEC("a")
	for _, claim := range []string{"azp", "cid", "appid"} {
		c := config(k)
		c.Clients, c.ClientClaim, c.Context = []string{"c", "d"}, claim, []string{claim}
		v := verifier(t, c)
		for name, a := range map[string]struct {
			changes map[string]any
			code    string
		}{
			"the client":                  {changes: map[string]any{claim: "c"}},
			"another one that is allowed": {changes: map[string]any{claim: "d", "client_id": "x"}},
			"another client":              {changes: map[string]any{claim: "x"}, code: "token_audience"},
			"another, and client_id":      {changes: map[string]any{claim: "x", "client_id": "c"}, code: "token_audience"},
			"none":                        {code: "token_audience"},
			"client_id alone":             {changes: map[string]any{"client_id": "c"}, code: "token_audience"},
			"an empty one":                {changes: map[string]any{claim: "", "client_id": "c"}, code: "token_audience"},
			"a part of one":               {changes: map[string]any{claim: "c d"}, code: "token_audience"},
			"a list":                      {changes: map[string]any{claim: []string{"c"}}, code: "token_claims"},
			"null":                        {changes: map[string]any{claim: raw("null"), "client_id": "c"}, code: "token_claims"},
			"a number":                    {changes: map[string]any{claim: 1}, code: "token_claims"},
			"in another case": {
				changes: map[string]any{claim: "c", strings.ToUpper(claim): "x"},
				code:    "token_malformed",
			},
			"client_id in another case": {changes: map[string]any{claim: "c", "Client_ID": "x"}, code: "token_malformed"},
			"an ID token of the client": {changes: map[string]any{claim: "c", "aud": "c"}, code: "token_audience"},
		} {
			expectCode(t, v, claim+": "+name, k.token(claims(a.changes)), a.code)
		}
		got, err := v.Claims(t.Context(), k.token(claims(map[string]any{claim: "c", "client_id": "x"})))
		if err != nil || got.ClientID != "c" {
			t.Errorf("%s: client %q, %v", claim, got.ClientID, err)
		}
	}
}

// An issuer that changes its typ has tokens of both for a while.
func TestAVerifierTakesSeveralTypes(t *testing.T) {
	k := newEC("a")
	full := map[string]any{"client_id": "c", "jti": "j"}
	token := func(typ string, changes map[string]any) string {
		return k.sign(`{"alg":"ES256","kid":"a"`+typ+`}`, claims(changes))
	}
	for _, tt := range []struct {
		name  string
		types []string
		token string
		want  string
	}{
		{name: "the one", types: []string{"at+jwt", "jwt"}, token: token(`,"typ":"at+jwt"`, full)},
		{name: "the other", types: []string{"at+jwt", "jwt"}, token: token(`,"typ":"JWT"`, full)},
		{name: "the other, which needs no claims of RFC 9068", types: []string{"at+jwt", "jwt"}, token: token(`,"typ":"JWT"`, nil)},
		{name: "the one, without its claims", types: []string{"jwt", "at+jwt"}, token: token(`,"typ":"at+jwt"`, nil), want: "token_claims"},
		{name: "in full, without its claims", types: []string{"jwt", "at+jwt"}, token: token(`,"typ":"application/AT+JWT"`, nil), want: "token_claims"},
		{name: "a third", types: []string{"at+jwt", "jwt"}, token: token(`,"typ":"logout+jwt"`, full), want: "token_type"},
		{name: "none, which is not among them", types: []string{"at+jwt", "jwt"}, token: token(``, full), want: "token_type"},
		{name: "none, which is", types: []string{"at+jwt", ""}, token: token(``, nil)},
		{name: "JWT, where none is", types: []string{"at+jwt", ""}, token: token(`,"typ":"JWT"`, full), want: "token_type"},
		{name: "of nobody else", types: []string{"secevent+jwt"}, token: token(`,"typ":"secevent+JWT"`, nil)},
	} {
		c := config(k)
		c.Types = tt.types
		expectCode(t, verifier(t, c), tt.name, tt.token, tt.want)
	}

	c := config(k)
	c.Types = []string{"jwt", "at+jwt"}
	v := verifier(t, c)
	c.Types[0] = "other+jwt" // which is not looked at again
	expectCode(t, v, "after the list was changed", token(`,"typ":"JWT"`, nil), "")
}
