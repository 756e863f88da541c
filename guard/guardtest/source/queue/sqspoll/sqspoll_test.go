package sqspoll_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue/sqspoll"
)

func (q realQueue) attribute(t *testing.T, name string) string {
	t.Helper()
	out, err := q.GetQueueAttributes(within(t), &sqs.GetQueueAttributesInput{QueueUrl: &q.url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeName(name)}})
	if err != nil {
		t.Fatal(err)
	}
	return out.Attributes[name]
}

func (q realQueue) send(t *testing.T, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		in := &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: &body, MessageAttributes: map[string]types.MessageAttributeValue{
			"kind": {DataType: aws.String("String"), StringValue: aws.String("order")},
			"raw":  {DataType: aws.String("Binary"), BinaryValue: []byte{1, 2}},
		}}
		if strings.HasSuffix(q.url, ".fifo") {
			in.MessageGroupId, in.MessageDeduplicationId = aws.String(body[:1]), &body
		}
		if _, err := q.SendMessage(within(t), in); err != nil {
			t.Fatal(err)
		}
	}
}

// A function answers that some bodies failed, and records the records.
type function struct {
	failing []string

	mu      sync.Mutex
	records []events.SQSMessage
}

func (f *function) invoker() guardtest.Invoker {
	return guardtest.NewInProcess(lambda.NewHandler(func(_ context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		var answer events.SQSEventResponse
		for _, r := range event.Records {
			f.records = append(f.records, r)
			if slices.Contains(f.failing, r.Body) {
				answer.BatchItemFailures = append(answer.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: r.MessageId})
			}
		}
		return answer, nil
	}), guardtest.Config{Timeout: patient})
}

func (f *function) bodies() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []string
	for _, r := range f.records {
		all = append(all, r.Body)
	}
	return all
}

// run polls until the ledger is as it has to be.
func run(t *testing.T, q realQueue, fn guardtest.Invoker, mapping queue.Mapping, holds func(source.Counts) bool) *queue.Poller {
	t.Helper()
	return runUntil(t, q, fn, mapping, func(ctx context.Context, l source.Ledger) error { return l.Wait(ctx, holds) })
}

func runUntil(t *testing.T, q realQueue, fn guardtest.Invoker, mapping queue.Mapping, wait func(context.Context, source.Ledger) error) *queue.Poller {
	t.Helper()
	mapping.ReportBatchItemFailures = true
	poller, err := sqspoll.New(within(t), q, q.url, fn, mapping)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(within(t))
	ran := make(chan error, 1)
	go func() { ran <- poller.Run(ctx) }()
	if err := wait(ctx, poller.Ledger()); err != nil {
		t.Error(err)
	}
	stop()
	if err := <-ran; err != nil {
		t.Error(err)
	}
	return poller
}

func TestMessagesOfSQSReachTheFunctionAndAreDeleted(t *testing.T) {
	q := newQueue(t, "", nil)
	q.send(t, "1", "2", "3")
	fn := &function{}
	poller := run(t, q, fn.invoker(), queue.Mapping{}, func(c source.Counts) bool { return c.Done == 3 })
	if err := poller.Ledger().Check(); err != nil {
		t.Error(err)
	}
	got := fn.bodies()
	slices.Sort(got)
	if !slices.Equal(got, []string{"1", "2", "3"}) {
		t.Errorf("the function got %q", got)
	}
	r := fn.records[0]
	if r.EventSourceARN != q.arn || r.EventSource != "aws:sqs" || r.Attributes["ApproximateReceiveCount"] != "1" || r.Attributes["SentTimestamp"] == "" || r.Md5OfBody == "" {
		t.Errorf("a record is %+v", r)
	}
	if *r.MessageAttributes["kind"].StringValue != "order" || string(r.MessageAttributes["raw"].BinaryValue) != "\x01\x02" {
		t.Errorf("its attributes are %+v", r.MessageAttributes)
	}
	if left := q.attribute(t, "ApproximateNumberOfMessages") + q.attribute(t, "ApproximateNumberOfMessagesNotVisible"); left != "00" {
		t.Errorf("the queue has %s messages, visible and not", left)
	}
}

func TestSQSRedrivesWhatFails(t *testing.T) {
	dead := newQueue(t, "", nil)
	policy, _ := json.Marshal(map[string]any{"deadLetterTargetArn": dead.arn, "maxReceiveCount": 2})
	q := newQueue(t, "", map[string]string{"RedrivePolicy": string(policy), "VisibilityTimeout": "1"})
	q.send(t, "good", "poison")
	fn := &function{failing: []string{"poison"}}
	poller := runUntil(t, q, fn.invoker(), queue.Mapping{}, func(ctx context.Context, _ source.Ledger) error {
		for dead.attribute(t, "ApproximateNumberOfMessages") != "1" { // what SQS does itself shows only there
			select {
			case <-time.After(10 * time.Millisecond):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	counts := poller.Ledger().Counts()
	if counts.Done != 1 || counts.Waiting != 1 || counts.Deliveries != 3 {
		t.Errorf("the ledger counts %+v", counts)
	}
	if e := poller.Ledger().Entries(source.Waiting); len(e) != 1 || len(e[0].Deliveries) != 2 || e[0].Deliveries[1].Attempt != 2 {
		t.Errorf("waiting are %+v", e)
	}
}

func TestGroupsOfSQSComeInOrder(t *testing.T) {
	q := newQueue(t, ".fifo", map[string]string{"FifoQueue": "true"})
	q.send(t, "a1", "a2", "b1", "a3", "b2")
	fn := &function{}
	poller := run(t, q, fn.invoker(), queue.Mapping{BatchSize: 2}, func(c source.Counts) bool { return c.Done == 5 })
	if err := poller.Ledger().Check(); err != nil {
		t.Error(err)
	}
	for _, group := range []string{"a", "b"} {
		var got []string
		for _, body := range fn.bodies() {
			if body[:1] == group {
				got = append(got, body)
			}
		}
		if !slices.IsSorted(got) {
			t.Errorf("group %s came as %q", group, got)
		}
	}
}

func TestAStoppedPollerLosesNothing(t *testing.T) {
	q := newQueue(t, "", map[string]string{"VisibilityTimeout": "600"})
	q.send(t, "1", "2", "3")
	ctx, stop := context.WithCancel(within(t))
	// The window is open when the poller is stopped.
	client := &stopping{Client: q, stop: stop}
	fn := &function{}
	poller, err := sqspoll.New(ctx, client, q.url, fn.invoker(), queue.Mapping{BatchWindow: time.Minute, MaximumConcurrency: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := poller.Run(ctx); err != nil {
		t.Error(err)
	}
	if got := fn.bodies(); len(got) > 0 {
		t.Errorf("the function got %q", got)
	}
	if visible := q.attribute(t, "ApproximateNumberOfMessages"); visible != "3" {
		t.Errorf("%s messages are visible, want 3", visible)
	}
}

// stopping stops the poller once it has received.
type stopping struct {
	sqspoll.Client
	stop func()
}

func (s *stopping) ReceiveMessage(ctx context.Context, in *sqs.ReceiveMessageInput, options ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error) {
	out, err := s.Client.ReceiveMessage(ctx, in, options...)
	if err == nil && len(out.Messages) > 0 {
		s.stop()
	}
	return out, err
}

func TestAQueueThatIsNotThere(t *testing.T) {
	q := newQueue(t, "", nil)
	_, err := sqspoll.New(within(t), q, q.url+"-not", (&function{}).invoker(), queue.Mapping{})
	if err == nil || !strings.HasPrefix(err.Error(), "sqspoll: ") || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("got %v", err)
	}
}

var errNetwork = errors.New("some fault of the network")

// faulty fails the first receipt and the first deletion.
type faulty struct {
	sqspoll.Client
	mu                sync.Mutex
	received, deleted bool
}

func (f *faulty) ReceiveMessage(ctx context.Context, in *sqs.ReceiveMessageInput, options ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error) {
	if first(f, &f.received) {
		return nil, errNetwork
	}
	return f.Client.ReceiveMessage(ctx, in, options...)
}

func (f *faulty) DeleteMessageBatch(ctx context.Context, in *sqs.DeleteMessageBatchInput, options ...func(*sqs.Options)) (*sqs.DeleteMessageBatchOutput, error) {
	if first(f, &f.deleted) {
		return nil, errNetwork
	}
	return f.Client.DeleteMessageBatch(ctx, in, options...)
}

func first(f *faulty, done *bool) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	was := *done
	*done = true
	return !was
}

// What could not be deleted was not done, and comes again.
func TestFaultsOfTheAPIAreTriedAgain(t *testing.T) {
	q := newQueue(t, "", map[string]string{"VisibilityTimeout": "1"})
	q.send(t, "1")
	fn := &function{}
	var faults []error
	poller, err := sqspoll.New(within(t), &faulty{Client: q}, q.url, fn.invoker(), queue.Mapping{MaximumConcurrency: 1, OnError: func(err error) { faults = append(faults, err) }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(within(t))
	ran := make(chan error, 1)
	go func() { ran <- poller.Run(ctx) }()
	if err := poller.Ledger().Wait(ctx, func(c source.Counts) bool { return c.Done == 1 && c.Deliveries == 2 }); err != nil {
		t.Error(err)
	}
	stop()
	if err := <-ran; err != nil {
		t.Error(err)
	}
	if err := poller.Ledger().Check(); err != nil {
		t.Error(err)
	}
	if len(faults) != 2 || !errors.Is(faults[0], errNetwork) || !errors.Is(faults[1], errNetwork) {
		t.Errorf("reported were %v", faults)
	}
	entry := poller.Ledger().Entries()[0]
	if len(entry.Deliveries) != 2 || entry.Deliveries[0].Failure == "" {
		t.Errorf("the entry is %+v", entry)
	}
}

// Without OnError a fault ends the poller.
func TestFaultOfTheAPIEndsThePoller(t *testing.T) {
	q := newQueue(t, "", nil)
	poller, err := sqspoll.New(within(t), &faulty{Client: q}, q.url, (&function{}).invoker(), queue.Mapping{})
	if err != nil {
		t.Fatal(err)
	}
	if err := poller.Run(within(t)); !errors.Is(err, errNetwork) {
		t.Errorf("got %v, want %v", err, errNetwork)
	}
}
