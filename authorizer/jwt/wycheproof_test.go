package jwt_test

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/lambdarmor/lambdarmor/authorizer/jwt"
)

// Where this package and Wycheproof differ, and why.
var wycheproofDisagreements = map[string]map[int]string{
	"json_web_signature_test.json": {
		346: "called valid: a key for PS256 is used with PS384",
		347: "called valid: a key for ES521, which is no algorithm, is used with ES512",
		350: "called valid: a key for PS256 is used with PS384",
		351: "called valid: a key for ES521, which is no algorithm, is used with ES512",
		367: "called invalid, and the same to the letter as 357, which is called valid",
		370: "called invalid, and the same to the letter as 357, which is called valid",
		372: "called valid: a character outside of base64url stands in the header",
		373: "called valid: a character outside of base64url stands in the payload",
	},
	"json_web_key_test.json": {
		2: "called valid: a set of secrets; a Secret is one, and no set is fetched or read that has any",
		7: "called invalid: the key's primes are of a kind that can be found (ROCA); keys are their issuer's to choose",
	},
	"json_web_crypto_test.json": {
		46: "called invalid: ROCA, as 7 of the key tests",
		48: "called valid: a set of secrets, as 2 of the key tests",
	},
}

// The JOSE vectors of Wycheproof, https://github.com/C2SP/wycheproof: all of
// the signature tests, those of keys, and those of the mixed set that are about
// signatures.
func TestWycheproof(t *testing.T) {
	root := os.Getenv("WYCHEPROOF")
	if root == "" {
		t.Skip("set WYCHEPROOF to the folder testvectors_v1 of a copy of Wycheproof")
	}
	for file, disagreements := range wycheproofDisagreements {
		t.Run(file, func(t *testing.T) {
			var suite struct {
				TestGroups []struct {
					Comment string
					Public  map[string]any
					Private map[string]any
					Tests   []struct {
						TcID    int
						Comment string
						JWS     any
						JWE     any
						Result  string
					}
				}
			}
			if err := json.Unmarshal(must(os.ReadFile(filepath.Join(root, file))), &suite); err != nil {
				t.Fatal(err)
			}
			agreed, differed := 0, 0
			for _, g := range suite.TestGroups {
				key := g.Public
				if key == nil {
					key = g.Private
				}
				for _, c := range g.Tests {
					if c.JWE != nil {
						continue
					}
					token, compact := c.JWS.(string)
					if !compact {
						token = string(must(json.Marshal(c.JWS)))
					}
					accepted := wycheproofAccepts(key, token)
					reason, known := disagreements[c.TcID]
					if accepted == (c.Result == "valid") {
						agreed++
						if known {
							t.Errorf("tcId %d (%s): got agreement, want %q", c.TcID, c.Comment, reason)
						}
						continue
					}
					differed++
					if !known {
						t.Errorf("tcId %d (%s, %s): want %s, got accepted %v", c.TcID, g.Comment, c.Comment, c.Result, accepted)
					}
				}
			}
			t.Logf("%d agree, %d differ", agreed, differed)
			if agreed == 0 || differed != len(disagreements) {
				t.Errorf("got %d that differ, want the %d that are listed", differed, len(disagreements))
			}
		})
	}
}

// wycheproofAccepts reports whether a token holds with a JWK or a set of them.
// What panics is refused when keys are configured.
func wycheproofAccepts(key map[string]any, token string) (accepted bool) {
	defer func() {
		if recover() != nil {
			accepted = false
		}
	}()
	entries := []map[string]any{key}
	if list, ok := key["keys"].([]any); ok {
		entries = nil
		for _, entry := range list {
			entries = append(entries, entry.(map[string]any))
		}
	}
	keys, algorithms := jwt.Keys{}, everyAlgorithm()
	if k, ok := entries[0]["k"].(string); ok && len(entries) == 1 {
		alg, _ := entries[0]["alg"].(string)
		keys, algorithms = jwt.SharedSecret(must(base64.RawURLEncoding.DecodeString(k))), []jwt.Algorithm{jwt.Algorithm(alg)}
	} else {
		keys = jwt.StaticJWKS(jwksOf(entries...))
	}
	_, err := jwt.CheckJWS(keys, algorithms, token)
	return err == nil
}
