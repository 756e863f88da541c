package jwt_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer/jwt"
	"github.com/lambdarmor/lambdarmor/guard"
)

const (
	issuer   = "https://issuer.example"
	audience = "https://api.example"
)

// now is when all of it happens.
var now = time.Unix(1_800_000_000, 0)

func clockAt(at time.Time) func() time.Time { return func() time.Time { return at } }

// A signingKey signs tokens of one algorithm.
type signingKey struct {
	alg    jwt.Algorithm
	kid    string
	key    any // *rsa.PrivateKey, *ecdsa.PrivateKey, ed25519.PrivateKey, []byte
	public any
}

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func newRSA(alg jwt.Algorithm, kid string) signingKey {
	return signingKey{alg: alg, kid: kid, key: rsaKey(), public: rsaKey().Public()}
}

func newEC(kid string) signingKey { return newCurve(jwt.ES256, elliptic.P256(), kid) }

func newCurve(alg jwt.Algorithm, c elliptic.Curve, kid string) signingKey {
	k := must(ecdsa.GenerateKey(c, rand.Reader))
	return signingKey{alg: alg, kid: kid, key: k, public: k.Public()}
}

func newEd(kid string) signingKey {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	return signingKey{alg: jwt.EdDSA, kid: kid, key: must(private, err), public: public}
}

// newEd25519 is newEd by the name of RFC 9864.
func newEd25519(kid string) signingKey {
	k := newEd(kid)
	k.alg = jwt.Ed25519
	return k
}

func newHMAC(alg jwt.Algorithm, secret []byte) signingKey {
	return signingKey{alg: alg, key: secret}
}

// header is the plain header of a token of k.
func (k signingKey) header() string {
	if k.kid == "" {
		return fmt.Sprintf(`{"alg":%q}`, k.alg)
	}
	return fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"JWT"}`, k.alg, k.kid)
}

// token signs claims under the plain header.
func (k signingKey) token(claims string) string { return k.sign(k.header(), claims) }

// sign signs any header and claims.
func (k signingKey) sign(header, claims string) string {
	return k.signParts(b64([]byte(header)), b64([]byte(claims)))
}

func (k signingKey) signParts(header, payload string) string {
	signed := header + "." + payload
	return signed + "." + b64(k.signature(signed))
}

func (k signingKey) hash() crypto.Hash {
	switch {
	case strings.HasSuffix(string(k.alg), "384"):
		return crypto.SHA384
	case strings.HasSuffix(string(k.alg), "512"):
		return crypto.SHA512
	default:
		return crypto.SHA256
	}
}

func (k signingKey) signature(signed string) []byte {
	h := k.hash().New()
	h.Write([]byte(signed))
	sum := h.Sum(nil)
	switch key := k.key.(type) {
	case *rsa.PrivateKey:
		if strings.HasPrefix(string(k.alg), "PS") {
			return must(rsa.SignPSS(rand.Reader, key, k.hash(), sum, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}))
		}
		return must(rsa.SignPKCS1v15(nil, key, k.hash(), sum))
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, key, sum)
		size := (key.Params().BitSize + 7) / 8
		out := make([]byte, 2*size)
		must(r, err).FillBytes(out[:size])
		s.FillBytes(out[size:])
		return out
	case ed25519.PrivateKey:
		return ed25519.Sign(key, []byte(signed))
	case []byte:
		mac := hmac.New(k.hash().New, key)
		mac.Write([]byte(signed))
		return mac.Sum(nil)
	default:
		panic(fmt.Sprintf("no signature with %T", key))
	}
}

// jwk is k as an entry of a set, with members changed or, where nil, left out.
func (k signingKey) jwk(changes map[string]any) map[string]any {
	out := map[string]any{"use": "sig", "alg": string(k.alg), "kid": k.kid}
	switch p := k.public.(type) {
	case *rsa.PublicKey:
		out["kty"], out["n"], out["e"] = "RSA", b64(p.N.Bytes()), "AQAB"
	case *ecdsa.PublicKey:
		point := must(p.Bytes())
		half := len(point) / 2
		out["kty"], out["crv"] = "EC", p.Params().Name
		out["x"], out["y"] = b64(point[1:1+half]), b64(point[1+half:])
	case ed25519.PublicKey:
		out["kty"], out["crv"], out["x"] = "OKP", "Ed25519", b64(p)
	}
	for name, value := range changes {
		if out[name] = value; value == nil {
			delete(out, name)
		}
	}
	return out
}

// jwks is a set of the keys as they are.
func jwks(keys ...signingKey) []byte {
	entries := []map[string]any{}
	for _, k := range keys {
		entries = append(entries, k.jwk(nil))
	}
	return jwksOf(entries...)
}

func jwksOf(entries ...map[string]any) []byte {
	return must(json.Marshal(map[string]any{"keys": entries}))
}

func b64(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// claims are good ones, with members changed or, where nil, left out. A change
// of type raw is JSON as it is to be.
func claims(changes map[string]any) string {
	all := map[string]any{
		"iss": issuer, "aud": audience, "sub": "u-1", "scope": "orders:read orders:write",
		"iat": now.Unix() - 60, "exp": now.Unix() + 3600,
	}
	for name, value := range changes {
		if all[name] = value; value == nil {
			delete(all, name)
		}
	}
	return string(must(json.Marshal(all)))
}

type raw = json.RawMessage

// verifier makes one of a config, whose clock stands.
func verifier(t testing.TB, c jwt.Config) *jwt.Verifier {
	t.Helper()
	v := jwt.New(c)
	v.SetClock(clockAt(now))
	return v
}

// config is one for tokens of the keys, as claims makes them.
func config(keys ...signingKey) jwt.Config {
	return jwt.Config{Issuer: issuer, Audiences: []string{audience}, Keys: jwt.StaticJWKS(jwks(keys...))}
}

// codeOf returns the code of an error, with its kind unless that is Unauthenticated,
// and "" for nil.
func codeOf(err error) string {
	if err == nil {
		return ""
	}
	e := guard.Public(err)
	if e.Kind != guard.Unauthenticated {
		return e.Kind.String() + "/" + e.Code
	}
	return e.Code
}
