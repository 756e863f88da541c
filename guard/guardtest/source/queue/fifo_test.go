package queue_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
)

func TestBatchHasAsManyOfAGroupAsThereAre(t *testing.T) {
	fn := &function{}
	q := queue.New(fn.invoker(), queue.Config{Name: "q.fifo", Clock: source.NewClock(begin), Mapping: queue.Mapping{BatchSize: 3, MaximumConcurrency: 1}})
	send(t, q, "a1", "b1", "a2", "c1", "b2")
	drain(t, q)
	check(t, q)
	same(t, "events", fn.bodies(), []string{"a1 a2 b1", "c1 b2"})
}

// A message that is visible again waits for those of its group that are in flight.
func TestVisibleHeadOfAGroupWaits(t *testing.T) {
	var q *queue.Queue
	fn := &function{}
	fn.answer = func(_ context.Context, event events.SQSEvent) (any, error) {
		if len(event.Records) != 2 || event.Records[0].Attributes["ApproximateReceiveCount"] != "1" {
			return nil, nil
		}
		if err := q.ChangeVisibility(event.Records[0].ReceiptHandle, 0); err != nil {
			t.Error(err)
		}
		return nil, errors.New("some error")
	}
	q = queue.New(fn.invoker(), queue.Config{Name: "q.fifo", Clock: source.NewClock(begin)})
	ids := send(t, q, "a1", "a2")
	drain(t, q)
	check(t, q)
	entry, _ := q.Ledger().Entry(ids[0])
	same(t, "again", entry.Deliveries[1].At, begin.Add(30*time.Second))
}

// A FIFO queue takes no deletion once the message is visible again.
func TestLateDeletionOfAFIFOQueue(t *testing.T) {
	clock := source.NewClock(begin)
	fn := &function{}
	fn.answer = func(_ context.Context, event events.SQSEvent) (any, error) {
		if event.Records[0].Attributes["ApproximateReceiveCount"] == "1" {
			clock.Advance(time.Minute)
		}
		return nil, nil
	}
	q := queue.New(fn.invoker(), queue.Config{Name: "q.fifo", Clock: clock, Mapping: queue.Mapping{MaximumConcurrency: 1}})
	ids := send(t, q, "1")
	drain(t, q)
	check(t, q)
	same(t, "events", len(fn.bodies()), 2)
	entry, _ := q.Ledger().Entry(ids[0])
	same(t, "failure", entry.Deliveries[0].Failure, source.NotDeleted)
}

// disorderly is a store that does not keep the order of a group.
type disorderly struct {
	mu   sync.Mutex
	left []queue.Received
}

func (s *disorderly) Receive(ctx context.Context, _ int, _ time.Time) ([]queue.Received, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.left) == 0 {
		s.mu.Unlock()
		<-ctx.Done()
		s.mu.Lock()
		return nil, ctx.Err()
	}
	next := s.left[0]
	s.left = s.left[1:]
	return []queue.Received{next}, nil
}

func (s *disorderly) Delete(context.Context, []queue.Received) ([]queue.Received, error) {
	return nil, nil
}
func (s *disorderly) Release(context.Context, []queue.Received) error { return nil }

func TestLedgerSeesADeliveryOutOfOrder(t *testing.T) {
	of := func(id string) queue.Received {
		return queue.Received{ID: id, Body: id, Attributes: map[string]string{"MessageGroupId": "g", "ApproximateReceiveCount": "1"}}
	}
	store := &disorderly{left: []queue.Received{of("1"), of("2")}}
	fn := invoker(func(context.Context, guardtest.Call) (guardtest.Result, error) {
		return guardtest.Result{}, &guardtest.FunctionError{Type: "errorString"}
	})
	p := queue.NewPoller(fn, store, queue.StoreConfig{ARN: "arn:aws:sqs:us-east-1:123456789012:q.fifo"}, queue.Mapping{MaximumConcurrency: 1})
	ctx, stop := context.WithCancel(within(t))
	ran := make(chan error)
	go func() { ran <- p.Run(ctx) }()
	if err := p.Ledger().Wait(ctx, func(c source.Counts) bool { return c.Deliveries == 2 }); err != nil {
		t.Error(err)
	}
	stop()
	if err := <-ran; err != nil {
		t.Error(err)
	}
	want := `message 2 of group "g" was delivered in batch 2 before message 1, sent earlier, was done`
	if err := p.Ledger().Check(); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

// SQS may deliver a message twice, also at once.
func TestMessageThatIsDeliveredTwiceAtOnce(t *testing.T) {
	m := queue.Received{ID: "1", Body: "1", Attributes: map[string]string{"ApproximateReceiveCount": "1"}}
	store := &disorderly{left: []queue.Received{m, m}}
	both := make(chan struct{}, 2)
	fn := invoker(func(context.Context, guardtest.Call) (guardtest.Result, error) {
		both <- struct{}{}
		for len(both) < 2 {
			runtime.Gosched()
		}
		return guardtest.Result{}, nil
	})
	p := queue.NewPoller(fn, store, queue.StoreConfig{ARN: "arn:aws:sqs:us-east-1:123456789012:q"}, queue.Mapping{MaximumConcurrency: 2})
	ctx, stop := context.WithCancel(within(t))
	ran := make(chan error)
	go func() { ran <- p.Run(ctx) }()
	if err := p.Ledger().Wait(ctx, func(c source.Counts) bool { return c.Deliveries == 2 && c.Done == 1 }); err != nil {
		t.Error(err)
	}
	stop()
	if err := <-ran; err != nil {
		t.Error(err)
	}
	if err := p.Ledger().Check(); err != nil {
		t.Error(err)
	}
	same(t, "counts", p.Ledger().Counts(), source.Counts{Sent: 1, Done: 1, Batches: 2, Deliveries: 2})
}

// After a failure in a group the function reports the rest of it, as batch.SQS does.
func orderly(fails func(r events.SQSMessage) bool) func(context.Context, events.SQSEvent) (any, error) {
	return func(_ context.Context, event events.SQSEvent) (any, error) {
		answer := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
		stopped := map[string]bool{}
		for _, r := range event.Records {
			group := r.Attributes["MessageGroupId"]
			if stopped[group] || fails(r) {
				stopped[group] = true
				answer.BatchItemFailures = append(answer.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: r.MessageId})
			}
		}
		return answer, nil
	}
}

// Groups are handled side by side and each in order, whatever fails how often. What
// comes behind poison in its group is received as often, and so is a dead letter too.
func TestGroupsAreHandledInOrder(t *testing.T) {
	const groups, messages, seeds = 8, 300, 10
	for seed := range uint64(seeds) {
		random := rand.New(rand.NewPCG(seed, 1))
		poison := map[string]bool{}
		failures := map[string]int{}
		clock := source.NewClock(begin)
		dead := queue.New(nil, queue.Config{Name: "dead.fifo", Clock: clock})
		fn := &function{}
		done := map[string][]string{}
		fn.answer = func(ctx context.Context, event events.SQSEvent) (any, error) {
			fn.mu.Lock()
			defer fn.mu.Unlock()
			if random.IntN(20) == 0 {
				return nil, errors.New("some error")
			}
			return orderly(func(r events.SQSMessage) bool {
				if poison[r.Body] {
					return true
				}
				if failures[r.Body] > 0 {
					failures[r.Body]--
					return true
				}
				done[r.Body[:1]] = append(done[r.Body[:1]], r.Body)
				return false
			})(ctx, event)
		}
		q := queue.New(fn.invoker(), queue.Config{
			Name: "q.fifo", Clock: clock, Redrive: queue.Redrive{To: dead, MaxReceives: 100},
			Mapping: queue.Mapping{BatchSize: 1 + random.IntN(10), MaximumConcurrency: 1 + random.IntN(5), ReportBatchItemFailures: true},
		})
		want := map[string][]string{}
		for i := range messages {
			body := fmt.Sprintf("%c%03d", 'a'+random.IntN(groups), i)
			switch random.IntN(20) {
			case 0:
				poison[body] = true
			case 1:
				failures[body] = 1 + random.IntN(3)
			}
			want[body[:1]] = append(want[body[:1]], body)
			send(t, q, body)
		}
		drain(t, q)
		check(t, q)
		letters := map[string]bool{}
		for _, m := range dead.Messages() {
			letters[m.Body] = true
		}
		for group, all := range want {
			want[group] = slices.DeleteFunc(all, func(body string) bool { return letters[body] })
		}
		same(t, fmt.Sprintf("done, seed %d", seed), done, want)
		for body := range poison {
			if !letters[body] {
				t.Errorf("seed %d: %s is no dead letter", seed, body)
			}
		}
	}
}

func TestDuplicatesWithinFiveMinutesAreOne(t *testing.T) {
	clock := source.NewClock(begin)
	fn := &function{}
	q := queue.New(fn.invoker(), queue.Config{Name: "q.fifo", Clock: clock, ContentBasedDeduplication: true})
	m := queue.Message{Body: "1", Group: "g"}
	put := func(m queue.Message) string {
		t.Helper()
		id, err := q.Send(m)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	first := put(m)
	drain(t, q) // it counts after its deletion, too
	clock.Advance(5*time.Minute - 1)
	if again := put(m); again != first {
		t.Errorf("a duplicate has the id %s, want %s", again, first)
	}
	otherID := m
	otherID.Deduplication = "other"
	if other := put(otherID); other == first {
		t.Error("another deduplication id is a duplicate")
	}
	clock.Advance(1)
	if later := put(m); later == first {
		t.Error("after five minutes it is a duplicate still")
	}
	drain(t, q)
	check(t, q)
	same(t, "events", fn.bodies(), []string{"1", "1 1"})
}
