package source_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
)

func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// A queue that runs for long keeps no more for many messages than for a few.
func TestHundredThousandMessages(t *testing.T) {
	for _, name := range []string{"orders", "orders.fifo"} {
		t.Run(name, func(t *testing.T) {
			handled := 0
			fn := &function{}
			fn.forget = true
			fn.answer = func(_ context.Context, event events.SQSEvent) (any, error) {
				handled += len(event.Records)
				return nil, nil
			}
			clock := source.NewClock(begin)
			q := source.NewQueue(fn.invoker(), source.QueueConfig{
				Name: name, Clock: clock,
				Mapping: source.Mapping{CountOnly: true, MaximumConcurrency: 1},
			})
			const messages, atOnce = 100_000, 1000
			var kept []int
			for i := range messages {
				m := source.Message{Body: fmt.Sprintf("%c%d", 'a'+i%26, i)}
				if name == "orders.fifo" {
					m.Group, m.Deduplication = m.Body[:1], m.Body
				}
				if _, err := q.Send(m); err != nil {
					t.Fatal(err)
				}
				if (i+1)%atOnce == 0 {
					drain(t, q)
					clock.Advance(6 * time.Minute) // beyond the deduplication
				}
				if (i+1)%(messages/10) == 0 {
					kept = append(kept, heap())
				}
			}
			check(t, q)
			same(t, "handled", handled, messages)
			same(t, "done", q.Ledger().Counts().Done, messages)
			t.Logf("heap after each tenth: %v", kept)
			if grown := kept[9] - kept[0]; grown > 1<<20 {
				t.Errorf("%d bytes more are kept after %d messages than after a tenth of them", grown, messages)
			}
		})
	}
}
