package renewal_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer/internal/renewal"
	"github.com/lambdarmor/lambdarmor/secrets"
)

// source counts the fetches of each secret; a fetch has another value each time.
type source struct {
	mu      sync.Mutex
	fetches map[string]int
	down    bool
	held    chan struct{} // is waited for, where there is one
	asked   atomic.Int64
}

func (s *source) Fetch(_ context.Context, refs []secrets.Ref) ([]secrets.Value, error) {
	s.asked.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held != nil {
		<-s.held
	}
	if s.down {
		return nil, secrets.ErrUnavailable
	}
	values := make([]secrets.Value, len(refs))
	for i, ref := range refs {
		s.fetches[ref.Name]++
		version := string(rune('a' + s.fetches[ref.Name]))
		values[i] = secrets.Value{Data: []byte(version), Version: version}
	}
	return values, nil
}

func (s *source) count(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fetches[name]
}

var start = time.Unix(1_800_000_000, 0)

func TestARenewalIsOfAllSecretsAndAtMostEveryTenSeconds(t *testing.T) {
	for _, burst := range []int{1, 3} {
		s := &source{fetches: map[string]int{}}
		cache := secrets.New(s)
		if err := cache.Prefetch(t.Context(), "x", "y"); err != nil {
			t.Fatal(err)
		}
		r := renewal.New(cache, burst, "x", "y")
		for _, step := range []struct {
			after time.Duration // the start
			times int           // it is tried
			done  int
			wait  time.Duration // of one that is not done
		}{
			{after: 0, times: burst + 3, done: burst, wait: 10 * time.Second},
			{after: 10*time.Second - 1, times: 2, done: 0, wait: 1},
			{after: 10 * time.Second, times: 2, done: 1, wait: 10 * time.Second},
			{after: 13 * time.Second, times: 2, done: 0, wait: 7 * time.Second},
			{after: time.Hour, times: burst + 1, done: burst, wait: 10 * time.Second},
			{after: -time.Hour, times: burst + 1, done: burst, wait: 10 * time.Second}, // the clock was set back
		} {
			done := 0
			for range step.times {
				before := s.count("x") + s.count("y")
				wait, err := r.Renew(t.Context(), func() time.Time { return start.Add(step.after) })
				if err != nil || wait != 0 && wait != step.wait {
					t.Errorf("burst %d, after %v: got %v, %v; want %v", burst, step.after, wait, err, step.wait)
				}
				fetched := s.count("x") + s.count("y") - before
				if wait == 0 {
					done++
				}
				if want := 2; wait == 0 && fetched != want || wait > 0 && fetched != 0 {
					t.Errorf("burst %d, after %v: got %d fetches and a wait of %v, want otherwise", burst, step.after, fetched, wait)
				}
			}
			if done != step.done {
				t.Errorf("burst %d, after %v: %d renewals, want %d", burst, step.after, done, step.done)
			}
		}
	}
}

func TestARenewalThatFailsLeavesWhatWasKnown(t *testing.T) {
	s := &source{fetches: map[string]int{}}
	cache := secrets.New(s)
	before, err := cache.Get(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	s.down = true
	r := renewal.New(cache, 1, "x")
	if wait, err := r.Renew(t.Context(), func() time.Time { return start }); wait != 0 || !errors.Is(err, secrets.ErrUnavailable) {
		t.Errorf("got %v, %v; want the failure", wait, err)
	}
	if after, err := cache.Get(t.Context(), "x"); err != nil || after.Text() != before.Text() {
		t.Errorf("got %v, want what was known", err)
	}
}

// steady always has the same value.
type steady struct{ fetches atomic.Int64 }

func (s *steady) Fetch(_ context.Context, refs []secrets.Ref) ([]secrets.Value, error) {
	s.fetches.Add(1)
	return slices.Repeat([]secrets.Value{{Data: []byte("v"), Version: "1"}}, len(refs)), nil
}

func TestASecretThatIsStillTheSameIsNoFailure(t *testing.T) {
	s := &steady{}
	r := renewal.New(secrets.New(s), 1, "x")
	if wait, err := r.Renew(t.Context(), time.Now); wait != 0 || err != nil || s.fetches.Load() != 2 {
		t.Errorf("got %v, %v, %d fetches; want one past the cache", wait, err, s.fetches.Load())
	}
}

// Whoever comes while a renewal is under way may have come too late for it.
func TestWhoWaitsForARenewalThatBeganBeforeIsToldSo(t *testing.T) {
	s := &source{fetches: map[string]int{}}
	cache := secrets.New(s, secrets.FetchTimeout(time.Hour))
	if err := cache.Prefetch(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	s.held = make(chan struct{})
	r := renewal.New(cache, 1, "x")
	clock := func() time.Time { return start }
	first := make(chan error)
	go func() {
		wait, err := r.Renew(t.Context(), clock)
		if wait != 0 {
			t.Errorf("got a wait of %v, want none", wait)
		}
		first <- err
	}()
	for s.asked.Load() < 2 {
		runtime.Gosched()
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Renew(ended, clock); !errors.Is(err, context.Canceled) {
		t.Errorf("who has no time: got %v", err)
	}
	second := make(chan time.Duration)
	go func() {
		wait, _ := r.Renew(t.Context(), clock)
		second <- wait
	}()
	close(s.held)
	if err := <-first; err != nil {
		t.Error(err)
	}
	if wait := <-second; wait != renewal.Every {
		t.Errorf("who came too late: got a wait of %v, want %v", wait, renewal.Every)
	}
}
