package queue_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
)

// An erratic function fails whole or in part, is throttled, outlasts the visibility timeout,
// and deletes messages and changes their visibility itself.
type erratic struct {
	clock *source.Clock
	queue *queue.Queue
	fifo  bool
	stop  func() // called now and then

	mu        sync.Mutex
	random    *rand.Rand
	succeeded map[string]bool
}

// of100 is true n times of 100.
func (e *erratic) of100(n int) bool { return e.number(100) < n }

func (e *erratic) number(n int) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.random.IntN(n)
}

func (e *erratic) invoker() guardtest.Invoker {
	fn := (&function{forget: true, answer: e.handle}).invoker()
	return invoker(func(ctx context.Context, call guardtest.Call) (guardtest.Result, error) {
		if e.of100(10) {
			return guardtest.Result{}, source.ErrThrottled
		}
		return fn.Do(ctx, call)
	})
}

func (e *erratic) handle(_ context.Context, event events.SQSEvent) (any, error) {
	if e.of100(25) {
		e.clock.Advance(time.Duration(e.number(45)) * time.Second)
	}
	if e.of100(10) {
		e.stop()
	}
	if e.of100(10) {
		return nil, errors.New("all of it")
	}
	answer := events.SQSEventResponse{}
	failed := map[string]bool{} // groups
	for _, r := range event.Records {
		group := r.Attributes["MessageGroupId"]
		if (e.fifo && failed[group]) || e.of100(25) {
			failed[group] = true
			answer.BatchItemFailures = append(answer.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: r.MessageId})
			if e.of100(50) {
				_ = e.queue.ChangeVisibility(r.ReceiptHandle, time.Duration(e.number(60))*time.Second) // refused if it is late
			}
			continue
		}
		e.mu.Lock()
		e.succeeded[r.MessageId] = true
		e.mu.Unlock()
		if !e.fifo && e.of100(20) { // of a group it would be one after the other
			_ = e.queue.Delete(r.ReceiptHandle)
		}
	}
	return answer, nil
}

// Whatever a function does, each message is done, and was done by it, or is in the
// dead-letter queue, and none of a group overtook another.
func TestTheLedgerBalancesForRandomFunctions(t *testing.T) {
	const messages, groups = 60, 4
	for seed := range uint64(40) {
		for _, suffix := range []string{"", ".fifo"} {
			t.Run(fmt.Sprintf("%d%s", seed, suffix), func(t *testing.T) {
				fn := &erratic{clock: source.NewClock(begin), fifo: suffix != "", random: rand.New(rand.NewPCG(seed, 0)), succeeded: map[string]bool{}}
				dead := queue.New(nil, queue.Config{Name: "dead" + suffix, Clock: fn.clock, Retention: 14 * 24 * time.Hour})
				q := queue.New(fn.invoker(), queue.Config{
					Name: "queue" + suffix, Clock: fn.clock, Delay: time.Duration(seed%3) * time.Second,
					Redrive: queue.Redrive{To: dead, MaxReceives: 3 + int(seed%5)},
					Mapping: queue.Mapping{ReportBatchItemFailures: true, MaximumConcurrency: 1 + int(seed%4)},
				})
				fn.queue = q
				for i := range messages {
					m := queue.Message{Body: fmt.Sprint(i)}
					if fn.fifo {
						m.Group, m.Deduplication = fmt.Sprint(i%groups), m.Body
					}
					if _, err := q.Send(m); err != nil {
						t.Fatal(err)
					}
				}
				for range 3 { // pollers that are stopped, also by themselves at the end
					ctx, stop := context.WithCancel(within(t))
					fn.stop = stop
					if err := q.Drain(ctx); err != nil && ctx.Err() == nil {
						t.Fatal(err)
					}
					stop()
				}
				fn.stop = func() {}
				drain(t, q)
				check(t, q)
				counts := q.Ledger().Counts()
				if counts.Done+counts.DeadLettered != messages || len(dead.Messages()) != counts.DeadLettered || len(q.Messages()) != 0 {
					t.Errorf("got %+v with %d dead letters and %d messages left", counts, len(dead.Messages()), len(q.Messages()))
				}
				for _, e := range q.Ledger().Entries(source.Done) {
					if !fn.succeeded[e.ID] {
						t.Errorf("%s is done, and the function never succeeded with it", e.ID)
					}
				}
			})
		}
	}
}
