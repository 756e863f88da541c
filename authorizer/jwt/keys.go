package jwt

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"slices"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// Keys say where the keys that verify tokens come from. The zero value finds them
// by OpenID Connect Discovery: on first use it reads the issuer's document
// .well-known/openid-configuration.
type Keys struct {
	set *keySet
	uri string
}

// JWKS returns the keys of the JWK Set at an https URI, which is fetched on first
// use. It panics if uri is not an https URI.
func JWKS(uri string) Keys {
	if err := checkURI(uri); err != nil {
		panic("jwt: JWKS: " + err.Error())
	}
	return Keys{uri: uri}
}

// StaticJWKS returns the keys of a JWK Set that is part of the program: for tests,
// and where no issuer can be reached. It ignores entries that cannot verify
// tokens, such as encryption keys. It panics if none is left, or if the text is
// not a JWK Set.
func StaticJWKS(jwks []byte) Keys {
	set, err := parseKeySet(jwks)
	if err != nil {
		panic("jwt: StaticJWKS: " + err.Error())
	}
	return Keys{set: set}
}

// PEM returns the public keys of PEM blocks of type PUBLIC KEY (PKIX). They have
// no kid, so the kid of a token is ignored. PEM panics if there is no key or
// anything else, and if two keys are for the same algorithm: use [StaticJWKS] for
// those.
func PEM(blocks []byte) Keys {
	keys, err := parsePEM(blocks)
	if err != nil {
		panic("jwt: PEM: " + err.Error())
	}
	set := &keySet{keys: keys, ignoreKid: true}
	for _, a := range defaultAlgorithms() {
		if _, err := set.pick("", a); err != nil && !errors.Is(err, errUnknownKid) {
			panic("jwt: PEM: two keys are for " + string(a) + ", and have no kid")
		}
	}
	return Keys{set: set}
}

// SharedSecret returns a key of the HS algorithms. It must be as long as their
// hash: 32 bytes for HS256. Everybody who verifies with it can also sign with it,
// so use it only for tokens that no other party reads. It panics on less than 32
// bytes.
func SharedSecret(secret []byte) Keys {
	if len(secret) < HS256.hash().Size() {
		panic("jwt: SharedSecret: the secret must have at least 32 bytes")
	}
	k := &key{material: sharedSecret(bytes.Clone(secret))}
	return Keys{set: &keySet{keys: []*key{k}, ignoreKid: true}}
}

// isSecret reports whether k is a SharedSecret.
func (k Keys) isSecret() bool {
	if k.set == nil {
		return false
	}
	_, ok := k.set.keys[0].material.(sharedSecret)
	return ok
}

func parsePEM(data []byte) ([]*key, error) {
	var keys []*key
	for data = bytes.TrimSpace(data); len(data) > 0; data = bytes.TrimSpace(data) {
		block, rest := pem.Decode(data)
		read := data[:len(data)-len(rest)]
		// The decoder skips what it cannot read before a block.
		if block == nil || block.Type != "PUBLIC KEY" || bytes.LastIndex(read, []byte("-----BEGIN ")) != 0 {
			return nil, reason.New("there must be blocks of PUBLIC KEY, and nothing else")
		}
		material, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, reason.New("a block is not a public key")
		}
		k, err := newKey(material)
		if err != nil {
			return nil, err
		}
		keys, data = append(keys, k), rest
	}
	if len(keys) == 0 {
		return nil, reason.New("there is no key")
	}
	return keys, nil
}

// A keySet has the keys of one issuer. It never changes.
type keySet struct {
	keys      []*key
	ignoreKid bool // the keys have no ids, and tokens may have any kid
}

// pick returns the one key that a token can mean: exactly one of those with its
// kid, or of all if it has none, must fit its algorithm. It never tries several.
// The error is errUnknownKid if a newer set may have the key.
func (s *keySet) pick(kid string, alg Algorithm) (*key, error) {
	var found *key
	named := false // a key has the kid
	for _, k := range s.keys {
		if kid != "" && !s.ignoreKid && k.id != kid {
			continue
		}
		named = kid != ""
		if !k.fits(alg) {
			continue
		}
		if found != nil {
			return nil, refuse(codeUnknownKey, "More than one key could have signed the token.")
		}
		found = k
	}
	switch {
	case found != nil:
		return found, nil
	case named:
		return nil, refuse(codeAlgorithm, "The token's algorithm does not fit its key.")
	default:
		return nil, errUnknownKid
	}
}

// find implements keySource for keys that never change.
func (s *keySet) find(_ context.Context, t *token) (*key, error) {
	k, err := s.pick(t.kid, t.alg)
	if err == errUnknownKid {
		return nil, unknownKey()
	}
	return k, err
}

func (s *keySet) trusts(k *key, _ time.Time) bool { return slices.Contains(s.keys, k) }
