package jwt_test

import (
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/authorizer/jwt"
)

// smallOrders are all texts of the points of small order, and of what
// crypto/ed25519 takes for one (https://eprint.iacr.org/2020/1244, table 1).
var smallOrders = []string{
	"01" + strings.Repeat("00", 31), "ec" + strings.Repeat("ff", 30) + "7f",
	strings.Repeat("00", 31) + "80", strings.Repeat("00", 32),
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"01" + strings.Repeat("00", 30) + "80", "ec" + strings.Repeat("ff", 31),
	"ee" + strings.Repeat("ff", 30) + "7f", "ee" + strings.Repeat("ff", 31),
	"ed" + strings.Repeat("ff", 31), "ed" + strings.Repeat("ff", 30) + "7f",
}

func smallOrder(i int) ed25519.PublicKey { return must(hex.DecodeString(smallOrders[i])) }

// With such a key anybody can sign without a private one: a signature of the point
// at infinity and zero holds for one in eight tokens. It is no key.
func TestAnEd25519KeyOfSmallOrderIsRefused(t *testing.T) {
	infinity := append(smallOrder(0), make([]byte, 32)...)
	for i, text := range smallOrders {
		forged := false
		for try := 0; try < 1000 && !forged; try++ {
			forged = ed25519.Verify(smallOrder(i), fmt.Append(nil, try), infinity)
		}
		if !forged {
			t.Errorf("%s: nobody can forge with it", text)
		}
		key := signingKey{alg: jwt.EdDSA, kid: "s", public: smallOrder(i)}
		if text := panicOf(func() { jwt.StaticJWKS(jwks(key)) }); !strings.Contains(text, "small order") {
			t.Errorf("%s: got the panic %q, want small order", smallOrders[i], text)
		}
	}
	for range 100 {
		jwt.StaticJWKS(jwks(newEd("k")))
	}
	for _, text := range []string{ // neighbours of the above
		"02" + strings.Repeat("00", 31), "eb" + strings.Repeat("ff", 30) + "7f",
		"0001" + strings.Repeat("00", 30), "ed" + strings.Repeat("ff", 30) + "00", "ecfe" + strings.Repeat("ff", 29) + "7f",
	} {
		jwt.StaticJWKS(jwks(signingKey{alg: jwt.EdDSA, kid: "k", public: ed25519.PublicKey(must(hex.DecodeString(text)))}))
	}
}

// y of a key is below the field's prime (RFC 8032, section 5.1.3). What is not has a
// second form, with which another reader may see another key.
func TestAnEd25519KeyHasOneForm(t *testing.T) {
	for y := 0xed; y <= 0xff; y++ { // from the prime on
		for _, sign := range []string{"7f", "ff"} {
			text := fmt.Sprintf("%02x", y) + strings.Repeat("ff", 30) + sign
			k := signingKey{alg: jwt.EdDSA, kid: "k", public: ed25519.PublicKey(must(hex.DecodeString(text)))}
			if got := panicOf(func() { jwt.StaticJWKS(jwks(k)) }); !strings.Contains(got, "canonical") {
				t.Errorf("%s: got %q, want a refusal", text, got)
			}
		}
	}
}

// A key is for the name that it has, and without one for both (RFC 9864): the
// representation of a key differs in alg alone.
func TestWhichNamesOfEd25519Agree(t *testing.T) {
	k := newEd("k")
	for named, accepted := range map[string][]jwt.Algorithm{
		"": {jwt.EdDSA, jwt.Ed25519}, "EdDSA": {jwt.EdDSA}, "Ed25519": {jwt.Ed25519},
	} {
		entry := k.jwk(map[string]any{"alg": named})
		if named == "" {
			delete(entry, "alg")
		}
		c := config(k)
		c.Keys = jwt.StaticJWKS(jwksOf(entry))
		v := verifier(t, c)
		for _, alg := range []jwt.Algorithm{jwt.EdDSA, jwt.Ed25519, "Ed448"} {
			token := signingKey{alg: alg, kid: k.kid, key: k.key, public: k.public}.token(claims(nil))
			code := "token_algorithm"
			if slices.Contains(accepted, alg) {
				code = ""
			}
			expectCode(t, v, fmt.Sprintf("%s with a key for %q", alg, named), token, code)
			only := c
			only.Algorithms = []jwt.Algorithm{alg}
			if text := panicOf(func() { expectCode(t, verifier(t, only), string(alg)+" alone", token, "") }); (text == "") != (code == "") {
				t.Errorf("%s alone, with a key for %q: got the panic %q, want %q", alg, named, text, code)
			}
		}
	}
	// A set of keys for other algorithms of RFC 9864 has none.
	for _, alg := range []string{"Ed448", "ESP256", "ESB256", "ed25519"} {
		if text := panicOf(func() { jwt.StaticJWKS(jwksOf(k.jwk(map[string]any{"alg": alg}))) }); !strings.Contains(text, "no key that can be used") {
			t.Errorf("%s: got the panic %q, want no usable key", alg, text)
		}
	}
	if text := panicOf(func() { jwt.StaticJWKS(jwksOf(newEC("k").jwk(map[string]any{"alg": "Ed25519"}))) }); text == "" {
		t.Error("got a P-256 key for Ed25519, want a panic")
	}
}

// The names of RFC 9864 are as strict as the others: to the letter, for a key of
// their curve, and for one that names none or the same.
func fullySpecifiedAttacks(r, e, d, d2 signingKey) (out []attack) {
	as := func(k signingKey, alg, kid string) string {
		return k.sign(fmt.Sprintf(`{"alg":%q,"kid":%q}`, alg, kid), claims(nil))
	}
	for _, alg := range []string{
		"Ed448", "ed25519", "ED25519", "Ed25519 ", "Ed25519ph", "Ed25519ctx", "EdDSA25519", "eddsa", "X25519",
		"ESP256", "ESP384", "ESP512", "ESB256", "-19", "ML-DSA-44",
	} {
		out = append(out, attack{name: "alg " + alg + " with the key of d2", token: as(d2, alg, "d2"), code: "token_algorithm"})
	}
	return append(out,
		attack{name: "Ed25519 with a key that is for EdDSA", token: as(d, "Ed25519", "d1"), code: "token_algorithm"},
		attack{name: "EdDSA with a key that is for Ed25519", token: as(d2, "EdDSA", "d2"), code: "token_algorithm"},
		attack{name: "Ed25519 with the P-256 key", token: as(d2, "Ed25519", "e1"), code: "token_algorithm"},
		attack{name: "Ed25519 with the RSA key", token: as(d2, "Ed25519", "r1"), code: "token_algorithm"},
		attack{name: "ES256 with the key that is for Ed25519", token: as(e, "ES256", "d2"), code: "token_algorithm"},
		attack{name: "RS256 with the key that is for Ed25519", token: as(r, "RS256", "d2"), code: "token_algorithm"},
		attack{
			name:  "HS256 with the key that is for Ed25519",
			token: as(newHMAC(jwt.HS256, d2.public.(ed25519.PublicKey)), "HS256", "d2"),
			code:  "token_algorithm",
		},
		attack{name: "Ed25519 by another key", token: as(newEd25519("d2"), "Ed25519", "d2"), code: "token_signature"},
		attack{name: "Ed25519 by the key of EdDSA", token: as(d, "Ed25519", "d2"), code: "token_signature"},
		attack{
			name:  "alg of both names",
			token: d2.sign(`{"alg":"EdDSA","kid":"d2","alg":"Ed25519"}`, claims(nil)),
			code:  "token_malformed",
		},
	)
}
