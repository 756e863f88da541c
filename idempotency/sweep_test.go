package idempotency

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// claimed makes n claims, whose records count for as long as lasts.
func claimed(t *testing.T, s *MemoryStore, prefix string, n int, lasts time.Duration) {
	t.Helper()
	now := wallClock()
	for i := range n {
		r := Record{Key: fmt.Sprint(prefix, i), Owner: "o", Epoch: 1, Lease: now.Add(lasts), Expires: now.Add(lasts)}
		if held, err := s.Claim(t.Context(), r); err != nil {
			t.Fatalf("claim %d: %v, held by %+v", i, err, held)
		}
	}
}

func TestExpiredRecordsAreRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewMemoryStore()
		const live, rounds, each = 3000, 20, 1000
		claimed(t, s, "live-", live, time.Hour)
		for round := range rounds {
			claimed(t, s, fmt.Sprintf("round-%d-", round), each, time.Second)
			time.Sleep(time.Second)
		}
		if got, most := len(s.records), 2*(live+each)+1; got < live || got > most {
			t.Errorf("%d records, want %d to %d", got, live, most)
		}
		for i := range live {
			if _, ok := s.records[fmt.Sprint("live-", i)]; !ok {
				t.Fatalf("record %d is gone before its time", i)
			}
		}
	})
}
