package queue_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
)

// client is the SDK's client of the queues.
func client(t *testing.T, queues ...*queue.Queue) *sqs.Client {
	t.Helper()
	server := httptest.NewServer(queue.API(queues...))
	t.Cleanup(server.Close)
	return sqs.NewFromConfig(awstest.Config(server.URL))
}

func urlOf(t *testing.T, c *sqs.Client, name string) *string {
	t.Helper()
	out, err := c.GetQueueUrl(within(t), &sqs.GetQueueUrlInput{QueueName: &name})
	if err != nil {
		t.Fatal(err)
	}
	return out.QueueUrl
}

// The function sets a message's visibility with the SDK, as a retry after a while does.
func TestFunctionChangesVisibilityByTheSDK(t *testing.T) {
	clock := source.NewClock(begin)
	var c *sqs.Client
	var url *string
	fn := &function{}
	fn.answer = func(ctx context.Context, event events.SQSEvent) (any, error) {
		r := event.Records[0]
		if r.Attributes["ApproximateReceiveCount"] != "1" {
			return nil, nil
		}
		_, err := c.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: url, ReceiptHandle: &r.ReceiptHandle, VisibilityTimeout: 7200})
		if err != nil {
			t.Error(err)
		}
		return failing(r.Body)(ctx, event)
	}
	q := queue.New(fn.invoker(), queue.Config{Clock: clock, Mapping: queue.Mapping{ReportBatchItemFailures: true}})
	c = client(t, q)
	url = urlOf(t, c, "queue")
	ids := send(t, q, "1")
	drain(t, q)
	check(t, q)
	entry, _ := q.Ledger().Entry(ids[0])
	same(t, "again", entry.Deliveries[1].At, begin.Add(2*time.Hour))
}

// A function may delete what it has handled: the rest of its batch comes again.
func TestFunctionDeletesByTheSDK(t *testing.T) {
	var c *sqs.Client
	var url *string
	fn := &function{}
	fn.answer = func(ctx context.Context, event events.SQSEvent) (any, error) {
		if len(event.Records) == 1 {
			return nil, nil
		}
		var entries []types.DeleteMessageBatchRequestEntry
		for i, r := range event.Records[:2] {
			entries = append(entries, types.DeleteMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), ReceiptHandle: &r.ReceiptHandle})
		}
		out, err := c.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: url, Entries: entries})
		if err != nil || len(out.Successful) != 2 {
			t.Errorf("%v: %+v", err, out)
		}
		return nil, errors.New("the third fails")
	}
	q := queue.New(fn.invoker(), queue.Config{Clock: source.NewClock(begin), Mapping: queue.Mapping{MaximumConcurrency: 1}})
	c = client(t, q)
	url = urlOf(t, c, "queue")
	send(t, q, "1", "2", "3")
	drain(t, q)
	check(t, q)
	same(t, "events", fn.bodies(), []string{"1 2 3", "3"})
}

func TestFunctionThatDeletesAndSucceeds(t *testing.T) {
	var q *queue.Queue
	fn := &function{answer: func(_ context.Context, event events.SQSEvent) (any, error) {
		return nil, q.Delete(event.Records[0].ReceiptHandle)
	}}
	q = queue.New(fn.invoker(), queue.Config{Clock: source.NewClock(begin)})
	ids := send(t, q, "1")
	drain(t, q)
	check(t, q)
	entry, _ := q.Ledger().Entry(ids[0])
	same(t, "failure", entry.Deliveries[0].Failure, "")
	same(t, "outcome", entry.Outcome, source.Done)
}

// A client that reads a dead-letter queue, and puts what it finds back, as a redrive does.
func TestRedriveByTheSDK(t *testing.T) {
	clock := source.NewClock(begin)
	fn := &function{answer: failing("1")}
	dead := queue.New(nil, queue.Config{Name: "dead.fifo", Clock: clock})
	q := queue.New(fn.invoker(), queue.Config{
		Name: "q.fifo", Clock: clock, Redrive: queue.Redrive{To: dead, MaxReceives: 1}, Mapping: queue.Mapping{ReportBatchItemFailures: true},
	})
	c := client(t, q, dead)
	to, from := urlOf(t, c, "q.fifo"), urlOf(t, c, "dead.fifo")
	sent, err := c.SendMessage(within(t), &sqs.SendMessageInput{
		QueueUrl: to, MessageBody: aws.String("1"), MessageGroupId: aws.String("g"), MessageDeduplicationId: aws.String("d"),
		MessageAttributes: map[string]types.MessageAttributeValue{"kind": {DataType: aws.String("String"), StringValue: aws.String("order")}},
	})
	if err != nil || aws.ToString(sent.SequenceNumber) == "" || aws.ToString(sent.MD5OfMessageAttributes) == "" {
		t.Fatalf("%v: %+v", err, sent)
	}
	drain(t, q)
	check(t, q)

	in := &sqs.ReceiveMessageInput{QueueUrl: from, MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"}, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}}
	got, err := c.ReceiveMessage(within(t), in)
	if err != nil || len(got.Messages) != 1 {
		t.Fatalf("%v: %+v", err, got)
	}
	m := got.Messages[0]
	if *m.MessageId != *sent.MessageId || *m.Body != "1" || *m.MessageAttributes["kind"].StringValue != "order" ||
		m.Attributes["DeadLetterQueueSourceArn"] != q.ARN() || m.Attributes["ApproximateReceiveCount"] != "2" || m.Attributes["MessageGroupId"] != "g" {
		t.Errorf("the letter is %+v", m)
	}
	if again, err := c.ReceiveMessage(within(t), in); err != nil || len(again.Messages) > 0 {
		t.Errorf("%v: a message in flight was received: %+v", err, again)
	}
	if _, err := c.DeleteMessage(within(t), &sqs.DeleteMessageInput{QueueUrl: from, ReceiptHandle: m.ReceiptHandle}); err != nil {
		t.Error(err)
	}
	if _, err = c.DeleteMessage(within(t), &sqs.DeleteMessageInput{QueueUrl: from, ReceiptHandle: m.ReceiptHandle}); code(err) != "InvalidParameterValue" {
		t.Errorf("a second deletion: %v", err)
	}
	if err := dead.Ledger().Check(); err != nil {
		t.Error(err)
	}
}

func code(err error) string {
	var refused smithy.APIError
	if !errors.As(err, &refused) {
		return ""
	}
	return refused.ErrorCode()
}

func TestBatchesOfTheAPI(t *testing.T) {
	q := queue.New(nil, queue.Config{})
	c := client(t, q)
	url := urlOf(t, c, "queue")
	entry := func(id, body string) types.SendMessageBatchRequestEntry {
		return types.SendMessageBatchRequestEntry{Id: &id, MessageBody: &body}
	}
	out, err := c.SendMessageBatch(within(t), &sqs.SendMessageBatchInput{QueueUrl: url, Entries: []types.SendMessageBatchRequestEntry{entry("a", "1"), entry("b", "\x01"), entry("c", "3")}})
	if err != nil || len(out.Successful) != 2 || len(out.Failed) != 1 || *out.Failed[0].Id != "b" || *out.Failed[0].Code != "InvalidMessageContents" {
		t.Errorf("%v: %+v", err, out)
	}
	got, err := c.ReceiveMessage(within(t), &sqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: 10})
	if err != nil || len(got.Messages) != 2 || len(got.Messages[0].Attributes) > 0 {
		t.Fatalf("%v: %+v", err, got)
	}
	var changes []types.ChangeMessageVisibilityBatchRequestEntry
	for i, m := range got.Messages {
		changes = append(changes, types.ChangeMessageVisibilityBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), ReceiptHandle: m.ReceiptHandle})
	}
	changes = append(changes, types.ChangeMessageVisibilityBatchRequestEntry{Id: aws.String("x"), ReceiptHandle: aws.String("other")})
	changed, err := c.ChangeMessageVisibilityBatch(within(t), &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: url, Entries: changes})
	if err != nil || len(changed.Successful) != 2 || len(changed.Failed) != 1 {
		t.Errorf("%v: %+v", err, changed)
	}
	attributes, err := c.GetQueueAttributes(within(t), &sqs.GetQueueAttributesInput{QueueUrl: url, AttributeNames: []types.QueueAttributeName{"All"}})
	if err != nil || attributes.Attributes["ApproximateNumberOfMessages"] != "2" || attributes.Attributes["VisibilityTimeout"] != "30" || attributes.Attributes["QueueArn"] != q.ARN() {
		t.Errorf("%v: %+v", err, attributes)
	}
}

func TestRequestsThatTheAPIRefuses(t *testing.T) {
	q := queue.New(nil, queue.Config{})
	c := client(t, q)
	url := urlOf(t, c, "queue")
	eleven := make([]types.SendMessageBatchRequestEntry, 11)
	for i := range eleven {
		eleven[i] = types.SendMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), MessageBody: aws.String("x")}
	}
	large := strings.Repeat("x", 600_000)
	batch := func(entries ...types.SendMessageBatchRequestEntry) error {
		_, err := c.SendMessageBatch(within(t), &sqs.SendMessageBatchInput{QueueUrl: url, Entries: entries})
		return err
	}
	receive := func(in sqs.ReceiveMessageInput) error {
		in.QueueUrl = url
		_, err := c.ReceiveMessage(within(t), &in)
		return err
	}
	_, noQueue := c.GetQueueUrl(within(t), &sqs.GetQueueUrlInput{QueueName: aws.String("other")})
	_, purge := c.PurgeQueue(within(t), &sqs.PurgeQueueInput{QueueUrl: url})
	_, empty := c.SendMessage(within(t), &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("")})
	_, tooLong := c.ChangeMessageVisibility(within(t), &sqs.ChangeMessageVisibilityInput{QueueUrl: url, ReceiptHandle: aws.String("x"), VisibilityTimeout: 43_201})
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"another queue":        {noQueue, "QueueDoesNotExist"},
		"another action":       {purge, "InvalidAction"},
		"no body":              {empty, "MissingParameter"},
		"no entries":           {batch([]types.SendMessageBatchRequestEntry{}...), "EmptyBatchRequest"},
		"eleven entries":       {batch(eleven...), "TooManyEntriesInBatchRequest"},
		"an id twice":          {batch(eleven[0], eleven[0]), "BatchEntryIdsNotDistinct"},
		"a batch over 1 MiB":   {batch(types.SendMessageBatchRequestEntry{Id: aws.String("a"), MessageBody: &large}, types.SendMessageBatchRequestEntry{Id: aws.String("b"), MessageBody: &large}), "BatchRequestTooLong"},
		"eleven messages":      {receive(sqs.ReceiveMessageInput{MaxNumberOfMessages: 11}), "InvalidParameterValue"},
		"a wait of 21 seconds": {receive(sqs.ReceiveMessageInput{WaitTimeSeconds: 21}), "InvalidParameterValue"},
		"hidden for too long":  {receive(sqs.ReceiveMessageInput{VisibilityTimeout: 43_201}), "InvalidParameterValue"},
		"a change for 12h 1s":  {tooLong, "InvalidParameterValue"},
	} {
		if got := code(c.err); got != c.want {
			t.Errorf("%s: got %v, want %s", name, c.err, c.want)
		}
	}
	for name, request := range map[string]struct{ target, body string }{
		"no action": {"", "{}"}, "no JSON": {"AmazonSQS.SendMessage", "{"}, "another service": {"DynamoDB_20120810.GetItem", "{}"},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(request.body))
		r.Header.Set("X-Amz-Target", request.target)
		w := httptest.NewRecorder()
		queue.API(q).ServeHTTP(w, r)
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `"__type":"com.amazonaws.sqs#Invalid`) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	same(t, "messages", len(q.Messages()), 0)
}

// A client that waits for messages gets the first that is sent.
func TestLongPollOfTheAPI(t *testing.T) {
	q := queue.New(nil, queue.Config{})
	c := client(t, q)
	url := urlOf(t, c, "queue")
	got := make(chan *sqs.ReceiveMessageOutput, 1)
	go func() {
		out, err := c.ReceiveMessage(within(t), &sqs.ReceiveMessageInput{QueueUrl: url, WaitTimeSeconds: 20})
		if err != nil {
			t.Error(err)
		}
		got <- out
	}()
	send(t, q, "1")
	if out := <-got; len(out.Messages) != 1 || *out.Messages[0].Body != "1" {
		t.Errorf("got %+v", out.Messages)
	}
	// With a clock that the queue moves, a wait for nothing takes no time.
	moved := queue.New(nil, queue.Config{Clock: source.NewClock(begin)})
	c = client(t, moved)
	out, err := c.ReceiveMessage(within(t), &sqs.ReceiveMessageInput{QueueUrl: urlOf(t, c, "queue"), WaitTimeSeconds: 20})
	if err != nil || len(out.Messages) > 0 {
		t.Errorf("%v: %+v", err, out)
	}
}

// SQS keeps the tracing header of a request with each message that has none of its own.
func TestTheTracingHeaderOfARequestIsOfItsMessages(t *testing.T) {
	q := queue.New(nil, queue.Config{Clock: source.NewClock(begin)})
	c := client(t, q)
	url := urlOf(t, c, "queue")
	traced := func(o *sqs.Options) {
		o.APIOptions = append(o.APIOptions, smithyhttp.AddHeaderValue("X-Amzn-Trace-Id", "Root=1-2-3"))
	}
	own := map[string]types.MessageSystemAttributeValue{"AWSTraceHeader": {DataType: aws.String("String"), StringValue: aws.String("Root=4-5-6")}}
	if _, err := c.SendMessage(within(t), &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("plain")}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.SendMessage(within(t), &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("alone")}, traced); err != nil {
		t.Fatal(err)
	}
	_, err := c.SendMessageBatch(within(t), &sqs.SendMessageBatchInput{QueueUrl: url, Entries: []types.SendMessageBatchRequestEntry{
		{Id: aws.String("1"), MessageBody: aws.String("in a batch")},
		{Id: aws.String("2"), MessageBody: aws.String("with its own"), MessageSystemAttributes: own},
	}}, traced)
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.ReceiveMessage(within(t), &sqs.ReceiveMessageInput{
		QueueUrl: url, MaxNumberOfMessages: 10, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"AWSTraceHeader"},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, m := range out.Messages {
		got[*m.Body] = m.Attributes["AWSTraceHeader"]
	}
	want := map[string]string{"plain": "", "alone": "Root=1-2-3", "in a batch": "Root=1-2-3", "with its own": "Root=4-5-6"}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
