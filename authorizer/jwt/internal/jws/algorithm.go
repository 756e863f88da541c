// Package jws verifies the signatures of compact JWS (RFC 7515) on the standard
// library, with keys that it has checked first. It is the part of package jwt that
// decides who has signed a token.
package jws

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

// accepts reports whether material can be a key of the algorithm. It is false for
// every algorithm that is not named here.
func accepts(alg string, material any) bool {
	switch m := material.(type) {
	case *rsa.PublicKey:
		return slices.Contains(rsaAlgorithms(), alg)
	case *ecdsa.PublicKey:
		return m.Curve == curveOf(alg)
	case ed25519.PublicKey:
		return isEd25519(alg)
	case Secret:
		return IsHMAC(alg) && len(m) >= hashOf(alg).Size()
	default:
		return false
	}
}

func rsaAlgorithms() []string {
	return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
}

// curveOf returns the curve of an ECDSA algorithm, and nil for another one.
func curveOf(alg string) elliptic.Curve {
	switch alg {
	case "ES256":
		return elliptic.P256()
	case "ES384":
		return elliptic.P384()
	case "ES512":
		return elliptic.P521()
	default:
		return nil
	}
}

// isEd25519 knows both names of the algorithm (RFC 8037 and RFC 9864).
func isEd25519(alg string) bool { return alg == "EdDSA" || alg == "Ed25519" }

// IsHMAC reports whether the key of an algorithm is a secret.
func IsHMAC(alg string) bool { return alg == "HS256" || alg == "HS384" || alg == "HS512" }

// IsKnown reports whether signatures of an algorithm can be verified here.
func IsKnown(alg string) bool {
	return IsHMAC(alg) || curveOf(alg) != nil || slices.Contains(rsaAlgorithms(), alg) || isEd25519(alg)
}

// hashOf returns the hash of an algorithm other than Ed25519.
func hashOf(alg string) crypto.Hash {
	switch {
	case strings.HasSuffix(alg, "384"):
		return crypto.SHA384
	case strings.HasSuffix(alg, "512"):
		return crypto.SHA512
	default:
		return crypto.SHA256
	}
}
