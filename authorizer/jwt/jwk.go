package jwt

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

// Bounds of a key set and of an issuer's metadata.
const (
	maxSetDepth = 16
	maxSetNodes = 20_000
	maxKeys     = 64 // entries of a set, usable or not
)

// parseKeySet reads a JWK Set (RFC 7517, section 5). It ignores entries that are
// not well-formed public keys for signatures of a known kind. It returns an error
// if no entry is left, or if the text is not a set in strict JSON.
func parseKeySet(data []byte) (*keySet, error) {
	var set struct {
		Keys []jsontext.Value `json:"keys"`
	}
	err := unmarshalBounded(data, &set)
	switch {
	case err != nil:
		return nil, fmt.Errorf("key set: %w", err)
	case set.Keys == nil: // perhaps an error message in JSON
		return nil, reason.New("key set: it must have keys")
	case len(set.Keys) > maxKeys:
		return nil, fmt.Errorf("key set: more than %d keys", maxKeys)
	}
	var keys []*key
	var unusable error
	for i, entry := range set.Keys {
		if k, err := parseJWK(entry); err != nil {
			unusable = errors.Join(unusable, fmt.Errorf("key %d: %w", i, err))
		} else {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("key set: %w", errors.Join(errNoUsableKey, unusable))
	}
	return &keySet{keys: keys}, nil
}

// unmarshalBounded decodes what an issuer has answered.
func unmarshalBounded(data []byte, v any) error {
	if err := strictjson.Check(data, maxSetDepth, maxSetNodes); err != nil {
		return err
	}
	return strictjson.Unmarshal(data, v, strictjson.Options{})
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

func parseJWK(data []byte) (*key, error) {
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
	case len(j.Kid) > maxKid:
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
	k.id, k.alg = j.Kid, Algorithm(j.Alg)
	if k.alg != "" && !k.alg.accepts(material) {
		return nil, reason.New("its alg is not known, or not for such a key")
	}
	return k, nil
}

func (j *jwk) material() (any, error) {
	x, okX := unpadded.decode(j.X)
	y, okY := unpadded.decode(j.Y)
	switch j.Kty {
	case "RSA":
		n, okN := unpadded.decode(j.N)
		e, okE := unpadded.decode(j.E)
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
