package queue_test

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
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
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
	dead := queue.New(nil, queue.Config{Name: "orders-dead", Clock: clock})
	orders := queue.New(fn, queue.Config{
		Name:    "orders",
		Clock:   clock,
		Redrive: queue.Redrive{To: dead, MaxReceives: 3},
		Mapping: queue.Mapping{BatchSize: 10, ReportBatchItemFailures: true},
	})
	for _, body := range []string{`{"id":"o-1","items":2}`, `{"id":"o-2"}`, `{"id":"o-3","items":1}`} {
		if _, err := orders.Send(queue.Message{Body: body}); err != nil {
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

// A filter is the FilterCriteria of the mapping. What it does not match is deleted.
func ExampleMapping() {
	fn := guardtest.NewInProcess(batch.SQS(func(_ context.Context, m events.SQSMessage) error {
		fmt.Println(m.Body)
		return nil
	}), guardtest.Config{})
	q := queue.New(fn, queue.Config{
		Clock: source.NewClock(time.Now()),
		Mapping: queue.Mapping{
			ReportBatchItemFailures: true,
			Filter:                  pattern.MustFilter(pattern.SQS, `{"body": {"kind": ["order"]}}`),
		},
	})
	for _, body := range []string{`{"kind":"order"}`, `{"kind":"rehearsal"}`} {
		if _, err := q.Send(queue.Message{Body: body}); err != nil {
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
		var orders *queue.Queue
		api := httptest.NewUnstartedServer(nil) // its address has to be there before the function
		fn := guardtest.Start(t, guardtest.Build(t, "."), guardtest.Config{Env: []string{
			"AWS_ENDPOINT_URL_SQS=http://" + api.Listener.Addr().String(), "AWS_ACCESS_KEY_ID=any", "AWS_SECRET_ACCESS_KEY=any",
		}})
		orders = queue.New(fn, queue.Config{VisibilityTimeout: time.Second, Mapping: queue.Mapping{ReportBatchItemFailures: true}})
		api.Config.Handler = queue.API(orders)
		api.Start()
		t.Cleanup(api.Close)

		ctx, stop := context.WithCancel(t.Context())
		ran := make(chan error)
		go func() { ran <- orders.Run(ctx) }()
		if _, err := orders.Send(queue.Message{Body: `{"id":"o-1","items":2}`}); err != nil {
			t.Error(err)
		}
		if err := orders.Ledger().Wait(t.Context(), func(c source.Counts) bool { return c.Done == 1 }); err != nil {
			t.Errorf("%v, and the function wrote\n%s", err, fn.Log())
		}
		stop()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	}
}
