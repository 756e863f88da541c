package idempotency_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// taking is a function that takes its time and ends with err.
func taking(d time.Duration, err error) *function {
	return &function{handle: func(_ context.Context, run int64) ([]byte, error) {
		time.Sleep(d)
		if err != nil && run == 1 {
			return nil, err
		}
		return []byte(`{"statusCode":201,"body":"done"}`), nil
	}}
}

// begin sends a request and returns when its handler has begun.
func begin(t *testing.T, h lambda.Handler) (end func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = ask(t, h, request{key: "k"})
	}()
	synctest.Wait()
	return func() { <-done }
}

func TestRule05InFlightIsAConflictUntilTheLeaseEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := taking(5*time.Second, nil)
		h := protect(f, idempotency.NewMemoryStore())
		end := begin(t, h)
		for _, want := range []time.Duration{12 * time.Second, 12 * time.Second, 11 * time.Second, 10 * time.Second} {
			e := mustRefuse(t, h, request{key: "k"}, guard.Conflict, "idempotency_in_progress")
			if e.RetryAfter != want {
				t.Errorf("retry after %v, want %v", e.RetryAfter, want)
			}
			time.Sleep(900 * time.Millisecond) // whole seconds, rounded up
		}
		mustRefuse(t, h, request{key: "k", body: `{"x":1}`}, guard.Unprocessable, "idempotency_key_reused")
		end()
		if out := mustAnswer(t, h, request{key: "k"}); !isReplay(out) {
			t.Errorf("not replayed: %s", out)
		}
		f.mustHaveRun(t, 1)
	})
}

func TestRule05WaitGivesTheOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := taking(3*time.Second, nil)
		h := protect(f, idempotency.NewMemoryStore(), idempotency.Wait(5*time.Second))
		end := begin(t, h)
		start := time.Now()
		out := mustAnswer(t, h, request{key: "k"})
		if !isReplay(out) || time.Since(start) > 3500*time.Millisecond {
			t.Errorf("after %v: %s", time.Since(start), out)
		}
		end()
		f.mustHaveRun(t, 1)
	})
}

func TestRule05WaitRunsWhatTheHolderFailedToDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := taking(2*time.Second, errors.New("broken"))
		h := protect(f, idempotency.NewMemoryStore(), idempotency.Wait(5*time.Second))
		end := begin(t, h)
		if out := mustAnswer(t, h, request{key: "k"}); isReplay(out) {
			t.Errorf("a replay of nothing: %s", out)
		}
		end()
		f.mustHaveRun(t, 2)
	})
}

func TestRule05WaitTakesAnAbandonedKeyOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := crashing()
		h := protect(f, idempotency.NewMemoryStore(), idempotency.Wait(14*time.Second))
		crash(t, h)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if out, err := h.Invoke(ctx, request{key: "k"}.event()); err != nil {
			t.Errorf("%s, %v", out, err)
		}
		f.mustHaveRun(t, 2)
	})
}

func TestRule05WaitEndsWithItsTimeAndWithTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := taking(time.Minute, nil)
		h := protect(f, idempotency.NewMemoryStore(), idempotency.Wait(5*time.Second))
		end := begin(t, h)
		start := time.Now()
		mustRefuse(t, h, request{key: "k"}, guard.Conflict, "idempotency_in_progress")
		if d := time.Since(start); d != 5*time.Second {
			t.Errorf("waited %v, want 5 s", d)
		}
		start = time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		out, err := h.Invoke(ctx, request{key: "k"}.event())
		mustBe(t, out, err, guard.Conflict, "idempotency_in_progress")
		if d := time.Since(start); d != 2*time.Second {
			t.Errorf("waited %v, want 2 s", d)
		}
		end()
	})
}

// counting counts the claims that a store gets.
type counting struct {
	idempotency.Store
	claims, others atomic.Int64
}

func (c *counting) Claim(ctx context.Context, r idempotency.Record) (idempotency.Record, error) {
	c.claims.Add(1)
	return c.Store.Claim(ctx, r)
}

func (c *counting) Complete(ctx context.Context, r idempotency.Record) error {
	c.others.Add(1)
	return c.Store.Complete(ctx, r)
}

func (c *counting) Release(ctx context.Context, r idempotency.Record) error {
	c.others.Add(1)
	return c.Store.Release(ctx, r)
}

func TestWaitLooksLessAndLessOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &counting{Store: idempotency.NewMemoryStore()}
		h := protect(taking(time.Minute, nil), s, idempotency.Wait(5*time.Second))
		end := begin(t, h)
		mustRefuse(t, h, request{key: "k"}, guard.Conflict, "idempotency_in_progress")
		if n := s.claims.Load(); n < 5 || n > 30 {
			t.Errorf("%d claims in 5 s", n)
		}
		end()
	})
}

func TestRule06AClaimIsOneStepAndNothingIsReadBefore(t *testing.T) {
	s := &counting{Store: idempotency.NewMemoryStore()}
	h := protect(new(function), s)
	mustAnswer(t, h, request{key: "k"})
	if c, o := s.claims.Load(), s.others.Load(); c != 1 || o != 1 {
		t.Errorf("a first call takes %d claims and %d other steps", c, o)
	}
	mustAnswer(t, h, request{key: "k"})
	if c, o := s.claims.Load(), s.others.Load(); c != 2 || o != 1 {
		t.Errorf("a replay takes %d claims and %d other steps", c-1, o-1)
	}
}
