package jwt

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer/jwt/internal/jws"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

const (
	// maxBalancerKeys is how many keys of load balancers are kept.
	maxBalancerKeys = 16
	// balancerKidEvery is how often a key is fetched for an unknown kid. It is
	// more often than for a set, where one fetch brings all keys.
	balancerKidEvery = time.Second
)

// balancerKeys are the keys of load balancers. Each has a URI of its own.
type balancerKeys struct {
	fetcher *fetcher
	uri     string
	now     func() time.Time

	mu      sync.Mutex
	keys    map[string]*remoteKeys // kid → its key, or none yet
	unknown unknownKids
}

func newBalancerKeys(f *fetcher, uri string, now func() time.Time) *balancerKeys {
	return &balancerKeys{
		fetcher: f, uri: uri, now: now,
		keys: map[string]*remoteKeys{}, unknown: newUnknownKids(balancerKidEvery),
	}
}

func (b *balancerKeys) find(ctx context.Context, t *token) (*jws.Key, error) {
	r := b.known(t.kid)
	if r == nil {
		if err := t.plausible(); err != nil {
			return nil, err
		}
		var err error
		if r, err = b.add(t.kid); err != nil {
			return nil, err
		}
	}
	k, err := r.find(ctx, t)
	if errors.Is(err, jws.ErrNoUsableKey) {
		b.drop(t.kid, r)
		return nil, unknownKey()
	}
	return k, err
}

func (b *balancerKeys) trusts(k *jws.Key, now time.Time) bool {
	r := b.known(k.ID)
	return r != nil && r.trusts(k, now)
}

func (b *balancerKeys) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.keys)
	b.unknown = newUnknownKids(balancerKidEvery)
}

func (b *balancerKeys) known(kid string) *remoteKeys {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.keys[kid]
}

// add makes room for the key of a kid, unless it is too early to fetch it.
func (b *balancerKeys) add(kid string) (*remoteKeys, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r := b.keys[kid]; r != nil {
		return r, nil
	}
	now := b.now()
	if err := b.unknown.tooEarly(kid, now, nil); err != nil {
		return nil, err
	}
	b.unknown.Take(now)
	if len(b.keys) >= maxBalancerKeys {
		delete(b.keys, b.oldest())
	}
	r := newRemoteKeys(b.keyAt(kid), b.now)
	b.keys[kid] = r
	return r, nil
}

// oldest returns the kid whose key was fetched first, or never.
func (b *balancerKeys) oldest() (oldest string) {
	var first time.Time
	for kid, r := range b.keys {
		if at := r.fetchedAt(); oldest == "" || at.Before(first) {
			oldest, first = kid, at
		}
	}
	return oldest
}

func (b *balancerKeys) drop(kid string, r *remoteKeys) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.keys[kid] == r {
		delete(b.keys, kid)
	}
	b.unknown.noteAbsent(kid, b.now())
}

// keyAt returns the loader of one key, which is in PEM.
func (b *balancerKeys) keyAt(kid string) loader {
	uri := b.uri + kid
	return func(ctx context.Context) (*jws.Set, time.Duration, error) {
		body, age, err := b.fetcher.get(ctx, uri)
		var status statusError
		if errors.As(err, &status) && (status == http.StatusNotFound || status == http.StatusForbidden) {
			return nil, 0, fmt.Errorf("%w: %w", jws.ErrNoUsableKey, err)
		}
		if err != nil {
			return nil, 0, err
		}
		keys, err := jws.ParsePEM(body)
		if len(keys) > 1 {
			err = reason.New("there is more than one key")
		}
		if err != nil {
			return nil, 0, fmt.Errorf("get %s: %w", uri, err)
		}
		keys[0].ID = kid
		return jws.NewSet(keys...), age, nil
	}
}
