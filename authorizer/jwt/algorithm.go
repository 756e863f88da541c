package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha256" // hashes of all algorithms
	_ "crypto/sha512"
	"slices"
	"strings"
)

// Algorithm is the name of a signature algorithm in the alg parameter (RFC 7518,
// section 3.1, RFC 8037 and RFC 9864).
//
// EdDSA and Ed25519 are two names of one algorithm; RFC 9864 deprecates the first.
// A key whose alg is one of them verifies tokens with the same name; a key
// without alg verifies both.
type Algorithm string

// The algorithms. Those that begin with HS use a secret that signs as well as
// verifies.
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

// defaultAlgorithms has one algorithm for each kind of public key, so that a key
// is used in one way even if its issuer does not say in which (RFC 8725, section
// 3.1).
func defaultAlgorithms() []Algorithm {
	return []Algorithm{RS256, ES256, ES384, ES512, EdDSA, Ed25519}
}

// accepts reports whether material can be a key of a. It is false for everything
// that is not one of the algorithms above.
func (a Algorithm) accepts(material any) bool {
	switch m := material.(type) {
	case *rsa.PublicKey:
		return slices.Contains([]Algorithm{RS256, RS384, RS512, PS256, PS384, PS512}, a)
	case *ecdsa.PublicKey:
		return a == ES256 && m.Curve == elliptic.P256() ||
			a == ES384 && m.Curve == elliptic.P384() ||
			a == ES512 && m.Curve == elliptic.P521()
	case ed25519.PublicKey:
		return a == EdDSA || a == Ed25519
	case sharedSecret:
		return a.isHMAC() && len(m) >= a.hash().Size()
	default:
		return false
	}
}

func (a Algorithm) isHMAC() bool { return a == HS256 || a == HS384 || a == HS512 }

func (a Algorithm) isPSS() bool { return a == PS256 || a == PS384 || a == PS512 }

// isKnown reports whether a is one of the algorithms above.
func (a Algorithm) isKnown() bool {
	return a.isHMAC() || slices.Contains([]Algorithm{
		RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, Ed25519,
	}, a)
}

// hash returns the hash of an algorithm other than Ed25519.
func (a Algorithm) hash() crypto.Hash {
	switch {
	case strings.HasSuffix(string(a), "384"):
		return crypto.SHA384
	case strings.HasSuffix(string(a), "512"):
		return crypto.SHA512
	default:
		return crypto.SHA256
	}
}
