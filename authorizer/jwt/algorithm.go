package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
)

// Algorithm is how a token is signed, by its name in the alg parameter (RFC
// 7518, section 3.1, RFC 8037, and RFC 9864). There is no other than these.
//
// EdDSA and Ed25519 are two names of one algorithm, the first of which RFC 9864
// deprecates. A key whose alg is one of them is for tokens that say the same, and
// one without for both.
type Algorithm string

// The algorithms. Those that begin with HS sign with a secret that whoever
// verifies could sign with as well.
const (
	RS256   Algorithm = "RS256"
	RS384   Algorithm = "RS384"
	RS512   Algorithm = "RS512"
	PS256   Algorithm = "PS256"
	PS384   Algorithm = "PS384"
	PS512   Algorithm = "PS512"
	ES256   Algorithm = "ES256"
	ES384   Algorithm = "ES384"
	ES512   Algorithm = "ES512"
	EdDSA   Algorithm = "EdDSA" // with Ed25519
	Ed25519 Algorithm = "Ed25519"
	HS256   Algorithm = "HS256"
	HS384   Algorithm = "HS384"
	HS512   Algorithm = "HS512"
)

// oneOfEach is what is accepted where nothing else is said. A key then has one
// algorithm, that of Ed25519 by both names, also where its issuer does not name it
// (RFC 8725, section 3.1).
func oneOfEach() []Algorithm {
	return []Algorithm{RS256, ES256, ES384, ES512, EdDSA, Ed25519}
}

// A scheme is what an Algorithm consists of.
type scheme struct {
	verify verification
	hash   crypto.Hash    // 0 for Ed25519, which has its own
	curve  elliptic.Curve // of an ECDSA key, else nil
}

type verification uint8

const (
	byPKCS1 verification = iota + 1
	byPSS
	byECDSA
	byEd25519
	byMAC
)

// scheme is one without a verification for what is no Algorithm.
func (a Algorithm) scheme() scheme {
	switch a {
	case RS256:
		return scheme{verify: byPKCS1, hash: crypto.SHA256}
	case RS384:
		return scheme{verify: byPKCS1, hash: crypto.SHA384}
	case RS512:
		return scheme{verify: byPKCS1, hash: crypto.SHA512}
	case PS256:
		return scheme{verify: byPSS, hash: crypto.SHA256}
	case PS384:
		return scheme{verify: byPSS, hash: crypto.SHA384}
	case PS512:
		return scheme{verify: byPSS, hash: crypto.SHA512}
	case ES256:
		return scheme{verify: byECDSA, hash: crypto.SHA256, curve: elliptic.P256()}
	case ES384:
		return scheme{verify: byECDSA, hash: crypto.SHA384, curve: elliptic.P384()}
	case ES512:
		return scheme{verify: byECDSA, hash: crypto.SHA512, curve: elliptic.P521()}
	case EdDSA, Ed25519:
		return scheme{verify: byEd25519}
	case HS256:
		return scheme{verify: byMAC, hash: crypto.SHA256}
	case HS384:
		return scheme{verify: byMAC, hash: crypto.SHA384}
	case HS512:
		return scheme{verify: byMAC, hash: crypto.SHA512}
	default:
		return scheme{}
	}
}

// symmetric reports whether the key of a is a secret.
func (a Algorithm) symmetric() bool { return a.scheme().verify == byMAC }

// takes reports whether a key can be one of the scheme at all.
func (s scheme) takes(material any) bool {
	switch k := material.(type) {
	case *rsa.PublicKey:
		return s.verify == byPKCS1 || s.verify == byPSS
	case *ecdsa.PublicKey:
		return s.verify == byECDSA && s.curve == k.Curve
	case ed25519.PublicKey:
		return s.verify == byEd25519
	case secret:
		return s.verify == byMAC && len(k) >= s.hash.Size()
	default:
		return false
	}
}
