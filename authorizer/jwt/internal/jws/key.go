package jws

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rsa"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// Secret is a key of the HS algorithms.
type Secret []byte

// A Key verifies signatures. It must not be changed.
type Key struct {
	// ID is its kid; "" if it has none.
	ID string

	alg      string // the only algorithm it is for; "" is any that accepts it
	material any    // *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey or Secret
	size     int    // of a signature, in bytes; 0 for a secret
}

// Bounds of an RSA key. Verifying with 8192 bits costs as much as ten times with
// 2048, and no current software makes a smaller exponent.
const (
	minModulus  = 2048 // bits
	maxModulus  = 8192 // bits
	minExponent = 65537
)

// newKey returns a Key of a public key that is strong enough and well formed.
func newKey(material any) (*Key, error) {
	k := &Key{material: material}
	switch m := material.(type) {
	case *rsa.PublicKey:
		bits := m.N.BitLen()
		switch {
		case bits < minModulus || bits > maxModulus:
			return nil, fmt.Errorf("an RSA key must have %d to %d bits, not %d", minModulus, maxModulus, bits)
		case m.E < minExponent || m.E&1 == 0 || m.N.Bit(0) == 0:
			return nil, fmt.Errorf("an RSA key's modulus and exponent must be odd, and the exponent at least %d", minExponent)
		}
		k.size = m.Size()
	case *ecdsa.PublicKey:
		if !slices.Contains([]elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()}, m.Curve) {
			return nil, reason.New("an EC key must be on P-256, P-384 or P-521")
		}
		k.size = 2 * coordinateSize(m.Curve)
	case ed25519.PublicKey:
		if !isSafePoint(m) {
			return nil, reason.New("an Ed25519 key must be canonical and not of small order: anybody could sign with it")
		}
		k.size = ed25519.SignatureSize
	default:
		return nil, fmt.Errorf("a key of type %T does not verify tokens", material)
	}
	return k, nil
}

// coordinateSize returns the size of one coordinate in bytes.
func coordinateSize(c elliptic.Curve) int { return (c.Params().BitSize + 7) / 8 }

// isSafePoint refuses two kinds of Ed25519 keys that crypto/ed25519 accepts. For
// points of small order, signatures can be made without a private key (RFC 8725,
// section 3.4). Points whose y is not below the field's prime are a second form of
// another key (RFC 8032, section 5.1.3). For the values see
// https://eprint.iacr.org/2020/1244, table 1.
func isSafePoint(k ed25519.PublicKey) bool {
	y := bytes.Clone(k)
	y[31] &= 0x7f // without the sign of x
	switch hex.EncodeToString(y) {
	case "0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f":
		return false
	}
	atLeastPrime := y[0] >= 0xed && y[31] == 0x7f && bytes.Count(y[1:31], []byte{0xff}) == 30
	return !atLeastPrime
}

// Fits reports whether k verifies signatures of the algorithm.
func (k *Key) Fits(alg string) bool {
	return (k.alg == "" || k.alg == alg) && accepts(alg, k.material)
}

// IsSecret reports whether k is a Secret.
func (k *Key) IsSecret() bool {
	_, ok := k.material.(Secret)
	return ok
}

// Verify reports whether signature is one of k over signed. k must fit alg.
func (k *Key) Verify(alg, signed string, signature []byte) bool {
	if k.size != 0 && len(signature) != k.size {
		return false
	}
	if public, ok := k.material.(ed25519.PublicKey); ok {
		return ed25519.Verify(public, []byte(signed), signature)
	}
	hash := hashOf(alg)
	h := hash.New()
	if secret, ok := k.material.(Secret); ok {
		h = hmac.New(hash.New, secret)
	}
	h.Write([]byte(signed))
	digest := h.Sum(nil)
	switch m := k.material.(type) {
	case Secret:
		return hmac.Equal(digest, signature)
	case *rsa.PublicKey:
		if strings.HasPrefix(alg, "PS") {
			return rsa.VerifyPSS(m, hash, digest, signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
		}
		return rsa.VerifyPKCS1v15(m, hash, digest, signature) == nil
	case *ecdsa.PublicKey: // r and s, one after the other (RFC 7518, section 3.4)
		r, s := signature[:k.size/2], signature[k.size/2:]
		return ecdsa.Verify(m, digest, new(big.Int).SetBytes(r), new(big.Int).SetBytes(s))
	default:
		return false
	}
}
