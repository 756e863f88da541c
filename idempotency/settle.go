package idempotency

import (
	"context"
	"sync"
	"time"
)

// settling is the context in which an attempt is settled. It outlives the one
// of the handler, which may be over, but does not keep the caller waiting for a
// store that does not answer: 2 s at most, and no more than half of the time
// that is left, so that a success can still be answered.
//
// It starts a timer only when someone waits for it, which a store in memory
// does not.
type settling struct {
	context.Context // the handler's, of which only the values count
	end             time.Time

	mu     sync.Mutex // guards what follows
	waited context.Context
	cancel context.CancelFunc
}

func settlingOf(ctx context.Context, now time.Time) *settling {
	return settlingWithin(ctx, now, 2*time.Second, 2)
}

// commitOf is longer: a commit is the effect itself, worth waiting for while
// others are in its way, and there is no success to answer without it.
func commitOf(ctx context.Context, now time.Time) *settling {
	return settlingWithin(ctx, now, 15*time.Second, 3)
}

// settlingWithin takes so many quarters of the time that is left.
func settlingWithin(ctx context.Context, now time.Time, most, quarters time.Duration) *settling {
	const least = 200 * time.Millisecond
	budget := most
	if end, ok := ctx.Deadline(); ok && end.UnixMilli() > 0 {
		budget = max(least, min(most, end.Sub(now)/4*quarters))
	}
	return &settling{Context: ctx, end: now.Add(budget)}
}

func (s *settling) Deadline() (time.Time, bool) { return s.end, true }

func (s *settling) Done() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waited == nil {
		s.waited, s.cancel = context.WithDeadline(context.WithoutCancel(s.Context), s.end)
	}
	return s.waited.Done()
}

func (s *settling) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.waited != nil:
		return s.waited.Err()
	case time.Now().After(s.end):
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// stop lets go of the timer.
func (s *settling) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cancel != nil {
		s.cancel()
	}
}
