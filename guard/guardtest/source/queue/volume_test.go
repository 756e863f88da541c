package queue_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
)

// A queue that runs for long keeps no more for many messages than for a few.
func TestHundredThousandMessages(t *testing.T) {
	for _, name := range []string{"orders", "orders.fifo"} {
		t.Run(name, func(t *testing.T) {
			ctx := within(t)
			handled := 0
			fn := &function{forget: true}
			fn.answer = func(_ context.Context, event events.SQSEvent) (any, error) {
				handled += len(event.Records)
				return nil, nil
			}
			clock := source.NewClock(begin)
			q := queue.New(fn.invoker(), queue.Config{
				Name: name, Clock: clock, Mapping: queue.Mapping{CountOnly: true, MaximumConcurrency: 1},
			})
			const messages, atOnce = 100_000, 1000
			var kept []int
			for i := range messages {
				if _, err := q.Send(numbered(name, i)); err != nil {
					t.Fatal(err)
				}
				if (i+1)%atOnce == 0 {
					if err := q.Drain(ctx); err != nil {
						t.Fatal(err)
					}
					clock.Advance(5 * time.Minute) // the deduplication ends
				}
				if (i+1)%(messages/10) == 0 {
					kept = append(kept, heap())
				}
			}
			check(t, q)
			same(t, "handled", handled, messages)
			same(t, "done", q.Ledger().Counts().Done, messages)
			if grown := kept[9] - kept[0]; grown > 128<<10 {
				t.Errorf("%d bytes more are kept after %d messages than after a tenth of them: %v", grown, messages, kept)
			}
		})
	}
}

func numbered(name string, i int) queue.Message {
	m := queue.Message{Body: fmt.Sprintf("%c%d", 'a'+i%26, i)}
	if name == "orders.fifo" {
		m.Group, m.Deduplication = m.Body[:1], m.Body
	}
	return m
}

func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// A queue that is full at the begin, with the whole ledger.
func BenchmarkQueue(b *testing.B) {
	fn := invoker(func(context.Context, guardtest.Call) (guardtest.Result, error) { return guardtest.Result{}, nil })
	for _, name := range []string{"orders", "orders.fifo"} {
		for _, messages := range []int{1000, 10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/%d", name, messages), func(b *testing.B) {
				for b.Loop() {
					q := queue.New(fn, queue.Config{Name: name, Clock: source.NewClock(begin)})
					for i := range messages {
						if _, err := q.Send(numbered(name, i)); err != nil {
							b.Fatal(err)
						}
					}
					if err := q.Drain(b.Context()); err != nil {
						b.Fatal(err)
					}
					if err := q.Ledger().Check(); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*messages), "ns/message")
			})
		}
	}
}
