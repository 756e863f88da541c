package jwt

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/reason"
)

const (
	// maxBalancerKeys is how many keys of load balancers are kept.
	maxBalancerKeys = 16
	// balancerMissEvery is how often a key is fetched for an unknown kid. It is
	// more often than for a set, where any fetch brings all keys.
	balancerMissEvery = time.Second
)

// balancerKeys are the keys of load balancers. Each is at a URI of its own.
type balancerKeys struct {
	fetcher *fetcher
	uri     string
	now     func() time.Time

	mu struct {
		sync.Mutex
		keys   map[string]*remote // kid → a set of one key, or none yet
		misses misses
	}
}

func newBalancerKeys(f *fetcher, uri string, now func() time.Time) *balancerKeys {
	b := &balancerKeys{fetcher: f, uri: uri, now: now}
	b.mu.keys = map[string]*remote{}
	b.mu.misses.every = balancerMissEvery
	return b
}

func (b *balancerKeys) find(ctx context.Context, t *token, now time.Time) (*key, error) {
	r := b.known(t.kid)
	if r == nil {
		if err := t.plausible(); err != nil {
			return nil, err
		}
		var err error
		if r, err = b.add(t.kid, now); err != nil {
			return nil, err
		}
	}
	k, err := r.find(ctx, t, now)
	if errors.Is(err, errNoUsableKey) {
		b.drop(t.kid, r, now)
		return nil, unknownKey()
	}
	return k, err
}

func (b *balancerKeys) trusts(k *key, now time.Time) bool {
	r := b.known(k.id)
	return r != nil && r.trusts(k, now)
}

func (b *balancerKeys) known(kid string) *remote {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.mu.keys[kid]
}

// add makes room for the key of a kid, unless it is not to be asked for yet.
func (b *balancerKeys) add(kid string, now time.Time) (*remote, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r := b.mu.keys[kid]; r != nil {
		return r, nil
	}
	if wait := b.mu.misses.wait(kid, now); wait > 0 {
		return nil, notAsked(wait, nil)
	}
	b.mu.misses.take(now)
	if len(b.mu.keys) >= maxBalancerKeys {
		delete(b.mu.keys, b.oldest())
	}
	r := newRemote(b.load(kid), b.now)
	b.mu.keys[kid] = r
	return r, nil
}

// oldest is the kid whose key was fetched before the others, or never was.
func (b *balancerKeys) oldest() (kid string) {
	var at time.Time
	for other, r := range b.mu.keys {
		s := r.current.Load()
		if s == nil {
			return other
		}
		if kid == "" || s.at.Before(at) {
			kid, at = other, s.at
		}
	}
	return kid
}

func (b *balancerKeys) drop(kid string, r *remote, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.mu.keys[kid] == r {
		delete(b.mu.keys, kid)
	}
	b.mu.misses.note(kid, now)
}

// load gives the loader of one key, which is in PEM.
func (b *balancerKeys) load(kid string) loader {
	return func(ctx context.Context) (*keySet, time.Duration, error) {
		doc, err := b.fetcher.get(ctx, b.uri+kid)
		var status statusError
		if errors.As(err, &status) && (status == http.StatusNotFound || status == http.StatusForbidden) {
			return nil, 0, fmt.Errorf("%w: %w", errNoUsableKey, err)
		}
		if err != nil {
			return nil, 0, err
		}
		keys, err := parsePEM(doc.body)
		if err == nil && len(keys) > 1 {
			err = reason.New("there is more than one key")
		}
		if err != nil {
			return nil, 0, fmt.Errorf("get %s: %w", b.uri+kid, err)
		}
		k := keys[0]
		k.id, k.anyID = kid, false
		return newKeySet(keys), doc.age, nil
	}
}
