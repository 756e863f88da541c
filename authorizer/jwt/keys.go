package jwt

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"slices"

	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// Keys are where the keys come from that tokens are verified with. The zero
// value finds them by OpenID Connect Discovery at the issuer: from the document
// .well-known/openid-configuration, on first use.
type Keys struct {
	set *keySet
	uri string
}

// JWKS are the keys of the JWK Set at an https URI, which is fetched on first
// use. It panics when uri is not one.
func JWKS(uri string) Keys {
	if err := checkURI(uri); err != nil {
		panic("jwt: JWKS: " + err.Error())
	}
	return Keys{uri: uri}
}

// KeySet are the keys of a JWK Set that comes with the program: for tests, and
// where no issuer can be reached. Entries that are of no use here, like keys to
// encrypt with, are passed over. It panics when the set holds no other, or is
// not one.
func KeySet(jwks []byte) Keys {
	set, err := parseKeySet(jwks)
	if err != nil {
		panic("jwt: KeySet: " + err.Error())
	}
	return Keys{set: set}
}

// PEM are public keys in PKIX form: blocks of PUBLIC KEY. They have no kid, so a
// token may name any. It panics on blocks of another type, when there is none, and
// when two are for the same algorithm: no token could say which of them it means,
// as it can of a [KeySet].
func PEM(blocks []byte) Keys {
	keys, err := parsePEM(blocks)
	if err != nil {
		panic("jwt: PEM: " + err.Error())
	}
	for _, a := range oneOfEach() {
		without := slices.DeleteFunc(slices.Clone(keys), func(k *key) bool { return k.fits(a) })
		if len(keys)-len(without) > 1 {
			panic("jwt: PEM: two keys are for " + string(a) + ", and have no kid")
		}
	}
	return Keys{set: newKeySet(keys)}
}

// Secret is the key of the HS algorithms, with at least as many bytes as their
// hash has: 32 for HS256. Whoever verifies with it can sign with it too, so it
// is only for tokens that nobody else reads. It panics on fewer than 32 bytes.
func Secret(shared []byte) Keys {
	if len(shared) < HS256.scheme().hash.Size() {
		panic("jwt: Secret: a key must have at least 32 bytes")
	}
	k := &key{material: secret(bytes.Clone(shared)), anyID: true}
	return Keys{set: newKeySet([]*key{k})}
}

func parsePEM(data []byte) ([]*key, error) {
	var keys []*key
	for data = bytes.TrimSpace(data); len(data) > 0; data = bytes.TrimSpace(data) {
		block, rest := pem.Decode(data)
		read := data[:len(data)-len(rest)]
		// What it cannot read before a block is passed over by the decoder.
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
		k.anyID = true
		keys, data = append(keys, k), rest
	}
	if len(keys) == 0 {
		return nil, reason.New("there is no key")
	}
	return keys, nil
}

// isSecret reports whether k is a Secret.
func (k Keys) isSecret() bool {
	if k.set == nil {
		return false
	}
	_, ok := k.set.keys[0].material.(secret)
	return ok
}
