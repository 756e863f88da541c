// Package renewal fetches secrets past their cache when what is in it does not
// fit what a caller has sent, so that a key which was changed just now is known
// just now, and so that callers who send junk wear nothing out.
package renewal

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/lambdarmor/lambdarmor/secrets"
)

// Every is in what time one more renewal is allowed.
const Every = 10 * time.Second

// Renewal is of the secrets that one set of keys is in.
type Renewal struct {
	cache *secrets.Cache
	names []string
	burst time.Duration // what may be ahead of the clock

	begun atomic.Uint64 // how many there were
	turn  chan struct{} // is held by who writes what follows
	spent time.Time     // when all that was taken is allowed again
	err   error         // how the last one ended
}

// New makes one of which so many may follow on each other after a quiet time.
func New(cache *secrets.Cache, burst int, names ...string) *Renewal {
	return &Renewal{cache: cache, names: names, burst: time.Duration(burst-1) * Every, turn: make(chan struct{}, 1)}
}

// Renew fetches the secrets past the cache. If that is not allowed yet, wait is for
// how long; it is 0 if they were fetched after the call had begun, by this call or
// by another, and err is then why one of them could not be. What was known stays
// known, and may have become newer in any case.
func (r *Renewal) Renew(ctx context.Context, clock func() time.Time) (wait time.Duration, err error) {
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
	now := clock().Round(0)
	ahead := max(r.spent.Sub(now), 0)
	if ahead > r.burst+Every { // the clock was set back
		ahead = 0
	}
	if ahead > r.burst {
		return ahead - r.burst, nil
	}
	r.spent = now.Add(ahead + Every)
	r.begun.Add(1)
	failures := make([]error, len(r.names))
	for i, name := range r.names {
		failures[i] = fetchAnew(ctx, r.cache, name)
	}
	r.err = errors.Join(failures...)
	return 0, r.err
}

// fetchAnew fetches a secret past the cache.
func fetchAnew(ctx context.Context, c *secrets.Cache, name string) error {
	first := true
	_, err := secrets.Try(ctx, c, name, func(context.Context, secrets.Secret) (struct{}, error) {
		if first {
			first = false
			return struct{}{}, secrets.ErrRejected
		}
		return struct{}{}, nil
	})
	if err == secrets.ErrRejected { // alone: it was fetched, and is the same
		return nil
	}
	return err
}
