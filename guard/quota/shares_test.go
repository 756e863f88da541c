package quota

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/idempotency"
)

var end = time.Date(2100, 12, 1, 12, 1, 0, 0, time.UTC)

func newShares(store Counter) *shares {
	return &shares{store: store, byKey: make(map[string]*share), clock: func() time.Time { return end.Add(-time.Minute) }}
}

// However requests spread over processes, two thirds of a limit pass before one is
// refused.
func TestFewRequestsAreStranded(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 17))
		limit, processes := 1+random.Int64N(2000), 1+random.IntN(200)
		store, p := idempotency.NewMemoryStore(), Allow("p", limit, time.Minute)
		all := make([]*shares, processes)
		for i := range all {
			all[i] = newShares(store)
		}
		spread := random.IntN(processes) // processes that more requests reach
		passed := int64(0)
		for {
			i := random.IntN(processes)
			if random.IntN(2) == 0 {
				i = random.IntN(spread + 1)
			}
			got, err := all[i].take(t.Context(), &p, "k", end)
			if err != nil {
				t.Fatal(err)
			}
			if !got.ok {
				break
			}
			passed++
		}
		if passed > limit || 3*passed < 2*limit {
			t.Errorf("seed %d: %d of %d passed before the first refusal, over %d processes", seed, passed, limit, processes)
		}
	}
}

// Callers choose the keys, and do not choose the memory.
func TestTheMemoryIsBounded(t *testing.T) {
	s, p := newShares(idempotency.NewMemoryStore()), Allow("p", 10, time.Minute)
	for i := range 3 * maxShares {
		if got, err := s.take(t.Context(), &p, fmt.Sprint("k", i), end); err != nil || !got.ok {
			t.Fatalf("request %d: got %+v, %v", i, got, err)
		}
		if len(s.byKey) > maxShares {
			t.Fatalf("got %d shares after %d keys, want at most %d", len(s.byKey), i+1, maxShares)
		}
	}
	// Of a key that was dropped, no more than the limit passes all the same.
	passed := 1
	for i := range 20 {
		s.byKey = make(map[string]*share)
		got, err := s.take(t.Context(), &p, "k0", end)
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		if got.ok {
			passed++
		}
	}
	if passed != 10 {
		t.Errorf("%d requests passed, want 10", passed)
	}
}

func TestSharesOfEndedWindowsGoFirst(t *testing.T) {
	s, p := newShares(idempotency.NewMemoryStore()), Allow("p", 10, time.Minute)
	ended := end.Add(-time.Minute)
	for i := range maxShares - 10 {
		if _, err := s.take(t.Context(), &p, fmt.Sprint("old", i), ended); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 11 {
		if _, err := s.take(t.Context(), &p, fmt.Sprint("new", i), end); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.byKey) != 11 {
		t.Errorf("got %d shares, want the 11 of this window", len(s.byKey))
	}
}

// What a request has taken of a share that was dropped meanwhile goes nowhere.
func TestGivingBackToADroppedShare(t *testing.T) {
	s, p := newShares(idempotency.NewMemoryStore()), Allow("p", 1, time.Minute)
	got, err := s.take(t.Context(), &p, "k", end)
	if err != nil || !got.ok {
		t.Fatalf("got %+v, %v", got, err)
	}
	delete(s.byKey, "k")
	s.giveBack(got)
	if got, err := s.take(t.Context(), &p, "k", end); err != nil || got.ok {
		t.Errorf("got %+v, %v, want a refusal", got, err)
	}
}

// The pause after failures grows, and begins anew after an answer.
func TestThePauseAfterFailures(t *testing.T) {
	now, failing := end.Add(-time.Minute), true
	s, p := newShares(nil), Allow("p", 10, time.Minute)
	s.clock = func() time.Time { return now }
	s.store = storeFunc(func(want int64) (int64, error) {
		if failing {
			return 0, context.DeadlineExceeded
		}
		return want, nil
	})
	for i, c := range []struct {
		failing bool
		pause   time.Duration
	}{
		{failing: true, pause: 100 * time.Millisecond},
		{failing: true, pause: 200 * time.Millisecond},
		{failing: true, pause: 400 * time.Millisecond},
		{},
		{failing: true, pause: 100 * time.Millisecond},
	} {
		failing = c.failing
		if _, err := s.take(t.Context(), &p, "k", end); (err != nil) != c.failing {
			t.Errorf("step %d: got %v", i, err)
		}
		failures := s.byKey["k"].failures
		if got := failures.Retry.Sub(failures.At); got != c.pause {
			t.Errorf("step %d: got a pause of %v, want %v", i, got, c.pause)
		}
		now = now.Add(c.pause)
	}
}

type storeFunc func(want int64) (int64, error)

func (f storeFunc) Take(_ context.Context, _ string, want, _ int64, _ time.Time) (took, used int64, err error) {
	took, err = f(want)
	return took, took, err
}

func TestAWaiterLeavesWithItsContext(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	s, p := newShares(silentStore{asked, answer}), Allow("p", 10, time.Minute)
	done := make(chan error)
	go func() {
		_, err := s.take(t.Context(), &p, "k", end)
		done <- err
	}()
	<-asked
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.take(ctx, &p, "k", end); err == nil {
		t.Error("a waiter whose context has ended got no error")
	}
	close(answer)
	if err := <-done; err != nil {
		t.Errorf("the one that asked got %v", err)
	}
}

type silentStore struct{ asked, answer chan struct{} }

func (s silentStore) Take(_ context.Context, _ string, want, _ int64, _ time.Time) (took, used int64, err error) {
	close(s.asked)
	<-s.answer
	return want, want, nil
}

func TestWindowsEndAtMultiplesOfTheirLength(t *testing.T) {
	for _, c := range []struct {
		window time.Duration
		now    string
		end    string
	}{
		{window: time.Second, now: "2026-12-01T12:00:00.999Z", end: "2026-12-01T12:00:01Z"},
		{window: time.Minute, now: "2026-12-01T12:00:59.999Z", end: "2026-12-01T12:01:00Z"},
		{window: time.Minute, now: "2026-12-01T12:01:00Z", end: "2026-12-01T12:02:00Z"},
		{window: 24 * time.Hour, now: "2026-12-01T23:59:59Z", end: "2026-12-02T00:00:00Z"},
		{window: 24 * time.Hour, now: "2026-12-01T23:59:59-05:00", end: "2026-12-03T00:00:00Z"},
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		p := Allow("p", 1, c.window)
		end := p.endAt(now)
		if got, want := end.UTC().Format(time.RFC3339), c.end; got != want {
			t.Errorf("%v at %s: got the end %s, want %s", c.window, c.now, got, want)
		}
	}
}
