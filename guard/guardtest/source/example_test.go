package source_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/async"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/stream"
)

// A function that reports only the message that failed lets the next one of its group
// overtake. The ledger says so.
func ExampleLedger_Check() {
	handler := guard.Func(func(_ context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
		var answer events.SQSEventResponse
		for _, m := range event.Records {
			if m.Body == "debit" && m.Attributes["ApproximateReceiveCount"] == "1" {
				answer.BatchItemFailures = append(answer.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
			}
		}
		return answer, nil // it should have reported the rest of the group as well
	})
	q := queue.New(guardtest.NewInProcess(handler, guardtest.Config{}), queue.Config{
		Name:    "account.fifo",
		Clock:   source.NewClock(time.Now()),
		Mapping: queue.Mapping{ReportBatchItemFailures: true},
	})
	for _, body := range []string{"debit", "close"} {
		if _, err := q.Send(queue.Message{Body: body, Group: "c-42", Deduplication: body}); err != nil {
			fmt.Println(err)
		}
	}
	if err := q.Drain(context.Background()); err != nil {
		fmt.Println(err)
	}
	fmt.Println("in order:", q.Ledger().Check() == nil)
	// Output: in order: false
}

// A function that succeeds after two hours. The queue moves the clock when nothing else can happen, so
// the test takes no time.
func ExampleClock() {
	clock := source.NewClock(time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC))
	handler := guard.Func(func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) {
		fmt.Println("called at", clock.Now().Format("15:04"))
		if clock.Now().Hour() < 11 {
			return events.SQSEventResponse{}, errors.New("the warehouse is closed until eleven")
		}
		return events.SQSEventResponse{}, nil
	})
	q := queue.New(guardtest.NewInProcess(handler, guardtest.Config{}), queue.Config{Clock: clock, VisibilityTimeout: time.Hour})
	if _, err := q.Send(queue.Message{Body: "o-1"}); err != nil {
		fmt.Println(err)
	}
	if err := q.Drain(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// called at 09:00
	// called at 10:00
	// called at 11:00
}

// Two shards, and a function with a reserved concurrency of one: a batch that is throttled comes
// again, and uses up no retry.
func ExampleReservedConcurrency() {
	handler := guard.Func(func(context.Context, events.KinesisEvent) (events.KinesisEventResponse, error) {
		return events.KinesisEventResponse{}, nil
	})
	fn := source.ReservedConcurrency(guardtest.NewInProcess(handler, guardtest.Config{}), 1)
	readings := stream.New(fn, stream.Config{Shards: 2, MaximumRetryAttempts: new(0), Clock: source.NewClock(time.Now())})
	for i := range 100 {
		readings.Put(fmt.Sprintf("meter-%d", i), []byte(`{"kwh":1.5}`))
	}
	if err := readings.Drain(context.Background()); err != nil {
		fmt.Println(err)
	}
	fmt.Println(readings.Ledger().Counts().Done, "done")
	// Output: 100 done
}

// A topic that gets what a function failed with. A test that needs no topic keeps the letters.
func ExampleTo() {
	var kept []source.Letter
	topic := source.To("arn:aws:sns:us-east-1:123456789012:points-failed", func(l source.Letter) error {
		kept = append(kept, l)
		return nil
	})
	book := guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return nil, errors.New("no such customer") })
	points := async.New(guardtest.NewInProcess(book, guardtest.Config{}), async.Config{DeadLetters: topic})
	if _, err := points.Invoke([]byte(`{"points":120}`)); err != nil {
		fmt.Println(err)
	}
	if err := points.Drain(context.Background()); err != nil {
		fmt.Println(err)
	}
	fmt.Println(kept[0].Body, kept[0].Attributes["ErrorMessage"].String)
	// Output: {"points":120} no such customer
}
