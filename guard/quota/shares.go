package quota

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/clock"
	"github.com/lambdarmor/lambdarmor/internal/flight"
)

const (
	// maxShares limits the memory, since callers choose the keys.
	maxShares = 4096
	// patience is how long a request waits for the store.
	patience = 2 * time.Second
	// grace is how long a store keeps a counter after its window, for processes
	// whose clocks are behind.
	grace = 5 * time.Minute
)

// pause is how long a key is not asked for after the store has failed.
var pause = flight.Backoff{First: 100 * time.Millisecond, Longest: patience}

// shares are what this process has taken from the store and not used yet.
type shares struct {
	store Counter
	clock clock.Clock

	mu    sync.Mutex // guards what follows, and the shares but for their turns
	byKey map[string]*share
}

// share is a part of one window's quota of one key.
type share struct {
	turn     chan struct{} // is full while a request asks the store
	end      time.Time     // of the window
	took     int64         // from the store
	unused   int64         // of that
	asked    bool
	others   int64 // what the store had left when it was last asked
	failures flight.Failures
}

// spent is what became of one request at one policy. If it is neither ok nor refused,
// only the store knows.
type spent struct {
	ok      bool // the request may pass
	refused bool
	asked   bool  // the store has been, so left is known
	left    int64 // as far as this process knows
	from    *share
}

// spend takes one request from the share of a key that this process holds. The error
// is that of the store, which is not asked for a while.
func (s *shares) spend(key string, end time.Time) (spent, error) {
	return s.spendFrom(s.find(key, end))
}

// take takes one request from the share of a key, and a new share from the store if
// that is used up.
func (s *shares) take(ctx context.Context, p *Policy, key string, end time.Time) (spent, error) {
	of := s.find(key, end)
	select {
	case of.turn <- struct{}{}:
		defer func() { <-of.turn }()
	case <-ctx.Done():
		return spent{}, fmt.Errorf("quota: take a share: %w", ctx.Err())
	}
	if got, err := s.spendFrom(of); got.ok || got.refused || err != nil {
		return got, err
	}
	return s.refill(ctx, p, key, of)
}

// find returns the share of a key, which is empty if it is new.
func (s *shares) find(key string, end time.Time) *share {
	s.mu.Lock()
	defer s.mu.Unlock()
	of := s.byKey[key]
	if of == nil {
		s.makeRoom()
		of = &share{turn: make(chan struct{}, 1), end: end}
		s.byKey[key] = of
	}
	return of
}

// makeRoom drops shares if there are too many: those of windows that have ended,
// and then any, up to a quarter. What is unused of a dropped share is lost.
func (s *shares) makeRoom() {
	if len(s.byKey) < maxShares {
		return
	}
	now := s.clock.Now()
	for key, of := range s.byKey {
		if !of.end.After(now) {
			delete(s.byKey, key)
		}
	}
	for key := range s.byKey {
		if len(s.byKey) <= maxShares*3/4 {
			return
		}
		delete(s.byKey, key)
	}
}

// forget drops all shares: after a restore from a snapshot other processes hold them
// too. What is unused of them is lost.
func (s *shares) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.byKey)
}

func (s *shares) spendFrom(of *share) (spent, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := of.spend()
	if !got.ok && !got.refused && of.failures.Hold(s.clock.Now()) {
		return spent{}, of.failures.Err
	}
	return got, nil
}

func (of *share) spend() spent {
	got := spent{ok: of.unused > 0, asked: of.asked, from: of}
	if got.ok {
		of.unused--
	}
	got.left = of.unused + of.others
	got.refused = !got.ok && of.asked && of.others == 0
	return got
}

// refill takes a share from the store: half as much as this process has taken so far,
// and at most a tenth of the limit. So a process that few requests reach holds few:
// never more than half of what it has used.
func (s *shares) refill(ctx context.Context, p *Policy, key string, of *share) (spent, error) {
	s.mu.Lock()
	want := min(of.took/2+1, p.share())
	s.mu.Unlock()
	timed, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	took, used, err := s.store.Take(timed, key, want, p.limit, of.end.Add(grace))

	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		err = fmt.Errorf("quota: take a share: %w", err)
		if ctx.Err() == nil { // otherwise it says nothing about the store
			of.failures = of.failures.And(err, s.clock.Now(), pause)
		}
		return spent{}, err
	}
	of.failures, of.asked = flight.Failures{}, true
	of.took += took
	of.unused += took
	of.others = max(0, p.limit-used)
	if took == 0 {
		of.others = 0
	}
	return of.spend(), nil
}

// giveBack returns what a request has taken that must not pass.
func (s *shares) giveBack(got spent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	got.from.unused++
}
