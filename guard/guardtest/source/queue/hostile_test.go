package queue_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
)

// A stubborn store has one message, which it cannot delete.
type stubborn struct{ received bool }

func (s *stubborn) Receive(ctx context.Context, _ int, _ time.Time) ([]queue.Received, error) {
	if s.received {
		<-ctx.Done()
		return nil, nil
	}
	s.received = true
	return []queue.Received{{ID: "1", Body: "1", Attributes: map[string]string{"ApproximateReceiveCount": "1"}}}, nil
}

func (s *stubborn) Delete(_ context.Context, messages []queue.Received) ([]queue.Received, error) {
	return messages, nil
}
func (s *stubborn) Release(context.Context, []queue.Received) error { return nil }

func TestWhatCannotBeDeletedIsNotCountedAsDone(t *testing.T) {
	for name, mapping := range map[string]queue.Mapping{
		"with entries": {},
		"counts only":  {CountOnly: true},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithCancel(within(t))
			mapping.MaximumConcurrency = 1
			var report source.BatchReport
			mapping.OnBatch = func(b source.BatchReport) { report = b; stop() }
			fn := &function{}
			p := queue.NewPoller(fn.invoker(), &stubborn{}, queue.StoreConfig{ARN: "arn:aws:sqs:us-east-1:123456789012:q"}, mapping)
			if err := p.Run(ctx); err != nil {
				t.Error(err)
			}
			same(t, "counts", p.Ledger().Counts(), source.Counts{Sent: 1, Waiting: 1, Batches: 1, Deliveries: 1})
			same(t, "failed in the report", report.Failed, 1)
			if err := p.Ledger().Check(); err == nil {
				t.Error("the ledger balances, want that a message waits")
			}
		})
	}
}

// A message cannot come again that the function has deleted, so its report is in vain.
func TestAMessageThatIsDeletedAndReportedIsLost(t *testing.T) {
	var q *queue.Queue
	fn := &function{}
	fn.answer = func(ctx context.Context, event events.SQSEvent) (any, error) {
		for _, r := range event.Records {
			if err := q.Delete(r.ReceiptHandle); err != nil {
				t.Error(err)
			}
		}
		return failing("2")(ctx, event)
	}
	q = queue.New(fn.invoker(), queue.Config{Clock: source.NewClock(begin), Mapping: queue.Mapping{ReportBatchItemFailures: true}})
	ids := send(t, q, "1", "2", "3")
	drain(t, q)
	want := "message " + ids[1] + " was reported as failed in batch 1, and cannot come again: it was deleted"
	if err := q.Ledger().Check(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), ids[0]) {
		t.Errorf("got %v, want %s", err, want)
	}
}

// The same report is no loss if another delivery has succeeded.
func TestAReportAfterAnotherDeliverySucceededIsNoLoss(t *testing.T) {
	clock := source.NewClock(begin)
	fn := &function{}
	done := make(chan struct{})
	fn.answer = func(ctx context.Context, event events.SQSEvent) (any, error) {
		if event.Records[0].Attributes["ApproximateReceiveCount"] == "2" {
			return nil, nil
		}
		clock.Advance(time.Hour)
		<-done
		return failing("1")(ctx, event)
	}
	q := queue.New(fn.invoker(), queue.Config{Clock: clock, Mapping: queue.Mapping{
		ReportBatchItemFailures: true, MaximumConcurrency: 2,
		OnBatch: func(b source.BatchReport) {
			if b.Failed == 0 {
				close(done)
			}
		},
	}})
	send(t, q, "1")
	ctx, stop := context.WithCancel(within(t))
	ran := make(chan error)
	go func() { ran <- q.Run(ctx) }()
	if err := q.Ledger().Wait(ctx, func(c source.Counts) bool { return c.Done == 1 && c.Deliveries == 2 }); err != nil {
		t.Error(err)
	}
	stop()
	if err := <-ran; err != nil {
		t.Error(err)
	}
	check(t, q)
}

func TestTotalVisibilityIsAtMostTwelveHours(t *testing.T) {
	clock := source.NewClock(begin)
	var q *queue.Queue
	var errs []error
	fn := &function{answer: func(_ context.Context, event events.SQSEvent) (any, error) {
		receipt := event.Records[0].ReceiptHandle
		clock.Advance(10 * time.Second)
		errs = append(errs, q.ChangeVisibility(receipt, 12*time.Hour), q.ChangeVisibility(receipt, 12*time.Hour-10*time.Second))
		return nil, nil
	}}
	q = queue.New(fn.invoker(), queue.Config{Clock: clock})
	send(t, q, "1")
	drain(t, q)
	check(t, q)
	if len(errs) != 2 || errs[0] == nil || !strings.Contains(errs[0].Error(), "InvalidParameterValue") || errs[1] != nil {
		t.Errorf("got %v, want a refusal of the first and none of the second", errs)
	}
}

// A number of seconds that no time.Duration holds is refused, and does not become another.
func TestSecondsThatNoDurationHolds(t *testing.T) {
	q := queue.New(nil, queue.Config{Clock: source.NewClock(begin)})
	server := httptest.NewServer(queue.API(q))
	t.Cleanup(server.Close)
	for name, c := range map[string]struct{ action, body string }{
		"a delay":      {action: "SendMessage", body: `{"QueueUrl":"/queue","MessageBody":"1","DelaySeconds":36028797018963968}`},
		"a visibility": {action: "ReceiveMessage", body: `{"QueueUrl":"/queue","VisibilityTimeout":36028797018963968}`},
	} {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(within(t), http.MethodPost, server.URL, strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("X-Amz-Target", "AmazonSQS."+c.action)
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			if res.StatusCode != http.StatusBadRequest {
				t.Errorf("got %d, want 400", res.StatusCode)
			}
		})
	}
	same(t, "messages", len(q.Messages()), 0)
}

// SQS answers a duplicate with the id and the sequence number of the message that is there.
func TestADuplicateHasTheSequenceNumberOfTheFirst(t *testing.T) {
	q := queue.New(nil, queue.Config{Name: "q.fifo", Clock: source.NewClock(begin)})
	c := client(t, q)
	var sent []string
	for range 2 {
		out, err := c.SendMessage(within(t), &sqs.SendMessageInput{
			QueueUrl: urlOf(t, c, "q.fifo"), MessageBody: aws.String("1"), MessageGroupId: aws.String("g"), MessageDeduplicationId: aws.String("1"),
		})
		if err != nil {
			t.Fatal(err)
		}
		sent = append(sent, aws.ToString(out.SequenceNumber))
	}
	if sent[0] == "" || sent[0] != sent[1] {
		t.Errorf("sequence numbers are %q, want the same twice", sent)
	}
}

// A filterFunc is a filter that is a function.
type filterFunc func() bool

func (f filterFunc) Match([]byte) (bool, error) { return f(), nil }

// The visibility of a message may end, and the message be dead-lettered, between its receipt
// and the call: it was received while it waited, so its delivery is no breach.
func TestVisibilityThatEndsBeforeTheCall(t *testing.T) {
	clock := source.NewClock(begin)
	dead := queue.New(nil, queue.Config{Name: "dead", Clock: clock})
	fn := &function{}
	var q *queue.Queue
	q = queue.New(fn.invoker(), queue.Config{Clock: clock, Redrive: queue.Redrive{To: dead, MaxReceives: 1}, Mapping: queue.Mapping{
		Filter: filterFunc(func() bool {
			clock.Advance(time.Minute)
			again := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"QueueUrl":"/queue"}`))
			again.Header.Set("X-Amz-Target", "AmazonSQS.ReceiveMessage")
			queue.API(q).ServeHTTP(httptest.NewRecorder(), again)
			return true
		}),
	}})
	ids := send(t, q, "1")
	drain(t, q)
	check(t, q)
	entry, _ := q.Ledger().Entry(ids[0])
	same(t, "outcome", entry.Outcome, source.DeadLettered)
	same(t, "events", fn.bodies(), []string{"1"})
	same(t, "failures", []string{entry.Deliveries[0].Failure}, []string{source.NotDeleted})
}
