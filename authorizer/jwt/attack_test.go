package jwt_test

import (
	"bytes"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/authorizer/jwt"
)

// An attack is a token that is refused, with the code that it gets.
type attack struct {
	name, token, code string
}

// Each of these is refused by a verifier that accepts the plain token of each
// of its keys.
func TestAttacks(t *testing.T) {
	r, e, e384, d, d2 := newRSA(jwt.RS256, "r1"), newEC("e1"), newCurve(jwt.ES384, elliptic.P384(), "e3"), newEd("d1"), newEd25519("d2")
	v := verifier(t, config(r, e, e384, d, d2))
	for _, k := range []signingKey{r, e, e384, d, d2} {
		if _, err := v.Verify(t.Context(), k.token(claims(nil))); err != nil {
			t.Fatalf("the plain token of %s: got %v, want a grant", k.alg, err)
		}
	}
	all := [][]attack{
		algorithmAttacks(r), confusionAttacks(r, e, e384, d), kidAttacks(e), embeddedKeyAttacks(e),
		extensionAttacks(e), memberAttacks(e), encodingAttacks(e), dateAttacks(e), claimAttacks(e),
		formAttacks(e), signatureAttacks(r, e, d), fullySpecifiedAttacks(r, e, d, d2),
	}
	count := 0
	for _, attacks := range all {
		for _, a := range attacks {
			count++
			t.Run(a.name, func(t *testing.T) {
				grant, err := v.Verify(t.Context(), a.token)
				if grant != nil || codeOf(err) != a.code {
					t.Errorf("granted %v, error %v, want %s", grant, err, a.code)
				}
				if err != nil && len(a.token) > 20 && strings.Contains(err.Error(), a.token[:20]) {
					t.Errorf("the error repeats the token: %v", err)
				}
			})
		}
	}
	t.Logf("%d attacks", count)
}

func algorithmAttacks(r signingKey) (out []attack) {
	for _, alg := range []string{"none", "None", "NONE", "nOnE", "none ", "", "RS255", "rs256", "RS256\u0000"} {
		header := fmt.Sprintf(`{"alg":%q,"kid":"r1"}`, alg)
		if alg == "RS256\u0000" {
			header = `{"alg":"RS256\u0000","kid":"r1"}`
		}
		signed := b64([]byte(header)) + "." + b64([]byte(claims(nil)))
		out = append(out,
			attack{name: fmt.Sprintf("alg %q without a signature", alg), token: signed + ".", code: "token_malformed"},
			attack{
				name:  fmt.Sprintf("alg %q with one", alg),
				token: signed + "." + b64(r.signature(signed)),
				code:  "token_algorithm",
			})
	}
	plain := claims(nil)
	return append(out,
		attack{name: "no alg", token: r.sign(`{"kid":"r1"}`, plain), code: "token_malformed"},
		attack{name: "alg that is a number", token: r.sign(`{"alg":256,"kid":"r1"}`, plain), code: "token_malformed"},
		attack{name: "alg that is a list", token: r.sign(`{"alg":["RS256"],"kid":"r1"}`, plain), code: "token_malformed"},
		attack{name: "alg that is null", token: r.sign(`{"alg":null,"kid":"r1"}`, plain), code: "token_malformed"},
		attack{
			name:  "alg that is accepted nowhere unless asked for",
			token: newRSA(jwt.PS256, "r1").token(plain),
			code:  "token_algorithm",
		},
	)
}

func confusionAttacks(r, e, e384, d signingKey) (out []attack) {
	der := must(x509.MarshalPKIXPublicKey(r.public))
	block := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	for name, secret := range map[string][]byte{
		"DER": der, "PEM": block, "PEM without a last line break": bytes.TrimSpace(block),
		"modulus": rsaKey().N.Bytes(), "JWK Set": jwks(r),
	} {
		for _, alg := range []jwt.Algorithm{jwt.HS256, jwt.HS384, jwt.HS512} {
			k := newHMAC(alg, secret)
			k.kid = "r1"
			out = append(out, attack{
				name:  fmt.Sprintf("%s with an RSA public key as %s", alg, name),
				token: k.token(claims(nil)),
				code:  "token_algorithm",
			})
		}
	}
	as := func(k signingKey, alg jwt.Algorithm, kid string) string {
		return k.sign(fmt.Sprintf(`{"alg":%q,"kid":%q}`, alg, kid), claims(nil))
	}
	return append(out,
		attack{name: "ES256 with the P-384 key", token: as(e, jwt.ES256, "e3"), code: "token_algorithm"},
		attack{name: "ES384 with the P-256 key", token: as(e384, jwt.ES384, "e1"), code: "token_algorithm"},
		attack{name: "ES256 with the Ed25519 key", token: as(e, jwt.ES256, "d1"), code: "token_algorithm"},
		attack{name: "EdDSA with the P-256 key", token: as(d, jwt.EdDSA, "e1"), code: "token_algorithm"},
		attack{name: "ES256 with the RSA key", token: as(e, jwt.ES256, "r1"), code: "token_algorithm"},
		attack{name: "RS256 with the P-256 key", token: as(r, jwt.RS256, "e1"), code: "token_algorithm"},
		attack{name: "the signature of a P-384 key as ES256", token: as(e384, jwt.ES256, "e1"), code: "token_signature"},
		attack{name: "another issuer's key of the same kid", token: newEC("e1").token(claims(nil)), code: "token_signature"},
		attack{name: "another issuer's key of another kid", token: newEC("e9").token(claims(nil)), code: "token_unknown_key"},
	)
}

// A key whose issuer does not say its alg is for the algorithm of its kind and
// curve.
func TestAKeyWithoutAlgIsForTheAlgorithmOfItsCurve(t *testing.T) {
	for _, k := range []signingKey{
		newRSA(jwt.RS256, "k"), newEC("k"), newCurve(jwt.ES384, elliptic.P384(), "k"), newCurve(jwt.ES512, elliptic.P521(), "k"), newEd("k"),
	} {
		c := config(k)
		c.Keys = jwt.StaticJWKS(jwksOf(k.jwk(map[string]any{"alg": nil})))
		v := verifier(t, c)
		for _, alg := range []jwt.Algorithm{jwt.RS256, jwt.ES256, jwt.ES384, jwt.ES512, jwt.EdDSA} {
			code := "token_algorithm"
			if alg == k.alg {
				code = ""
			}
			as := k
			as.alg = alg
			expectCode(t, v, fmt.Sprintf("%s with a key for %s", alg, k.alg), as.token(claims(nil)), code)
		}
	}
}

func TestAKeyWhoseOperationsIncludeVerifyIsUsed(t *testing.T) {
	k := newEC("k")
	c := config(k)
	c.Keys = jwt.StaticJWKS(jwksOf(k.jwk(map[string]any{"key_ops": []string{"verify"}})))
	expectCode(t, verifier(t, c), "a token of the key", k.token(claims(nil)), "")
}

func kidAttacks(e signingKey) (out []attack) {
	for _, kid := range []string{
		"../../../../dev/null", "/dev/null", "e1/../e1", "e1%00", "e1 ", " e1", "E1", "e1'; DROP TABLE keys;--",
		"' UNION SELECT 'AAAA", "| curl evil.example", "https://evil.example/jwks.json", "${jndi:ldap://evil}", "é1", "*",
	} {
		k := e
		k.kid = kid
		out = append(out, attack{name: "kid " + kid, token: k.token(claims(nil)), code: "token_unknown_key"})
	}
	plain := claims(nil)
	return append(out,
		attack{name: "kid with a zero byte", token: e.sign(`{"alg":"ES256","kid":"e1\u0000"}`, plain), code: "token_unknown_key"},
		attack{name: "empty kid", token: e.sign(`{"alg":"ES256","kid":""}`, plain), code: "token_malformed"},
		attack{name: "kid that is a number", token: e.sign(`{"alg":"ES256","kid":1}`, plain), code: "token_malformed"},
		attack{name: "kid that is null", token: e.sign(`{"alg":"ES256","kid":null}`, plain), code: "token_malformed"},
		attack{
			name:  "kid of 300 bytes",
			token: e.sign(`{"alg":"ES256","kid":"`+strings.Repeat("e", 300)+`"}`, plain),
			code:  "token_malformed",
		},
		attack{name: "no kid, signed by nobody", token: newEC("").sign(`{"alg":"ES256"}`, plain), code: "token_signature"},
	)
}

// The attacker signs with a key that the token brings along, or points to.
func embeddedKeyAttacks(e signingKey) []attack {
	mine := newEC("e1")
	key := string(must(json.Marshal(mine.jwk(nil))))
	cert := base64.StdEncoding.EncodeToString(must(x509.MarshalPKIXPublicKey(mine.public)))
	plain := claims(nil)
	return []attack{
		{name: "jwk", token: mine.sign(`{"alg":"ES256","kid":"e1","jwk":`+key+`}`, plain), code: "token_signature"},
		{name: "jwk without a kid", token: mine.sign(`{"alg":"ES256","jwk":`+key+`}`, plain), code: "token_signature"},
		{
			name:  "jwk with a kid of its own",
			token: mine.sign(`{"alg":"ES256","kid":"mine","jwk":`+key+`}`, plain),
			code:  "token_unknown_key",
		},
		{
			name:  "jku",
			token: mine.sign(`{"alg":"ES256","kid":"mine","jku":"https://evil.example/jwks.json"}`, plain),
			code:  "token_unknown_key",
		},
		{
			name:  "x5u",
			token: mine.sign(`{"alg":"ES256","kid":"e1","x5u":"https://evil.example/cert.pem"}`, plain),
			code:  "token_signature",
		},
		{name: "x5c", token: mine.sign(`{"alg":"ES256","kid":"e1","x5c":["`+cert+`"]}`, plain), code: "token_signature"},
		{name: "x5t", token: mine.sign(`{"alg":"ES256","kid":"e1","x5t":"AAAA"}`, plain), code: "token_signature"},
	}
}

// What asks for more than a signature is refused, also when the signature is a
// good one.
func extensionAttacks(e signingKey) []attack {
	plain := claims(nil)
	with := func(member string) string { return e.sign(`{"alg":"ES256","kid":"e1",`+member+`}`, plain) }
	unencoded := b64([]byte(`{"alg":"ES256","kid":"e1","b64":false,"crit":["b64"]}`)) + "." + plain
	return []attack{
		{name: "crit", token: with(`"crit":["exp"],"exp":1`), code: "token_malformed"},
		{name: "crit that is empty", token: with(`"crit":[]`), code: "token_malformed"},
		{name: "crit that is a string", token: with(`"crit":"exp"`), code: "token_malformed"},
		{name: "b64 that is a string", token: with(`"b64":"false"`), code: "token_malformed"},
		{name: "crit that is null", token: with(`"crit":null`), code: "token_malformed"},
		{name: "b64:false", token: with(`"b64":false`), code: "token_malformed"},
		{name: "b64:false with crit", token: with(`"b64":false,"crit":["b64"]`), code: "token_malformed"},
		{name: "b64:true", token: with(`"b64":true`), code: "token_malformed"},
		{
			name:  "b64:false, and the payload as it is",
			token: unencoded + "." + b64(e.signature(unencoded)),
			code:  "token_malformed",
		},
		{name: "a token in a token", token: with(`"cty":"JWT"`), code: "token_malformed"},
		{name: "enc", token: with(`"enc":"A256GCM"`), code: "token_malformed"},
		{name: "zip", token: with(`"zip":"DEF"`), code: "token_malformed"},
		{name: "typ of a DPoP proof", token: with(`"typ":"dpop+jwt"`), code: "token_type"},
		{name: "typ of a logout token", token: with(`"typ":"logout+jwt"`), code: "token_type"},
		{name: "typ of an access token, which was not asked for", token: with(`"typ":"at+jwt"`), code: "token_type"},
		{name: "typ that is a number", token: with(`"typ":1`), code: "token_malformed"},
		{name: "typ with a prefix of more than one part", token: with(`"typ":"application/x/jwt"`), code: "token_type"},
	}
}

// Another reader of the same text sees another document.
func memberAttacks(e signingKey) (out []attack) {
	plain := claims(nil)
	for _, header := range []string{
		`{"alg":"ES256","kid":"e1","alg":"ES256"}`,
		`{"alg":"none","alg":"ES256","kid":"e1"}`,
		`{"alg":"ES256","kid":"e1","kid":"e1"}`,
		`{"alg":"ES256","kid":"e1","\u0061lg":"none"}`,
		`{"alg":"ES256","kid":"e1","Alg":"none"}`,
		`{"alg":"ES256","kid":"e1","ALG":"none"}`,
		`{"alg":"ES256","kid":"e1","KID":"e9"}`,
		"{\"alg\":\"ES256\",\"kid\":\"e1\",\"\u212aid\":\"e9\"}",
		`{"alg":"ES256","kid":"e1","Typ":"at+jwt"}`,
		`{"alg":"ES256","kid":"e1","CRIT":["exp"]}`,
		`{"alg":"ES256","kid":"e1","B64":false}`,
		`{"alg":"ES256","kid":"e1","jwk":{"kty":"EC","kty":"oct"}}`,
		`{"alg":"ES256","kid":"e1\ud800"}`, `{"alg":"ES256","kid":"\udc00e1"}`, `{"alg":"ES256","kid":"e1","\ud83dx":1}`,
		`{"alg":"ES256","kid":"e1","\u212aid":"e9"}`, `{"alg":"ES256","kid":"e1","\u017figner":"x"}`, "{\"alg\":\"ES256\",\"\u212aid\":\"e1\"}",
		`{"alg":"ES256","kid":"e1"} {}`,
		`{"alg":"ES256","kid":"e1"},`,
		`{"alg":"ES256","kid":"e1",}`,
		`{"alg":"ES256","kid":"e1"`,
		"\ufeff" + `{"alg":"ES256","kid":"e1"}`,
		"{\"alg\":\"ES256\",\"kid\":\"e1\",\"x\":\"\xff\"}",
		`["ES256"]`, `"ES256"`, `null`, ``, `{}`,
		`{"alg":"ES256","kid":"e1","x":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `}`,
		`{"alg":"ES256","kid":"e1","x":[` + strings.Repeat("1,", 99) + `1]}`,
	} {
		out = append(out, attack{name: "header " + header, token: e.sign(header, plain), code: "token_malformed"})
	}
	for _, member := range []string{
		`"exp":9999999999`, `"\u0065xp":9999999999`, `"EXP":9999999999`, `"Exp":1`, `"iss":"https://issuer.example"`,
		`"ISS":"https://evil.example"`, `"Sub":"admin"`, "\"\u017fub\":\"admin\"", `"AUD":"x"`, `"Scope":"admin"`,
		`"SCP":["admin"]`, `"x":{"y":1,"y":2}`, `"x":[{"a":{"b":0,"b":0}}]`, `"Client_ID":"x"`, "\"x\":\"\xc0\xaf\"",
		`"x":"\ud800"`, `"x":["\udc00\ud800"]`, `"\ud800":1`, `"\u017fcp":["admin"]`, `"to\u212aen_use":"access"`, "\"x\":\"\xed\xa0\x80\"",
		`"x":` + strings.Repeat(`{"x":`, 40) + "1" + strings.Repeat("}", 40),
	} {
		text := plain[:len(plain)-1] + "," + member + "}"
		out = append(out, attack{name: "claim " + member, token: e.token(text), code: "token_malformed"})
	}
	for _, text := range []string{plain + "{}", plain + " x", "[" + plain + "]", `"x"`, `null`, `0`, ``, `{`, "\ufeff" + plain} {
		out = append(out, attack{name: "claims " + text, token: e.token(text), code: "token_malformed"})
	}
	return out
}

func encodingAttacks(e signingKey) (out []attack) {
	// Headers and claims of every length, so that each part is once not a
	// multiple of three.
	for pad := range 3 {
		header := `{"alg":"ES256","kid":"e1"` + strings.Repeat(" ", pad) + `}`
		plain := claims(nil) + strings.Repeat(" ", pad)
		h, p := b64([]byte(header)), b64([]byte(plain))
		good := e.signParts(h, p)
		sig := good[strings.LastIndexByte(good, '.')+1:]
		for i, part := range []string{"header", "payload", "signature"} {
			for name, change := range map[string]func(string) string{
				"padding":            func(s string) string { return s + strings.Repeat("=", (4-len(s)%4)%4) },
				"padding, too much":  func(s string) string { return s + "====" },
				"a line feed":        func(s string) string { return s[:4] + "\n" + s[4:] },
				"a carriage return":  func(s string) string { return s + "\r" },
				"CRLF before":        func(s string) string { return "\r\n" + s },
				"a space":            func(s string) string { return s[:4] + " " + s[4:] },
				"a plus":             func(s string) string { return s[:4] + "+" + s[5:] },
				"a slash":            func(s string) string { return s[:4] + "/" + s[5:] },
				"a percent":          func(s string) string { return s[:4] + "%2e" + s[5:] },
				"a zero byte":        func(s string) string { return s + "\x00" },
				"bits that are left": leftBits,
				"one more character": func(s string) string { return s + strings.Repeat("A", (5-len(s)%4)%4) },
			} {
				parts := []string{h, p, sig}
				parts[i] = change(parts[i])
				if parts[i] == good || strings.Join(parts, ".") == good {
					continue // there is no such thing at this length
				}
				token := strings.Join(parts, ".")
				if i < 2 { // signed as it is sent: what counts is the form alone
					token = e.signParts(parts[0], parts[1])
				}
				out = append(out, attack{
					name:  fmt.Sprintf("%s in the %s, length %d mod 4", name, part, len(parts[i])%4),
					token: token,
					code:  "token_malformed",
				})
			}
		}
	}
	return out
}

// leftBits sets one of the bits of the last character that mean nothing.
func leftBits(s string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	if len(s)%4 == 0 {
		return s
	}
	last := strings.IndexByte(alphabet, s[len(s)-1])
	return s[:len(s)-1] + string(alphabet[last|1])
}

func dateAttacks(e signingKey) (out []attack) {
	for _, exp := range []string{
		"1e400", "1e30", "99999999999999999999", "18446744073709551616", "9223372036854775808", "253402300800", "1e12",
		"-1", "-1e9", "-0", `"1800003600"`, "null", "true", "[1800003600]", "{}", "1800003600" + strings.Repeat("0", 5000),
		"1800003600." + strings.Repeat("0", 5000), "0." + strings.Repeat("0", 5000) + "1",
	} {
		for _, claim := range []string{"exp", "nbf", "iat"} {
			name := fmt.Sprintf("%s %.30s", claim, exp)
			out = append(out, attack{name: name, token: e.token(claims(map[string]any{claim: raw(exp)})), code: "token_claims"})
		}
	}
	for _, exp := range []string{"+1800003600", "01800003600", "0x6b49d200", "NaN", "Infinity", "1800003600.", ".5", "1e"} {
		text := strings.Replace(claims(nil), fmt.Sprint(now.Unix()+3600), exp, 1)
		out = append(out, attack{name: "exp " + exp, token: e.token(text), code: "token_malformed"})
	}
	at := func(claim string, offset int64) string {
		return e.token(claims(map[string]any{claim: now.Unix() + offset}))
	}
	return append(out,
		attack{name: "no exp", token: e.token(claims(map[string]any{"exp": nil})), code: "token_claims"},
		attack{name: "expired by a second", token: at("exp", -1), code: "token_expired"},
		attack{name: "expires now", token: at("exp", 0), code: "token_expired"},
		attack{
			name:  "expired by a fraction",
			token: e.token(claims(map[string]any{"exp": raw("1799999999.999")})),
			code:  "token_expired",
		},
		attack{
			name:  "expired, written with an exponent",
			token: e.token(claims(map[string]any{"exp": raw("1.7e9")})),
			code:  "token_expired",
		},
		attack{name: "expired since 1970", token: e.token(claims(map[string]any{"exp": 0})), code: "token_expired"},
		attack{name: "not valid for hours", token: at("nbf", 2*3600), code: "token_not_yet_valid"},
		attack{
			name:  "not valid for an hour and a fraction",
			token: e.token(claims(map[string]any{"nbf": raw("1800003605.001")})),
			code:  "token_not_yet_valid",
		},
		attack{name: "issued hours from now", token: at("iat", 2*3600), code: "token_not_yet_valid"},
	)
}

func claimAttacks(e signingKey) (out []attack) {
	for _, c := range []struct {
		claim string
		value any
		code  string
	}{
		{claim: "iss", code: "token_issuer"},
		{claim: "iss", value: "", code: "token_issuer"},
		{claim: "iss", value: issuer + "/", code: "token_issuer"},
		{claim: "iss", value: strings.ToUpper(issuer), code: "token_issuer"},
		{claim: "iss", value: "https://evil.example", code: "token_issuer"},
		{claim: "iss", value: []string{issuer}, code: "token_claims"},
		{claim: "iss", value: raw("null"), code: "token_claims"},
		{claim: "aud", code: "token_audience"},
		{claim: "aud", value: "", code: "token_audience"},
		{claim: "aud", value: []string{}, code: "token_audience"},
		{claim: "aud", value: "client-of-an-id-token", code: "token_audience"},
		{claim: "aud", value: audience + "/", code: "token_audience"},
		{claim: "aud", value: "x " + audience, code: "token_audience"},
		{claim: "aud", value: []string{"x", "y"}, code: "token_audience"},
		{claim: "aud", value: []any{audience, 1}, code: "token_claims"},
		{claim: "aud", value: []any{[]string{audience}}, code: "token_claims"},
		{claim: "aud", value: raw("null"), code: "token_claims"},
		{claim: "aud", value: map[string]any{audience: 1}, code: "token_claims"},
		{claim: "sub", code: "token_claims"},
		{claim: "sub", value: "", code: "token_claims"},
		{claim: "sub", value: 1, code: "token_claims"},
		{claim: "sub", value: `{"sub":"admin"}`, code: "token_claims"},
		{claim: "scope", value: []any{"admin", 1}, code: "token_claims"},
		{claim: "scope", value: []string{"a b"}, code: "token_claims"},
		{claim: "scope", value: []string{"a", ""}, code: "token_claims"},
		{claim: "scope", value: 1, code: "token_claims"},
		{claim: "scope", value: "a\tadmin", code: "token_claims"},
		{claim: "scope", value: "a\u00a0admin", code: "token_claims"},
		{claim: "scope", value: "a\\ \"b\"", code: "token_claims"},
		{claim: "scp", value: []string{"a b"}, code: "token_claims"},
		{claim: "scp", value: []string{"a", "b c"}, code: "token_claims"},
		{claim: "scp", value: "a\nadmin", code: "token_claims"},
		{claim: "scp", value: map[string]any{}, code: "token_claims"},
		{claim: "jti", value: 1, code: "token_claims"},
	} {
		name := fmt.Sprintf("%s %v", c.claim, c.value)
		changes := map[string]any{c.claim: c.value}
		if c.claim == "scp" {
			changes["scope"] = nil // or it would not be looked at
		}
		out = append(out, attack{name: name, token: e.token(claims(changes)), code: c.code})
	}
	return out
}

func formAttacks(e signingKey) []attack {
	good := e.token(claims(nil))
	parts := strings.Split(good, ".")
	return []attack{
		{name: "nothing", code: "token_malformed"},
		{name: "a dot", token: ".", code: "token_malformed"},
		{name: "two dots", token: "..", code: "token_malformed"},
		{name: "one part", token: parts[0], code: "token_malformed"},
		{name: "two parts", token: parts[0] + "." + parts[1], code: "token_malformed"},
		{name: "no header", token: "." + parts[1] + "." + parts[2], code: "token_malformed"},
		{name: "no payload", token: parts[0] + ".." + parts[2], code: "token_signature"},
		{name: "no signature", token: parts[0] + "." + parts[1] + ".", code: "token_malformed"},
		{name: "a fourth part", token: good + ".", code: "token_malformed"},
		{name: "an encrypted token", token: good + "." + parts[0] + "." + parts[1], code: "token_malformed"},
		{name: "with its scheme", token: "Bearer " + good, code: "token_malformed"},
		{name: "two tokens", token: good + "," + good, code: "token_malformed"},
		{name: "in quotes", token: `"` + good + `"`, code: "token_malformed"},
		{
			name:  "17 kB",
			token: e.token(claims(map[string]any{"x": strings.Repeat("x", 12<<10)})) + strings.Repeat("A", 1<<10),
			code:  "token_too_large",
		},
		{
			name:  "17 kB that are signed",
			token: e.token(claims(map[string]any{"x": strings.Repeat("x", 12800)})),
			code:  "token_too_large",
		},
		{name: "16 kB of dots", token: strings.Repeat(".", 16<<10), code: "token_malformed"},
		{
			name:  "a header of 5 kB",
			token: e.sign(`{"alg":"ES256","kid":"e1","x":"`+strings.Repeat("x", 4000)+`"}`, claims(nil)),
			code:  "token_too_large",
		},
		{
			name:  "JSON",
			token: `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`,
			code:  "token_malformed",
		},
	}
}
