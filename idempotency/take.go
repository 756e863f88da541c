package idempotency

import (
	"context"
	"time"
)

// Take implements the Counter of package guard/quota. Counters are kept beside the
// records, under keys of their own.
func (s *MemoryStore) Take(ctx context.Context, key string, want, limit int64, expires time.Time) (took, used int64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	took, used = s.quotas.take(key, want, limit, expires)
	return took, used, nil
}

// quotas are what is used of quotas, by key. The zero value is empty.
type quotas struct {
	byKey   map[string]quota
	sweepAt int // the number of quotas at which expired ones are removed
}

type quota struct {
	used    int64
	expires time.Time
}

func (q *quotas) take(key string, want, limit int64, expires time.Time) (took, used int64) {
	now := wallClock()
	held := q.byKey[key]
	if !held.expires.After(now) {
		held.used = 0
	}
	took = max(0, min(want, limit-held.used))
	held.used += took
	held.expires = expires
	if q.byKey == nil {
		q.byKey, q.sweepAt = make(map[string]quota), minSweep
	}
	q.byKey[key] = held
	if len(q.byKey) >= q.sweepAt {
		q.sweep(now)
	}
	return took, min(held.used, limit)
}

func (q *quotas) sweep(now time.Time) {
	for key, held := range q.byKey {
		if !held.expires.After(now) {
			delete(q.byKey, key)
		}
	}
	q.sweepAt = max(minSweep, 2*len(q.byKey))
}
