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

// Bounds of a key set as it is written, and of an issuer's metadata.
const (
	maxSetDepth = 16
	maxSetNodes = 20_000
)

// errNoUsableKey is a set that is one, and has no key in it that verifies.
var errNoUsableKey = reason.New("no key that can be used")

// parseKeySet reads a JWK Set (RFC 7517, section 5). An entry that is not a
// public key for signatures, of a kind that is known here and as it should be,
// is passed over. No entry that is left is an error, as is any text that is not
// a set in strict JSON.
func parseKeySet(data []byte) (*keySet, error) {
	var set struct {
		Keys []jsontext.Value `json:"keys"`
	}
	err := decodeBounded(data, &set)
	switch {
	case err != nil:
		return nil, fmt.Errorf("key set: %w", err)
	case set.Keys == nil: // of an error in JSON, too
		return nil, reason.New("key set: it must have keys")
	case len(set.Keys) > maxKeys:
		return nil, fmt.Errorf("key set: more than %d keys", maxKeys)
	}
	var keys []*key
	var unusable error
	for i, entry := range set.Keys {
		k, err := parseJWK(entry)
		if err != nil {
			unusable = errors.Join(unusable, fmt.Errorf("key %d: %w", i, err))
			continue
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("key set: %w", errors.Join(errNoUsableKey, unusable))
	}
	return newKeySet(keys), nil
}

// decodeBounded decodes what an issuer has answered.
func decodeBounded(data []byte, v any) error {
	if err := strictjson.Check(data, maxSetDepth, maxSetNodes); err != nil {
		return err
	}
	return strictjson.Unmarshal(data, v, strictjson.Options{})
}

// jwk is a JSON Web Key (RFC 7517, section 4; RFC 7518, section 6; RFC 8037,
// section 2). Certificates in it are not looked at.
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
		return nil, reason.New("its key_ops do not have verify")
	case len(j.Kid) > maxKeyID:
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
	if j.Alg != "" && !k.alg.scheme().takes(material) {
		return nil, reason.New("its alg is not known, or not for such a key")
	}
	return k, nil
}

func (j *jwk) material() (any, error) {
	switch j.Kty {
	case "RSA":
		return j.rsa()
	case "EC":
		return j.ec()
	case "OKP":
		x, ok := unpadded.appendDecoded(nil, []byte(j.X))
		if j.Crv != "Ed25519" || !ok || len(x) != ed25519.PublicKeySize {
			return nil, reason.New("an OKP key must be one of Ed25519")
		}
		return ed25519.PublicKey(x), nil
	default:
		return nil, reason.New("its kty is not RSA, EC or OKP")
	}
}

func (j *jwk) rsa() (any, error) {
	n, okN := unpadded.appendDecoded(nil, []byte(j.N))
	e, okE := unpadded.appendDecoded(nil, []byte(j.E))
	exponent := new(big.Int).SetBytes(e)
	if !okN || !okE || exponent.BitLen() > 31 {
		return nil, reason.New("n and e of an RSA key must be base64url, and e less than 2^31")
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent.Int64())}, nil
}

func (j *jwk) ec() (any, error) {
	curves := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}
	curve, ok := curves[j.Crv]
	if !ok {
		return nil, reason.New("an EC key must be on P-256, P-384 or P-521")
	}
	x, okX := unpadded.appendDecoded(nil, []byte(j.X))
	y, okY := unpadded.appendDecoded(nil, []byte(j.Y))
	if size := coordinate(curve); !okX || !okY || len(x) != size || len(y) != size {
		return nil, fmt.Errorf("x and y of a key on %s must be base64url of %d bytes", j.Crv, coordinate(curve))
	}
	point := slices.Concat([]byte{4}, x, y) // uncompressed (SEC 1, section 2.3.3)
	return ecdsa.ParseUncompressedPublicKey(curve, point)
}
