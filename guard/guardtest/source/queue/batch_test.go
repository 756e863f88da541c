package queue_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/pattern"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
)

func TestEventIsAsLambdaSendsIt(t *testing.T) {
	var payload []byte
	fn := invoker(func(_ context.Context, call guardtest.Call) (guardtest.Result, error) {
		payload = call.Payload
		return guardtest.Result{}, nil
	})
	q := queue.New(fn, queue.Config{Name: "orders.fifo", Region: "eu-central-1", Clock: source.NewClock(begin)})
	id, err := q.Send(queue.Message{
		Body: `{"a":"<&>"}`, Group: "g", Deduplication: "d", TraceHeader: "Root=1-2-3",
		Attributes: map[string]source.Attribute{"kind": {String: "order"}, "n": {DataType: "Number.int", String: "7"}, "raw": {Binary: []byte{1, 2}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	drain(t, q)
	var event struct{ Records []map[string]any }
	if err := json.Unmarshal(payload, &event); err != nil || len(event.Records) != 1 {
		t.Fatalf("%v: %s", err, payload)
	}
	got := event.Records[0]
	if handle, _ := got["receiptHandle"].(string); handle == "" {
		t.Error("no receipt handle")
	}
	delete(got, "receiptHandle")
	millis := fmt.Sprint(begin.UnixMilli())
	same(t, "the record", got, map[string]any{
		"messageId": id, "body": `{"a":"<&>"}`, "md5OfBody": "ff4346e5e8ab7dfd89199ac0941663a6",
		"md5OfMessageAttributes": got["md5OfMessageAttributes"], // judged beside another implementation, in package sqspoll
		"eventSource":            "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:orders.fifo", "awsRegion": "eu-central-1",
		"attributes": map[string]string{
			"ApproximateReceiveCount": "1", "SentTimestamp": millis, "ApproximateFirstReceiveTimestamp": millis, "SenderId": "AIDAIENQZJOLO23YVJ4VO",
			"MessageGroupId": "g", "MessageDeduplicationId": "d", "SequenceNumber": "18850000000000000001", "AWSTraceHeader": "Root=1-2-3",
		},
		"messageAttributes": map[string]any{
			"kind": map[string]any{"stringValue": "order", "stringListValues": []any{}, "binaryListValues": []any{}, "dataType": "String"},
			"n":    map[string]any{"stringValue": "7", "stringListValues": []any{}, "binaryListValues": []any{}, "dataType": "Number.int"},
			"raw":  map[string]any{"binaryValue": base64.StdEncoding.EncodeToString([]byte{1, 2}), "stringListValues": []any{}, "binaryListValues": []any{}, "dataType": "Binary"},
		},
	})
	if strings.Contains(string(payload), `\u003c`) {
		t.Error("< is escaped")
	}
}

// invoker is a function without a handler.
type invoker func(context.Context, guardtest.Call) (guardtest.Result, error)

func (f invoker) Do(ctx context.Context, call guardtest.Call) (guardtest.Result, error) {
	return f(ctx, call)
}

func TestBatchIsCutAt6MB(t *testing.T) {
	for _, name := range []string{"q", "q.fifo"} {
		t.Run(name, func(t *testing.T) {
			var sizes []int
			var counts []string
			fn := invoker(func(_ context.Context, call guardtest.Call) (guardtest.Result, error) {
				sizes = append(sizes, len(call.Payload))
				var event events.SQSEvent
				if err := json.Unmarshal(call.Payload, &event); err != nil {
					t.Error(err)
				}
				for _, r := range event.Records {
					counts = append(counts, r.Attributes["ApproximateReceiveCount"])
				}
				return guardtest.Result{}, nil
			})
			q := queue.New(fn, queue.Config{Name: name, Clock: source.NewClock(begin), Mapping: queue.Mapping{MaximumConcurrency: 1}})
			for i := range 10 {
				m := queue.Message{Body: strings.Repeat("x", 1<<20)}
				if name == "q.fifo" {
					m.Group, m.Deduplication = "g", fmt.Sprint(i)
				}
				if _, err := q.Send(m); err != nil {
					t.Fatal(err)
				}
			}
			drain(t, q)
			check(t, q)
			if len(sizes) != 2 || slices.Max(sizes) > 6<<20 || slices.Max(sizes) < 5<<20 {
				t.Errorf("events of %d bytes", sizes)
			}
			// Those that did not fit were not received in vain.
			same(t, "receive counts", counts, slices.Repeat([]string{"1"}, 10))
		})
	}
}

func TestWindowFillsABatch(t *testing.T) {
	clock := source.NewClock(begin)
	fn := &function{}
	q := queue.New(fn.invoker(), queue.Config{
		Clock: clock, VisibilityTimeout: time.Hour, Mapping: queue.Mapping{BatchSize: 10_000, BatchWindow: 30 * time.Second, MaximumConcurrency: 1},
	})
	for i := range 25 {
		send(t, q, fmt.Sprint(i))
	}
	for _, delay := range []time.Duration{29, 31} {
		if _, err := q.Send(queue.Message{Body: fmt.Sprint("after ", int(delay)), Delay: delay * time.Second}); err != nil {
			t.Fatal(err)
		}
	}
	drain(t, q)
	check(t, q)
	var sizes []int
	for _, e := range fn.events {
		sizes = append(sizes, len(e.Records))
	}
	same(t, "batches", sizes, []int{26, 1})
	entries := q.Ledger().Entries()
	same(t, "the first batch", entries[0].Deliveries[0].At, begin.Add(30*time.Second))
	same(t, "the second batch", entries[26].Deliveries[0].At, begin.Add(61*time.Second))
}

func TestFullBatchDoesNotWait(t *testing.T) {
	clock := source.NewClock(begin)
	fn := &function{}
	q := queue.New(fn.invoker(), queue.Config{
		Clock: clock, Mapping: queue.Mapping{BatchSize: 2, BatchWindow: time.Minute, MaximumConcurrency: 1},
	})
	send(t, q, "1", "2")
	drain(t, q)
	same(t, "the clock", clock.Now(), begin)
}

func TestNoMoreBatchesAtOnceThanAllowed(t *testing.T) {
	const allowed = 3
	var mu sync.Mutex
	atOnce, most := 0, 0
	full := make(chan struct{})
	fn := invoker(func(ctx context.Context, _ guardtest.Call) (guardtest.Result, error) {
		mu.Lock()
		atOnce++
		if most = max(most, atOnce); most == allowed && atOnce == allowed {
			select {
			case <-full:
			default:
				close(full)
			}
		}
		mu.Unlock()
		<-full
		mu.Lock()
		atOnce--
		mu.Unlock()
		return guardtest.Result{}, nil
	})
	q := queue.New(fn, queue.Config{Clock: source.NewClock(begin), Mapping: queue.Mapping{BatchSize: 1, MaximumConcurrency: allowed}})
	for i := range 20 {
		send(t, q, fmt.Sprint(i))
	}
	drain(t, q)
	check(t, q)
	same(t, "batches at once", most, allowed)
}

func TestFilteredMessagesAreDeleted(t *testing.T) {
	for _, countOnly := range []bool{false, true} {
		fn := &function{}
		q := queue.New(fn.invoker(), queue.Config{Clock: source.NewClock(begin), Mapping: queue.Mapping{
			CountOnly: countOnly, Filter: pattern.MustFilter(pattern.SQS, `{"body": {"kind": ["order"]}}`),
		}})
		send(t, q, `{"kind":"order"}`, `{"kind":"other"}`, `no JSON`)
		drain(t, q)
		check(t, q)
		same(t, "events", fn.bodies(), []string{`{"kind":"order"}`})
		same(t, "counts", q.Ledger().Counts(), source.Counts{Sent: 3, Done: 1, Filtered: 2, Batches: 1, Deliveries: 1})
		same(t, "left", len(q.Messages()), 0)
	}
}

func TestFilterThatCannotJudgeDoesNotMatch(t *testing.T) {
	fn := &function{}
	q := queue.New(fn.invoker(), queue.Config{Clock: source.NewClock(begin), Mapping: queue.Mapping{Filter: brokenFilter{}}})
	send(t, q, "1")
	drain(t, q)
	same(t, "counts", q.Ledger().Counts(), source.Counts{Sent: 1, Filtered: 1})
}

type brokenFilter struct{}

func (brokenFilter) Match([]byte) (bool, error) { return true, context.Canceled }

func TestReportsOfBatches(t *testing.T) {
	var reports []source.BatchReport
	fn := &raw{answer: []byte(`{"batchItemFailures":[{"itemIdentifier":"ID"}]}`)}
	q := queue.New(guardtest.NewInProcess(fn, guardtest.Config{Timeout: patient}), queue.Config{
		Clock: source.NewClock(begin), Mapping: queue.Mapping{
			ReportBatchItemFailures: true, MaximumConcurrency: 1,
			OnBatch: func(r source.BatchReport) { reports = append(reports, r) },
		},
	})
	ids := send(t, q, "1", "2")
	drain(t, q)
	entry, _ := q.Ledger().Entry(ids[1])
	same(t, "reports", reports, []source.BatchReport{
		{Number: 1, RequestID: entry.Deliveries[0].RequestID, Messages: 2, Failed: 1},
		{Number: 2, RequestID: entry.Deliveries[1].RequestID, Messages: 1},
	})
}
