package queue_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
)

var begin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// patient is more than anything takes that works.
const patient = 2 * time.Minute

func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	t.Cleanup(cancel)
	return ctx
}

// A function is what the queues of the tests call. It records the events.
type function struct {
	mu     sync.Mutex
	events []events.SQSEvent
	forget bool // the events
	answer func(ctx context.Context, event events.SQSEvent) (any, error)
}

func (f *function) invoker() guardtest.Invoker {
	return guardtest.NewInProcess(lambda.NewHandler(func(ctx context.Context, event events.SQSEvent) (any, error) {
		f.mu.Lock()
		if !f.forget {
			f.events = append(f.events, event)
		}
		f.mu.Unlock()
		if f.answer == nil {
			return nil, nil
		}
		return f.answer(ctx, event)
	}), guardtest.Config{Timeout: patient})
}

// bodies are those of each event, joined.
func (f *function) bodies() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []string
	for _, e := range f.events {
		var bodies []string
		for _, r := range e.Records {
			bodies = append(bodies, r.Body)
		}
		all = append(all, strings.Join(bodies, " "))
	}
	return all
}

func failing(bodies ...string) func(context.Context, events.SQSEvent) (any, error) {
	return func(_ context.Context, event events.SQSEvent) (any, error) {
		response := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
		for _, r := range event.Records {
			if slices.Contains(bodies, r.Body) {
				response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: r.MessageId})
			}
		}
		return response, nil
	}
}

func send(t testing.TB, q *queue.Queue, bodies ...string) (ids []string) {
	t.Helper()
	for _, body := range bodies {
		m := queue.Message{Body: body}
		if strings.HasSuffix(q.ARN(), ".fifo") { // "a1" is of group a
			m.Group, m.Deduplication = body[:1], body
		}
		id, err := q.Send(m)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

func drain(t testing.TB, q *queue.Queue) {
	t.Helper()
	if err := q.Drain(within(t)); err != nil {
		t.Fatal(err)
	}
}

func check(t testing.TB, q *queue.Queue) {
	t.Helper()
	if err := q.Ledger().Check(); err != nil {
		t.Error(err)
	}
}

func same[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	g, _ := json.Marshal(got)
	w, _ := json.Marshal(want)
	if string(g) != string(w) {
		t.Errorf("%s: got %s, want %s", what, g, w)
	}
}

func TestMessagesComeInBatchesAndAreDeleted(t *testing.T) {
	fn := &function{}
	q := queue.New(fn.invoker(), queue.Config{
		Clock: source.NewClock(begin), Mapping: queue.Mapping{BatchSize: 3, MaximumConcurrency: 1},
	})
	send(t, q, "1", "2", "3", "4", "5")
	drain(t, q)
	check(t, q)
	same(t, "events", fn.bodies(), []string{"1 2 3", "4 5"})
	same(t, "left", len(q.Messages()), 0)
	same(t, "counts", q.Ledger().Counts(), source.Counts{Sent: 5, Done: 5, Batches: 2, Deliveries: 5})
}

func TestWhatFailedComesAgainAfterItsVisibilityTimeout(t *testing.T) {
	fn := &function{}
	clock := source.NewClock(begin)
	failed := false
	fn.answer = func(ctx context.Context, event events.SQSEvent) (any, error) {
		if failed {
			return nil, nil
		}
		failed = true
		return failing("2")(ctx, event)
	}
	q := queue.New(fn.invoker(), queue.Config{
		Clock: clock, VisibilityTimeout: time.Minute, Mapping: queue.Mapping{ReportBatchItemFailures: true, MaximumConcurrency: 1},
	})
	ids := send(t, q, "1", "2", "3")
	drain(t, q)
	check(t, q)
	same(t, "events", fn.bodies(), []string{"1 2 3", "2"})
	same(t, "the clock", clock.Now(), begin.Add(time.Minute))
	entry, _ := q.Ledger().Entry(ids[1])
	if len(entry.Deliveries) != 2 || entry.Deliveries[0].Failure != source.Reported || entry.Deliveries[1].Attempt != 2 || entry.Outcome != source.Done {
		t.Errorf("the ledger has %+v", entry)
	}
}

func TestWhatFailsTooOftenIsDeadLettered(t *testing.T) {
	fn := &function{answer: failing("poison")}
	clock := source.NewClock(begin)
	dead := queue.New(nil, queue.Config{Name: "dead", Clock: clock})
	q := queue.New(fn.invoker(), queue.Config{
		Clock: clock, Redrive: queue.Redrive{To: dead, MaxReceives: 3}, Mapping: queue.Mapping{ReportBatchItemFailures: true, MaximumConcurrency: 1},
	})
	ids := send(t, q, "good", "poison")
	drain(t, q)
	check(t, q)
	same(t, "events", fn.bodies(), []string{"good poison", "poison", "poison"})
	entry, _ := q.Ledger().Entry(ids[1])
	same(t, "outcome", entry.Outcome, source.DeadLettered)
	same(t, "reason", entry.Reason, "received 3 times, at last reported")
	letters := dead.Messages()
	if len(letters) != 1 || letters[0].ID != ids[1] || letters[0].Body != "poison" || letters[0].Attributes["DeadLetterQueueSourceArn"] != q.ARN() {
		t.Errorf("the dead-letter queue has %+v", letters)
	}
}

func TestAGroupWithMessagesInFlightHasNoMore(t *testing.T) {
	fn := &function{answer: failing("a1")}
	clock := source.NewClock(begin)
	dead := queue.New(nil, queue.Config{Name: "dead.fifo", Clock: clock})
	q := queue.New(fn.invoker(), queue.Config{
		Name: "q.fifo", Clock: clock, Redrive: queue.Redrive{To: dead, MaxReceives: 2},
		Mapping: queue.Mapping{BatchSize: 1, ReportBatchItemFailures: true},
	})
	send(t, q, "a1", "b1", "a2", "b2")
	drain(t, q)
	check(t, q)
	got := fn.bodies()
	if slices.Index(got, "a2") < 4 || slices.Index(got, "b2") > 3 {
		t.Errorf("the events were %q, want a2 after both of a1", got)
	}
}
