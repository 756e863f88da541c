package idempotency

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestCountersExpireAndAreRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewMemoryStore()
		take := func(key string, lasts time.Duration) int64 {
			t.Helper()
			took, _, err := s.Take(t.Context(), key, 1, 1, time.Now().Add(lasts))
			if err != nil {
				t.Fatal(err)
			}
			return took
		}
		take("live", time.Hour)
		if got := take("live", time.Hour); got != 0 {
			t.Errorf("took %d above the limit", got)
		}
		const rounds, each = 20, 1000
		for round := range rounds {
			for i := range each {
				take(fmt.Sprint(round, " ", i), time.Second)
			}
			time.Sleep(time.Second)
		}
		if got, most := len(s.quotas.byKey), 2*each+minSweep; got > most {
			t.Errorf("got %d counters, want at most %d", got, most)
		}
		if got := take("live", time.Hour); got != 0 {
			t.Errorf("the counter was gone before its time: took %d", got)
		}
		time.Sleep(time.Hour)
		if got := take("live", time.Hour); got != 1 {
			t.Errorf("took %d once the counter had expired, want 1", got)
		}
	})
}

func TestCountersAndRecordsShareNoKeys(t *testing.T) {
	s := NewMemoryStore()
	claimed(t, s, "k", 1, time.Hour)
	if took, used, err := s.Take(t.Context(), "k0", 1, 1, time.Now().Add(time.Hour)); took != 1 || used != 1 || err != nil {
		t.Errorf("got %d, used %d, %v, want 1, used 1", took, used, err)
	}
}
