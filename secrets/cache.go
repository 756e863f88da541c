package secrets

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/clock"
	"github.com/lambdarmor/lambdarmor/internal/flight"
)

// Cache keeps what a [Source] gave. It starts nothing by itself: the source is
// asked when a value is, as a frozen process would do nothing in between. All
// methods are safe for concurrent use.
type Cache struct {
	src Source

	ttl, maxStale, negativeTTL time.Duration
	fetchTimeout               time.Duration
	jitter                     float64
	maxEntries                 int
	onFetch                    func(context.Context, Fetch)
	onStale                    func(context.Context, StaleServe)
	previous                   func(name string) Ref
	clock                      clock.Clock
	random                     func() float64 // at least 0, less than 1

	seq atomic.Uint64 // number of the last fetch that began

	mu        sync.RWMutex // guards all below; held for no longer than a look
	table     *table
	calls     map[Ref][]call   // under way, in the order in which they began
	postponed map[Ref]struct{} // what its source could not be asked for yet, see ErrNotYet
	silences  flight.Failures  // calls that the source has not answered in time
}

// New makes a cache over src. It panics when src is nil or an option cannot be
// meant.
func New(src Source, opts ...Option) *Cache {
	if src == nil {
		panic("secrets: New of a nil Source")
	}
	c := &Cache{src: src, calls: map[Ref][]call{}, postponed: map[Ref]struct{}{}}
	c.setDefaults()
	for _, opt := range opts {
		opt(c)
	}
	c.table = newTable(c.maxEntries)
	return c
}

// Get gives a secret: one that was fetched before while it is fresh, else what
// the source says. While one call asks, the others that want the same wait for
// it, or get the value before it within MaxStale, see [Secret.Stale].
//
// The error is a [*guard.Error] that names the secret and matches what the
// source said:
//
//   - Unavailable with code secret_unavailable and a RetryAfter for
//     [ErrUnavailable]: the source could not be asked, and there is nothing
//     that may still be served;
//   - Internal with code secret_not_found, secret_denied or
//     secret_undecryptable for [ErrNotFound], [ErrDenied] and
//     [ErrUndecryptable], and secret_failed for any other answer.
//
// Only that of one whose ctx ends while it waits is the error of ctx. Without
// a wait ctx is not looked at.
func (c *Cache) Get(ctx context.Context, name string, opts ...GetOption) (Secret, error) {
	ref := Ref{Name: name}
	for _, opt := range opts {
		opt.apply(&ref)
	}
	if s := c.fresh(&ref); s != nil {
		return s.secret, nil
	}
	return c.get(ctx, ref, demand{})
}

// fresh is the state of ref if it has a fresh value, else nil.
func (c *Cache) fresh(ref *Ref) *state {
	s := c.state(ref)
	if s.secret.IsZero() || !clock.Within(c.clock.Now(), s.asked, s.fresh) {
		return nil
	}
	return s
}

// state is what is known of ref.
func (c *Cache) state(ref *Ref) *state {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.table.state(ref)
}

func (c *Cache) get(ctx context.Context, ref Ref, d demand) (Secret, error) {
	got := c.collect(ctx, []Ref{ref}, d)
	return got[0].Secret, got[0].err
}

// inOnStale is what the context of a hook has, which would otherwise be told
// without end of what it gets itself.
type inOnStale struct{ cache *Cache }

// serveStale gives a value past its TTL, and says so.
func (c *Cache) serveStale(ctx context.Context, ref *Ref, s *state, now time.Time) Secret {
	guard.AddAttrs(ctx, slog.String("staleSecret", ref.Name))
	err := s.failures.Err
	if err == nil {
		err = c.silence()
	}
	if in := (inOnStale{c}); c.onStale != nil && ctx.Value(in) == nil {
		c.onStale(context.WithValue(ctx, in, true), StaleServe{
			Ref: *ref, Version: s.secret.Version(), Age: now.Sub(s.asked), Err: err,
		})
	}
	stale := s.secret
	stale.stale = true
	return stale
}
