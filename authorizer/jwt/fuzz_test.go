package jwt_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/asn1"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer/jwt"
	"github.com/lambdarmor/lambdarmor/guard"
)

// FuzzVerify changes tokens that hold, and builds others of parts: one that is not
// one of them to the letter is refused as a bad token, or not judged where it has a
// kid that the load balancer is not to be asked for, and nothing panics.
func FuzzVerify(f *testing.F) {
	keys := []signingKey{fixedEC("e1"), fixedEd("d1")}
	shared := newHMAC(jwt.HS256, make([]byte, 32))
	sharedConfig := jwt.Config{Issuer: issuer, Audiences: []string{audience}, Keys: jwt.SharedSecret(make([]byte, 32))}
	c := config(keys...)
	c.CacheTokens = 16
	c.Groups, c.Context = "groups", []string{"tenant"}
	behind := jwt.ALB(balancer, issuer, "c")
	behind.HTTPClient = newInternet(nil).client()
	verifiers := []*jwt.Verifier{verifier(f, c), verifier(f, sharedConfig), verifier(f, behind)}
	accepted := map[string]bool{}
	for _, k := range append(keys, shared) {
		for _, changes := range []map[string]any{nil, {"groups": []string{"a", "b"}, "tenant": "t", "scp": []string{"x"}}, {"exp": raw("1.9e9"), "aud": []string{audience}}} {
			token := k.fixedToken(claims(changes))
			accepted[token] = true
			f.Add(token)
			f.Add(token + "=")
			f.Add(strings.ToLower(token))
			f.Add(strings.Replace(token, ".", "..", 1))
		}
	}
	f.Add("")
	f.Add(strings.Repeat(".", 20))
	f.Add(newEC("").padded(balancerHeader(nil), userClaims))
	for _, header := range []string{`{"alg":"none"}`, `{"alg":"HS256"}`, `{"alg":"ES256","crit":["b64"],"b64":false}`} {
		f.Add(keys[0].sign(header, claims(nil)))
	}
	f.Fuzz(func(t *testing.T, token string) {
		for i, v := range verifiers {
			grant, err := v.Verify(t.Context(), token)
			switch {
			case err == nil && !accepted[token]:
				t.Fatalf("verifier %d accepts %q", i, token)
			case (err == nil) == (grant == nil):
				t.Fatalf("verifier %d: grant %v and error %v", i, grant, err)
			case err != nil && guard.KindOf(err) != guard.Unauthenticated && codeOf(err) != outage:
				t.Fatalf("verifier %d: %v of %q", i, err, token)
			}
		}
	})
}

// The processes that fuzz have to agree on keys and tokens.

func fixedEC(kid string) signingKey {
	k := must(ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{7}, 32)))
	return signingKey{alg: jwt.ES256, kid: kid, key: k, public: k.Public()}
}

func fixedEd(kid string) signingKey {
	k := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))
	return signingKey{alg: jwt.EdDSA, kid: kid, key: k, public: k.Public()}
}

func (k signingKey) fixedToken(claims string) string {
	ec, ok := k.key.(*ecdsa.PrivateKey)
	if !ok {
		return k.token(claims)
	}
	signed := b64([]byte(k.header())) + "." + b64([]byte(claims))
	sum := sha256.Sum256([]byte(signed))
	var sig struct{ R, S *big.Int }
	must(asn1.Unmarshal(must(ec.Sign(nil, sum[:], crypto.SHA256)), &sig)) // RFC 6979
	return signed + "." + b64(append(sig.R.FillBytes(make([]byte, 32)), sig.S.FillBytes(make([]byte, 32))...))
}

// FuzzClaims signs any claims: an accepted token has an issuer,
// an audience and an end, and is read the same by Claims and by Decode.
func FuzzClaims(f *testing.F) {
	k := newHMAC(jwt.HS256, make([]byte, 32))
	c := jwt.Config{Issuer: issuer, Audiences: []string{audience}, Keys: jwt.SharedSecret(make([]byte, 32)), Groups: "groups", Context: []string{"x"}}
	v := verifier(f, c)
	f.Add(claims(nil))
	f.Add(claims(map[string]any{"groups": []string{"a\"\\"}, "x": 1.5, "scp": "a b", "nbf": 1}))
	f.Add(claims(map[string]any{"exp": raw("1e300")}))
	f.Add(`{"iss":1,"ISS":2}`)
	latest := now.Add(5 * time.Second)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := v.Claims(t.Context(), k.token(text))
		if err != nil {
			if guard.KindOf(err) != guard.Unauthenticated && codeOf(err) != "unavailable/token_not_yet_valid" {
				t.Fatalf("got %v, want a refusal of the token", err)
			}
			return
		}
		if got.Issuer != issuer || !got.Expires.After(now) || got.IssuedAt.After(latest) || got.NotBefore.After(latest) || got.Subject == "" {
			t.Fatalf("accepted %+v", got)
		}
		var again struct {
			Iss string `json:"iss"`
			Sub string `json:"sub"`
		}
		if err := got.Decode(&again); err != nil || again.Iss != got.Issuer || again.Sub != got.Subject {
			t.Fatalf("%+v and %+v, %v", got, again, err)
		}
	})
}

// FuzzKeySet reads any answer of a key server.
func FuzzKeySet(f *testing.F) {
	good := newEC("a")
	f.Add(jwks(good, newRSA(jwt.RS256, "b"), newEd("c")))
	f.Add([]byte(`{"keys":[{"kty":"EC","crv":"P-256","x":"","y":""}]}`))
	f.Fuzz(func(t *testing.T, set []byte) {
		text := panicOf(func() { jwt.StaticJWKS(set) })
		if text != "" && !strings.HasPrefix(text, "jwt: StaticJWKS: ") {
			t.Fatal(text)
		}
	})
}
