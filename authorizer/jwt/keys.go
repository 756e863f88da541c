package jwt

import (
	"bytes"
	"context"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer/jwt/internal/jws"
)

// Keys say where the keys that verify tokens come from. The zero value finds them
// by OpenID Connect Discovery: on first use it reads the issuer's document
// .well-known/openid-configuration.
type Keys struct {
	set *jws.Set // nil if they are fetched
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
	set, err := jws.ParseSet(jwks)
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
	keys, err := jws.ParsePEM(blocks)
	if err != nil {
		panic("jwt: PEM: " + err.Error())
	}
	set := jws.NewUnnamedSet(keys...)
	for _, a := range defaultAlgorithms() {
		if _, err := set.Pick("", string(a)); err == jws.ErrAmbiguous {
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
	if len(secret) < 32 {
		panic("jwt: SharedSecret: the secret must have at least 32 bytes")
	}
	return Keys{set: jws.NewSecretSet(bytes.Clone(secret))}
}

// isSecret reports whether k is a SharedSecret.
func (k Keys) isSecret() bool { return k.set != nil && k.set.IsSecret() }

// staticKeys never change.
type staticKeys struct{ *jws.Set }

func (s staticKeys) find(_ context.Context, t *token) (*jws.Key, error) {
	k, err := pick(s.Set, t)
	if err == jws.ErrUnknownKid {
		return nil, unknownKey()
	}
	return k, err
}

func (s staticKeys) trusts(k *jws.Key, _ time.Time) bool { return s.Has(k) }

func (s staticKeys) forget() {}

// pick returns the key of t. The error is [jws.ErrUnknownKid] or a refusal.
func pick(s *jws.Set, t *token) (*jws.Key, error) {
	k, err := s.Pick(t.kid, string(t.alg))
	switch err {
	case jws.ErrAmbiguous:
		return nil, refuse(codeUnknownKey, "More than one key could have signed the token.")
	case jws.ErrOtherAlgorithm:
		return nil, refuse(codeAlgorithm, "The token's algorithm does not fit its key.")
	}
	return k, err
}
