package jwt_test

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/authorizer/jwt"
)

// everyAlgorithm is what a test of signatures accepts.
func everyAlgorithm() []jwt.Algorithm {
	return []jwt.Algorithm{
		jwt.RS256, jwt.RS384, jwt.RS512, jwt.PS256, jwt.PS384, jwt.PS512,
		jwt.ES256, jwt.ES384, jwt.ES512, jwt.EdDSA, jwt.Ed25519, jwt.HS256, jwt.HS384, jwt.HS512,
	}
}

// keysOf makes keys of a JWK, which may be one that a set cannot hold.
func keysOf(t *testing.T, jwk map[string]any) jwt.Keys {
	t.Helper()
	if k, ok := jwk["k"].(string); ok {
		return jwt.SharedSecret(must(base64.RawURLEncoding.DecodeString(k)))
	}
	return jwt.StaticJWKS(jwksOf(jwk))
}

func TestExamplesOfTheRFCs(t *testing.T) {
	var vectors []struct {
		Name, Token, Payload string
		Alg                  jwt.Algorithm
		Key                  map[string]any
	}
	if err := json.Unmarshal(must(os.ReadFile("testdata/rfc.json")), &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) != 9 {
		t.Fatalf("%d vectors, want 9", len(vectors))
	}
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			keys := keysOf(t, v.Key)
			payload, err := jwt.CheckJWS(keys, []jwt.Algorithm{v.Alg}, v.Token)
			if err != nil || string(payload) != v.Payload {
				t.Fatalf("got %q, %v; want %q", payload, err, v.Payload)
			}
			step := 1
			if v.Alg == jwt.ES512 { // which is slow
				step = 17
			}
			for i := 0; i < len(v.Token); i += step {
				if _, err := jwt.CheckJWS(keys, everyAlgorithm(), flipped(v.Token, i)); err == nil {
					t.Fatalf("accepted with another character at %d", i)
				}
			}
		})
	}
}

// flipped is token with another character of base64url at i.
func flipped(token string, i int) string {
	c := "A"
	if token[i] == 'A' {
		c = "B"
	}
	return token[:i] + c + token[i+1:]
}

func TestUnsecuredAndJSONSerializationsAreRefused(t *testing.T) {
	const payload = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
	keys := jwt.StaticJWKS(jwks(newEC("k")))
	for name, token := range map[string]string{
		"RFC 7515 appendix A.5": "eyJhbGciOiJub25lIn0." + payload + ".",
		"RFC 7515 appendix A.6": `{"payload":"` + payload + `","signatures":[{"protected":"eyJhbGciOiJFUzI1NiJ9","signature":"DtEh"}]}`,
		"RFC 7515 appendix A.7": `{"payload":"` + payload + `","protected":"eyJhbGciOiJFUzI1NiJ9","signature":"DtEh"}`,
		"RFC 7519 section 6.1":  "eyJhbGciOiJub25lIn0." + payload + "." + strings.Repeat("A", 86),
	} {
		if _, err := jwt.CheckJWS(keys, everyAlgorithm(), token); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}
