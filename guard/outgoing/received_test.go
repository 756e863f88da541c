package outgoing_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/guard/outgoing"
	"github.com/lambdarmor/lambdarmor/guard/recursion/sqshops"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
	"github.com/lambdarmor/lambdarmor/internal/testserver"
)

var servers testserver.Shared

func TestMain(m *testing.M) { os.Exit(servers.Run(m)) }

// correlated runs an event with guard.Correlate(outgoing.Received), and returns the id.
func correlated(t *testing.T, event []byte) (id string) {
	t.Helper()
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		id = guard.CorrelationID(ctx)
		return nil, nil
	}), guard.Log(logging.New(discard{}), guard.Correlate(outgoing.Received)))
	if _, err := h.Invoke(t.Context(), event); err != nil {
		t.Fatal(err)
	}
	return id
}

func attribute(id string) map[string]any {
	return map[string]any{"correlationId": map[string]string{"dataType": "String", "stringValue": id}}
}

func TestAnIdIsFoundWhereItWasSent(t *testing.T) {
	queue := sample.Of(guard.SQS).Messages("a", "b")
	for _, tc := range []struct {
		rule  string
		event []byte
		want  string
	}{
		{rule: "an HTTP API", event: sample.Of(guard.HTTPAPI).Set("/headers/x-correlation-id", "order-7").Bytes(), want: "order-7"},
		{rule: "a request without one", event: sample.Of(guard.HTTPAPI).Bytes()},
		{rule: "a request with junk", event: sample.Of(guard.HTTPAPI).Set("/headers/x-correlation-id", "a\nb").Bytes()},
		{rule: "a request with 10 kB", event: sample.Of(guard.HTTPAPI).Set("/headers/x-correlation-id", strings.Repeat("a", 10_000)).Bytes()},
		{rule: "a queue", event: queue.Set("/Records/0/messageAttributes", attribute("order-7")).Set("/Records/1/messageAttributes", attribute("order-7")).Bytes(), want: "order-7"},
		{rule: "a queue with two", event: queue.Set("/Records/0/messageAttributes", attribute("order-7")).Set("/Records/1/messageAttributes", attribute("order-8")).Bytes()},
		{rule: "a queue with one and none", event: queue.Set("/Records/0/messageAttributes", attribute("order-7")).Bytes()},
		{rule: "a queue whose body has it", event: queue.Set("/Records/0/body", `{"correlationId":"x"}`).Bytes()},
		{rule: "a topic", event: sample.Of(guard.SNS).Set("/Records/0/Sns/MessageAttributes", map[string]any{"correlationId": map[string]string{"Type": "String", "Value": "order-7"}}).Bytes(), want: "order-7"},
		{rule: "a topic with junk", event: sample.Of(guard.SNS).Set("/Records/0/Sns/MessageAttributes", map[string]any{"correlationId": []int{1}}).Bytes()},
		{rule: "another event", event: sample.Of(guard.EventBridge).Set("/detail/correlationId", "x").Bytes()},
		{rule: "no event", event: []byte(`"correlationId"`)},
	} {
		if got := correlated(t, tc.event); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.rule, got, tc.want)
		}
	}
}

// The id goes through a queue by the real client, and each record has its own.
func TestAnIdGoesThroughAQueue(t *testing.T) {
	client := sqs.NewFromConfig(awstest.Config(servers.Moto(t).URL()), sqshops.Carry)
	made, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(rand.Text())})
	if err != nil {
		t.Fatal(err)
	}
	send := func(in invocation, own map[string]types.MessageAttributeValue) {
		in.hops = -1
		in.run(t, func(ctx context.Context) {
			if _, err := client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: made.QueueUrl, MessageBody: aws.String(in.correlation + in.requestID), MessageAttributes: own}); err != nil {
				t.Error(err)
			}
		})
	}
	ten := map[string]types.MessageAttributeValue{}
	for i := range 10 {
		ten[fmt.Sprint("a", i)] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String("x")}
	}
	send(invocation{correlation: "order-7"}, nil)
	send(invocation{requestID: "request-8"}, nil)
	send(invocation{correlation: "no-room"}, ten)
	send(invocation{correlation: "own"}, map[string]types.MessageAttributeValue{"correlationId": {DataType: aws.String("String"), StringValue: aws.String("mine")}})
	got, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: made.QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"}})
	if err != nil {
		t.Fatal(err)
	}
	var e events.SQSEvent
	for _, m := range got.Messages {
		r := events.SQSMessage{MessageId: *m.MessageId, Body: *m.Body, EventSource: "aws:sqs", EventSourceARN: "arn:aws:sqs:eu-central-1:123456789012:q", MessageAttributes: map[string]events.SQSMessageAttribute{}}
		for name, v := range m.MessageAttributes {
			r.MessageAttributes[name] = events.SQSMessageAttribute{DataType: *v.DataType, StringValue: v.StringValue}
		}
		e.Records = append(e.Records, r)
	}
	event, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	ids := map[string]string{}
	h := guard.Wrap(batch.SQS(batch.Chain(func(ctx context.Context, m events.SQSMessage) error {
		mu.Lock()
		defer mu.Unlock()
		ids[m.Body] = guard.CorrelationID(ctx)
		return nil
	}, outgoing.Records[events.SQSMessage]())), guard.Log(logging.New(discard{}), guard.Correlate(func(context.Context, *guard.Event) string { return "whole" })))
	if _, err := h.Invoke(t.Context(), event); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"order-7": "order-7", "request-8": "request-8", "no-room": "whole", "own": "mine"}
	if !reflect.DeepEqual(ids, want) {
		t.Errorf("got %v, want %v", ids, want)
	}
}

func TestAKafkaRecordHasItsOwnId(t *testing.T) {
	for rule, tc := range map[string]struct {
		headers []map[string]events.JSONNumberBytes
		want    string
	}{
		"one":  {headers: []map[string]events.JSONNumberBytes{{"x": []byte("1")}, {"correlationId": []byte("order-7")}}, want: "order-7"},
		"junk": {headers: []map[string]events.JSONNumberBytes{{"correlationId": []byte("a\r\nb")}}},
		"none": {},
	} {
		invocation{hops: -1}.run(t, func(ctx context.Context) {
			next := outgoing.Records[events.KafkaRecord]()(func(ctx context.Context, _ events.KafkaRecord) error {
				if got := guard.CorrelationID(ctx); got != tc.want {
					t.Errorf("%s: got %q, want %q", rule, got, tc.want)
				}
				return nil
			})
			if err := next(ctx, events.KafkaRecord{Headers: tc.headers}); err != nil {
				t.Error(err)
			}
		})
	}
}
