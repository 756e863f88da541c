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

// Cache keeps what a [Source] returned. Nothing runs between calls: the source is
// asked when a value is. All methods are safe for concurrent use.
type Cache struct {
	src Source

	ttl, maxStale, negativeTTL time.Duration
	fetchTimeout               time.Duration
	jitter                     float64
	maxEntries                 int
	onFetch                    func(context.Context, FetchReport)
	onStale                    func(context.Context, StaleReport)
	previous                   func(name string) Ref
	clock                      clock.Clock
	random                     func() float64 // at least 0, less than 1

	seq atomic.Uint64 // number of the last fetch that began

	mu        sync.RWMutex // guards all below; held for no longer than a look
	table     *table
	calls     map[Ref][]call   // under way, in the order in which they began
	postponed map[Ref]struct{} // what its source could not be asked for yet, see ErrOutsideInvocation
	silences  flight.Failures  // calls that the source has not answered in time
}

// New returns a cache over src. It panics if src is nil.
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

// Get returns a secret: the cached one while it is fresh, otherwise what the
// source says. While one call asks, others that want the same are served the
// stale value, see [Secret.Stale]; if there is none they wait for the same fetch.
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
// If ctx ends during a wait and nothing can be served, the error is that of ctx.
// Without a wait ctx is not looked at.
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

// inOnStale is what the context of a hook has, which would otherwise be called
// without end for what it gets itself.
type inOnStale struct{ cache *Cache }

// serveStale returns a value past its TTL, and says so.
func (c *Cache) serveStale(ctx context.Context, ref *Ref, s *state, now time.Time) Secret {
	guard.AddAttrs(ctx, slog.String("staleSecret", ref.Name))
	err := s.failures.Err
	if err == nil {
		err = c.silence()
	}
	if in := (inOnStale{c}); c.onStale != nil && ctx.Value(in) == nil {
		c.onStale(context.WithValue(ctx, in, true), StaleReport{
			Ref: *ref, Version: s.secret.Version(), Age: now.Sub(s.asked), Err: err,
		})
	}
	stale := s.secret
	stale.stale = true
	return stale
}
