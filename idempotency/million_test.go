package idempotency

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"
	"time"
)

func filled(n int, expires time.Time, result []byte) *MemoryStore {
	s := NewMemoryStore()
	for i := range n {
		s.table.add(kept{
			key: fmt.Sprintf("%043d", i), owner: fmt.Sprintf("%026d", i), fingerprint: fmt.Sprintf("%043d", -i), epoch: 1,
			expires: expires.UnixNano(), completed: true, result: slices.Clone(result),
		})
	}
	return s
}

func newRecord(i int) Record {
	now := wallClock()
	return Record{Key: fmt.Sprintf("new-%d", i), Owner: "o", Epoch: 1, Lease: now.Add(time.Minute), Expires: now.Add(time.Hour)}
}

func TestExpiredRecordsAreSweptAFewAtATime(t *testing.T) {
	const n = 100_000
	s := filled(n, wallClock().Add(-time.Minute), nil)
	most, claims := 0, 0
	for ; s.table.entries > claims && claims < n; claims++ {
		before := s.table.entries
		if _, err := s.Claim(t.Context(), newRecord(claims)); err != nil {
			t.Fatal(err)
		}
		most = max(most, before+1-s.table.entries)
	}
	// Two buckets, which hold one record each on average.
	if most > 32 {
		t.Errorf("one claim has removed %d records", most)
	}
	if claims > n*6/10 {
		t.Errorf("after %d claims there are %d records", claims, s.table.entries)
	}
}

// What is left in a bucket is swept when its own time comes, also where that has
// come closer.
func TestRecordsAreSweptWhenTheirTimeComes(t *testing.T) {
	const n = 1000
	start := wallClock()
	s := NewMemoryStore()
	for i := range n {
		r := newRecord(i)
		r.Lease, r.Expires = start.Add(time.Hour), start.Add(time.Duration(1+i%4)*time.Hour)
		if _, err := s.Claim(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if i%4 == 3 {
			r.Expires = start.Add(90 * time.Minute)
			if err := s.Complete(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, at := range []struct {
		after time.Duration
		left  int
	}{{0, n}, {time.Hour, n * 3 / 4}, {90 * time.Minute, n / 2}, {2 * time.Hour, n / 4}, {3 * time.Hour, 0}} {
		for range s.table.buckets {
			s.table.sweep(start.Add(at.after).UnixNano())
		}
		if s.table.entries != at.left {
			t.Errorf("after %v there are %d records, want %d", at.after, s.table.entries, at.left)
		}
	}
}

func TestLiveRecordsAreNotSwept(t *testing.T) {
	const n = 10_000
	s := filled(n, wallClock().Add(time.Minute), nil)
	for i := range 3 * n {
		if _, err := s.Claim(t.Context(), newRecord(i)); err != nil {
			t.Fatal(err)
		}
	}
	if s.table.entries != 4*n {
		t.Errorf("%d records, want %d", s.table.entries, 4*n)
	}
	for i := range n {
		if s.table.find(fmt.Sprintf("%043d", i)) == nil {
			t.Fatalf("record %d is gone", i)
		}
	}
}

// A million records: what one takes, and how long a claim takes at most, as it
// usually is and while a million that have expired are swept. Each series of
// claims is made five times on equal tables, and the best of the five counts
// for each claim, so that what is left is the store's own doing.
func BenchmarkMillionRecords(b *testing.B) {
	const n, claims, repeats = 1_000_000, 500_000, 5
	var usual, sweeping []time.Duration
	var perRecord float64
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		s := filled(n, wallClock().Add(time.Hour), make([]byte, 200))
		runtime.GC()
		runtime.ReadMemStats(&after)
		perRecord = float64(after.HeapAlloc-before.HeapAlloc) / n
		runtime.KeepAlive(s)
		usual, sweeping = nil, nil
		for range repeats {
			usual = best(usual, timed(b, s.table, filled(n, wallClock().Add(time.Hour), nil), claims))
			sweeping = best(sweeping, timed(b, s.table, filled(n, wallClock().Add(-time.Hour), nil), claims))
		}
	}
	slices.Sort(usual)
	slices.Sort(sweeping)
	median := usual[claims/2]
	b.ReportMetric(perRecord, "B/record")
	b.ReportMetric(float64(median), "usual-ns")
	b.ReportMetric(float64(usual[claims-1])/float64(median), "usual-max/usual")
	b.ReportMetric(float64(sweeping[claims/2])/float64(median), "sweep-median/usual")
	b.ReportMetric(float64(sweeping[claims*9999/10000])/float64(median), "sweep-p99.99/usual")
	b.ReportMetric(float64(sweeping[claims-1])/float64(median), "sweep-max/usual")
}

// timed gives how long each of the claims takes on s, whose keys are hashed as
// in like, so that equal tables are equal.
func timed(b *testing.B, like *table, s *MemoryStore, claims int) []time.Duration {
	b.Helper()
	again := newTable()
	again.seed = like.seed
	for i := range s.table.buckets {
		for e := s.table.bucket(i).first; e != nil; e = e.next {
			again.add(e.kept)
		}
	}
	s.table = again
	records := make([]Record, claims)
	for i := range records {
		records[i] = newRecord(i)
	}
	runtime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	if _, err := s.Claim(b.Context(), newRecord(-1)); err != nil { // finds the caches cold
		b.Fatal(err)
	}
	took := make([]time.Duration, claims)
	for i := range records {
		start := time.Now()
		if _, err := s.Claim(b.Context(), records[i]); err != nil {
			b.Fatal(err)
		}
		took[i] = time.Since(start)
	}
	return took
}

func best(a, b []time.Duration) []time.Duration {
	if a == nil {
		return b
	}
	for i := range a {
		a[i] = min(a[i], b[i])
	}
	return a
}
