package apikey

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/authorizer/internal/renewal"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/secrets"
)

// shortestKey is the minimal length of a key, in bytes.
const shortestKey = 16

// missBurst is how many unknown keys in a row cause a fetch each. It allows for a
// few clients with an old key.
const missBurst = 5

// Secrets verifies keys that are secrets: keys has a grant for the name of each
// secret, and the value of the secret is the key. [JSON] has many keys in one secret.
//
// The current and the previous value of a secret are accepted, so a rotation locks
// nobody out. If a key is the current value of one secret and the previous value of
// another, the current one counts. A key that has leaked is refused only after two changes.
//
// For an unknown key the secrets are fetched again, so a new key works a second
// after it was stored. This happens for five unknown keys in a row, then once every
// 10 seconds. A key that is still unknown is refused. Between these fetches an
// unknown key may be a new one, so the error is Unavailable, with the code
// api_keys_unavailable. No gateway stores it.
//
// A secret that cannot be read is an error, unless another one has the key.
// Secrets panics if cache is nil, a name is empty, or a grant is invalid.
func Secrets(cache *secrets.Cache, keys map[string]authorizer.Grant) authorizer.Verifier {
	if cache == nil {
		panic("apikey: Secrets without a cache")
	}
	grants := make(map[string]*authorizer.Grant, len(keys))
	for name, g := range keys {
		if name == "" {
			panic("apikey: Secrets with an empty name")
		}
		grants[name] = copied("Secrets", name, g)
	}
	return newStored(cache, slices.Sorted(maps.Keys(keys)), func(name, text string) ([]entry, error) {
		e, err := newEntry(text, grants[name])
		return []entry{e}, err
	})
}

// stored verifies the keys that secrets have now.
type stored struct {
	cache   *secrets.Cache
	names   []string
	read    func(name, text string) ([]entry, error) // the keys in the value of a secret
	renewal *renewal.Renewal
}

func newStored(cache *secrets.Cache, names []string, read func(name, text string) ([]entry, error)) *stored {
	return &stored{cache: cache, names: names, read: read, renewal: renewal.New(cache, missBurst, names...)}
}

func newEntry(key string, g *authorizer.Grant) (entry, error) {
	if len(key) < shortestKey {
		return entry{}, fmt.Errorf("a key of less than %d bytes", shortestKey)
	}
	return entry{sha256.Sum256([]byte(key)), g}, nil
}

func (s *stored) Verify(ctx context.Context, key string) (*authorizer.Grant, error) {
	g, err := s.find(ctx, key)
	if g != nil || err != nil {
		return g, err
	}
	if len(key) < shortestKey { // never a key
		return nil, errUnknown
	}
	wait, failure := s.renewal.Renew(ctx, time.Now)
	if g, err = s.find(ctx, key); g != nil || err != nil {
		return g, err
	}
	if wait > 0 || failure != nil {
		return nil, &guard.Error{
			Kind: guard.Unavailable, Code: "api_keys_unavailable", RetryAfter: wait, Err: failure,
			Detail: "It cannot be found out at the moment whether the API key is known.",
		}
	}
	return nil, errUnknown
}

// find looks up a key in the cached secrets. The current values of all secrets go
// before the previous ones.
func (s *stored) find(ctx context.Context, key string) (*authorizer.Grant, error) {
	var previously, currently []entry
	var failures []error
	for _, name := range s.names {
		current, previous, err := s.cache.Pair(ctx, name)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		entries, err := s.read(name, current.Text())
		if err != nil {
			failures = append(failures, &guard.Error{Kind: guard.Internal, Code: "api_key_malformed", Err: fmt.Errorf("apikey: the secret %q: %w", name, err)})
			continue
		}
		if older, err := s.read(name, previous.Text()); err == nil { // a malformed one was replaced for that
			previously = append(previously, older...)
		}
		currently = append(currently, entries...)
	}
	if g := find(append(previously, currently...), sha256.Sum256([]byte(key))); g != nil {
		return g, nil
	}
	return nil, errors.Join(failures...)
}
