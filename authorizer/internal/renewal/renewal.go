// Package renewal fetches keys again when a caller sends an unknown one, so that a
// new key works at once. It limits these fetches, so that junk cannot overload the
// source.
package renewal

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/flight"
	"github.com/lambdarmor/lambdarmor/secrets"
)

// Every is the period in which one renewal is allowed.
const Every = 10 * time.Second

// A Renewal renews the secrets that hold one set of keys.
type Renewal struct {
	cache *secrets.Cache
	names []string

	begun  atomic.Uint64 // number of renewals
	turn   chan struct{} // held while the fields below are used
	budget flight.Budget
	err    error // of the last renewal
}

// New returns a Renewal that allows burst renewals in a row after a quiet time.
func New(cache *secrets.Cache, burst int, names ...string) *Renewal {
	return &Renewal{
		cache: cache, names: names, turn: make(chan struct{}, 1),
		budget: flight.Budget{Every: Every, Burst: burst},
	}
}

// Renew fetches the secrets past the cache, and returns why one of them could not
// be fetched. It shares a renewal that began after the call. If none is allowed
// yet it returns the time to wait. The cache keeps its values, and may have newer
// ones in any case.
func (r *Renewal) Renew(ctx context.Context, now func() time.Time) (wait time.Duration, err error) {
	seen := r.begun.Load()
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	if r.begun.Load() > seen {
		return 0, r.err
	}
	at := now().Round(0)
	if wait := r.budget.Wait(at); wait > 0 {
		return wait, nil
	}
	r.budget.Take(at)
	r.begun.Add(1)
	failures := make([]error, len(r.names))
	for i, name := range r.names {
		failures[i] = fetchAgain(ctx, r.cache, name)
	}
	r.err = errors.Join(failures...)
	return 0, r.err
}

// fetchAgain fetches a secret past the cache: it reports the cached value as wrong,
// once.
func fetchAgain(ctx context.Context, c *secrets.Cache, name string) error {
	rejected := false
	_, err := secrets.Try(ctx, c, name, func(context.Context, secrets.Secret) (struct{}, error) {
		if rejected {
			return struct{}{}, nil
		}
		rejected = true
		return struct{}{}, secrets.ErrRejected
	})
	if err == secrets.ErrRejected { // alone: it was fetched, and is the same
		return nil
	}
	return err
}
