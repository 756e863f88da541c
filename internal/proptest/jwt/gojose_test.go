// Package jwt_test compares lambdarmor's reading of tokens with go-jose's.
package jwt_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	josejwt "github.com/go-jose/go-jose/v4/jwt"
	"github.com/lambdarmor/lambdarmor/authorizer/jwt"
	"pgregory.net/rapid"
)

const (
	issuer   = "https://issuer.example"
	audience = "https://api.example"
	kid      = "k"
)

// A key signs tokens of one algorithm, by go-jose.
type key struct {
	alg     jose.SignatureAlgorithm
	private crypto.Signer
}

// keys has one for each algorithm that is verified with a public key.
func keys(t *testing.T) (all []key) {
	t.Helper()
	add := func(private crypto.Signer, err error, algs ...jose.SignatureAlgorithm) {
		if err != nil {
			t.Fatal(err)
		}
		for _, alg := range algs {
			all = append(all, key{alg: alg, private: private})
		}
	}
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	add(r, err, jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512)
	for alg, curve := range map[jose.SignatureAlgorithm]elliptic.Curve{
		jose.ES256: elliptic.P256(), jose.ES384: elliptic.P384(), jose.ES512: elliptic.P521(),
	} {
		k, err := ecdsa.GenerateKey(curve, rand.Reader)
		add(k, err, alg)
	}
	_, d, err := ed25519.GenerateKey(rand.Reader)
	add(d, err, jose.EdDSA)
	return all
}

// jwks is the key's set as go-jose writes it.
func (k key) jwks(t *testing.T) []byte {
	t.Helper()
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: k.private.Public(), KeyID: kid, Algorithm: string(k.alg), Use: "sig"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func (k key) verifier(t *testing.T) *jwt.Verifier {
	t.Helper()
	return jwt.New(jwt.Config{
		Issuer: issuer, Audiences: []string{audience}, Algorithms: []jwt.Algorithm{jwt.Algorithm(k.alg)}, Keys: jwt.StaticJWKS(k.jwks(t)),
	})
}

func claims() map[string]any {
	return map[string]any{
		"iss": issuer, "aud": audience, "sub": "u-1", "scope": "orders:read",
		"iat": time.Now().Unix() - 60, "exp": time.Now().Unix() + 3600,
	}
}

func (k key) token(t *testing.T) string {
	t.Helper()
	options := (&jose.SignerOptions{}).WithType("JWT")
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: k.alg, Key: jose.JSONWebKey{Key: k.private, KeyID: kid}}, options)
	if err != nil {
		t.Fatal(err)
	}
	token, err := josejwt.Signed(signer).Claims(claims()).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestTokensAndKeySetsOfGoJoseAreRead(t *testing.T) {
	for _, k := range keys(t) {
		if _, err := k.verifier(t).Verify(t.Context(), k.token(t)); err != nil {
			t.Errorf("%s: got %v, want a grant", k.alg, err)
		}
	}
}

// agree fails unless a token that is accepted here is accepted by go-jose, with the
// same meaning. It reports whether the token is accepted here.
func agree(t *rapid.T, k key, v *jwt.Verifier, token string) bool {
	got, err := v.Claims(t.Context(), token)
	if err != nil {
		return false
	}
	parsed, err := josejwt.ParseSigned(token, []jose.SignatureAlgorithm{k.alg})
	if err != nil {
		t.Fatalf("accepted %q, and go-jose: %v", token, err)
	}
	var theirs josejwt.Claims
	if err := parsed.Claims(k.private.Public(), &theirs); err != nil {
		t.Fatalf("accepted %q, and go-jose: %v", token, err)
	}
	if theirs.Subject != got.Subject || theirs.Issuer != got.Issuer || theirs.ID != got.ID ||
		fmt.Sprint(theirs.Audience) != fmt.Sprint(got.Audience) || theirs.Expiry.Time().Unix() != got.Expires.Unix() {
		t.Fatalf("got %+v, and go-jose %+v", got, theirs)
	}
	return true
}

func TestNoTokenChangedAtRandomIsAcceptedThatGoJoseRefuses(t *testing.T) {
	type subject struct {
		key
		verifier *jwt.Verifier
		token    string
	}
	var subjects []subject
	for _, k := range keys(t) {
		subjects = append(subjects, subject{key: k, verifier: k.verifier(t), token: k.token(t)})
	}
	accepted := 0
	rapid.Check(t, func(t *rapid.T) {
		s := subjects[rapid.IntRange(0, len(subjects)-1).Draw(t, "key")]
		token := []byte(s.token)
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			at := rapid.IntRange(0, len(token)-1).Draw(t, "at")
			change := rapid.SliceOfN(rapid.SampledFrom([]byte("ABab01-_=.+/ \n{}\"")), 0, 2).Draw(t, "change")
			token = bytes.Join([][]byte{token[:at], change, token[at+1:]}, nil)
		}
		if agree(t, s.key, s.verifier, string(token)) {
			accepted++
		}
	})
	if accepted == 0 {
		t.Error("got no token that is accepted, want some")
	}
}

// Headers and claims of any members are signed, so that their meaning decides. jwk is
// not among them: it is ignored here, and go-jose wants it to be a key.
func TestSignedTokensMeanTheSameToGoJose(t *testing.T) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	k := key{alg: jose.EdDSA, private: private}
	v := k.verifier(t)
	exp := fmt.Sprint(time.Now().Unix() + 3600)
	member := func(names, values []string) *rapid.Generator[string] {
		return rapid.Custom(func(t *rapid.T) string {
			return fmt.Sprintf("%s:%s", rapid.SampledFrom(names).Draw(t, "name"), rapid.SampledFrom(values).Draw(t, "value"))
		})
	}
	headers := member(
		[]string{`"alg"`, `"ALG"`, `"kid"`, `"typ"`, `"crit"`, `"b64"`, `"cty"`, `"x"`, `"\u0061lg"`},
		[]string{`"EdDSA"`, `"none"`, `"k"`, `"JWT"`, `["exp"]`, `false`, `null`, `1`, `{}`, `""`})
	payloads := member(
		[]string{`"iss"`, `"aud"`, `"sub"`, `"exp"`, `"nbf"`, `"iat"`, `"jti"`, `"EXP"`, `"x"`, `"s\u0075b"`},
		[]string{`"` + issuer + `"`, `"` + audience + `"`, `["` + audience + `","b"]`, exp, `1.5`, `1`, `-1`, `1e300`, `"a"`, `null`, `{}`, `""`})
	accepted := 0
	rapid.Check(t, func(t *rapid.T) {
		header := append(rapid.SliceOfN(headers, 0, 2).Draw(t, "header"), `"alg":"EdDSA"`)
		claims := append(rapid.SliceOfN(payloads, 0, 2).Draw(t, "claims"),
			rapid.SampledFrom([]string{
				`"iss":"` + issuer + `","aud":"` + audience + `","sub":"u","exp":` + exp,
				`"aud":"` + audience + `","sub":"u","exp":` + exp, `"iss":"` + issuer + `","sub":"u","exp":` + exp,
				`"iss":"` + issuer + `","aud":"` + audience + `","sub":"u"`, `"iss":"` + issuer + `","aud":"` + audience + `","exp":` + exp,
			}).Draw(t, "the rest"))
		encode := func(members []string) string {
			return base64.RawURLEncoding.EncodeToString([]byte("{" + strings.Join(members, ",") + "}"))
		}
		signed := encode(header) + "." + encode(claims)
		if agree(t, k, v, signed+"."+base64.RawURLEncoding.EncodeToString(ed25519.Sign(private, []byte(signed)))) {
			accepted++
		}
	})
	if accepted == 0 {
		t.Error("got no token that is accepted, want some")
	}
}
