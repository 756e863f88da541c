package jws

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/lambdarmor/lambdarmor/internal/reason"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// Bounds of a key set.
const (
	MaxDepth = 16
	MaxNodes = 20_000
	maxKeys  = 64  // entries, usable or not
	MaxID    = 256 // of a kid, in bytes
)

// ErrNoUsableKey is the error of a key set without a key that can be used.
var ErrNoUsableKey = reason.New("no key that can be used")

// ParseSet reads a JWK Set (RFC 7517, section 5). It ignores entries that are
// not well-formed public keys for signatures of a known kind. It returns an error
// if no entry is left, or if the text is not a set in strict JSON.
func ParseSet(data []byte) (*Set, error) {
	var set struct {
		Keys []jsontext.Value `json:"keys"`
	}
	err := strictjson.Check(data, MaxDepth, MaxNodes)
	if err == nil {
		err = strictjson.Unmarshal(data, &set, strictjson.Options{})
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("key set: %w", err)
	case set.Keys == nil: // perhaps an error message in JSON
		return nil, reason.New("key set: it must have keys")
	case len(set.Keys) > maxKeys:
		return nil, fmt.Errorf("key set: more than %d keys", maxKeys)
	}
	var keys []*Key
	var unusable error
	for i, entry := range set.Keys {
		if k, err := parseJWK(entry); err != nil {
			unusable = errors.Join(unusable, fmt.Errorf("key %d: %w", i, err))
		} else {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("key set: %w", errors.Join(ErrNoUsableKey, unusable))
	}
	return NewSet(keys...), nil
}

// jwk is a JSON Web Key (RFC 7517, section 4; RFC 7518, section 6; RFC 8037,
// section 2). Certificates in it are ignored.
type jwk struct {
	Kty    string   `json:"kty"`
	Use    string   `json:"use"`
	KeyOps []string `json:"key_ops"`
	Alg    string   `json:"alg"`
	Kid    string   `json:"kid"`
	Crv    string   `json:"crv"`
	N      string   `json:"n"`
	E      string   `json:"e"`
	X      string   `json:"x"`
	Y      string   `json:"y"`
	D      string   `json:"d"`
	K      string   `json:"k"`
}

func parseJWK(data []byte) (*Key, error) {
	var j jwk
	if err := strictjson.Unmarshal(data, &j, strictjson.Options{}); err != nil {
		return nil, err
	}
	switch {
	case j.D != "" || j.K != "":
		return nil, reason.New("it is not public")
	case j.Use != "" && j.Use != "sig":
		return nil, reason.New("its use is not sig")
	case j.KeyOps != nil && !slices.Contains(j.KeyOps, "verify"):
		return nil, reason.New("its key_ops do not include verify")
	case len(j.Kid) > MaxID:
		return nil, reason.New("its kid is too long")
	}
	material, err := j.material()
	if err != nil {
		return nil, err
	}
	k, err := newKey(material)
	if err != nil {
		return nil, err
	}
	k.ID, k.alg = j.Kid, j.Alg
	if k.alg != "" && !accepts(k.alg, material) {
		return nil, reason.New("its alg is not known, or not for such a key")
	}
	return k, nil
}

func (j *jwk) material() (any, error) {
	x, okX := Unpadded.Decode(j.X)
	y, okY := Unpadded.Decode(j.Y)
	switch j.Kty {
	case "RSA":
		n, okN := Unpadded.Decode(j.N)
		e, okE := Unpadded.Decode(j.E)
		exponent := new(big.Int).SetBytes(e)
		if !okN || !okE || exponent.BitLen() > 31 {
			return nil, reason.New("n and e of an RSA key must be base64url, and e less than 2^31")
		}
		return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent.Int64())}, nil
	case "EC":
		curve := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}[j.Crv]
		if curve == nil {
			return nil, reason.New("an EC key must be on P-256, P-384 or P-521")
		}
		if size := coordinateSize(curve); !okX || !okY || len(x) != size || len(y) != size {
			return nil, fmt.Errorf("x and y of a key on %s must be base64url of %d bytes", j.Crv, size)
		}
		uncompressed := slices.Concat([]byte{4}, x, y) // SEC 1, section 2.3.3
		return ecdsa.ParseUncompressedPublicKey(curve, uncompressed)
	case "OKP":
		if j.Crv != "Ed25519" || !okX || len(x) != ed25519.PublicKeySize {
			return nil, reason.New("an OKP key must be an Ed25519 key of 32 bytes in base64url")
		}
		return ed25519.PublicKey(x), nil
	default:
		return nil, reason.New("its kty is not RSA, EC or OKP")
	}
}
