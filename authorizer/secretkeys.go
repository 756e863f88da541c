package authorizer

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/secrets"
)

// shortestKey is the length from which a secret is taken for a random key.
const shortestKey = 16

// SecretKeys is a set of keys that a cache of secrets holds: whose is the key
// that the secret of a name is. Current and previous values are accepted, so a
// rotation locks nobody out; the cache knows of a new one when its TTL is over,
// so a key is handed out after that. Hash is left empty.
//
// The previous value stays accepted until the secret is changed again: a key that
// has leaked is refused only after two changes.
//
// Each look-up compares with all of the keys. A secret that cannot be read is an
// error, unless the key belongs to another one.
func SecretKeys(cache *secrets.Cache, keys map[string]Key) KeySet {
	if cache == nil {
		panic("authorizer: SecretKeys without a cache")
	}
	set := &secretKeys{cache: cache}
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		k := keys[name]
		if name == "" || k.Hash != "" {
			panic("authorizer: SecretKeys with a key that has a hash, or a secret without a name")
		}
		g := k.grant()
		if err := g.Validate(); err != nil {
			panic(fmt.Sprintf("authorizer: SecretKeys: %s: %v", name, err))
		}
		set.names, set.grants = append(set.names, name), append(set.grants, g)
	}
	return set
}

type secretKeys struct {
	cache  *secrets.Cache
	names  []string
	grants []*Grant
}

func (s *secretKeys) Find(ctx context.Context, key string) (*Grant, error) {
	sum := sha256.Sum256([]byte(key))
	found := -1
	var failures []error
	for i, name := range s.names {
		current, previous, err := s.cache.Pair(ctx, name)
		if err == nil && len(current.Text()) < shortestKey {
			err = &guard.Error{Kind: guard.Internal, Code: "api_key_malformed", Err: fmt.Errorf("authorizer: the secret %q is too short for a key", name)}
		}
		if err != nil {
			failures = append(failures, err)
			continue
		}
		match := matches(sum, current)
		if len(previous.Text()) >= shortestKey {
			match |= matches(sum, previous)
		}
		found = subtle.ConstantTimeSelect(match, i, found)
	}
	if found >= 0 {
		return s.grants[found], nil
	}
	return nil, errors.Join(failures...)
}

// matches compares hashes, as the time to compare keys tells how long they are.
func matches(sum [sha256.Size]byte, secret secrets.Secret) int {
	other := sha256.Sum256([]byte(secret.Text()))
	return subtle.ConstantTimeCompare(sum[:], other[:])
}
