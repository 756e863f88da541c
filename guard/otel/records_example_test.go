package otel_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
	"github.com/lambdarmor/lambdarmor/guard/otel"
)

type order struct {
	Customer string `json:"customer"`
}

// Each message has a span, in that of the invocation.
func ExampleRecords() {
	spans := tracetest.NewSpanRecorder()
	tp := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))

	book := func(_ context.Context, o order) error {
		if o.Customer == "c-2" {
			return guard.Errorf(guard.Conflict, "no_stock", "There is no stock.")
		}
		return nil
	}
	h := batch.SQS(batch.Chain(batch.JSON[events.SQSMessage](book), otel.Records[events.SQSMessage](tp)))

	event := sample.Of(guard.SQS).Messages(`{"customer":"c-1"}`, `{"customer":"c-2"}`)
	_, _ = guard.Wrap(h, otel.Trace(tp)).Invoke(context.Background(), event.Bytes())
	for _, s := range spans.Ended()[:2] {
		fmt.Println(s.Name(), s.Status().Code)
	}
	// Output:
	// process orders Unset
	// process orders Error
}

// A batch of a stream has up to 10 000 records.
func ExampleMostRecords() {
	spans := tracetest.NewSpanRecorder()
	tp := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))

	count := func(context.Context, events.SQSMessage) error { return nil }
	h := batch.SQS(batch.Chain(count, otel.Records[events.SQSMessage](tp, otel.MostRecords(2))))

	_, _ = guard.Wrap(h).Invoke(context.Background(), sample.Of(guard.SQS).Messages("1", "2", "3", "4").Bytes())
	fmt.Println(len(spans.Ended()), "spans")
	// Output: 2 spans
}

// configOf is the configuration of clients for a server of a test.
func configOf(url string) aws.Config {
	return aws.Config{Region: "eu-central-1", BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider("any", "any", "")}
}

// The calls of an SDK's client are spans, whose errors have a code.
func ExampleInstrument() {
	spans := tracetest.NewSpanRecorder()
	tp := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	api := httptest.NewServer(queue.API(queue.New(nil, queue.Config{Name: "orders"})))
	defer api.Close()

	cfg := configOf(api.URL) // or config.LoadDefaultConfig(ctx)
	otel.Instrument(&cfg, tp)
	client := sqs.NewFromConfig(cfg)

	for _, name := range []string{"orders", "bills"} {
		_, err := client.SendMessage(context.Background(), &sqs.SendMessageInput{
			QueueUrl: aws.String(api.URL + "/123456789012/" + name), MessageBody: aws.String(`{"customer":"c-1"}`),
		})
		fmt.Println(err == nil)
	}
	for _, s := range spans.Ended() {
		for _, a := range s.Attributes() {
			if a.Key == "messaging.destination.name" || a.Key == "error.type" {
				fmt.Println(s.Name(), a.Key, a.Value.AsString())
			}
		}
	}
	// Output:
	// true
	// false
	// SQS.SendMessage messaging.destination.name orders
	// SQS.SendMessage messaging.destination.name bills
	// SQS.SendMessage error.type QueueDoesNotExist
}

// A message that an instrumented client sends links to the span that sent it.
func ExampleInstrument_queue() {
	spans := tracetest.NewSpanRecorder()
	tp := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))

	book := func(context.Context, events.SQSMessage) error { return nil }
	h := guard.Wrap(batch.SQS(batch.Chain(book, otel.Records[events.SQSMessage](tp))))
	orders := queue.New(guardtest.NewInProcess(h, guardtest.Config{}), queue.Config{
		Name: "orders", Clock: source.NewClock(time.Now()), Mapping: queue.Mapping{ReportBatchItemFailures: true},
	})
	api := httptest.NewServer(queue.API(orders))
	defer api.Close()
	cfg := configOf(api.URL)
	otel.Instrument(&cfg, tp)

	_, err := sqs.NewFromConfig(cfg).SendMessage(context.Background(), &sqs.SendMessageInput{
		QueueUrl: aws.String(api.URL + "/123456789012/orders"), MessageBody: aws.String(`{}`),
	})
	fmt.Println(err)
	fmt.Println(orders.Drain(context.Background()))

	sent, taken := spans.Ended()[0], spans.Ended()[1]
	fmt.Println(taken.Name(), "links to", sent.Name(), taken.Links()[0].SpanContext.SpanID() == sent.SpanContext().SpanID())
	// Output:
	// <nil>
	// <nil>
	// process orders links to SQS.SendMessage true
}
