package source_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
)

// More pollers than the function may have invocations: some are throttled, and nothing
// is lost.
func TestReservedConcurrency(t *testing.T) {
	const reserved = 2
	var mu sync.Mutex
	atOnce, most := 0, 0
	begun := make(chan struct{}, 100)
	throttled := make(chan struct{})
	fn := invoker(func(context.Context, guardtest.Call) (guardtest.Result, error) {
		mu.Lock()
		atOnce++
		most = max(most, atOnce)
		mu.Unlock()
		begun <- struct{}{}
		<-throttled // once, so that the others come meanwhile
		mu.Lock()
		atOnce--
		mu.Unlock()
		return guardtest.Result{}, nil
	})
	limited := source.ReservedConcurrency(fn, reserved)
	var once sync.Once
	q := queue.New(invoker(func(ctx context.Context, call guardtest.Call) (guardtest.Result, error) {
		result, err := limited.Do(ctx, call)
		if errors.Is(err, source.ErrThrottled) {
			once.Do(func() { close(throttled) })
		}
		return result, err
	}), queue.Config{Clock: source.NewClock(begin), Mapping: queue.Mapping{BatchSize: 1, MaximumConcurrency: 5}})
	for range 20 {
		send(t, q, "", "x")
	}
	drain(t, q)
	if err := q.Ledger().Check(); err != nil {
		t.Error(err)
	}
	if len(begun) != 20 || most != reserved {
		t.Errorf("%d invocations, %d at once, want 20 and %d", len(begun), most, reserved)
	}
}

func TestReservedConcurrencyOfNone(t *testing.T) {
	fn := invoker(func(context.Context, guardtest.Call) (guardtest.Result, error) {
		t.Error("the function was called")
		return guardtest.Result{}, nil
	})
	q := queue.New(source.ReservedConcurrency(fn, 0), queue.Config{Clock: source.NewClock(begin), Retention: time.Minute})
	send(t, q, "", "1")
	drain(t, q)
	if got := q.Ledger().Counts().Expired; got != 1 {
		t.Errorf("%d messages expired, want 1", got)
	}
}
