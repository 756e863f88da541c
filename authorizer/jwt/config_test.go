package jwt_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer/jwt"
)

// panicOf is what do panics with, or "".
func panicOf(do func()) (text string) {
	defer func() {
		if r := recover(); r != nil {
			text = fmt.Sprint(r)
		}
	}()
	do()
	return ""
}

func TestAMisconfigurationPanics(t *testing.T) {
	keys := jwt.StaticJWKS(jwks(newEC("k")))
	shared := jwt.SharedSecret(make([]byte, 32))
	good := jwt.Config{Issuer: issuer, Audiences: []string{"a"}}
	with := func(change func(*jwt.Config)) jwt.Config {
		c := good
		change(&c)
		return c
	}
	balanced := func(change func(*jwt.Config)) jwt.Config {
		c := jwt.ALB(balancer, issuer, "c")
		change(&c)
		return c
	}
	for name, c := range map[string]jwt.Config{
		"nothing":                       {},
		"no issuer":                     with(func(c *jwt.Config) { c.Issuer = "" }),
		"issuer and any issuer":         with(func(c *jwt.Config) { c.UnsafeAnyIssuer = true }),
		"discovery at any issuer":       with(func(c *jwt.Config) { c.Issuer, c.UnsafeAnyIssuer = "", true }),
		"no audience":                   with(func(c *jwt.Config) { c.Audiences = nil }),
		"audience and any audience":     with(func(c *jwt.Config) { c.UnsafeAnyAudience = true }),
		"an empty audience":             with(func(c *jwt.Config) { c.Audiences = []string{"a", ""} }),
		"an empty client":               with(func(c *jwt.Config) { c.Clients = []string{""} }),
		"an issuer without https":       with(func(c *jwt.Config) { c.Issuer = "http://issuer.example" }),
		"an issuer with a query":        with(func(c *jwt.Config) { c.Issuer = "https://issuer.example/?a=b" }),
		"a key that nothing is for":     with(func(c *jwt.Config) { c.Keys = jwt.StaticJWKS(jwks(newRSA(jwt.PS256, "k"))) }),
		"an issuer that is a name":      with(func(c *jwt.Config) { c.Issuer = "issuer.example" }),
		"a leeway of more than 60 s":    with(func(c *jwt.Config) { c.Leeway = 61 * time.Second }),
		"a negative leeway":             with(func(c *jwt.Config) { c.Leeway = -1 }),
		"a negative number to remember": with(func(c *jwt.Config) { c.CacheTokens = -1 }),
		"a type in full":                with(func(c *jwt.Config) { c.Types = []string{"application/at+jwt"} }),
		"a type in upper case":          with(func(c *jwt.Config) { c.Types = []string{"at+jwt", "JWT"} }),
		"a claim without a name":        with(func(c *jwt.Config) { c.Context = []string{""} }),
		"a claim called scope":          with(func(c *jwt.Config) { c.Context = []string{"tenant", "scope"} }),
		"a claim called principalId":    with(func(c *jwt.Config) { c.Context = []string{"principalId"} }),
		"a claim called claims":         with(func(c *jwt.Config) { c.Context = []string{"claims"} }),
		"a client's claim alone":        with(func(c *jwt.Config) { c.Audiences, c.Clients, c.ClientClaim = nil, []string{"c"}, "azp" }),
		"a client's claim for anybody":  with(func(c *jwt.Config) { c.Audiences, c.UnsafeAnyAudience, c.ClientClaim = nil, true, "azp" }),
		"a client in aud":               with(func(c *jwt.Config) { c.ClientClaim = "aud" }),
		"a client in sub":               with(func(c *jwt.Config) { c.ClientClaim = "sub" }),
		"a client's claim of RFC 9068":  with(func(c *jwt.Config) { c.Types, c.ClientClaim = []string{"jwt", "at+jwt"}, "azp" }),
		"a load balancer's client":      balanced(func(c *jwt.Config) { c.Audiences, c.ClientClaim = []string{"a"}, "azp" }),
		"an unknown algorithm":          with(func(c *jwt.Config) { c.Algorithms = []jwt.Algorithm{"RS1"} }),
		"none":                          with(func(c *jwt.Config) { c.Algorithms = []jwt.Algorithm{"none"} }),
		"HS with public keys":           with(func(c *jwt.Config) { c.Keys, c.Algorithms = keys, []jwt.Algorithm{jwt.HS256} }),
		"HS with discovery":             with(func(c *jwt.Config) { c.Algorithms = []jwt.Algorithm{jwt.HS256} }),
		"HS beside of others":           with(func(c *jwt.Config) { c.Keys, c.Algorithms = shared, []jwt.Algorithm{jwt.HS256, jwt.RS256} }),
		"others with a secret":          with(func(c *jwt.Config) { c.Keys, c.Algorithms = shared, []jwt.Algorithm{jwt.RS256} }),
		"HS512 with a key of 32 bytes":  with(func(c *jwt.Config) { c.Keys, c.Algorithms = shared, []jwt.Algorithm{jwt.HS512} }),
		"an algorithm without a key":    with(func(c *jwt.Config) { c.Keys, c.Algorithms = keys, []jwt.Algorithm{jwt.EdDSA} }),
		"a load balancer's own keys":    balanced(func(c *jwt.Config) { c.Keys = keys }),
		"a load balancer's algorithm":   balanced(func(c *jwt.Config) { c.Algorithms = []jwt.Algorithm{jwt.ES256} }),
		"a load balancer's type":        balanced(func(c *jwt.Config) { c.Types = []string{"jwt"} }),
		"a load balancer for no client": balanced(func(c *jwt.Config) { c.Clients = nil }),
		"Cognito for no client":         jwt.Cognito("eu-central-1_AbCdEfGhI"),
		"Cognito's ID for no client":    jwt.CognitoID("eu-central-1_AbCdEfGhI"),
	} {
		if text := panicOf(func() { jwt.New(c) }); !strings.HasPrefix(text, "jwt: New: ") {
			t.Errorf("%s: got the panic %q, want one of jwt", name, text)
		}
	}
	for name, do := range map[string]func(){
		"JWKS: http":            func() { jwt.JWKS("http://issuer.example/keys") },
		"JWKS: no host":         func() { jwt.JWKS("https:///keys") },
		"JWKS: a port alone":    func() { jwt.JWKS("https://:443/keys") },
		"JWKS: with a user":     func() { jwt.JWKS("https://user@issuer.example/keys") },
		"JWKS: with a fragment": func() { jwt.JWKS("https://issuer.example/keys#a") },
		"JWKS: a file":          func() { jwt.JWKS("file:///etc/passwd") },
		"StaticJWKS: nothing":   func() { jwt.StaticJWKS(nil) },
		"StaticJWKS: no keys":   func() { jwt.StaticJWKS([]byte(`{"keys":[]}`)) },
		"StaticJWKS: one key":   func() { jwt.StaticJWKS(must(json.Marshal(newEC("k").jwk(nil)))) },
		"PEM: nothing":          func() { jwt.PEM(nil) },
		"PEM: text":             func() { jwt.PEM([]byte("key")) },
		"PEM: a private key":    func() { jwt.PEM([]byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")) },
		"PEM: junk in a block":  func() { jwt.PEM([]byte("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")) },
		"PEM: a curve of its own": func() {
			jwt.PEM(signingKey{public: must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader)).Public()}.pem())
		},
		"PEM: RSA of 1024 bits":        func() { jwt.PEM(signingKey{public: must(rsa.GenerateKey(rand.Reader, 1024)).Public()}.pem()) },
		"PEM: for an exchange of keys": func() { jwt.PEM(signingKey{public: must(ecdh.X25519().GenerateKey(rand.Reader)).Public()}.pem()) },
		"PEM: text before a key":       func() { jwt.PEM(append([]byte("key\n"), newEC("").pem()...)) },
		"PEM: junk before a key": func() {
			jwt.PEM(append([]byte("-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----\n"), newEC("").pem()...))
		},
		"PEM: a key that does not end": func() { jwt.PEM(append([]byte("-----BEGIN PUBLIC KEY-----\nAAAA\n"), newEC("").pem()...)) },
		"PEM: Ed25519 of small order":  func() { jwt.PEM(signingKey{public: smallOrder(0)}.pem()) },
		"PEM: a key and more":          func() { jwt.PEM(append(newEC("").pem(), "more"...)) },
		"PEM: two keys on a curve":     func() { jwt.PEM(append(newEC("").pem(), newEC("").pem()...)) },
		"PEM: a key twice":             func() { jwt.PEM(bytes.Repeat(newRSA(jwt.RS256, "").pem(), 2)) },
		"PEM: two keys of Ed25519":     func() { jwt.PEM(append(newEd("").pem(), newEd("").pem()...)) },
		"SharedSecret: 31 bytes":       func() { jwt.SharedSecret(make([]byte, 31)) },
		"Cognito: no pool":             func() { jwt.Cognito("", "c") },
		"Cognito: a path":              func() { jwt.Cognito("eu-central-1_a/../b", "c") },
		"Cognito: a host":              func() { jwt.Cognito("evil.example/_a", "c") },
		"Cognito: upper case":          func() { jwt.Cognito("EU-CENTRAL-1_a", "c") },
		"ALB: not an ARN":              func() { jwt.ALB("alb", issuer, "c") },
		"ALB: a part of an ARN":        func() { jwt.ALB("arn:aws:elasticloadbalancing:us-east-1", issuer, "c") },
		"ALB: an ARN and more":         func() { jwt.ALB(balancer+":more", issuer, "c") },
		"ALB: another scheme":          func() { jwt.ALB("urn"+balancer[3:], issuer, "c") },
		"ALB: another service":         func() { jwt.ALB(strings.Replace(balancer, "elasticloadbalancing", "ec2", 1), issuer, "c") },
		"ALB: a network one":           func() { jwt.ALB("arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/net/a/b", issuer, "c") },
		"ALB: a host for region":       func() { jwt.ALB("arn:aws:elasticloadbalancing:evil.example/:1:loadbalancer/app/a/b", issuer, "c") },
	} {
		prefix, _, _ := strings.Cut(name, ": ")
		if text := panicOf(do); !strings.HasPrefix(text, "jwt: "+prefix+": ") {
			t.Errorf("%s: got the panic %q, want one of jwt", name, text)
		}
	}
}

func TestASecretIsNotPrinted(t *testing.T) {
	c := jwt.Config{Keys: jwt.SharedSecret([]byte("hunter2 hunter2 hunter2 hunter2 "))}
	// More of it than an address or a time can be by chance.
	shows := func(text string) bool {
		return strings.Contains(text, "hunter2") || strings.Contains(text, "aHVudGVy") ||
			strings.Contains(text, "68756e74657232") || strings.Contains(text, "104 117") || strings.Contains(text, "104,117")
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if text := fmt.Sprintf(verb, c) + fmt.Sprintf(verb, &c); shows(text) {
			t.Errorf("%s prints %s", verb, text)
		}
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "keys", c.Keys)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "keys", c.Keys)
	if text := log.String(); shows(text) {
		t.Errorf("a log has %s", text)
	}
}

// Entries of a set that are not keys as they should be. Each is passed over,
// beside a good one that goes on to count.
func TestUnusableEntriesOfASetArePassedOver(t *testing.T) {
	e, r, d, good := newEC("x"), newRSA(jwt.RS256, "x"), newEd("x"), newEC("good")
	small := signingKey{alg: jwt.RS256, kid: "x", public: must(rsa.GenerateKey(rand.Reader, 1024)).Public()}
	foreign := signingKey{
		alg:    jwt.ES256,
		kid:    "x",
		public: must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader)).Public(),
	}
	big := r.jwk(map[string]any{"n": strings.Repeat("_", 1400)})
	for name, entry := range map[string]map[string]any{
		"for something else":        e.jwk(map[string]any{"use": "tls"}),
		"use in upper case":         e.jwk(map[string]any{"use": "SIG"}),
		"with a secret":             e.jwk(map[string]any{"k": b64(make([]byte, 32))}),
		"to encrypt with":           e.jwk(map[string]any{"use": "enc"}),
		"key_ops without verify":    e.jwk(map[string]any{"key_ops": []string{"sign"}}),
		"key_ops that are empty":    e.jwk(map[string]any{"key_ops": []string{}}),
		"unknown kty":               e.jwk(map[string]any{"kty": "XYZ"}),
		"kty in lower case":         e.jwk(map[string]any{"kty": "ec"}),
		"no kty":                    e.jwk(map[string]any{"kty": nil}),
		"unknown alg":               e.jwk(map[string]any{"alg": "ES256K"}),
		"alg of another curve":      e.jwk(map[string]any{"alg": "ES384"}),
		"alg of another kind":       e.jwk(map[string]any{"alg": "RS256"}),
		"alg of secrets":            e.jwk(map[string]any{"alg": "HS256"}),
		"alg none":                  e.jwk(map[string]any{"alg": "none"}),
		"unknown curve":             e.jwk(map[string]any{"crv": "secp256k1"}),
		"a curve that is too small": foreign.jwk(nil),
		"curve of another size":     e.jwk(map[string]any{"crv": "P-384", "alg": nil}),
		"a point off the curve":     e.jwk(map[string]any{"y": e.jwk(nil)["x"]}),
		"the point at infinity":     e.jwk(map[string]any{"x": b64(make([]byte, 32)), "y": b64(make([]byte, 32))}),
		"coordinates cut short":     e.jwk(map[string]any{"x": b64(make([]byte, 31))}),
		"padded coordinates":        e.jwk(map[string]any{"x": e.jwk(nil)["x"].(string) + "="}),
		"a private key":             e.jwk(map[string]any{"d": b64(make([]byte, 32))}),
		"a secret":                  {"kty": "oct", "kid": "x", "alg": "HS256", "k": b64(make([]byte, 32))},
		"RSA of 1024 bits":          small.jwk(nil),
		"RSA of more than 8192":     big,
		"RSA of an even modulus":    r.jwk(map[string]any{"n": b64(append(rsaKey().N.Bytes()[:255:255], 0))}),
		"exponent 1":                r.jwk(map[string]any{"e": "AQ"}),
		"exponent 3":                r.jwk(map[string]any{"e": "Aw"}),
		"an even exponent":          r.jwk(map[string]any{"e": "AQAC"}),
		"exponent of 8 bytes":       r.jwk(map[string]any{"e": b64([]byte{1, 0, 0, 0, 0, 0, 0, 1})}),
		"no exponent":               r.jwk(map[string]any{"e": nil}),
		"no modulus":                r.jwk(map[string]any{"n": nil}),
		"modulus that is a number":  r.jwk(map[string]any{"n": 5}),
		"exponent beyond 2^31":      r.jwk(map[string]any{"e": b64([]byte{0x80, 0, 0, 1})}),
		"Ed25519 of small order":    d.jwk(map[string]any{"x": b64(smallOrder(1))}),
		"Ed25519 cut short":         d.jwk(map[string]any{"x": b64(make([]byte, 31))}),
		"Ed448":                     d.jwk(map[string]any{"crv": "Ed448"}),
		"X25519":                    d.jwk(map[string]any{"crv": "X25519"}),
		"a member in another case":  e.jwk(map[string]any{"KTY": "oct"}),
		"kid that is a number":      e.jwk(map[string]any{"kid": 7}),
		"kid of 300 bytes":          e.jwk(map[string]any{"kid": strings.Repeat("x", 300)}),
	} {
		if text := panicOf(func() { jwt.StaticJWKS(jwksOf(entry)) }); !strings.Contains(text, "no key that can be used") {
			t.Errorf("%s, alone: got the panic %q, want no usable key", name, text)
		}
		c := config(good)
		c.Keys = jwt.StaticJWKS(jwksOf(entry, good.jwk(nil)))
		if _, err := verifier(t, c).Verify(t.Context(), good.token(claims(nil))); err != nil {
			t.Errorf("%s, beside a good one: got %v, want a grant", name, err)
		}
	}
}

func TestATextThatIsNoSetIsRefused(t *testing.T) {
	good := string(must(json.Marshal(newEC("k").jwk(nil))))
	for name, text := range map[string]string{
		"HTML":                   "<!doctype html><title>Sign in</title>",
		"a list":                 "[" + good + "]",
		"a key":                  good,
		"keys twice":             `{"keys":[],"keys":[` + good + `]}`,
		"keys in another case":   `{"KEYS":[` + good + `]}`,
		"a member twice":         `{"keys":[{"kty":"EC",` + good[1:] + `]}`,
		"more than it":           `{"keys":[` + good + `]} {}`,
		"cut off":                `{"keys":[` + good,
		"invalid UTF-8":          "{\"keys\":[" + good + "],\"x\":\"\xff\"}",
		"65 keys":                `{"keys":[` + strings.Repeat(good+",", 64) + good + `]}`,
		"levels without an end":  `{"keys":[` + strings.Repeat("[", 10_000),
		"values without an end":  `{"keys":[` + good + `],"x":[` + strings.Repeat("0,", 30_000) + `0]}`,
		"keys that are no list":  `{"keys":` + good + `}`,
		"keys that are null":     `{"keys":null}`,
		"a key that is a string": `{"keys":["x"]}`,
	} {
		if text := panicOf(func() { jwt.StaticJWKS([]byte(text)) }); !strings.HasPrefix(text, "jwt: StaticJWKS: key set: ") {
			t.Errorf("%s: got the panic %q, want one of jwt", name, text)
		}
	}
}
