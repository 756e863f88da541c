package jwt

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"

	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// secret is a key of the HS algorithms.
type secret []byte

// A key verifies signatures. It is not written to once it is made.
type key struct {
	id       string    // kid; "" when it has none
	anyID    bool      // stands for itself: a token may name it as it likes
	alg      Algorithm // the only one it is for; "" is any that takes it
	material any       // *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey or secret
	size     int       // of a signature, in bytes; 0 for a secret
}

// Bounds of an RSA key. Verifying with one of 8192 bits takes as long as with
// ten of 2048, and an exponent below is not made by anything of today.
const (
	minModulus  = 2048 // bits
	maxModulus  = 8192 // bits
	minExponent = 65537
)

// newKey checks that material is a public key as it should be.
func newKey(material any) (*key, error) {
	k := &key{material: material}
	switch m := material.(type) {
	case *rsa.PublicKey:
		bits := m.N.BitLen()
		switch {
		case bits < minModulus || bits > maxModulus:
			return nil, fmt.Errorf("an RSA key must have %d to %d bits, not %d", minModulus, maxModulus, bits)
		case m.E < minExponent || m.E&1 == 0:
			return nil, fmt.Errorf("an RSA key's exponent must be odd and at least %d", minExponent)
		case m.N.Bit(0) == 0:
			return nil, reason.New("an RSA key's modulus must be odd")
		}
		k.size = m.Size()
	case *ecdsa.PublicKey:
		switch m.Curve {
		case elliptic.P256(), elliptic.P384(), elliptic.P521():
			k.size = 2 * coordinate(m.Curve)
		default:
			return nil, reason.New("an EC key must be on P-256, P-384 or P-521")
		}
	case ed25519.PublicKey:
		if isSmallOrder(m) {
			return nil, reason.New("an Ed25519 key must not be of small order: anybody could sign with it")
		}
		k.size = ed25519.SignatureSize
	default:
		return nil, fmt.Errorf("a key of type %T does not verify tokens", material)
	}
	return k, nil
}

// coordinate is how many bytes a number of the curve's field takes.
func coordinate(c elliptic.Curve) int { return (c.Params().BitSize + 7) / 8 }

// fits reports whether k is for tokens of the algorithm.
func (k *key) fits(a Algorithm) bool {
	return (k.alg == "" || k.alg == a) && a.scheme().takes(k.material)
}
