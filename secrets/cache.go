package secrets

import (
	"context"
	"errors"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/clock"
	"github.com/lambdarmor/lambdarmor/internal/flight"
	"github.com/lambdarmor/lambdarmor/internal/random"
)

// Cache keeps what a [Source] returned. It asks the source when a value is asked
// for; nothing runs in between. All methods are safe for concurrent use.
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

	begun atomic.Uint64 // number of the last fetch that began

	mu       sync.RWMutex // guards all below; never held during a fetch
	slots    map[Ref]*slot
	calls    map[Ref][]*call  // under way, oldest first
	deferred map[Ref]struct{} // to be fetched in the first invocation
	timeouts flight.Failures  // fetches in a row that the source did not answer in time
}

// New returns a cache of the values of src. It panics if src is nil.
func New(src Source, opts ...Option) *Cache {
	if src == nil {
		panic("secrets: New of a nil Source")
	}
	c := &Cache{
		src: src,
		ttl: 5 * time.Minute, maxStale: 15 * time.Minute, negativeTTL: 5 * time.Second,
		fetchTimeout: 2 * time.Second,
		jitter:       0.1,
		maxEntries:   1000,
		previous:     func(name string) Ref { return Ref{Name: name, Stage: "AWSPREVIOUS"} },
		random:       random.Float64,
		slots:        map[Ref]*slot{},
		calls:        map[Ref][]*call{},
		deferred:     map[Ref]struct{}{},
	}
	for _, opt := range opts {
		opt(c)
	}
	return c
}

// Get returns a secret: from the cache while it is fresh, otherwise from the
// source. While one call asks the source, others get the stale value, see
// [Secret.Stale]; without one they wait for the same fetch.
//
// The error is a [*guard.Error] that names the secret and matches the error of
// the source:
//
//   - Unavailable with code secret_unavailable and a RetryAfter for
//     [ErrUnavailable], if no stale value may be served;
//   - Internal with code secret_not_found, secret_denied or
//     secret_undecryptable for [ErrNotFound], [ErrDenied] and
//     [ErrUndecryptable], and secret_failed for any other answer.
//
// If ctx ends during a wait and nothing can be served, the error matches ctx.Err().
// Get ignores ctx unless it has to wait.
func (c *Cache) Get(ctx context.Context, name string, opts ...GetOption) (Secret, error) {
	ref, refresh := Ref{Name: name}, false
	for _, opt := range opts {
		opt.apply(&ref)
		refresh = refresh || opt.field == refreshed
	}
	if refresh {
		return c.get(ctx, ref, demand{fetch: c.entry(&ref).fetch + 1})
	}
	if secret, ok := c.fresh(&ref); ok {
		return secret, nil
	}
	return c.get(ctx, ref, demand{})
}

// fresh returns the value of ref if it needs no fetch.
func (c *Cache) fresh(ref *Ref) (Secret, bool) {
	e := c.entry(ref)
	return e.secret, !e.secret.IsZero() && e.isFresh(c.clock.Now())
}

func (c *Cache) get(ctx context.Context, ref Ref, d demand) (Secret, error) {
	got := c.getAll(ctx, []Ref{ref}, d)
	return got[0].secret, got[0].err
}

// Prefetch fetches the named secrets that are missing or expired, in one call of
// the source. The error joins the errors of [Cache.Get] for the names without a
// value; the other values are cached.
//
// If the source answers only during invocations, see [ErrOutsideInvocation], the
// names are fetched together with the first secret that an invocation asks for.
// That is no error here.
func (c *Cache) Prefetch(ctx context.Context, names ...string) error {
	var failed []error
	for _, got := range c.getAll(ctx, refsOf(names), demand{}) {
		if !errors.Is(got.err, ErrOutsideInvocation) {
			failed = append(failed, got.err)
		}
	}
	return errors.Join(failed...)
}

func refsOf(names []string) []Ref {
	refs := make([]Ref, len(names))
	for i, name := range names {
		refs[i].Name = name
	}
	return refs
}

// Invalidate drops the value of name, in every stage, if it has that version. Other
// versions are kept. With "" it drops every version, errors and backoff. A fetch
// that is under way returns its value to the waiting callers, and the value is not
// kept.
//
// The next Get asks the source and has no stale value to serve.
func (c *Cache) Invalidate(name, version string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.slots, func(ref Ref, s *slot) bool {
		return ref.Name == name && (version == "" || !s.secret.IsZero() && s.secret.Version() == version)
	})
	for ref, under := range c.calls {
		switch {
		case ref.Name != name:
		case version == "":
			delete(c.calls, ref)
		default:
			for _, at := range under {
				at.unwanted = append(at.unwanted, version)
			}
		}
	}
}

// Forget drops all values, errors and backoff, as if the cache were new. Fetches that
// are under way return their values to the callers that wait, and the values are not
// kept. It is a hook for [guard.OnRestore], which [Cache.Inject] has already: after a
// restore a value from before the snapshot is not even served stale.
func (c *Cache) Forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.slots)
	clear(c.calls)
	c.timeouts = flight.Failures{}
}
