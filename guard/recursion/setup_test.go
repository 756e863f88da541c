package recursion_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	bridge "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/recursion"
	"github.com/lambdarmor/lambdarmor/guard/recursion/eventbridgehops"
	"github.com/lambdarmor/lambdarmor/guard/recursion/snshops"
	"github.com/lambdarmor/lambdarmor/guard/recursion/sqshops"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
	"github.com/lambdarmor/lambdarmor/internal/testserver"
)

var servers testserver.Shared

func TestMain(m *testing.M) { os.Exit(servers.Run(m)) }

// cloud is a queue, topics and a bus that lead to it, and the real clients for them.
type cloud struct {
	sqs    *sqs.Client
	sns    *sns.Client
	bridge *eventbridge.Client
	queue  string // its URL
	topic  string // wraps messages in notifications
	raw    string // a topic that does not
	source string // of the events that the default bus sends to the queue
}

func setUp(t *testing.T) *cloud {
	t.Helper()
	cfg, name := awstest.Config(servers.Moto(t).URL()), rand.Text()
	c := &cloud{
		sqs:    sqs.NewFromConfig(cfg, sqshops.Carry),
		sns:    sns.NewFromConfig(cfg, snshops.Carry),
		bridge: eventbridge.NewFromConfig(cfg, eventbridgehops.Carry),
		source: name,
	}
	ctx := t.Context()
	q, err := c.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name, Attributes: map[string]string{"VisibilityTimeout": "60"}})
	if err != nil {
		t.Fatal(err)
	}
	c.queue = *q.QueueUrl
	attrs, err := c.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &c.queue, AttributeNames: []types.QueueAttributeName{"QueueArn"}})
	if err != nil {
		t.Fatal(err)
	}
	arn := attrs.Attributes["QueueArn"]
	for topic, options := range map[*string]map[string]string{&c.topic: nil, &c.raw: {"RawMessageDelivery": "true"}} {
		made, err := c.sns.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String(rand.Text())})
		if err != nil {
			t.Fatal(err)
		}
		*topic = *made.TopicArn
		_, err = c.sns.Subscribe(ctx, &sns.SubscribeInput{TopicArn: made.TopicArn, Protocol: aws.String("sqs"), Endpoint: &arn, Attributes: options})
		if err != nil {
			t.Fatal(err)
		}
	}
	pattern, _ := json.Marshal(map[string][]string{"source": {c.source}})
	if _, err := c.bridge.PutRule(ctx, &eventbridge.PutRuleInput{Name: &name, EventPattern: aws.String(string(pattern))}); err != nil {
		t.Fatal(err)
	}
	_, err = c.bridge.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: &name, Targets: []bridge.Target{{Id: aws.String("queue"), Arn: &arn}}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// receive takes all messages from the queue, as Lambda's poller hands them over.
func (c *cloud) receive(t *testing.T) events.SQSEvent {
	t.Helper()
	var event events.SQSEvent
	for {
		out, err := c.sqs.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &c.queue, MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"}})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Messages) == 0 {
			return event
		}
		for _, m := range out.Messages {
			r := events.SQSMessage{
				MessageId: *m.MessageId, Body: *m.Body, EventSource: "aws:sqs", EventSourceARN: "arn:aws:sqs:eu-central-1:123456789012:orders",
				Attributes: map[string]string{"ApproximateReceiveCount": "1"}, MessageAttributes: map[string]events.SQSMessageAttribute{},
			}
			for name, a := range m.MessageAttributes {
				r.MessageAttributes[name] = events.SQSMessageAttribute{StringValue: a.StringValue, BinaryValue: a.BinaryValue, DataType: *a.DataType}
			}
			event.Records = append(event.Records, r)
			if _, err := c.sqs.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &c.queue, ReceiptHandle: m.ReceiptHandle}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// ways are the calls that lead to the queue.
func (c *cloud) ways() map[string]func(context.Context) error {
	body := `{"order":1}`
	entry := bridge.PutEventsRequestEntry{Source: &c.source, DetailType: aws.String("OrderPlaced"), Detail: &body}
	return map[string]func(context.Context) error{
		"SendMessage": func(ctx context.Context) error {
			_, err := c.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &c.queue, MessageBody: &body})
			return err
		},
		"SendMessageBatch": func(ctx context.Context) error {
			_, err := c.sqs.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &c.queue, Entries: []types.SendMessageBatchRequestEntry{{Id: aws.String("a"), MessageBody: &body}}})
			return err
		},
		"Publish": func(ctx context.Context) error {
			_, err := c.sns.Publish(ctx, &sns.PublishInput{TopicArn: &c.topic, Message: &body})
			return err
		},
		"Publish, raw": func(ctx context.Context) error {
			_, err := c.sns.Publish(ctx, &sns.PublishInput{TopicArn: &c.raw, Message: &body})
			return err
		},
		"PublishBatch":      func(ctx context.Context) error { return c.publishBatch(ctx, c.topic, body) },
		"PublishBatch, raw": func(ctx context.Context) error { return c.publishBatch(ctx, c.raw, body) },
		"PutEvents": func(ctx context.Context) error {
			_, err := c.bridge.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []bridge.PutEventsRequestEntry{entry}})
			return err
		},
	}
}

func (c *cloud) publishBatch(ctx context.Context, topic, body string) error {
	_, err := c.sns.PublishBatch(ctx, &sns.PublishBatchInput{TopicArn: &topic, PublishBatchRequestEntries: []snstypes.PublishBatchRequestEntry{{Id: aws.String("a"), Message: &body}}})
	return err
}

func (c *cloud) wayNames() []string { return slices.Sorted(maps.Keys(c.ways())) }

// count returns the hops of an event, or the code of the error.
func count(t *testing.T, event []byte) (hops int, code string) {
	t.Helper()
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		hops = recursion.Hops(ctx)
		return nil, nil
	}), recursion.Limit(9999))
	if _, err := h.Invoke(t.Context(), event); err != nil {
		return 0, guard.Public(err).Code
	}
	return hops, ""
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
