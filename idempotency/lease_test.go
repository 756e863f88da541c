package idempotency_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// A handler gives a step a second of its minute. When that is over the step may
// still go on elsewhere, and the invocation does.
func TestALeaseLastsAsLongAsTheInvocation(t *testing.T) {
	for name, c := range map[string]struct {
		total, step time.Duration // 0 is no deadline
		layers      []guard.Middleware
		want        time.Duration
	}{
		"a short step":           {total: time.Minute, step: time.Second, want: 62 * time.Second},
		"a step that is over":    {total: time.Minute, step: -time.Second, want: 62 * time.Second},
		"a Deadline outside":     {total: time.Minute, step: time.Minute, layers: []guard.Middleware{guard.Deadline(5 * time.Second)}, want: 62 * time.Second},
		"no deadline outside":    {step: time.Second, want: 15*time.Minute + 2*time.Second},
		"no deadline whatsoever": {want: 15*time.Minute + 2*time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &spy{Store: idempotency.NewMemoryStore()}
				op := idempotency.NewOperation("step", s)
				start := time.Now()
				h := guard.Wrap(&function{handle: func(ctx context.Context, _ int64) ([]byte, error) {
					if c.step != 0 {
						var cancel context.CancelFunc
						ctx, cancel = context.WithTimeout(ctx, c.step)
						defer cancel()
					}
					_, _ = idempotency.Do(ctx, op, "k", nil, func(context.Context) (int, error) { return 1, nil })
					return nil, nil
				}}, c.layers...)
				ctx := t.Context()
				if c.total != 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, c.total)
					defer cancel()
				}
				if _, err := h.Invoke(ctx, nil); err != nil {
					t.Fatal(err)
				}
				if got := s.claims[0].Lease.Sub(start); got != c.want {
					t.Errorf("the lease lasts %v, want %v", got, c.want)
				}
			})
		})
	}
}

// What goes on after the invocation, on purpose, has the lease of its own
// deadline.
func TestALeaseLastsAsLongAsAContextThatOutlivesTheInvocation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &spy{Store: idempotency.NewMemoryStore()}
		start := time.Now()
		h := guard.Wrap(&function{handle: func(ctx context.Context, _ int64) ([]byte, error) {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Hour)
			defer cancel()
			_, err := idempotency.Do(ctx, idempotency.NewOperation("step", s), "k", nil, func(context.Context) (int, error) { return 1, nil })
			return nil, err
		}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := h.Invoke(ctx, nil); err != nil {
			t.Fatal(err)
		}
		if got, want := s.claims[0].Lease.Sub(start), time.Hour+2*time.Second; got != want {
			t.Errorf("the lease lasts %v, want %v", got, want)
		}
	})
}

// So does the time in which it is settled: a step that used up its own has done
// something, and the invocation has time to record it.
func TestAStepIsSettledInTheTimeOfTheInvocation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := idempotency.NewOperation("step", slow{Store: idempotency.NewMemoryStore()}, idempotency.OnStoreError(
			func(_ context.Context, _ idempotency.Record, err error) { t.Errorf("reported %v", err) }))
		runs := 0
		h := guard.Wrap(&function{handle: func(ctx context.Context, _ int64) ([]byte, error) {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			_, err := idempotency.Do(ctx, op, "k", nil, func(ctx context.Context) (int, error) {
				runs++
				<-ctx.Done()
				return runs, nil
			})
			return nil, err
		}})
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			if _, err := h.Invoke(ctx, nil); err != nil {
				t.Error(err)
			}
			cancel()
		}
		if runs != 1 {
			t.Errorf("ran %d times, want once", runs)
		}
	})
}
