package jwt

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// A loader fetches keys, and tells for how long they may be used.
type loader func(ctx context.Context) (*keySet, time.Duration, error)

// Failed fetches hold back the next one: for a second, then for twice as long
// each time.
const (
	minBackoff = time.Second
	maxBackoff = 30 * time.Second
)

// A remote has keys that are elsewhere. They are fetched when a token needs it:
// when there are none yet, when they are old, or when a kid is not known. There
// is one fetch at a time, for all who wait.
type remote struct {
	load loader
	now  func() time.Time

	current atomic.Pointer[snapshot] // nil before the first fetch

	mu struct {
		sync.Mutex
		flight *flight
		misses misses
		failures
	}
}

// failures are fetches that failed, one after the other.
type failures struct {
	count int
	at    time.Time // when the last one was
	err   error     // why there was no answer the last time, nil if there was one
}

// fail adds one.
func (f *failures) fail(err error, now time.Time) {
	*f = failures{count: f.count + 1, at: now, err: err}
}

// backsOff reports whether it is too early for another try.
func (f *failures) backsOff(now time.Time) bool {
	if f.count == 0 {
		return false
	}
	wait := maxBackoff
	if doublings := f.count - 1; doublings < 5 {
		wait = minBackoff << doublings
	}
	return during(now, f.at, f.at.Add(wait))
}

// A snapshot is what a fetch brought.
type snapshot struct {
	*keySet
	at    time.Time // when
	fresh time.Time // until when it is used as it is
}

// missEvery is how often a set is fetched anew because of unknown kids.
const missEvery = 10 * time.Second

func newRemote(load loader, now func() time.Time) *remote {
	r := &remote{load: load, now: now}
	r.mu.misses.every = missEvery
	return r
}

// isFresh reports whether the keys are used without asking.
func (s *snapshot) isFresh(now time.Time) bool {
	return s != nil && during(now, s.at, s.fresh)
}

// isTrusted reports whether the keys are used when their issuer does not
// answer.
func (s *snapshot) isTrusted(now time.Time) bool {
	return s != nil && during(now, s.at, s.at.Add(hardAge))
}

func (r *remote) trusts(k *key, now time.Time) bool {
	s := r.current.Load()
	return s.isFresh(now) && s.has(k)
}

// errAsk is what decide says when only the issuer can tell.
var errAsk = reason.New("the issuer has to be asked")

func (r *remote) find(ctx context.Context, t *token, now time.Time) (*key, error) {
	if s := r.current.Load(); s.isFresh(now) {
		if k, err := s.pick(t.header); !errors.Is(err, errNoKey) {
			return k, err
		}
	}
	r.mu.Lock()
	k, err := r.decide(t.header)
	r.mu.Unlock()
	if err == nil || guard.KindOf(err) == guard.Unauthenticated {
		return k, err
	}
	// What would be refused anyway, like a token of another issuer, is not worth
	// a request, and nothing that an outage keeps from being verified.
	if err := t.plausible(); err != nil {
		return nil, err
	}
	if !errors.Is(err, errAsk) {
		return nil, err
	}
	k, joined, err := r.fetch(ctx, t.header)
	if joined && errors.Is(err, errAsk) {
		// What was under way may have been answered before the key was there.
		k, _, err = r.fetch(ctx, t.header)
	}
	if errors.Is(err, errAsk) {
		return nil, unknownKey()
	}
	return k, err
}

// fetch waits for a fetch, which was perhaps under way, and gives the key that
// is meant then. If that is still not known, the error is errAsk.
func (r *remote) fetch(ctx context.Context, h *header) (k *key, joined bool, err error) {
	f, joined, k, err := r.board(ctx, h)
	if f == nil {
		return k, false, err
	}
	err = r.wait(ctx, f)
	if s := r.current.Load(); s.isTrusted(r.now()) {
		if k, picked := s.pick(h); !errors.Is(picked, errNoKey) {
			return k, joined, picked
		}
	}
	if err != nil {
		return nil, joined, unavailable(err)
	}
	return nil, joined, errAsk
}

// decide gives the key that is meant, or why there is none, as far as that is
// known here; r.mu is held. Time may have passed since the token was read, and
// keys been fetched.
func (r *remote) decide(h *header) (*key, error) {
	now, s := r.now(), r.current.Load()
	k, err := (*key)(nil), errNoKey
	if s.isTrusted(now) {
		k, err = s.pick(h)
	}
	known := !errors.Is(err, errNoKey)
	switch {
	case known && s.isFresh(now):
		return k, err
	case r.mu.flight != nil:
		return nil, errAsk
	case r.mu.backsOff(now):
		if known {
			return k, err
		}
		return nil, unavailable(r.mu.err)
	case s.isFresh(now):
		if wait := r.mu.misses.wait(h.kid, now); wait > 0 {
			return nil, notAsked(wait, r.mu.err)
		}
	}
	return nil, errAsk
}
