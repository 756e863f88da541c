package batch_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

// manyMessages is an event of n messages as small as SQS sends them.
func manyMessages(n int) []byte {
	record := sample.Of(guard.SQS).Set("/Records/0/messageAttributes", struct{}{}).Delete("/Records/0/attributes/AWSTraceHeader").Get("/Records/0").(map[string]any)
	all := make([]any, n)
	for i := range all {
		copied := map[string]any{}
		for k, v := range record {
			copied[k] = v
		}
		copied["messageId"] = fmt.Sprintf("059f36b4-87a3-44ab-83d2-66197583%04d", i)
		copied["body"] = `{"customer":"c-42"}`
		all[i] = copied
	}
	text, _ := json.Marshal(map[string]any{"Records": all})
	return text
}

var work = func(context.Context, events.SQSMessage) error { return nil }

// loop is what a function without this package does.
var loop = lambda.NewHandler(func(ctx context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
	var out events.SQSEventResponse
	for _, m := range e.Records {
		if err := work(ctx, m); err != nil {
			out.BatchItemFailures = append(out.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
		}
	}
	return out, nil
})

func BenchmarkBatch(b *testing.B) {
	for _, n := range []int{10, 100, 1_000, 10_000} {
		event := manyMessages(n)
		for _, c := range []struct {
			name    string
			handler lambda.Handler
		}{
			{"loop", loop},
			{"SQS", batch.SQS(work)},
			{"SQS_10_at_once", batch.SQS(work, batch.Concurrency(10))},
			{"SQS_Default", guard.Wrap(batch.SQS(work), guard.Default(logging.New(io.Discard)))},
		} {
			b.Run(fmt.Sprintf("%s/%d", c.name, n), func(b *testing.B) {
				ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
				defer cancel()
				b.SetBytes(int64(len(event)))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := c.handler.Invoke(ctx, event); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/record")
			})
		}
	}
}

// BenchmarkConcurrency handles 100 records that wait 10 ms each.
func BenchmarkConcurrency(b *testing.B) {
	event := manyMessages(100)
	for _, n := range []int{1, 10, 100} {
		h := batch.SQS(func(context.Context, events.SQSMessage) error { time.Sleep(10 * time.Millisecond); return nil }, batch.Concurrency(n))
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if _, err := h.Invoke(b.Context(), event); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkAgainstLoop runs a plain loop and SQS in turn, so that what slows the
// machine slows both, and reports the median of their ratios.
func BenchmarkAgainstLoop(b *testing.B) {
	for _, n := range []int{100, 1_000, 10_000} {
		event := manyMessages(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
			defer cancel()
			handlers := []lambda.Handler{loop, batch.SQS(work)}
			var ratios []float64
			for b.Loop() {
				var took [2]time.Duration
				for i, h := range handlers {
					start := time.Now()
					if _, err := h.Invoke(ctx, event); err != nil {
						b.Fatal(err)
					}
					took[i] = time.Since(start)
				}
				ratios = append(ratios, float64(took[1])/float64(took[0]))
			}
			slices.Sort(ratios)
			b.ReportMetric(ratios[len(ratios)/2], "SQS/loop")
		})
	}
}
