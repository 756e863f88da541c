package jwt_test

import (
	"bytes"
	"crypto/elliptic"
	"encoding/asn1"
	"encoding/base64"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/authorizer/jwt"
)

func signatureAttacks(r, e, d signingKey) (out []attack) {
	good := e.token(claims(nil))
	parts := strings.Split(good, ".")
	signed := parts[0] + "." + parts[1]
	sig := e.signature(signed)
	der := must(asn1.Marshal(struct{ R, S *big.Int }{R: new(big.Int).SetBytes(sig[:32]), S: new(big.Int).SetBytes(sig[32:])}))
	n := elliptic.P256().Params().N
	for name, changed := range map[string][]byte{
		"as ASN.1":                  der,
		"of zeros":                  make([]byte, 64),
		"of ones":                   bytes.Repeat([]byte{0xff}, 64),
		"with a zero appended":      append(bytes.Clone(sig), 0),
		"with a zero before":        append([]byte{0}, sig...),
		"cut by a byte":             sig[:63],
		"cut in half":               sig[:32],
		"of one byte":               {1},
		"with its halves exchanged": append(bytes.Clone(sig[32:]), sig[:32]...),
		"with one bit changed":      append([]byte{sig[0] ^ 1}, sig[1:]...),
		"with the last bit changed": append(bytes.Clone(sig[:63]), sig[63]^1),
		"of four thousand bytes":    make([]byte, 4000),
		"with r of zero":            append(make([]byte, 32), sig[32:]...),
		"with s of zero":            append(bytes.Clone(sig[:32]), make([]byte, 32)...),
		"with r of the order":       append(n.Bytes(), sig[32:]...),
		"with s of the order":       append(bytes.Clone(sig[:32]), n.Bytes()...),
		"with r one larger":         append(plus(sig[:32], 1), sig[32:]...),
		"of P-384":                  append(append(make([]byte, 16), sig[:32]...), append(make([]byte, 16), sig[32:]...)...),
		"of P-521":                  append(append(make([]byte, 34), sig[:32]...), append(make([]byte, 34), sig[32:]...)...),
	} {
		out = append(out, attack{name: "signature " + name, token: signed + "." + b64(changed), code: "token_signature"})
	}
	// A number beyond the order, or the modulus, is the same number once more.
	for _, k := range []signingKey{d, r} {
		parts := strings.Split(k.token(claims(nil)), ".")
		sig := must(base64.RawURLEncoding.DecodeString(parts[2]))
		again := append(bytes.Clone(sig[:32]), addLittleEndian(sig[32:], ed25519Order)...)
		if k.alg == jwt.RS256 {
			again = new(big.Int).Add(new(big.Int).SetBytes(sig), rsaKey().N).Bytes()
		}
		signed := parts[0] + "." + parts[1] + "."
		out = append(out,
			attack{name: string(k.alg) + " with the same number once more", token: signed + b64(again), code: "token_signature"},
			attack{name: string(k.alg) + " with zeros", token: signed + b64(make([]byte, len(sig))), code: "token_signature"},
			attack{
				name:  string(k.alg) + " with a zero before",
				token: signed + b64(append([]byte{0}, sig...)),
				code:  "token_signature",
			},
			attack{
				name:  string(k.alg) + " with a one",
				token: signed + b64(append(make([]byte, len(sig)-1), 1)),
				code:  "token_signature",
			},
			attack{name: string(k.alg) + " cut by a byte", token: signed + b64(sig[1:]), code: "token_signature"},
		)
	}
	edited := claims(map[string]any{"sub": "admin"})
	for _, k := range []signingKey{r, e, d} {
		parts := strings.Split(k.token(claims(nil)), ".")
		other := strings.Split(k.token(edited), ".")
		again := b64([]byte(strings.Replace(k.header(), `"typ":"JWT"`, `"typ":"jwt"`, 1)))
		out = append(out,
			attack{
				name:  string(k.alg) + " with edited claims",
				token: parts[0] + "." + other[1] + "." + parts[2],
				code:  "token_signature",
			},
			attack{
				name:  string(k.alg) + " with an edited header",
				token: again + "." + parts[1] + "." + parts[2],
				code:  "token_signature",
			},
			attack{
				name:  string(k.alg) + " with the signature of another token",
				token: parts[0] + "." + parts[1] + "." + other[2],
				code:  "token_signature",
			},
		)
	}
	return out
}

// ed25519Order is the order of the base point (RFC 8032, section 5.1).
var ed25519Order, _ = new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)

func addLittleEndian(n []byte, m *big.Int) []byte {
	n = bytes.Clone(n)
	slices.Reverse(n)
	sum := new(big.Int).Add(new(big.Int).SetBytes(n), m).FillBytes(make([]byte, len(n)))
	slices.Reverse(sum)
	return sum
}

func plus(n []byte, m int64) []byte {
	return new(big.Int).Add(new(big.Int).SetBytes(n), big.NewInt(m)).FillBytes(make([]byte, len(n)))
}

// Each signature of ECDSA has a second form, with n-s. Both are accepted: a token
// is no proof of having been sent once.
func TestTheOtherSignatureOfECDSAHoldsToo(t *testing.T) {
	e := newEC("e1")
	signed := b64([]byte(e.header())) + "." + b64([]byte(claims(nil)))
	sig := e.signature(signed)
	s := new(big.Int).Sub(elliptic.P256().Params().N, new(big.Int).SetBytes(sig[32:]))
	expectCode(t, verifier(t, config(e)), "n-s", signed+"."+b64(append(sig[:32], s.FillBytes(make([]byte, 32))...)), "")
}
