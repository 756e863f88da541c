package jwt_test

import (
	"crypto"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/authorizer/jwt"
	"github.com/lambdarmor/lambdarmor/guard"
)

func TestEveryAlgorithmIsAcceptedWhereItIsAskedFor(t *testing.T) {
	keys := []signingKey{
		newRSA(jwt.RS256, "k"), newRSA(jwt.RS384, "k"), newRSA(jwt.RS512, "k"),
		newRSA(jwt.PS256, "k"), newRSA(jwt.PS384, "k"), newRSA(jwt.PS512, "k"),
		newEC("k"), newCurve(jwt.ES384, elliptic.P384(), "k"), newCurve(jwt.ES512, elliptic.P521(), "k"), newEd("k"), newEd25519("k"),
		newHMAC(jwt.HS256, make([]byte, 32)), newHMAC(jwt.HS384, make([]byte, 48)), newHMAC(jwt.HS512, make([]byte, 64)),
	}
	for _, k := range keys {
		c := jwt.Config{Issuer: issuer, Audiences: []string{audience}, Algorithms: []jwt.Algorithm{k.alg}}
		if secret, ok := k.key.([]byte); ok {
			c.Keys = jwt.SharedSecret(secret)
		} else {
			c.Keys = jwt.StaticJWKS(jwks(k))
		}
		v := verifier(t, c)
		if _, err := v.Verify(t.Context(), k.token(claims(nil))); err != nil {
			t.Fatalf("%s: got %v, want a grant", k.alg, err)
		}
		for _, other := range keys {
			if _, err := v.Verify(t.Context(), other.token(claims(nil))); other.alg != k.alg && codeOf(err) != "token_algorithm" {
				t.Errorf("%s where only %s is accepted: got %v, want token_algorithm", other.alg, k.alg, err)
			}
		}
	}
}

// One signature of 128 has such a number.
func TestANumberOfASignatureMayBeginWithZeros(t *testing.T) {
	e := newEC("e1")
	v := verifier(t, config(e))
	signed := b64([]byte(e.header())) + "." + b64([]byte(claims(nil)))
	for half := range 2 {
		sig := e.signature(signed)
		for sig[32*half] != 0 {
			sig = e.signature(signed)
		}
		expectCode(t, v, fmt.Sprintf("number %d", half), signed+"."+b64(sig), "")
		cut := slices.Delete(slices.Clone(sig), 32*half, 32*half+1)
		expectCode(t, v, fmt.Sprintf("number %d without its zero", half), signed+"."+b64(cut), "token_signature")
	}
}

func TestHarmlessVariationsAreAccepted(t *testing.T) {
	e := newEC("e1")
	v := verifier(t, config(e))
	plain := claims(nil)
	for name, token := range map[string]string{
		"no typ":                      e.sign(`{"alg":"ES256","kid":"e1"}`, plain),
		"typ in lower case":           e.sign(`{"alg":"ES256","kid":"e1","typ":"jwt"}`, plain),
		"typ in full":                 e.sign(`{"alg":"ES256","kid":"e1","typ":"application/JWT"}`, plain),
		"no kid, and one key":         e.sign(`{"alg":"ES256"}`, plain),
		"white space":                 e.sign("{ \"alg\" :\r\n\"ES256\",\t\"kid\" : \"e1\" }\n", " "+plain+"\n"),
		"escapes":                     e.sign(`{"\u0061lg":"ES\u003256","kid":"\u00651"}`, strings.Replace(plain, `"sub"`, `"s\u0075b"`, 1)),
		"members that mean nothing":   e.sign(`{"alg":"ES256","kid":"e1","x5t":"AAAA","nonce":"n","x":{"y":[1,{"z":null}]}}`, plain),
		"keys that are not followed":  e.sign(`{"alg":"ES256","kid":"e1","jku":"https://evil.example","x5u":"https://evil.example","x5c":["x"],"jwk":{}}`, plain),
		"aud as a list":               e.token(claims(map[string]any{"aud": []string{"other", audience}})),
		"exp with a fraction":         e.token(claims(map[string]any{"exp": raw("1800000000.5")})),
		"exp with an exponent":        e.token(claims(map[string]any{"exp": raw("1.800003600e9")})),
		"exp in the year 9999":        e.token(claims(map[string]any{"exp": raw("253402300799")})),
		"exp in a second":             e.token(claims(map[string]any{"exp": now.Unix() + 1})),
		"nbf and iat now":             e.token(claims(map[string]any{"nbf": now.Unix(), "iat": now.Unix()})),
		"a token_use nobody requires": e.token(claims(map[string]any{"token_use": "id"})),
		"no iat":                      e.token(claims(map[string]any{"iat": nil})),
		"names that differ in case":   e.token(claims(map[string]any{"Tenant": "a", "tenant": "b"})),
		"a claim of 11 kB":            e.token(claims(map[string]any{"x": strings.Repeat("x", 11<<10)})),
	} {
		if _, err := v.Verify(t.Context(), token); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLeewayMovesEachLimitByItself(t *testing.T) {
	e := newEC("e1")
	c := config(e)
	c.Leeway = time.Minute
	v := verifier(t, c)
	for _, at := range []struct {
		claim  string
		offset int64
		code   string
	}{
		{claim: "exp", offset: -59},
		{claim: "exp", offset: -60, code: "token_expired"},
		{claim: "nbf", offset: 60},
		{claim: "nbf", offset: 61, code: "unavailable/token_not_yet_valid"},
		{claim: "iat", offset: 60},
		{claim: "iat", offset: 61, code: "unavailable/token_not_yet_valid"},
	} {
		_, err := v.Verify(t.Context(), e.token(claims(map[string]any{at.claim: now.Unix() + at.offset})))
		if codeOf(err) != at.code {
			t.Errorf("%s at %+d: %v, want %q", at.claim, at.offset, err, at.code)
		}
	}
}

func TestATokenWithoutKidNeedsExactlyOneKeyThatFits(t *testing.T) {
	a, b, d := newEC("a"), newEC("b"), newEd("d")
	anonymous, unnamed := a, d
	anonymous.kid, unnamed.kid = "", ""
	v := verifier(t, config(a, b, d))
	if _, err := v.Verify(t.Context(), anonymous.token(claims(nil))); codeOf(err) != "token_unknown_key" {
		t.Errorf("with two keys that fit: got %v, want token_unknown_key", err)
	}
	if _, err := v.Verify(t.Context(), unnamed.token(claims(nil))); err != nil {
		t.Errorf("with one key that fits: got %v, want a grant", err)
	}
}

func TestKeysOfTheSameKid(t *testing.T) {
	a, b, d := newEC("same"), newEC("same"), newEd("same")
	v := verifier(t, config(a, b, d))
	if _, err := v.Verify(t.Context(), a.token(claims(nil))); codeOf(err) != "token_unknown_key" {
		t.Errorf("two that fit: got %v, want token_unknown_key", err)
	}
	if _, err := v.Verify(t.Context(), d.token(claims(nil))); err != nil {
		t.Errorf("one that fits: got %v, want a grant", err)
	}
}

func TestAKeyInPEMTakesAnyKid(t *testing.T) {
	a, b := newEC("any"), newEC("")
	c := config(a)
	var blocks []byte
	for _, k := range []signingKey{a, newRSA(jwt.RS256, "")} {
		blocks = append(blocks, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(k.public))})...)
	}
	c.Keys = jwt.PEM(blocks)
	v := verifier(t, c)
	for _, k := range []signingKey{a, {alg: a.alg, key: a.key, public: a.public}, newRSA(jwt.RS256, "r")} {
		if _, err := v.Verify(t.Context(), k.token(claims(nil))); err != nil {
			t.Errorf("%s %q: got %v, want a grant", k.alg, k.kid, err)
		}
	}
	if _, err := v.Verify(t.Context(), b.token(claims(nil))); codeOf(err) != "token_signature" {
		t.Errorf("another key: got %v, want token_signature", err)
	}
}

func TestWhatAGrantSays(t *testing.T) {
	e := newEC("e1")
	c := config(e)
	c.Groups = "cognito:groups"
	c.Context = []string{"tenant", "level", "share", "beta", "absent", "nothing", "iss"}
	v := verifier(t, c)
	got, err := v.Verify(t.Context(), e.token(claims(map[string]any{
		"cognito:groups": []string{"staff", `a "b" \`, "ü"},
		"tenant":         "t-1", "level": 7, "share": 0.25, "beta": true, "nothing": raw("null"), "unasked": "x",
	})))
	want := &authorizer.Grant{
		Principal: "u-1",
		Context:   map[string]any{"tenant": "t-1", "level": int64(7), "share": 0.25, "beta": true, "iss": issuer},
		Scopes:    []string{"orders:read", "orders:write"},
		Groups:    []string{"staff", `a "b" \`, "ü"},
		Expires:   now.Add(time.Hour),
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}

	for name, changes := range map[string]map[string]any{
		"an object in the context": {"tenant": map[string]any{"id": 1}},
		"a list in the context":    {"tenant": []string{"a"}},
		"a string that is JSON":    {"tenant": ` []`},
		"a number beyond all":      {"level": raw("1e999")},
		"an id that is rounded":    {"level": raw("9007199254740993")},
		"a long id":                {"level": raw("99999999999999999999")},
		"a negative one":           {"level": raw("-9007199254740993")},
		"groups that are none":     {"cognito:groups": 1},
		"a group without a name":   {"cognito:groups": []any{"a", ""}},
		"groups with a number":     {"cognito:groups": []any{"a", 1}},
		"groups with a null":       {"cognito:groups": []any{"a", nil}},
	} {
		if _, err := v.Verify(t.Context(), e.token(claims(changes))); codeOf(err) != "token_claims" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"Tenant", "COGNITO:groups", "Iss"} {
		if _, err := v.Verify(t.Context(), e.token(claims(map[string]any{name: "x"}))); codeOf(err) != "token_malformed" {
			t.Errorf("claim %s, which differs from a known one in case alone: got %v, want token_malformed", name, err)
		}
	}
}

// Nothing names a claim for groups here, so no claim has them.
func TestAClaimWithoutANameIsNoGroup(t *testing.T) {
	e := newEC("e1")
	got, err := verifier(t, config(e)).Verify(t.Context(), e.token(claims(map[string]any{"": "admins"})))
	if err != nil || len(got.Groups) != 0 {
		t.Errorf("got %+v, %v; want a grant without groups", got, err)
	}
}

func TestTextsAndNumbersOfAContext(t *testing.T) {
	e := newEC("e1")
	c := config(e)
	c.Context = []string{"x"}
	v := verifier(t, c)
	for claim, want := range map[string]any{
		`"42"`: "42", `"true"`: "true", `""`: "", `" "`: " ", `"[draft]"`: "[draft]", `"{x"`: "{x", `"é"`: "é",
		`9007199254740992`: int64(1 << 53), `-9007199254740992`: int64(-1 << 53), `-0`: int64(0), `1e2`: 100.0, `0.5`: 0.5,
	} {
		got, err := v.Verify(t.Context(), e.token(claims(map[string]any{"x": raw(claim)})))
		if err != nil || got.Context["x"] != want {
			t.Errorf("%s: %+v, %v", claim, got, err)
		}
	}
}

// The grant ends when the verifier stops accepting the token.
func TestAGrantHasTheLeewayInIt(t *testing.T) {
	e := newEC("e1")
	c := config(e)
	c.Leeway = time.Minute
	got, err := verifier(t, c).Verify(t.Context(), e.token(claims(map[string]any{"exp": now.Unix() - 30})))
	if err != nil || !got.Expires.Equal(now.Add(30*time.Second)) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestANameThatIsConfiguredInUpperCaseHasNoVariantEither(t *testing.T) {
	e := newEC("e1")
	c := config(e)
	c.Context = []string{"OrgID"}
	v := verifier(t, c)
	expectCode(t, v, "as it is configured", e.token(claims(map[string]any{"OrgID": "x"})), "")
	expectCode(t, v, "in lower case", e.token(claims(map[string]any{"orgid": "x"})), "token_malformed")
}

func TestTheSaltOfPSHasTheLengthOfTheHash(t *testing.T) {
	k := newRSA(jwt.PS256, "k")
	c := config(k)
	c.Algorithms = []jwt.Algorithm{jwt.PS256}
	v := verifier(t, c)
	for length, code := range map[int]string{32: "", 31: "token_signature", 20: "token_signature", rsa.PSSSaltLengthAuto: "token_signature"} {
		signed := b64([]byte(k.header())) + "." + b64([]byte(claims(nil)))
		sum := sha256.Sum256([]byte(signed))
		sig := must(rsa.SignPSS(rand.Reader, rsaKey(), crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: length}))
		expectCode(t, v, fmt.Sprintf("a salt of %d bytes", length), signed+"."+b64(sig), code)
	}
}

func TestScopes(t *testing.T) {
	e := newEC("e1")
	v := verifier(t, config(e))
	for name, c := range map[string]struct {
		changes map[string]any
		want    []string
	}{
		"a string":            {changes: map[string]any{"scope": "a b  c"}, want: []string{"a", "b", "c"}},
		"none":                {changes: map[string]any{"scope": ""}, want: []string{}},
		"not there":           {changes: map[string]any{"scope": nil}},
		"a list":              {changes: map[string]any{"scope": []string{"a", "b"}}, want: []string{"a", "b"}},
		"an empty list":       {changes: map[string]any{"scope": []string{}, "scp": "admin"}, want: []string{}},
		"scp as a list":       {changes: map[string]any{"scope": nil, "scp": []string{"a", "b"}}, want: []string{"a", "b"}},
		"scp as a string":     {changes: map[string]any{"scope": nil, "scp": "a b"}, want: []string{"a", "b"}},
		"scp beside of scope": {changes: map[string]any{"scope": "a", "scp": []string{"admin"}}, want: []string{"a"}},
	} {
		got, err := v.Verify(t.Context(), e.token(claims(c.changes)))
		if err != nil || !slices.Equal(got.Scopes, c.want) {
			t.Errorf("%s: %q, %v, want %q", name, got.Scopes, err, c.want)
		}
	}
}

func TestPrincipalCanHaveTheIssuerInIt(t *testing.T) {
	e := newEC("e1")
	c := config(e)
	c.Principal = func(c *jwt.Claims) string {
		if c.Subject == "nobody" {
			return ""
		}
		return c.Issuer + "#" + c.Subject
	}
	v := verifier(t, c)
	if got, err := v.Verify(t.Context(), e.token(claims(nil))); err != nil || got.Principal != issuer+"#u-1" {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := v.Verify(t.Context(), e.token(claims(map[string]any{"sub": "nobody"}))); codeOf(err) != "token_claims" {
		t.Errorf("an empty principal: got %v, want token_claims", err)
	}
}

func TestClaimsAreDecodedStrictly(t *testing.T) {
	e := newEC("e1")
	v := verifier(t, config(e))
	got, err := v.Claims(t.Context(), e.token(claims(map[string]any{
		"tenant": map[string]any{"id": "t-1", "plan": "gold"}, "nbf": now.Unix() - 1, "jti": "j", "client_id": "c",
	})))
	if err != nil {
		t.Fatal(err)
	}
	if got.Issuer != issuer || got.Subject != "u-1" || got.ID != "j" || got.ClientID != "c" || got.Audience[0] != audience ||
		!got.NotBefore.Equal(now.Add(-time.Second)) || !got.IssuedAt.Equal(now.Add(-time.Minute)) {
		t.Errorf("%+v", got)
	}
	var mine struct {
		Tenant struct {
			ID   string `json:"id"`
			Plan string `json:"plan"`
		} `json:"tenant"`
	}
	if err := got.Decode(&mine); err != nil || mine.Tenant.ID != "t-1" || mine.Tenant.Plan != "gold" {
		t.Errorf("got %+v, %v; want the tenant", mine, err)
	}
	var other struct{ Tenant int }
	var e2 *guard.Error
	if err := got.Decode(&other); codeOf(err) != "token_claims" || !errors.As(err, &e2) {
		t.Errorf("a field that differs in case alone: got %v, want token_claims", err)
	}
}
