package jwt_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer/jwt"
)

// cognitoClaims are the claims of an access token from Cognito.
const cognitoClaims = `{"sub":"1b7c1a52-8f0e-4c0a-9d3a-2f6a5c1d9e10","cognito:groups":["admins","staff"],` +
	`"iss":"https://issuer.example","version":2,"client_id":"7h2k3j4l5m6n7o8p9q0r1s2t3u",` +
	`"origin_jti":"c7b6a5d4-e3f2-4a1b-8c9d-0e1f2a3b4c5d","token_use":"access",` +
	`"scope":"orders/read orders/write","auth_time":1799990000,"exp":1800003600,"iat":1799990000,` +
	`"jti":"0f1e2d3c-4b5a-4697-8877-665544332211","username":"ada"}`

const cognitoKid = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopq="

func benchKeys() []signingKey {
	return []signingKey{newRSA(jwt.RS256, cognitoKid), newEC(cognitoKid), newEd(cognitoKid)}
}

func benchConfig(k signingKey) jwt.Config {
	return jwt.Config{
		Issuer: issuer, Clients: []string{"7h2k3j4l5m6n7o8p9q0r1s2t3u"}, TokenUse: "access",
		Groups: "cognito:groups", Keys: jwt.StaticJWKS(jwks(k)),
	}
}

// bare is the call of crypto/* alone, on what it takes.
func bare(b *testing.B, k signingKey, token string) func() bool {
	cut := strings.LastIndexByte(token, '.')
	signed := []byte(token[:cut])
	sig := must(base64.RawURLEncoding.DecodeString(token[cut+1:]))
	switch public := k.public.(type) {
	case *rsa.PublicKey:
		return func() bool {
			sum := sha256.Sum256(signed)
			return rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], sig) == nil
		}
	case *ecdsa.PublicKey:
		der := must(asn1.Marshal(struct{ R, S *big.Int }{
			R: new(big.Int).SetBytes(sig[:32]), S: new(big.Int).SetBytes(sig[32:]),
		}))
		return func() bool {
			sum := sha256.Sum256(signed)
			return ecdsa.VerifyASN1(public, sum[:], der)
		}
	case ed25519.PublicKey:
		return func() bool { return ed25519.Verify(public, signed, sig) }
	default:
		b.Fatalf("no bare call for %T", public)
		return nil
	}
}

// BenchmarkVerify takes turns with the bare call, so that what slows the machine
// down slows both, and reports the ratio. There are
// two keys of each kind, as there are while an issuer changes them.
func BenchmarkVerify(b *testing.B) {
	for _, k := range benchKeys() {
		other := k
		other.kid = "=" + k.kid[1:]
		c := benchConfig(k)
		c.Keys = jwt.StaticJWKS(jwks(k, other))
		v := verifier(b, c)
		tokens := []string{k.token(cognitoClaims), other.token(cognitoClaims)}
		b.Run(string(k.alg), func(b *testing.B) {
			call := bare(b, k, tokens[0])
			n := 0
			inTurns(b, "bare", func() {
				if !call() {
					b.Fatal("not its signature")
				}
			}, func() {
				n++
				if _, err := v.Verify(b.Context(), tokens[n%2]); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

// inTurns measures do beside a base, and reports the medians and their ratio.
func inTurns(b *testing.B, name string, base, do func()) {
	const batch = 8
	var bases, does []float64
	timed := func(call func()) float64 {
		start := time.Now()
		for range batch {
			call()
		}
		return float64(time.Since(start).Nanoseconds()) / batch
	}
	for b.Loop() {
		bases = append(bases, timed(base))
		does = append(does, timed(do))
	}
	median := func(times []float64) float64 {
		slices.Sort(times)
		return times[len(times)/2]
	}
	b.ReportMetric(median(bases), "ns/"+name)
	b.ReportMetric(median(does), "ns/call")
	b.ReportMetric(median(does)/median(bases), "x-"+name)
	b.ReportMetric(0, "ns/op")
}

// A token that was seen before.
func BenchmarkCached(b *testing.B) {
	for _, k := range benchKeys() {
		c := benchConfig(k)
		c.CacheTokens = 100
		v := verifier(b, c)
		token := k.token(cognitoClaims)
		b.Run(string(k.alg), func(b *testing.B) {
			b.SetBytes(int64(len(token)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Verify(b.Context(), token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Junk of 16 kB, refused before a signature is verified.
func BenchmarkJunk(b *testing.B) {
	k := newEC("a")
	v := verifier(b, config(k))
	fill := func(prefix, each, suffix string) string {
		n := (16<<10 - len(prefix) - len(suffix)) / len(each)
		return prefix + strings.Repeat(each, n) + suffix
	}
	header := func(text string) string { return b64([]byte(text)) }
	good := header(k.header())
	for _, junk := range []struct{ name, token string }{
		{name: "letters", token: fill("", "A", "")},
		{name: "dots", token: fill("", ".", "")},
		{name: "longer", token: strings.Repeat("A", 1<<20)},
		{name: "line breaks", token: fill(good+".", "\n", ".AAAA")},
		{name: "signature", token: fill(good+".e30.", "AAAA", "")},
		{name: "payload", token: fill(good+".", "AAAA", ".AAAA")},
		{name: "unknown kid", token: fill(header(`{"alg":"ES256","kid":"b"}`)+".", "AAAA", "."+strings.Repeat("A", 86))},
		{name: "header of many members", token: fill(header("{"+manyMembers(1000)+`"alg":"ES256"}`)+".", "AAAA", ".AAAA")},
		{name: "header of 60 members", token: fill(header("{"+manyMembers(60)+`"alg":"ES256","kid":"b"}`)+".", "AAAA", ".AAAA")},
		{
			name:  "header of one long string",
			token: fill(header(`{"alg":"ES256","kid":"b","x":"`+strings.Repeat("x", 3000)+`"}`)+".", "AAAA", ".AAAA"),
		},
		{
			name:  "header of escapes",
			token: fill(header(`{"alg":"ES256","kid":"b","x":"`+strings.Repeat(`\n`, 1450)+`"}`)+".", "AAAA", ".AAAA"),
		},
		{name: "header of levels", token: fill(header(strings.Repeat("[", 3000))+".", "AAAA", ".AAAA")},
		{name: "header that is too long", token: fill("", "A", ".AAAA.AAAA")},
	} {
		if _, err := v.Verify(b.Context(), junk.token); err == nil {
			b.Fatalf("%s: accepted", junk.name)
		}
		b.Run(junk.name, func(b *testing.B) {
			token := k.token(claims(nil))
			inTurns(b, "valid", func() { _, _ = v.Verify(b.Context(), token) }, func() { _, _ = v.Verify(b.Context(), junk.token) })
		})
	}
}

func manyMembers(n int) string {
	var s strings.Builder
	for i := range n {
		fmt.Fprintf(&s, `"%02d":0,`, i)
	}
	return s.String()
}

// BenchmarkForged takes turns with the token that was forged.
func BenchmarkForged(b *testing.B) {
	for _, k := range benchKeys() {
		long := cognitoClaims[:len(cognitoClaims)-1] + `,"x":"` + strings.Repeat("x", 11000) + `"}`
		for name, claims := range map[string]string{"1 kB": cognitoClaims, "16 kB": long} {
			valid := k.token(claims)
			cut := strings.LastIndexByte(valid, '.')
			other := k.token(strings.Replace(claims, "ada", "eve", 1))
			forged := valid[:cut] + other[strings.LastIndexByte(other, '.'):]
			v := verifier(b, benchConfig(k))
			b.Run(string(k.alg)+"/"+name, func(b *testing.B) {
				inTurns(b, "valid", func() {
					if _, err := v.Verify(b.Context(), valid); err != nil {
						b.Fatal(err)
					}
				}, func() {
					if _, err := v.Verify(b.Context(), forged); err == nil {
						b.Fatal("accepted")
					}
				})
			})
		}
	}
}

// BenchmarkParallel verifies on all cores at once; compare -cpu 1,2, and with
// the bare call.
func BenchmarkParallel(b *testing.B) {
	parallel := func(b *testing.B, do func() bool) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if !do() {
					b.Error("refused")
				}
			}
		})
	}
	for _, k := range benchKeys() {
		token := k.token(cognitoClaims)
		b.Run(string(k.alg)+"/bare", func(b *testing.B) { parallel(b, bare(b, k, token)) })
		for _, cached := range []int{0, 100} {
			c := benchConfig(k)
			c.CacheTokens = cached
			v := verifier(b, c)
			b.Run(fmt.Sprintf("%s/cache %d", k.alg, cached), func(b *testing.B) {
				parallel(b, func() bool {
					_, err := v.Verify(b.Context(), token)
					return err == nil
				})
			})
		}
	}
}
