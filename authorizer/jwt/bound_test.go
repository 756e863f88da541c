package jwt_test

import (
	"fmt"
	"testing"
)

// A token with cnf is for the owner of a key (RFC 7800). Without a proof of that key
// a thief could use it too.
func TestATokenThatIsBoundToAKeyIsNoBearerToken(t *testing.T) {
	k := newEC("a")
	v := verifier(t, config(k))
	for name, cnf := range map[string]string{
		"DPoP (RFC 9449)":       `{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}`,
		"mutual TLS (RFC 8705)": `{"x5t#S256":"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}`,
		"a key":                 `{"jwk":{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}`,
		"a name of a key":       `{"kid":"k-1"}`,
		"nothing that is known": `{}`,
		"a text":                `"x"`,
		"null":                  `null`,
	} {
		expectCode(t, v, name, k.token(claims(map[string]any{"cnf": raw(cnf)})), "token_bound")
	}
	expectCode(t, v, "in another case", k.token(claims(map[string]any{"CNF": 1})), "token_malformed")
	expectCode(t, v, "forged", newEC("a").token(claims(map[string]any{"cnf": 1})), "token_signature")
	expectCode(t, v, "one level down", k.token(claims(map[string]any{"act": map[string]any{"cnf": 1}})), "")

	c := config(k)
	c.CacheTokens = 10
	v = verifier(t, c)
	for i := range 2 {
		expectCode(t, v, fmt.Sprintf("remembered, time %d", i), k.token(claims(map[string]any{"cnf": 1})), "token_bound")
	}
}

func TestATokenThatIsBoundToAKeyIsAcceptedWhereTheProofIsCheckedElsewhere(t *testing.T) {
	k := newEC("a")
	c := config(k)
	c.UnsafeAcceptBoundTokens = true
	got, err := verifier(t, c).Claims(t.Context(), k.token(claims(map[string]any{"cnf": raw(`{"x5t#S256":"thumbprint"}`)})))
	if err != nil {
		t.Fatal(err)
	}
	var bound struct {
		Confirmation map[string]string `json:"cnf"`
	}
	if err := got.Decode(&bound); err != nil || bound.Confirmation["x5t#S256"] != "thumbprint" {
		t.Errorf("got %v, %v; want the thumbprint to compare with", bound, err)
	}
}
