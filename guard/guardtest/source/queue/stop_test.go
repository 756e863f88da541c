package queue_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
)

// The batch under way finishes, and those that wait for the window's end are visible
// again, as if they had not been received.
func TestStoppedPollerLosesNothing(t *testing.T) {
	ctx, stop := context.WithCancel(within(t))
	fn := &function{answer: func(context.Context, events.SQSEvent) (any, error) {
		stop()
		return nil, nil
	}}
	q := queue.New(fn.invoker(), queue.Config{Clock: source.NewClock(begin), VisibilityTimeout: time.Hour, Mapping: queue.Mapping{BatchSize: 2, BatchWindow: time.Minute, MaximumConcurrency: 1}})
	send(t, q, "1", "2", "3")
	if err := q.Run(ctx); err != nil {
		t.Error(err)
	}
	same(t, "counts", q.Ledger().Counts(), source.Counts{Sent: 3, Done: 2, Waiting: 1, Batches: 1, Deliveries: 2})

	ctx, stop = context.WithCancel(within(t))
	ran := make(chan error)
	go func() { ran <- q.Run(ctx) }()
	stop()
	if err := <-ran; err != nil {
		t.Error(err)
	}
	same(t, "received", q.Messages()[0].Attributes["ApproximateReceiveCount"], "0")

	drain(t, q)
	check(t, q)
	same(t, "events", fn.bodies(), []string{"1 2", "3"})
}

func TestThrottledBatchOfAStoppedPollerIsVisible(t *testing.T) {
	ctx, stop := context.WithCancel(within(t))
	throttled := true
	fn := invoker(func(context.Context, guardtest.Call) (guardtest.Result, error) {
		if throttled {
			stop()
			return guardtest.Result{}, source.ErrThrottled
		}
		return guardtest.Result{}, nil
	})
	q := queue.New(fn, queue.Config{VisibilityTimeout: time.Hour})
	ids := send(t, q, "1")
	if err := q.Run(ctx); err != nil {
		t.Error(err)
	}
	throttled = false
	drain(t, q) // without the hour
	check(t, q)
	entry, _ := q.Ledger().Entry(ids[0])
	same(t, "failure", entry.Deliveries[0].Failure, source.NotCalled)
}

func TestClosedFunctionEndsThePoller(t *testing.T) {
	fn := invoker(func(context.Context, guardtest.Call) (guardtest.Result, error) {
		return guardtest.Result{}, guardtest.ErrClosed
	})
	q := queue.New(fn, queue.Config{Clock: source.NewClock(begin), Mapping: queue.Mapping{MaximumConcurrency: 1}})
	send(t, q, "1")
	err := q.Drain(within(t))
	if !errors.Is(err, guardtest.ErrClosed) {
		t.Errorf("got %v, want that the function is closed", err)
	}
	same(t, "left", len(q.Messages()), 1)
	same(t, "counts", q.Ledger().Counts(), source.Counts{Sent: 1, Waiting: 1, Batches: 1, Deliveries: 1})
}

func TestDrainEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	fn := &function{answer: func(context.Context, events.SQSEvent) (any, error) {
		cancel(errors.New("enough"))
		return nil, errors.New("some error")
	}}
	q := queue.New(fn.invoker(), queue.Config{Clock: source.NewClock(begin)})
	send(t, q, "1")
	if err := q.Drain(ctx); err == nil || ctx.Err() == nil {
		t.Errorf("got %v", err)
	}
	same(t, "waiting", q.Ledger().Counts().Waiting, 1)
}

func TestQueueWithoutAFunctionCannotRun(t *testing.T) {
	q := queue.New(nil, queue.Config{Name: "dead"})
	if err := q.Drain(within(t)); err == nil {
		t.Error("an empty queue without a function was drained")
	}
}

// A source that ends does not hold the time of those that share its clock.
func TestEndOfASourceFreesTheClock(t *testing.T) {
	for range 50 { // whether the second waits before the first ends is chance
		clock := source.NewClock(begin)
		called, finish := make(chan struct{}), make(chan struct{})
		fn := invoker(func(context.Context, guardtest.Call) (guardtest.Result, error) {
			close(called)
			<-finish
			return guardtest.Result{}, nil
		})
		first := queue.New(fn, queue.Config{Name: "first", Clock: clock, Mapping: queue.Mapping{MaximumConcurrency: 1}})
		of := &function{}
		second := queue.New(of.invoker(), queue.Config{Name: "second", Clock: clock})
		ctx, stop := context.WithCancel(within(t))
		ended, drained := make(chan error), make(chan error)
		go func() { ended <- first.Run(ctx) }()
		send(t, first, "1")
		<-called
		send(t, second, "1")
		if _, err := second.Send(queue.Message{Body: "2", Delay: time.Minute}); err != nil {
			t.Fatal(err)
		}
		go func() { drained <- second.Drain(within(t)) }()
		if err := second.Ledger().Wait(ctx, func(c source.Counts) bool { return c.Done == 1 }); err != nil {
			t.Fatal(err)
		}
		stop()
		close(finish)
		for _, c := range []chan error{ended, drained} {
			if err := <-c; err != nil {
				t.Fatal(err)
			}
		}
		same(t, "the clock", clock.Now(), begin.Add(time.Minute))
	}
}

// Clients, pollers and observers at once.
func TestManyAtOnce(t *testing.T) {
	for _, name := range []string{"q", "q.fifo"} {
		t.Run(name, func(t *testing.T) {
			const clients, each = 8, 100
			fn := &function{forget: true}
			fn.answer = func(ctx context.Context, event events.SQSEvent) (any, error) {
				return orderly(func(r events.SQSMessage) bool {
					return r.Attributes["ApproximateReceiveCount"] == "1" && r.Body[len(r.Body)-1] == '7'
				})(ctx, event)
			}
			q := queue.New(fn.invoker(), queue.Config{Name: name, VisibilityTimeout: 100 * time.Millisecond, Mapping: queue.Mapping{MaximumConcurrency: 20, ReportBatchItemFailures: true}})
			ctx, stop := context.WithCancel(within(t))
			ran := make(chan error)
			go func() { ran <- q.Run(ctx) }()
			var sending sync.WaitGroup
			for client := range clients {
				sending.Go(func() {
					for i := range each {
						m := queue.Message{Body: fmt.Sprintf("%d-%d", client, i)}
						if name == "q.fifo" {
							m.Group, m.Deduplication = fmt.Sprint(client), m.Body
						}
						if _, err := q.Send(m); err != nil {
							t.Error(err)
						}
						_, _ = q.Messages(), q.Ledger().Entries(source.Waiting)
					}
				})
			}
			if err := q.Ledger().Wait(ctx, func(c source.Counts) bool { return c.Done == clients*each }); err != nil {
				t.Error(err)
			}
			sending.Wait()
			stop()
			if err := <-ran; err != nil {
				t.Error(err)
			}
			check(t, q)
		})
	}
}
