package otel_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue/sqspoll"
	"github.com/lambdarmor/lambdarmor/guard/otel"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
	"github.com/lambdarmor/lambdarmor/internal/testserver"
)

// consumer is a function that takes each message in a span.
func consumer(tp trace.TracerProvider) guardtest.Invoker {
	h := batch.SQS(batch.Chain(fine[events.SQSMessage], otel.Records[events.SQSMessage](tp)), batch.Concurrency(4))
	return guardtest.NewInProcess(guard.Wrap(h, otel.Trace(tp)), guardtest.Config{Timeout: time.Minute})
}

// byMessage returns the spans of one name by the id of their message.
func byMessage(spans []sdktrace.ReadOnlySpan, name string) map[any]sdktrace.ReadOnlySpan {
	all := map[any]sdktrace.ReadOnlySpan{}
	for _, s := range spans {
		if id := values(s.Attributes())["messaging.message.id"]; s.Name() == name && id != nil {
			all[id] = s
		}
	}
	return all
}

// Many requests at once, each of which sends a message by the SDK: the span of each
// message links to the span that sent it, in the trace of its own request.
func TestATraceGoesAcrossAQueue(t *testing.T) {
	t.Setenv("AWS_LAMBDA_FUNCTION_NAME", "f") // where the SDK alone would send what follows with each message
	t.Setenv("_X_AMZN_TRACE_ID", "Root=1-00000000-000000000000000000000001;Parent=0000000000000002;Sampled=1")
	const requests = 64
	produced, sent := recorded(t)
	consumed, taken := recorded(t)
	orders := queue.New(consumer(consumed), queue.Config{
		Name: "orders", Clock: source.NewClock(time.Now()), Mapping: queue.Mapping{ReportBatchItemFailures: true},
	})
	api := httptest.NewServer(queue.API(orders))
	defer api.Close()
	cfg := awstest.Config(api.URL)
	otel.Instrument(&cfg, produced)
	client, url := sqs.NewFromConfig(cfg), aws.String(api.URL+"/123456789012/orders")

	var mu sync.Mutex
	requestOf := map[string]trace.TraceID{} // by the id of the message
	place := lambda.NewHandler(func(ctx context.Context, r events.APIGatewayV2HTTPRequest) (string, error) {
		out, err := client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: url, MessageBody: &r.RawPath})
		if err != nil {
			return "", err
		}
		mu.Lock()
		defer mu.Unlock()
		requestOf[*out.MessageId] = trace.SpanContextFromContext(ctx).TraceID()
		return "placed", nil
	})
	front, err := gateway.NewHTTPAPI(guardtest.NewInProcess(guard.Wrap(place, otel.Trace(produced)), guardtest.Config{}), gateway.HTTPAPIConfig{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(front)
	defer server.Close()
	var all sync.WaitGroup
	for i := range requests {
		all.Go(func() {
			// Each request is a sampled trace of its own.
			r, _ := http.NewRequestWithContext(t.Context(), "POST", fmt.Sprint(server.URL, "/orders/", i), nil)
			r.Header.Set("X-Amzn-Trace-Id", fmt.Sprintf("Root=1-5759e988-bd862e3fe1be46a994%06x;Parent=53995c3f42cd8ad8;Sampled=1", i+1))
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				t.Errorf("got %s, want 200", resp.Status)
			}
		})
	}
	all.Wait()
	if err := orders.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}

	senders, takers := byMessage(sent.Ended(), "SQS.SendMessage"), byMessage(taken.Ended(), "process orders")
	if len(senders) != requests || len(takers) != requests || len(requestOf) != requests {
		t.Fatalf("got %d spans that sent and %d that took a message, want %d of each", len(senders), len(takers), requests)
	}
	traces := map[trace.TraceID]bool{}
	for id, taker := range takers {
		sender := senders[id].SpanContext()
		if links := taker.Links(); len(links) != 1 || links[0].SpanContext.SpanID() != sender.SpanID() || links[0].SpanContext.TraceID() != sender.TraceID() || !links[0].SpanContext.IsSampled() {
			t.Errorf("got the links %v, want one to %v", links, sender)
		}
		if sender.TraceID() != requestOf[id.(string)] || taker.SpanContext().TraceID() == sender.TraceID() {
			t.Errorf("got the sender's trace %s and the taker's %s, want the request's %s and another", sender.TraceID(), taker.SpanContext().TraceID(), requestOf[id.(string)])
		}
		traces[sender.TraceID()] = true
	}
	if len(traces) != requests {
		t.Errorf("got %d traces, want one of each request", len(traces))
	}
}

// The messages of one SendMessageBatch link to its one span.
func TestTheMessagesOfABatchLinkToItsSender(t *testing.T) {
	tp, spans := recorded(t)
	orders := queue.New(consumer(tp), queue.Config{Name: "orders", Clock: source.NewClock(time.Now()), Mapping: queue.Mapping{ReportBatchItemFailures: true}})
	api := httptest.NewServer(queue.API(orders))
	defer api.Close()
	cfg := awstest.Config(api.URL)
	otel.Instrument(&cfg, tp)
	var entries []sqstypes.SendMessageBatchRequestEntry
	for i := range 10 {
		entries = append(entries, sqstypes.SendMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), MessageBody: aws.String("x")})
	}
	_, err := sqs.NewFromConfig(cfg).SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: aws.String(api.URL + "/123456789012/orders"), Entries: entries})
	if err != nil {
		t.Fatal(err)
	}
	if err := orders.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	sender := spans.Ended()[0].SpanContext()
	takers := byMessage(spans.Ended(), "process orders")
	for _, s := range takers {
		if links := s.Links(); len(links) != 1 || links[0].SpanContext.SpanID() != sender.SpanID() {
			t.Errorf("got the links %v, want one to %v", links, sender)
		}
	}
	if len(takers) != 10 {
		t.Errorf("got %d spans, want 10", len(takers))
	}
}

// A message of a real SQS API has its context in its attribute, also where the API, as
// moto's, does not take the header of the request.
func TestATraceGoesAcrossAQueueByTheAttribute(t *testing.T) {
	client := sqs.NewFromConfig(awstest.Config(testserver.Moto(t).URL()))
	tp, spans := recorded(t)
	made, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("orders")})
	if err != nil {
		t.Fatal(err)
	}
	poller, err := sqspoll.New(t.Context(), client, *made.QueueUrl, consumer(tp), queue.Mapping{ReportBatchItemFailures: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	ran := make(chan error)
	go func() { ran <- poller.Run(ctx) }()
	_, err = client.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: made.QueueUrl, MessageBody: aws.String("order"),
		MessageSystemAttributes: map[string]sqstypes.MessageSystemAttributeValue{"AWSTraceHeader": {DataType: aws.String("String"), StringValue: aws.String(xrayHeader)}},
	})
	if err != nil {
		t.Error(err)
	}
	if err := poller.Ledger().Wait(ctx, func(c source.Counts) bool { return c.Done == 1 }); err != nil {
		t.Error(err)
	}
	stop()
	if err := <-ran; err != nil {
		t.Error(err)
	}
	for _, s := range byMessage(spans.Ended(), "process orders") {
		if links := s.Links(); len(links) == 1 && links[0].SpanContext.SpanID().String() == senderSpan {
			return
		}
	}
	t.Error("got no span with a link to the sender")
}

// The names of the tables reach the span by a real DynamoDB.
func TestASpanHasTheTablesOfARealDynamoDB(t *testing.T) {
	cfg := awstest.Config(testserver.DynamoDB(t).URL())
	tp, spans := recorded(t)
	otel.Instrument(&cfg, tp)
	db := dynamodb.NewFromConfig(cfg)
	for _, table := range []string{"orders", "stock"} {
		_, err := db.CreateTable(t.Context(), &dynamodb.CreateTableInput{
			TableName: &table, BillingMode: dynamotypes.BillingModePayPerRequest,
			AttributeDefinitions: []dynamotypes.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: "S"}},
			KeySchema:            []dynamotypes.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: "HASH"}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	spans.Reset()
	put := func(table string) dynamotypes.TransactWriteItem {
		return dynamotypes.TransactWriteItem{Put: &dynamotypes.Put{TableName: &table, Item: key, ConditionExpression: aws.String("attribute_not_exists(id)")}}
	}
	both := func() error { // a new input each time, as the SDK puts a token into it
		_, err := db.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []dynamotypes.TransactWriteItem{put("stock"), put("orders")}})
		return err
	}
	if err := both(); err != nil {
		t.Fatal(err)
	}
	if both() == nil {
		t.Fatal("got no error of a condition that does not hold")
	}
	if _, err := db.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("orders"), Key: key}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("absent"), Key: key}); err == nil {
		t.Fatal("got no error of a table that is not there")
	}
	var got []string
	for _, s := range spans.Ended() {
		all := values(s.Attributes())
		got = append(got, fmt.Sprintf("%s %v %v %v", s.Name(), all["aws.dynamodb.table_names"], all["http.response.status_code"], all["error.type"]))
		if strings.Contains(asJSON(t, all), "secret") {
			t.Errorf("got %v, want no key", all)
		}
	}
	want := []string{
		"DynamoDB.TransactWriteItems [orders stock] 200 <nil>",
		"DynamoDB.TransactWriteItems [orders stock] 400 TransactionCanceledException",
		"DynamoDB.GetItem [orders] 200 <nil>",
		"DynamoDB.GetItem [absent] 400 ResourceNotFoundException",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
