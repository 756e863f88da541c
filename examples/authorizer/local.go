package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/authorizer/jwt"
)

const (
	localURL      = "https://issuer.example"
	localAudience = "orders"
)

// localIssuer makes a key pair that lives as long as the process, and prints
// tokens that are signed with it. The private key is not kept.
func localIssuer(out io.Writer) authorizer.Verifier {
	public, private, _ := ed25519.GenerateKey(nil) // never fails
	write, read := token(private, "orders:write orders:read"), token(private, "orders:read")
	fmt.Fprintf(out, `tokens of this run, good for a day:
orders:write orders:read  %s
orders:read               %s
curl -i http://127.0.0.1:8080/orders -H 'Authorization: Bearer %s' -H 'Content-Type: application/json' -H 'Idempotency-Key: k-1' -d '{"customer":"c-42","items":[{"sku":"KB-101","quantity":2}]}'
`, write, read, write)
	config := jwt.AccessToken(localURL, localAudience)
	config.Keys = jwt.StaticJWKS(encode(map[string]any{"keys": []any{map[string]any{
		"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": localURL,
		"x": base64.RawURLEncoding.EncodeToString(public),
	}}}))
	config.CacheTokens = 1000
	return jwt.New(config)
}

// token issues an access token (RFC 9068) to a customer.
func token(private ed25519.PrivateKey, scope string) string {
	now := time.Now()
	header := encode(map[string]any{"alg": "EdDSA", "typ": "at+jwt", "kid": localURL})
	claims := encode(map[string]any{
		"iss": localURL, "aud": localAudience, "sub": "c-42", "client_id": "local", "jti": rand.Text(),
		"iat": now.Unix(), "exp": now.Add(24 * time.Hour).Unix(), "scope": scope,
	})
	signed := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(claims)
	return signed + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(private, []byte(signed)))
}

func encode(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // of a type that JSON does not have
	}
	return text
}
