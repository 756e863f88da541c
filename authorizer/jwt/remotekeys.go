package jwt

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer/jwt/internal/jws"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/clock"
	"github.com/lambdarmor/lambdarmor/internal/flight"
)

const (
	// hardAge is when fetched keys are no longer trusted. Expired keys are used
	// until then if the issuer does not answer.
	hardAge = 24 * time.Hour
	// unknownKidEvery is how often a key set is fetched because of unknown kids.
	unknownKidEvery = 10 * time.Second
)

// loadTimeout is longer than any load, as the fetcher limits each document itself.
const loadTimeout = time.Hour

// backoff is the pause after failed fetches.
func backoff() flight.Backoff { return flight.Backoff{First: time.Second, Longest: 30 * time.Second} }

// A loader fetches keys, and returns how long they may be used.
type loader func(ctx context.Context) (*jws.Set, time.Duration, error)

// remoteKeys are fetched when a token needs them: when there are none yet, when
// they are too old, or when its kid is not known. All callers share one fetch.
type remoteKeys struct {
	load loader
	now  func() time.Time

	mu       sync.Mutex
	current  *snapshot // nil before the first answer
	fetching *fetch    // nil if no fetch is under way
	failures flight.Failures
	unknown  unknownKids
}

// A snapshot is the answer to a fetch. It never changes.
type snapshot struct {
	*jws.Set
	at    time.Time
	fresh time.Time // until when the keys are used without another fetch
}

func (s *snapshot) isFresh(now time.Time) bool {
	return s != nil && clock.Within(now, s.at, s.fresh)
}

func (s *snapshot) isTrusted(now time.Time) bool {
	return s != nil && clock.Within(now, s.at, s.at.Add(hardAge))
}

// A fetch is under way.
type fetch struct {
	*flight.Flight
	token *token // that began it
}

func newRemoteKeys(load loader, now func() time.Time) *remoteKeys {
	return &remoteKeys{load: load, now: now, unknown: newUnknownKids(unknownKidEvery)}
}

func (r *remoteKeys) trusts(k *jws.Key, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.current.isFresh(now) && r.current.Has(k)
}

func (r *remoteKeys) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.current, r.fetching, r.failures = nil, nil, flight.Failures{}
	r.unknown = newUnknownKids(unknownKidEvery)
}

// fetchedAt returns when the keys were fetched, zero if never.
func (r *remoteKeys) fetchedAt() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current == nil {
		return time.Time{}
	}
	return r.current.at
}

func (r *remoteKeys) find(ctx context.Context, t *token) (*jws.Key, error) {
	r.mu.Lock()
	k, err := r.decide(t)
	r.mu.Unlock()
	if err == nil || guard.KindOf(err) == guard.Unauthenticated {
		return k, err
	}
	// A token that is refused in any case causes no fetch, and is refused in an
	// outage too.
	if err := t.plausible(); err != nil {
		return nil, err
	}
	old := true
	for try := 0; try < 2 && old && err == errMustFetch; try++ {
		// A fetch that was under way may be older than the key: then fetch again.
		k, old, err = r.fetch(ctx, t)
	}
	if err == errMustFetch {
		return nil, unknownKey()
	}
	return k, err
}

// decide returns the key of t, or why there is none, or errMustFetch. r.mu is
// held.
func (r *remoteKeys) decide(t *token) (*jws.Key, error) {
	now := r.now()
	k, err := (*jws.Key)(nil), error(jws.ErrUnknownKid)
	if r.current.isTrusted(now) {
		k, err = pick(r.current.Set, t)
	}
	known, fresh := err != jws.ErrUnknownKid, r.current.isFresh(now)
	switch {
	case known && fresh:
		return k, err
	case r.fetching != nil:
		return nil, errMustFetch
	case r.failures.Hold(now) && known:
		return k, err
	case r.failures.Hold(now):
		return nil, unavailable(r.failures.Err, r.failures.Retry.Sub(now))
	case fresh:
		if err := r.unknown.tooEarly(t.kid, now, r.failures.Err); err != nil {
			return nil, err
		}
	}
	return nil, errMustFetch
}

// fetch waits for a fetch, and reports whether that is old: it was under way already,
// or its keys were forgotten. It returns the key of t if there is one then, and
// errMustFetch if it is still not known.
func (r *remoteKeys) fetch(ctx context.Context, t *token) (k *jws.Key, old bool, err error) {
	r.mu.Lock()
	if k, err := r.decide(t); err != errMustFetch { // others may have fetched meanwhile
		r.mu.Unlock()
		return k, false, err
	}
	f, leave, joined := r.board(ctx, t)
	r.mu.Unlock()
	if f.Wait(ctx) {
		err = f.Err()
	} else {
		leave()
		err = context.Cause(ctx)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current.isTrusted(r.now()) {
		if k, picked := pick(r.current.Set, t); picked != jws.ErrUnknownKid {
			return k, joined, picked
		}
	}
	if err != nil {
		return nil, joined, unavailable(err, 0)
	}
	forgotten := r.current == nil // what was fetched is of the time before
	return nil, joined || forgotten, errMustFetch
}

// board joins the fetch that is under way, or begins one. r.mu is held.
func (r *remoteKeys) board(ctx context.Context, t *token) (f *fetch, leave func(), joined bool) {
	if r.fetching != nil {
		if leave := r.fetching.Board(ctx); leave != nil {
			return r.fetching, leave, true
		}
	}
	if now := r.now(); r.current.isFresh(now) {
		r.unknown.Take(now)
	}
	f = &fetch{token: t}
	r.fetching = f
	f.Flight, leave = flight.Start(ctx, ctx, loadTimeout, func(ctx context.Context) (err error) {
		set, age := (*jws.Set)(nil), time.Duration(0)
		err = flight.ErrEnded // if load does not return
		defer func() { r.land(ctx, f, set, age, err) }()
		set, age, err = r.load(ctx)
		return err
	})
	return f, leave, false
}

// land stores the result of f, unless another fetch has begun since.
func (r *remoteKeys) land(ctx context.Context, f *fetch, set *jws.Set, age time.Duration, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fetching != f {
		return
	}
	r.fetching = nil
	now := r.now()
	if err == nil {
		r.current, r.failures = &snapshot{Set: set, at: now, fresh: now.Add(age)}, flight.Failures{}
		if _, err := pick(set, f.token); err == jws.ErrUnknownKid {
			r.unknown.noteAbsent(f.token.kid, now)
		}
		return
	}
	// A fetch that all callers have left is no failure of the issuer. It counts as
	// one if time was short and there are known keys: otherwise each caller would
	// wait for a slow issuer.
	gaveUp := ctx.Err() != nil
	outOfTime := errors.Is(context.Cause(ctx), context.DeadlineExceeded)
	if gaveUp && !(outOfTime && r.current.isTrusted(now)) {
		r.failures.Err = err
		return
	}
	r.failures = r.failures.And(err, now, backoff())
	if errors.Is(err, jws.ErrNoUsableKey) { // an answer: the issuer has withdrawn all keys
		r.current = nil
	}
}
