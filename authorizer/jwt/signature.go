package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
)

// verify reports whether signature is k's over signed, by an algorithm that k
// fits.
func (k *key) verify(a Algorithm, signed, signature []byte) bool {
	if k.size != 0 && len(signature) != k.size {
		return false
	}
	s := a.scheme()
	switch m := k.material.(type) {
	case *rsa.PublicKey:
		if s.verify == byPSS {
			salt := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
			return rsa.VerifyPSS(m, s.hash, digest(s.hash, signed), signature, salt) == nil
		}
		return rsa.VerifyPKCS1v15(m, s.hash, digest(s.hash, signed), signature) == nil
	case *ecdsa.PublicKey:
		var der [2*(4+66) + 3]byte
		return ecdsa.VerifyASN1(m, digest(s.hash, signed), appendASN1(der[:0], signature))
	case ed25519.PublicKey:
		return ed25519.Verify(m, signed, signature)
	case secret:
		mac := hmac.New(s.hash.New, m)
		mac.Write(signed)
		return hmac.Equal(mac.Sum(nil), signature)
	default:
		return false
	}
}

func digest(h crypto.Hash, data []byte) []byte {
	switch h {
	case crypto.SHA384:
		sum := sha512.Sum384(data)
		return sum[:]
	case crypto.SHA512:
		sum := sha512.Sum512(data)
		return sum[:]
	default:
		sum := sha256.Sum256(data)
		return sum[:]
	}
}

// appendASN1 turns the two numbers of an ECDSA signature, one after the other
// as JWS has them (RFC 7518, section 3.4), into the form that crypto/ecdsa
// takes.
func appendASN1(der, signature []byte) []byte {
	half := len(signature) / 2
	r, s := positive(signature[:half]), positive(signature[half:])
	length := 4 + len(r) + len(s)
	if r[0] >= 0x80 {
		length++
	}
	if s[0] >= 0x80 {
		length++
	}
	der = append(der, 0x30)
	if length >= 0x80 {
		der = append(der, 0x81)
	}
	der = append(der, byte(length))
	der = appendInteger(der, r)
	return appendInteger(der, s)
}

func appendInteger(der, n []byte) []byte {
	if n[0] >= 0x80 { // or it would be a negative one
		return append(append(der, 0x02, byte(len(n)+1), 0), n...)
	}
	return append(append(der, 0x02, byte(len(n))), n...)
}

// positive is a number without the zeros before it, of one byte at least.
func positive(n []byte) []byte {
	for len(n) > 1 && n[0] == 0 {
		n = n[1:]
	}
	return n
}
