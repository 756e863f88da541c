package jws

import (
	"slices"

	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// A Set has the keys of one issuer. It must not be changed.
type Set struct {
	keys      []*Key
	ignoreKid bool
}

// NewSet returns a set of keys that are found by their kid.
func NewSet(keys ...*Key) *Set { return &Set{keys: keys} }

// NewUnnamedSet returns a set of keys without kid: the kid of a token is ignored.
func NewUnnamedSet(keys ...*Key) *Set { return &Set{keys: keys, ignoreKid: true} }

// NewSecretSet returns a set of one secret.
func NewSecretSet(secret Secret) *Set { return NewUnnamedSet(&Key{material: secret}) }

// Errors of [Set.Pick].
var (
	// ErrUnknownKid: a newer set may have the key.
	ErrUnknownKid = reason.New("no key of the set has the token's kid")
	// ErrOtherAlgorithm: the key with the kid is not for the algorithm.
	ErrOtherAlgorithm = reason.New("the key is for another algorithm")
	// ErrAmbiguous: several keys have the kid and are for the algorithm.
	ErrAmbiguous = reason.New("several keys could have signed")
)

// Pick returns the only key that fits the algorithm among the keys with the token's
// kid, or among all keys if it has none. If several fit, it returns an error and
// tries none.
func (s *Set) Pick(kid, alg string) (*Key, error) {
	var found *Key
	named := false // a key has the kid
	for _, k := range s.keys {
		if kid != "" && !s.ignoreKid && k.ID != kid {
			continue
		}
		named = kid != ""
		if !k.Fits(alg) {
			continue
		}
		if found != nil {
			return nil, ErrAmbiguous
		}
		found = k
	}
	switch {
	case found != nil:
		return found, nil
	case named:
		return nil, ErrOtherAlgorithm
	default:
		return nil, ErrUnknownKid
	}
}

// Has reports whether k itself is in the set.
func (s *Set) Has(k *Key) bool { return slices.Contains(s.keys, k) }

// CanVerify reports whether one of the keys fits the algorithm.
func (s *Set) CanVerify(alg string) bool {
	return slices.ContainsFunc(s.keys, func(k *Key) bool { return k.Fits(alg) })
}

// IsSecret reports whether the set has a secret.
func (s *Set) IsSecret() bool { return s.keys[0].IsSecret() }
