package batch_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/validate"
	"github.com/lambdarmor/lambdarmor/validate/schema"
)

type exampleOrder struct {
	Customer string `json:"customer"`
}

// Only the order that failed comes again.
func ExampleSQS() {
	book := func(_ context.Context, o exampleOrder) error {
		if o.Customer == "c-2" {
			return errors.New("no stock")
		}
		fmt.Println("booked for", o.Customer)
		return nil
	}
	h := batch.SQS(batch.JSON[events.SQSMessage](book))

	event := sample.Of(guard.SQS).Messages(`{"customer":"c-1"}`, `{"customer":"c-2"}`, `{"customer":"c-3"}`)
	out, _ := guard.Wrap(h).Invoke(context.Background(), event.Bytes())
	fmt.Println(string(out))
	// Output:
	// booked for c-1
	// booked for c-3
	// {"batchItemFailures":[{"itemIdentifier":"059f36b4-87a3-44ab-83d2-661975830002"}]}
}

// Each record is validated, and booked once however often it comes.
func ExampleChain() {
	booking := idempotency.NewOperation("book", idempotency.NewMemoryStore())
	orderSchema := schema.MustCompile([]byte(`{"required": ["customer"]}`))
	h := batch.SQS(batch.Chain(
		func(_ context.Context, m events.SQSMessage) error {
			fmt.Println("book", m.Body)
			return nil
		},
		validate.Records[events.SQSMessage](orderSchema),
		idempotency.Records(booking, func(m events.SQSMessage) (string, any) { return m.MessageId, nil }),
	))

	event := sample.Of(guard.SQS).Messages(`{"customer":"c-1"}`, `{"name":"zoe"}`).Bytes()
	for range 2 { // the second time is a repeat
		out, _ := guard.Wrap(h).Invoke(context.Background(), event)
		fmt.Println(string(out))
	}
	// Output:
	// book {"customer":"c-1"}
	// {"batchItemFailures":[{"itemIdentifier":"059f36b4-87a3-44ab-83d2-661975830002"}]}
	// {"batchItemFailures":[{"itemIdentifier":"059f36b4-87a3-44ab-83d2-661975830002"}]}
}

// What can never succeed leaves the queue, with its reason.
func ExampleDeadLetters() {
	book := func(_ context.Context, o exampleOrder) error {
		return guard.Errorf(guard.Unprocessable, "unknown_customer", "There is no such customer.")
	}
	toConsole := batch.SinkFunc(func(_ context.Context, l batch.DeadLetter) error {
		fmt.Println(l.Code, "from", l.Source)
		return nil
	})
	h := batch.SQS(batch.JSON[events.SQSMessage](book), batch.DeadLetters(toConsole), batch.MaxReceives(4))

	out, _ := guard.Wrap(h).Invoke(context.Background(), sample.Of(guard.SQS).Messages(`{"customer":"c-1"}`).Bytes())
	fmt.Println(string(out))
	// Output:
	// unknown_customer from arn:aws:sqs:us-east-1:123456789012:orders
	// {"batchItemFailures":[]}
}

// A stream continues at the first record that failed.
func ExampleKinesis() {
	h := batch.Kinesis(func(ctx context.Context, r events.KinesisEventRecord) error {
		info, _ := batch.RecordFrom(ctx)
		fmt.Println(info.Group, string(r.Kinesis.Data))
		return errors.New("no database")
	}, batch.Concurrency(4), batch.Reserve(2*time.Second))

	event := sample.Of(guard.Kinesis).Messages(`{"points":1}`, `{"points":2}`)
	out, _ := guard.Wrap(h).Invoke(context.Background(), event.Bytes())
	fmt.Println(string(out))
	// Output:
	// c-42 {"points":1}
	// {"batchItemFailures":[{"itemIdentifier":"49590338271490256608559692538361571095921575989136580001"}]}
}

// Messages of SNS, EventBridge and S3 reach the function without their envelopes.
func ExampleUnwrap() {
	add := func(ctx context.Context, in struct{ Points int }) error {
		info, _ := batch.RecordFrom(ctx)
		fmt.Println(in.Points, "points, from", info.Envelopes[0].Source)
		return nil
	}
	h := batch.SQS(batch.Chain(batch.JSON[events.SQSMessage](add), batch.Unwrap))

	event := sample.Of(guard.SQS).Messages(`{"Type":"Notification","TopicArn":"arn:aws:sns:us-east-1:123456789012:loyalty","Message":"{\"Points\":7}"}`)
	out, _ := guard.Wrap(h).Invoke(context.Background(), event.Bytes())
	fmt.Println(string(out))
	// Output:
	// 7 points, from arn:aws:sns:us-east-1:123456789012:loyalty
	// {"batchItemFailures":[]}
}

// A failed message comes again after a second, then two, then four, up to a
// minute. In place of the function here, use visibility.New(sqs.NewFromConfig(cfg)).
func ExampleRetryLater() {
	h := batch.SQS(func(context.Context, events.SQSMessage) error { return errors.New("busy") },
		batch.RetryLater(printDelays{}, batch.Backoff(time.Second, time.Minute)))

	event := sample.Of(guard.SQS).Set("/Records/0/attributes/ApproximateReceiveCount", "3").Bytes()
	if _, err := guard.Wrap(h).Invoke(context.Background(), event); err != nil {
		fmt.Println(err)
	}
	// Output: between 2 and 4 seconds: true
}

type printDelays struct{}

func (printDelays) Delay(_ context.Context, _ events.SQSMessage, d time.Duration) error {
	fmt.Println("between 2 and 4 seconds:", d >= 2*time.Second && d <= 4*time.Second)
	return nil
}
