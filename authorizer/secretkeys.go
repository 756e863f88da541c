package authorizer

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/renewal"
	"github.com/lambdarmor/lambdarmor/secrets"
)

// shortestKey is the length from which a secret is taken for a random key.
const shortestKey = 16

// missBurst is how many unknown keys in a row are each worth a look at the source.
// It is more than a few clients with an old key send in ten seconds.
const missBurst = 5

// SecretKeys is a set of keys that a cache of secrets holds: whose is the key
// that the secret of a name is. Current and previous values are accepted, so a
// rotation locks nobody out. Hash is left empty. [JSONKeys] has many keys in one
// secret.
//
// For a key that is not known the secrets are fetched past the cache, so a key
// works a second after it was stored: five times in a row after a quiet time, then
// every 10 seconds. What is then still not known is nobody's key. An unknown key
// that comes more often is not judged, as it may be a new one: the error is
// Unavailable, api_keys_unavailable, which no gateway keeps.
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
	grants := make(map[string]*Grant, len(keys))
	for name, k := range keys {
		if name == "" || k.Hash != "" {
			panic("authorizer: SecretKeys with a key that has a hash, or a secret without a name")
		}
		g := k.grant()
		if err := g.Validate(); err != nil {
			panic(fmt.Sprintf("authorizer: SecretKeys: %s: %v", name, err))
		}
		grants[name] = g
	}
	return newSecretKeys(cache, slices.Sorted(maps.Keys(keys)), func(name, text string) ([]issued, error) {
		k, err := issue(text, grants[name])
		return []issued{k}, err
	})
}

// secretKeys are the keys that secrets have now.
type secretKeys struct {
	cache *secrets.Cache
	names []string
	read  func(name, text string) ([]issued, error) // the keys in a value of a secret
	anew  *renewal.Renewal
	now   func() time.Time
}

func newSecretKeys(cache *secrets.Cache, names []string, read func(name, text string) ([]issued, error)) *secretKeys {
	return &secretKeys{cache: cache, names: names, read: read, anew: renewal.New(cache, missBurst, names...), now: time.Now}
}

// issued is a key by its hash, as the time to compare keys tells how long they
// are, and whose it is.
type issued struct {
	sum   [sha256.Size]byte
	grant *Grant
}

func issue(key string, g *Grant) (issued, error) {
	if len(key) < shortestKey {
		return issued{}, fmt.Errorf("a key of less than %d bytes", shortestKey)
	}
	return issued{sha256.Sum256([]byte(key)), g}, nil
}

func (s *secretKeys) Find(ctx context.Context, key string) (*Grant, error) {
	g, err := s.find(ctx, key)
	if g != nil || err != nil || len(key) < shortestKey {
		return g, err
	}
	wait, failure := s.anew.Renew(ctx, s.now)
	if g, err = s.find(ctx, key); g != nil || err != nil {
		return g, err
	}
	if wait > 0 || failure != nil {
		return nil, &guard.Error{
			Kind: guard.Unavailable, Code: "api_keys_unavailable",
			Detail:     "Whether the API key is known cannot be found out at the moment.",
			RetryAfter: wait, Err: failure,
		}
	}
	return nil, nil
}

// find looks a key up among those that the cache has. Where one is there twice,
// the current value of a secret goes before the previous one.
func (s *secretKeys) find(ctx context.Context, key string) (*Grant, error) {
	var all []issued
	var failures []error
	for _, name := range s.names {
		current, previous, err := s.cache.Pair(ctx, name)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		keys, err := s.read(name, current.Text())
		if err != nil {
			failures = append(failures, &guard.Error{Kind: guard.Internal, Code: "api_key_malformed", Err: fmt.Errorf("authorizer: the secret %q: %w", name, err)})
			continue
		}
		if older, err := s.read(name, previous.Text()); err == nil { // a malformed one has been replaced
			all = append(all, older...)
		}
		all = append(all, keys...)
	}
	sum, found := sha256.Sum256([]byte(key)), -1
	for i := range all {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(sum[:], all[i].sum[:]), i, found)
	}
	if found >= 0 {
		return all[found].grant, nil
	}
	return nil, errors.Join(failures...)
}
