package idempotency

import (
	"bytes"
	"context"
	"math"
	"sync"
	"time"
)

// MemoryStore keeps records in this process: for tests, for a run on this
// machine, and where repeats that reach another process may run again.
//
// Expired records are swept a few at a time, by the claims themselves, so that
// none of them takes long: in the time in which n records are claimed, 2n are
// looked at. A store that is no longer used keeps what it has.
type MemoryStore struct {
	mu    sync.Mutex // guards table
	table *table
}

// NewMemoryStore makes an empty store.
func NewMemoryStore() *MemoryStore { return &MemoryStore{table: newTable()} }

// kept is a [Record] in little room. Times are in nanoseconds since 1970.
type kept struct {
	key, owner, fingerprint string
	epoch                   int64
	lease, expires          int64
	result                  []byte // never changed
	completed, noResult     bool
}

func (k *kept) expired(now int64) bool { return k.expires <= now }

func (k *kept) heldBy(r *Record) bool {
	return k.owner != "" && k.owner == r.Owner && k.epoch == r.Epoch
}

func (k *kept) record(now int64) Record {
	r := Record{
		Key: k.key, Owner: k.owner, Epoch: k.epoch, Fingerprint: k.fingerprint,
		Status: Completed, Lease: time.Unix(0, k.lease), Expires: time.Unix(0, k.expires),
		Result: bytes.Clone(k.result), NoResult: k.noResult,
	}
	switch {
	case k.completed:
	case k.lease <= now:
		r.Status = Abandoned
	default:
		r.Status = InProgress
	}
	return r
}

// wallClock is what leases and expiries are judged by: the monotonic clock may
// stop while the process is frozen.
func wallClock() time.Time { return time.Now().Round(0) }

// Claim implements [Store].
func (s *MemoryStore) Claim(ctx context.Context, r Record) (Record, error) {
	if err := ctx.Err(); err != nil {
		return Record{}, err
	}
	held, now, ok := s.claim(&r)
	if ok {
		return Record{}, nil
	}
	return held.record(now), ErrHeld
}

// claim gives what holds the key where it is not ours.
func (s *MemoryStore) claim(r *Record) (held kept, now int64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now = wallClock().UnixNano()
	s.table.sweep(now)
	switch old := s.table.find(r.Key); {
	case old == nil:
		s.table.add(claimed(r))
	case old.expired(now), !old.completed && old.lease <= now && old.epoch+1 == r.Epoch:
		s.table.replace(old, claimed(r))
	case !old.completed && old.heldBy(r):
	default:
		return old.kept, now, false
	}
	return kept{}, now, true
}

func claimed(r *Record) kept {
	return kept{
		key: r.Key, owner: r.Owner, epoch: r.Epoch, fingerprint: r.Fingerprint,
		lease: nanoseconds(r.Lease), expires: nanoseconds(r.Expires),
	}
}

// nanoseconds since 1970, up to the year 2262, in which a longer TTL ends too.
func nanoseconds(t time.Time) int64 {
	if last := time.Unix(0, math.MaxInt64); t.After(last) {
		return math.MaxInt64
	}
	return t.UnixNano()
}

// Complete implements [Store].
func (s *MemoryStore) Complete(ctx context.Context, r Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	result := bytes.Clone(r.Result)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.table.find(r.Key)
	if e == nil || !e.heldBy(&r) {
		return ErrLost
	}
	done := e.kept
	done.completed, done.expires = true, nanoseconds(r.Expires)
	done.result, done.noResult = result, r.NoResult
	s.table.replace(e, done)
	return nil
}

// Release implements [Store].
func (s *MemoryStore) Release(ctx context.Context, r Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e := s.table.find(r.Key); {
	case e == nil, e.owner == "" && e.epoch == r.Epoch:
		return nil
	case e.completed || !e.heldBy(&r):
		return ErrLost
	case e.epoch > 1:
		e.owner, e.lease = "", 0
		return nil
	default:
		s.table.remove(e)
		return nil
	}
}
