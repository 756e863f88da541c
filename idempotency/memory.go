package idempotency

import (
	"bytes"
	"context"
	"sync"
	"time"
)

// MemoryStore keeps records in this process: for tests and for a run on this
// machine. It is not for production with several instances, as each process has
// its own keys.
//
// Records that have expired are removed when their number may have doubled, so
// that a store holds about twice the records that count.
type MemoryStore struct {
	mu      sync.Mutex // guards what follows
	records map[string]Record
	sweepAt int // so many records are swept
}

// leastSwept is how many records a store has before it is swept at all.
const leastSwept = 1024

// NewMemoryStore makes an empty store.
func NewMemoryStore() *MemoryStore {
	return &MemoryStore{records: make(map[string]Record), sweepAt: leastSwept}
}

// wallClock is what leases and expiries are judged by: the monotonic clock may
// stop while the process is frozen.
func wallClock() time.Time { return time.Now().Round(0) }

// Claim implements [Store].
func (s *MemoryStore) Claim(ctx context.Context, r Record) (Record, error) {
	if err := ctx.Err(); err != nil {
		return Record{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := wallClock()
	old, there := s.records[r.Key]
	if there && old.Status != Completed && !old.Lease.After(now) {
		old.Status = Abandoned
	}
	switch {
	case !there, !old.Expires.After(now), old.Status == Abandoned && old.Epoch+1 == r.Epoch && match(&old, &r) == nil:
		r.Status, r.Result, r.NoResult = InProgress, nil, false
		s.records[r.Key] = r
		s.sweep(now)
		return Record{}, nil
	case old.Status != Completed && holds(&old, &r):
		return Record{}, nil
	default:
		old.Result = bytes.Clone(old.Result)
		return old, ErrHeld
	}
}

// Complete implements [Store].
func (s *MemoryStore) Complete(ctx context.Context, r Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.records[r.Key]
	if !holds(&old, &r) {
		return ErrLost
	}
	old.Status, old.Expires = Completed, r.Expires
	old.Result, old.NoResult = bytes.Clone(r.Result), r.NoResult
	s.records[r.Key] = old
	return nil
}

// Release implements [Store].
func (s *MemoryStore) Release(ctx context.Context, r Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old, there := s.records[r.Key]
	switch {
	case !there, old.Owner == "" && old.Epoch == r.Epoch:
		return nil
	case old.Status == Completed || !holds(&old, &r):
		return ErrLost
	case old.Epoch > 1:
		old.Owner, old.Lease = "", time.Unix(0, 0)
		s.records[r.Key] = old
		return nil
	default:
		delete(s.records, r.Key)
		return nil
	}
}

// holds reports whether a record is that of an attempt.
func holds(held, attempt *Record) bool {
	return held.Owner != "" && held.Owner == attempt.Owner && held.Epoch == attempt.Epoch
}

func (s *MemoryStore) sweep(now time.Time) {
	if len(s.records) < s.sweepAt {
		return
	}
	for key, r := range s.records {
		if !r.Expires.After(now) {
			delete(s.records, key)
		}
	}
	s.sweepAt = max(leastSwept, 2*len(s.records))
}
