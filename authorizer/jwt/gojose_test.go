package jwt_test

import (
	"bytes"
	"crypto/elliptic"
	"encoding/json"
	"testing"

	"github.com/go-jose/go-jose/v4"
	josejwt "github.com/go-jose/go-jose/v4/jwt"
	"github.com/lambdarmor/lambdarmor/authorizer/jwt"
	"pgregory.net/rapid"
)

// joseKeys are keys of all algorithms that are verified with a public one.
func joseKeys() []signingKey {
	return []signingKey{
		newRSA(jwt.RS256, "k"), newRSA(jwt.RS384, "k"), newRSA(jwt.RS512, "k"),
		newRSA(jwt.PS256, "k"), newRSA(jwt.PS384, "k"), newRSA(jwt.PS512, "k"),
		newEC("k"), newCurve(jwt.ES384, elliptic.P384(), "k"), newCurve(jwt.ES512, elliptic.P521(), "k"), newEd("k"),
	}
}

// Tokens and key sets that another implementation has written are read.
func TestTokensAndKeySetsOfGoJose(t *testing.T) {
	for _, k := range joseKeys() {
		set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: k.public, KeyID: k.kid, Algorithm: string(k.alg), Use: "sig"}}})
		if err != nil {
			t.Fatal(err)
		}
		v := verifier(t, jwt.Config{Issuer: issuer, Audiences: []string{audience}, Algorithms: []jwt.Algorithm{k.alg}, Keys: jwt.KeySet(set)})
		signer, err := jose.NewSigner(
			jose.SigningKey{Algorithm: jose.SignatureAlgorithm(k.alg), Key: jose.JSONWebKey{Key: k.key, KeyID: k.kid}},
			(&jose.SignerOptions{}).WithType("JWT"))
		if err != nil {
			t.Fatal(err)
		}
		var all map[string]any
		if err := json.Unmarshal([]byte(claims(nil)), &all); err != nil {
			t.Fatal(err)
		}
		token, err := josejwt.Signed(signer).Claims(all).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.Verify(t.Context(), token); err != nil {
			t.Errorf("%s: %v", k.alg, err)
		}
	}
}

// Of tokens that were changed at random, none is accepted that go-jose refuses,
// and of those that both accept both read the same claims.
func TestNothingIsAcceptedThatGoJoseRefuses(t *testing.T) {
	keys := joseKeys()
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.SampledFrom(keys).Draw(t, "key")
		token := []byte(k.token(claims(nil)))
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			at := rapid.IntRange(0, len(token)-1).Draw(t, "at")
			change := rapid.SliceOfN(rapid.SampledFrom([]byte("ABab01-_=.+/ \n{}\"")), 0, 2).Draw(t, "change")
			token = bytes.Join([][]byte{token[:at], change, token[at+1:]}, nil)
		}
		c := config(k)
		c.Algorithms = []jwt.Algorithm{k.alg}
		v := jwt.New(c)
		v.SetClock(clockAt(now))
		got, err := v.Claims(t.Context(), string(token))
		if err != nil {
			return
		}
		parsed, err := josejwt.ParseSigned(string(token), []jose.SignatureAlgorithm{jose.SignatureAlgorithm(k.alg)})
		if err != nil {
			t.Fatalf("accepted, and go-jose: %v", err)
		}
		var theirs josejwt.Claims
		if err := parsed.Claims(k.public, &theirs); err != nil {
			t.Fatalf("accepted, and go-jose: %v", err)
		}
		if theirs.Subject != got.Subject || theirs.Issuer != got.Issuer || theirs.Expiry.Time().Unix() != got.Expires.Unix() {
			t.Fatalf("%+v, and go-jose: %+v", got, theirs)
		}
	})
}
