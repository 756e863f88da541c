package recursion_test

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	bridge "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/recursion"
	"github.com/lambdarmor/lambdarmor/guard/recursion/sqshops"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
)

// A function that sends on what it gets, by each way, ends after as many invocations as
// the limit allows. The counter that arrives is one larger each time.
func TestALoopEndsAtTheLimit(t *testing.T) {
	c := setUp(t)
	const limit = 5
	for _, way := range c.wayNames() {
		t.Run(way, func(t *testing.T) {
			var seen []int
			h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
				seen = append(seen, recursion.Hops(ctx))
				return nil, c.ways()[way](ctx)
			}), recursion.Limit(limit))
			event, err := []byte(`{}`), error(nil)
			for range 2 * limit {
				if _, err = h.Invoke(t.Context(), event); err != nil {
					break
				}
				received := c.receive(t)
				if len(received.Records) != 1 {
					t.Fatalf("got %d messages, want 1", len(received.Records))
				}
				event = encode(t, received)
			}
			if got, want := fmt.Sprint(seen), "[1 2 3 4 5]"; got != want {
				t.Errorf("got invocations %s, want %s", got, want)
			}
			if e := guard.Public(err); err == nil || e.Code != "loop" || e.Kind.Retryable() {
				t.Errorf("got %v, want the final error loop", err)
			}
			if left := c.receive(t); len(left.Records) > 0 {
				t.Errorf("got %d messages after the end, want none", len(left.Records))
			}
		})
	}
}

// A loop through several services has one counter.
func TestALoopThroughAllServicesEnds(t *testing.T) {
	c := setUp(t)
	var seen []int
	names := c.wayNames()
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		seen = append(seen, recursion.Hops(ctx))
		return nil, c.ways()[names[len(seen)%len(names)]](ctx)
	}), recursion.Limit(16))
	event, err := []byte(`{}`), error(nil)
	for err == nil && len(seen) < 40 {
		if _, err = h.Invoke(t.Context(), event); err == nil {
			event = encode(t, c.receive(t))
		}
	}
	if len(seen) != 16 || seen[15] != 16 || guard.Public(err).Code != "loop" {
		t.Errorf("got invocations %v and %v, want 16 and loop", seen, err)
	}
}

// Each record of a batch has the counter of its own, also with others beside it, and one
// that has come too far does not stop the others.
func TestRecordsOfOneBatchCountEachByItself(t *testing.T) {
	c := setUp(t)
	attribute := func(value string) map[string]events.SQSMessageAttribute {
		return map[string]events.SQSMessageAttribute{recursion.Attribute: {DataType: "Number", StringValue: &value}}
	}
	batch := []events.SQSMessage{
		{MessageId: "fresh"},
		{MessageId: "second", MessageAttributes: attribute("1")},
		{MessageId: "last", MessageAttributes: attribute("4")},
		{MessageId: "too far", MessageAttributes: attribute("5")},
		{MessageId: "garbage", MessageAttributes: attribute("-1")},
	}
	forward := recursion.Records[events.SQSMessage](5)(func(ctx context.Context, m events.SQSMessage) error {
		_, err := c.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &c.queue, MessageBody: &m.MessageId})
		return err
	})
	failed := map[string]string{}
	done := make(chan struct{})
	codes := make([]string, len(batch))
	for i, m := range batch {
		go func() {
			defer func() { done <- struct{}{} }()
			if err := forward(t.Context(), m); err != nil {
				codes[i] = guard.Public(err).Code
			}
		}()
	}
	for range batch {
		<-done
	}
	for i, code := range codes {
		if code != "" {
			failed[batch[i].MessageId] = code
		}
	}
	if want := map[string]string{"too far": "loop", "garbage": "hops_malformed"}; !maps.Equal(failed, want) {
		t.Errorf("got errors %v, want %v", failed, want)
	}
	sent := map[string]string{}
	for _, m := range c.receive(t).Records {
		sent[m.Body] = *m.MessageAttributes[recursion.Attribute].StringValue
	}
	if want := map[string]string{"fresh": "1", "second": "2", "last": "5"}; !maps.Equal(sent, want) {
		t.Errorf("got counters %v, want %v", sent, want)
	}
}

// within calls fn in an invocation with so many hops.
func within(t *testing.T, hops int, fn func(context.Context)) {
	t.Helper()
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		fn(ctx)
		return nil, nil
	}), recursion.Limit(9999))
	if _, err := h.Invoke(t.Context(), fmt.Appendf(nil, `{"_hops":%d}`, hops-1)); err != nil {
		t.Fatal(err)
	}
}

func TestACallKeepsWhatIsItsOwn(t *testing.T) {
	c := setUp(t)
	own := func(n int) map[string]types.MessageAttributeValue {
		all := map[string]types.MessageAttributeValue{}
		for i := range n {
			all[fmt.Sprintf("a%d", i)] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String("x")}
		}
		return all
	}
	within(t, 3, func(ctx context.Context) {
		for _, n := range []int{0, 1, 9} {
			in := &sqs.SendMessageInput{QueueUrl: &c.queue, MessageBody: aws.String("m"), MessageAttributes: own(n)}
			if _, err := c.sqs.SendMessage(ctx, in); err != nil {
				t.Fatal(err)
			}
			got := c.receive(t).Records[0].MessageAttributes
			if len(got) != n+1 || *got[recursion.Attribute].StringValue != "3" || got[recursion.Attribute].DataType != "Number" {
				t.Errorf("%d attributes: got %v, want them and the counter", n, got)
			}
			if len(in.MessageAttributes) != n {
				t.Errorf("got %d attributes in the caller's input, want %d", len(in.MessageAttributes), n)
			}
		}
		passedOn := own(9)
		passedOn[recursion.Attribute] = types.MessageAttributeValue{DataType: aws.String("Number"), StringValue: aws.String("2")}
		if _, err := c.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &c.queue, MessageBody: aws.String("m"), MessageAttributes: passedOn}); err != nil {
			t.Errorf("got %v for the attributes of a message that was received, want none", err)
		}
		if got := c.receive(t).Records[0].MessageAttributes[recursion.Attribute].StringValue; *got != "3" {
			t.Errorf("got counter %s, want 3", *got)
		}

		many := &sqs.SendMessageBatchInput{QueueUrl: &c.queue, Entries: []types.SendMessageBatchRequestEntry{{Id: aws.String("a"), MessageBody: aws.String("m")}}}
		batch := &sns.PublishBatchInput{TopicArn: &c.raw, PublishBatchRequestEntries: []snstypes.PublishBatchRequestEntry{{Id: aws.String("a"), Message: aws.String("m")}}}
		if _, err := c.sqs.SendMessageBatch(ctx, many); err != nil {
			t.Fatal(err)
		}
		if _, err := c.sns.PublishBatch(ctx, batch); err != nil {
			t.Fatal(err)
		}
		if many.Entries[0].MessageAttributes != nil || batch.PublishBatchRequestEntries[0].MessageAttributes != nil {
			t.Error("the caller's batches have changed")
		}
		if got := c.receive(t).Records; len(got) != 2 || *got[0].MessageAttributes[recursion.Attribute].StringValue != "3" {
			t.Errorf("got %v, want two messages with the counter", got)
		}

		const noRoom = "ten attributes of its own"
		_, err := c.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &c.queue, MessageBody: aws.String("m"), MessageAttributes: own(10)})
		mustSay(t, err, noRoom)
		_, err = c.sqs.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &c.queue, Entries: []types.SendMessageBatchRequestEntry{
			{Id: aws.String("a"), MessageBody: aws.String("m")}, {Id: aws.String("b"), MessageBody: aws.String("m"), MessageAttributes: own(10)},
		}})
		mustSay(t, err, noRoom)
		published := map[string]snstypes.MessageAttributeValue{}
		for name := range own(10) {
			published[name] = snstypes.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String("x")}
		}
		_, err = c.sns.Publish(ctx, &sns.PublishInput{TopicArn: &c.raw, Message: aws.String("m"), MessageAttributes: published})
		mustSay(t, err, noRoom)
		_, err = c.sns.PublishBatch(ctx, &sns.PublishBatchInput{TopicArn: &c.raw, PublishBatchRequestEntries: []snstypes.PublishBatchRequestEntry{
			{Id: aws.String("a"), Message: aws.String("m"), MessageAttributes: published},
		}})
		mustSay(t, err, noRoom)
		if left := c.receive(t).Records; len(left) > 0 {
			t.Errorf("got %d messages of calls that failed, want none", len(left))
		}

		detail := `{ "_hops" : 1, "order":{"id":12345678901234567890}, "_hops":2, "é":"\u00e9" }`
		entries := []bridge.PutEventsRequestEntry{{Source: &c.source, DetailType: aws.String("x"), Detail: &detail}}
		if _, err := c.bridge.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: entries}); err != nil {
			t.Fatal(err)
		}
		if *entries[0].Detail != detail {
			t.Error("the caller's detail has changed")
		}
		if got, want := c.receive(t).Records[0].Body, "12345678901234567890"; !strings.Contains(got, want) || strings.Count(got, "_hops") != 1 {
			t.Errorf("got %s, want %s and one counter", got, want)
		}
	})
}

func mustSay(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got error %v, want %q", err, want)
	}
}

// Outside of an invocation that counts, calls are as they were. Other calls are anyway.
func TestWithoutACounterACallIsAsItWas(t *testing.T) {
	c := setUp(t)
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "request-1"}) // which is sent with messages
	for _, way := range c.wayNames() {
		if err := c.ways()[way](ctx); err != nil {
			t.Fatal(err)
		}
		got := c.receive(t)
		if hops, code := count(t, encode(t, got)); hops != 1 || code != "" || strings.Contains(got.Records[0].Body, "hops") {
			t.Errorf("%s: got %d hops, %q and %s, want 1 and no counter", way, hops, code, got.Records[0].Body)
		}
	}
}

func TestCarryTwiceIsCarryOnce(t *testing.T) {
	c := setUp(t)
	client := sqs.NewFromConfig(awstest.Config(servers.Moto(t).URL()), sqshops.Carry, sqshops.Carry)
	within(t, 2, func(ctx context.Context) {
		if _, err := client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &c.queue, MessageBody: aws.String("m")}); err != nil {
			t.Fatal(err)
		}
		if _, err := client.SendMessage(ctx, nil); err == nil { // the client's own check
			t.Error("got no error for no input, want one")
		}
	})
	if got := *c.receive(t).Records[0].MessageAttributes[recursion.Attribute].StringValue; got != "2" {
		t.Errorf("got %s, want 2", got)
	}
}

// The samples of all triggers are first of their chain.
func TestAnEventOfAWSIsTheFirstOfItsChain(t *testing.T) {
	for name, event := range sample.All() {
		if hops, code := count(t, event.Bytes()); hops != 1 || code != "" {
			t.Errorf("%s: got %d, %q, want 1", name, hops, code)
		}
	}
}
