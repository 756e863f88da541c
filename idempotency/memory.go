package idempotency

import (
	"bytes"
	"context"
	"sync"
	"time"
)

// MemoryStore keeps records in this process, for tests and local runs. Do not
// use it in production with several instances: each process has its own keys.
//
// Expired records are removed whenever the number of records has doubled.
type MemoryStore struct {
	mu      sync.Mutex // guards what follows
	records map[string]Record
	sweepAt int // the number of records at which expired ones are removed
	quotas  quotas
}

const minSweep = 1024

// NewMemoryStore returns an empty store.
func NewMemoryStore() *MemoryStore {
	return &MemoryStore{records: make(map[string]Record), sweepAt: minSweep}
}

// Claim implements [Store].
func (s *MemoryStore) Claim(ctx context.Context, r Record) (Record, error) {
	if err := ctx.Err(); err != nil {
		return Record{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := wallClock()
	held, found := s.records[r.Key]
	if found && held.Status != Completed && !held.Lease.After(now) {
		held.Status = Abandoned
	}
	switch {
	case !found, !held.Expires.After(now), r.TakesOver(held):
		r.Status, r.Result, r.NoResult = InProgress, nil, false
		s.records[r.Key] = r
		s.sweep(now)
		return Record{}, nil
	case held.Status != Completed && held.BelongsTo(r):
		return Record{}, nil
	default:
		held.Result = bytes.Clone(held.Result)
		return held, ErrHeld
	}
}

// Complete implements [Store].
func (s *MemoryStore) Complete(ctx context.Context, r Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	held := s.records[r.Key]
	if !held.BelongsTo(r) {
		return ErrLost
	}
	held.Status, held.Expires = Completed, r.Expires
	held.Result, held.NoResult = bytes.Clone(r.Result), r.NoResult
	s.records[r.Key] = held
	return nil
}

// Release implements [Store].
func (s *MemoryStore) Release(ctx context.Context, r Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	held, found := s.records[r.Key]
	switch {
	case !found, held.Owner == "" && held.Epoch == r.Epoch: // was released before
		return nil
	case held.Status == Completed || !held.BelongsTo(r):
		return ErrLost
	case held.Epoch > 1:
		held.Owner, held.Lease = "", time.Unix(0, 0)
		s.records[r.Key] = held
		return nil
	default:
		delete(s.records, r.Key)
		return nil
	}
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
	s.sweepAt = max(minSweep, 2*len(s.records))
}
