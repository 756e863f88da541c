package source_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/pattern"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
)

type order struct {
	ID    string `json:"id"`
	Items int    `json:"items"`
}

// Each message was handled or is in the dead-letter queue. The clock makes the retries
// take no time.
func ExampleQueue() {
	booked := []string{}
	handler := batch.SQS(batch.JSON[events.SQSMessage](func(_ context.Context, o order) error {
		if o.Items == 0 {
			return guard.Errorf(guard.Invalid, "no_items", "an order needs items")
		}
		booked = append(booked, o.ID)
		return nil
	}))
	fn := guardtest.NewInProcess(handler, guardtest.Config{Timeout: time.Minute})

	clock := source.NewClock(time.Now())
	dead := source.NewQueue(nil, source.QueueConfig{Name: "orders-dead", Clock: clock})
	orders := source.NewQueue(fn, source.QueueConfig{
		Name:    "orders",
		Clock:   clock,
		Redrive: source.Redrive{To: dead, MaxReceives: 3},
		Mapping: source.Mapping{BatchSize: 10, ReportBatchItemFailures: true},
	})
	for _, body := range []string{`{"id":"o-1","items":2}`, `{"id":"o-2"}`, `{"id":"o-3","items":1}`} {
		if _, err := orders.Send(source.Message{Body: body}); err != nil {
			fmt.Println(err)
		}
	}
	if err := orders.Drain(context.Background()); err != nil {
		fmt.Println(err)
	}

	fmt.Println("booked:", booked)
	for _, m := range dead.Messages() {
		fmt.Println("dead:", m.Body)
	}
	fmt.Println("lost or out of order:", orders.Ledger().Check())
	// Output:
	// booked: [o-1 o-3]
	// dead: {"id":"o-2"}
	// lost or out of order: <nil>
}

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
	q := source.NewQueue(guardtest.NewInProcess(handler, guardtest.Config{}), source.QueueConfig{
		Name:    "account.fifo",
		Clock:   source.NewClock(time.Now()),
		Mapping: source.Mapping{ReportBatchItemFailures: true},
	})
	for _, body := range []string{"debit", "close"} {
		if _, err := q.Send(source.Message{Body: body, Group: "c-42", Deduplication: body}); err != nil {
			fmt.Println(err)
		}
	}
	if err := q.Drain(context.Background()); err != nil {
		fmt.Println(err)
	}
	fmt.Println("in order:", q.Ledger().Check() == nil)
	// Output: in order: false
}

// A filter is the FilterCriteria of the mapping. What it does not match is deleted.
func ExampleMapping() {
	fn := guardtest.NewInProcess(batch.SQS(func(_ context.Context, m events.SQSMessage) error {
		fmt.Println(m.Body)
		return nil
	}), guardtest.Config{})
	q := source.NewQueue(fn, source.QueueConfig{
		Clock: source.NewClock(time.Now()),
		Mapping: source.Mapping{
			ReportBatchItemFailures: true,
			Filter:                  pattern.MustFilter(pattern.SQS, `{"body": {"kind": ["order"]}}`),
		},
	})
	for _, body := range []string{`{"kind":"order"}`, `{"kind":"rehearsal"}`} {
		if _, err := q.Send(source.Message{Body: body}); err != nil {
			fmt.Println(err)
		}
	}
	if err := q.Drain(context.Background()); err != nil {
		fmt.Println(err)
	}
	fmt.Println(q.Ledger().Counts().Filtered, "filtered")
	// Output:
	// {"kind":"order"}
	// 1 filtered
}

// The binary that would be deployed, which reaches the queue with its own SQS client.
// The queue runs beside the test, in real time.
func ExampleAPI() {
	_ = func(t *testing.T) {
		var queue *source.Queue
		api := httptest.NewUnstartedServer(nil) // its address has to be there before the function
		fn := guardtest.Start(t, guardtest.Build(t, "."), guardtest.Config{Env: []string{
			"AWS_ENDPOINT_URL_SQS=http://" + api.Listener.Addr().String(), "AWS_ACCESS_KEY_ID=any", "AWS_SECRET_ACCESS_KEY=any",
		}})
		queue = source.NewQueue(fn, source.QueueConfig{VisibilityTimeout: time.Second, Mapping: source.Mapping{ReportBatchItemFailures: true}})
		api.Config.Handler = source.API(queue)
		api.Start()
		t.Cleanup(api.Close)

		ctx, stop := context.WithCancel(t.Context())
		ran := make(chan error)
		go func() { ran <- queue.Run(ctx) }()
		if _, err := queue.Send(source.Message{Body: `{"id":"o-1","items":2}`}); err != nil {
			t.Error(err)
		}
		if err := queue.Ledger().Wait(t.Context(), func(c source.Counts) bool { return c.Done == 1 }); err != nil {
			t.Errorf("%v, and the function wrote\n%s", err, fn.Log())
		}
		stop()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	}
}
