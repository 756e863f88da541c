package queue_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
)

func TestDelayedMessageComesLater(t *testing.T) {
	for name, c := range map[string]struct {
		name       string
		own, queue time.Duration
		want       time.Duration
	}{
		"its own":               {name: "q", own: time.Minute, queue: time.Second, want: time.Minute},
		"the queue's":           {name: "q", queue: time.Minute, want: time.Minute},
		"the queue's, FIFO":     {name: "q.fifo", queue: time.Minute, want: time.Minute},
		"none":                  {name: "q"},
		"the longest there are": {name: "q", own: 15 * time.Minute, want: 15 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			q := queue.New((&function{}).invoker(), queue.Config{Name: c.name, Delay: c.queue, Clock: source.NewClock(begin)})
			m := queue.Message{Body: "1", Delay: c.own}
			if c.name == "q.fifo" {
				m.Group, m.Deduplication = "g", "d"
			}
			id, err := q.Send(m)
			if err != nil {
				t.Fatal(err)
			}
			drain(t, q)
			entry, _ := q.Ledger().Entry(id)
			same(t, "delivered", entry.Deliveries[0].At, begin.Add(c.want))
		})
	}
}

func TestMessageThatIsTooOldIsLost(t *testing.T) {
	fn := &function{answer: failing("1")}
	q := queue.New(fn.invoker(), queue.Config{
		Clock: source.NewClock(begin), Retention: time.Minute, VisibilityTimeout: 25 * time.Second,
		Mapping: queue.Mapping{ReportBatchItemFailures: true},
	})
	ids := send(t, q, "1")
	drain(t, q)
	same(t, "deliveries", len(fn.bodies()), 3)
	err := q.Ledger().Check()
	if err == nil || !strings.Contains(err.Error(), "message "+ids[0]+" is lost: expired, in the queue for 1m0s; it was delivered 3 times, last in batch 3: reported") {
		t.Errorf("got %v", err)
	}
}

// A dead letter keeps its age, but for a FIFO queue.
func TestAgeOfADeadLetter(t *testing.T) {
	for name, want := range map[string]time.Duration{"q": time.Minute, "q.fifo": time.Minute + 10*time.Second} {
		t.Run(name, func(t *testing.T) {
			clock := source.NewClock(begin)
			dead := queue.New(nil, queue.Config{Name: strings.Replace(name, "q", "dead", 1), Clock: clock, Retention: time.Minute})
			q := queue.New((&function{answer: failing("1")}).invoker(), queue.Config{
				Name: name, Clock: clock, VisibilityTimeout: 10 * time.Second, Redrive: queue.Redrive{To: dead, MaxReceives: 1},
				Mapping: queue.Mapping{ReportBatchItemFailures: true},
			})
			send(t, q, "1")
			drain(t, q)
			check(t, q)
			same(t, "dead-lettered", clock.Now(), begin.Add(10*time.Second))
			clock.Advance(begin.Add(want - time.Second).Sub(clock.Now()))
			same(t, "letters before", len(dead.Messages()), 1)
			clock.Advance(time.Second)
			same(t, "letters after", len(dead.Messages()), 0)
			same(t, "lost", dead.Ledger().Counts().Expired, 1)
		})
	}
}

// The order is by age, whichever became a dead letter first.
func TestDeadLettersAreInTheOrderOfTheirAge(t *testing.T) {
	clock := source.NewClock(begin)
	dead := queue.New(nil, queue.Config{Name: "dead", Clock: clock})
	q := queue.New((&function{answer: failing("old", "new")}).invoker(), queue.Config{
		Clock: clock, Redrive: queue.Redrive{To: dead, MaxReceives: 1}, Mapping: queue.Mapping{ReportBatchItemFailures: true},
	})
	if _, err := q.Send(queue.Message{Body: "old", Delay: time.Minute}); err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Second)
	send(t, q, "new")
	drain(t, q)
	var got []string
	for _, m := range dead.Messages() {
		got = append(got, m.Body)
	}
	same(t, "dead letters", got, []string{"old", "new"})
}

func TestReportOfADeadLetterMayUseTheQueue(t *testing.T) {
	clock := source.NewClock(begin)
	dead := queue.New(nil, queue.Config{Name: "dead", Clock: clock})
	var q *queue.Queue
	var reasons []string
	fn := &function{answer: failing("1")}
	q = queue.New(fn.invoker(), queue.Config{
		Clock: clock, Redrive: queue.Redrive{To: dead, MaxReceives: 1}, Mapping: queue.Mapping{ReportBatchItemFailures: true, MaximumConcurrency: 1},
		OnDeadLetter: func(e source.Entry) {
			reasons = append(reasons, e.Reason)
			send(t, q, "note of "+e.ID)
		},
	})
	// The note is sent when there is nothing else in the queue any more.
	other := send(t, q, "1")
	ctx, stop := context.WithCancel(within(t))
	ran := make(chan error)
	go func() { ran <- q.Run(ctx) }()
	if err := q.Ledger().Wait(ctx, func(c source.Counts) bool { return c.Done == 1 }); err != nil {
		t.Error(err)
	}
	stop()
	if err := <-ran; err != nil {
		t.Error(err)
	}
	same(t, "reasons", reasons, []string{"received once, at last reported"})
	same(t, "events", fn.bodies(), []string{"1", "note of " + other[0]})
}

func TestReceiveCountGoesOnInTheDeadLetterQueue(t *testing.T) {
	clock := source.NewClock(begin)
	of := &function{answer: failing("1")}
	last := queue.New(nil, queue.Config{Name: "last", Clock: clock})
	dead := queue.New(of.invoker(), queue.Config{
		Name: "dead", Clock: clock, Redrive: queue.Redrive{To: last, MaxReceives: 2}, Mapping: queue.Mapping{ReportBatchItemFailures: true},
	})
	q := queue.New((&function{answer: failing("1")}).invoker(), queue.Config{
		Clock: clock, Redrive: queue.Redrive{To: dead, MaxReceives: 2}, Mapping: queue.Mapping{ReportBatchItemFailures: true},
	})
	send(t, q, "1")
	drain(t, q)
	drain(t, dead)
	var counts []string
	for _, e := range of.events {
		counts = append(counts, e.Records[0].Attributes["ApproximateReceiveCount"])
	}
	same(t, "receive counts", counts, []string{"3", "4"})
	same(t, "letters", len(last.Messages()), 1)
}

// The function takes longer than the visibility timeout: the message comes again
// meanwhile, and the first call cannot delete it any more.
func TestVisibilityThatEndsDuringTheCall(t *testing.T) {
	clock := source.NewClock(begin)
	second := make(chan struct{})
	fn := &function{}
	fn.answer = func(_ context.Context, event events.SQSEvent) (any, error) {
		if event.Records[0].Attributes["ApproximateReceiveCount"] == "1" {
			clock.Advance(30 * time.Second)
			<-second
			return nil, nil
		}
		close(second)
		clock.Advance(29 * time.Second)
		return nil, errors.New("some error") // so that the first call could delete it, if it were still allowed to
	}
	dead := queue.New(nil, queue.Config{Name: "dead", Clock: clock})
	q := queue.New(fn.invoker(), queue.Config{Clock: clock, Redrive: queue.Redrive{To: dead, MaxReceives: 2}})
	ids := send(t, q, "1")
	drain(t, q)
	check(t, q)
	entry, _ := q.Ledger().Entry(ids[0])
	same(t, "outcome", entry.Outcome, source.DeadLettered)
	same(t, "failures", []string{entry.Deliveries[0].Failure, entry.Deliveries[1].Failure}, []string{source.NotDeleted, "errorString"})
}

// A message of a standard queue that is visible again, and that nobody else received, is
// deleted by its last receipt.
func TestLateDeletionOfAStandardQueue(t *testing.T) {
	clock := source.NewClock(begin)
	fn := &function{}
	fn.answer = func(context.Context, events.SQSEvent) (any, error) {
		clock.Advance(time.Minute)
		return nil, nil
	}
	q := queue.New(fn.invoker(), queue.Config{Clock: clock, Mapping: queue.Mapping{MaximumConcurrency: 1}})
	send(t, q, "1")
	drain(t, q)
	check(t, q)
	same(t, "events", len(fn.bodies()), 1)
}

func TestThrottledBatchIsTriedAgain(t *testing.T) {
	clock := source.NewClock(begin)
	var at []time.Duration
	fn := invoker(func(context.Context, guardtest.Call) (guardtest.Result, error) {
		at = append(at, clock.Now().Sub(begin))
		if len(at) < 4 {
			return guardtest.Result{}, source.ErrThrottled
		}
		return guardtest.Result{}, nil
	})
	q := queue.New(fn, queue.Config{Clock: clock})
	send(t, q, "1")
	drain(t, q)
	check(t, q)
	same(t, "calls", at, []time.Duration{0, time.Second, 3 * time.Second, 7 * time.Second})
	same(t, "counts", q.Ledger().Counts(), source.Counts{Sent: 1, Done: 1, Batches: 1, Deliveries: 1})
}

func TestThrottledBatchIsGivenUpWithItsVisibility(t *testing.T) {
	clock := source.NewClock(begin)
	fn := invoker(func(context.Context, guardtest.Call) (guardtest.Result, error) {
		if clock.Now().Sub(begin) < 20*time.Second {
			return guardtest.Result{}, source.ErrThrottled
		}
		return guardtest.Result{}, nil
	})
	q := queue.New(fn, queue.Config{Clock: clock, VisibilityTimeout: 10 * time.Second})
	ids := send(t, q, "1")
	drain(t, q)
	check(t, q)
	entry, _ := q.Ledger().Entry(ids[0])
	same(t, "deliveries", len(entry.Deliveries), 3)
	same(t, "failure", entry.Deliveries[1].Failure, source.Throttled)
	same(t, "the last", entry.Deliveries[2].At, begin.Add(20*time.Second))
}

func TestChangedVisibility(t *testing.T) {
	for name, c := range map[string]struct{ timeout, want time.Duration }{
		"at once": {0, 0},
		"longer":  {time.Hour, time.Hour},
		"shorter": {time.Second, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			clock := source.NewClock(begin)
			var q *queue.Queue
			fn := &function{}
			fn.answer = func(_ context.Context, event events.SQSEvent) (any, error) {
				if len(fn.bodies()) > 1 {
					return nil, nil
				}
				if err := q.ChangeVisibility(event.Records[0].ReceiptHandle, c.timeout); err != nil {
					t.Error(err)
				}
				return nil, errors.New("later")
			}
			q = queue.New(fn.invoker(), queue.Config{Clock: clock, Mapping: queue.Mapping{MaximumConcurrency: 1}})
			ids := send(t, q, "1")
			drain(t, q)
			entry, _ := q.Ledger().Entry(ids[0])
			same(t, "again", entry.Deliveries[1].At, begin.Add(c.want))
		})
	}
}

func TestVisibilityThatCannotBeChanged(t *testing.T) {
	clock := source.NewClock(begin)
	q := queue.New(nil, queue.Config{Clock: clock})
	send(t, q, "1")
	for name, c := range map[string]struct {
		receipt string
		timeout time.Duration
		code    string
	}{
		"another receipt": {"other", 0, "MessageNotInflight"},
		"too long":        {"other", 12*time.Hour + 1, "InvalidParameterValue"},
		"negative":        {"other", -1, "InvalidParameterValue"},
		"not received":    {q.Messages()[0].ReceiptHandle, 0, "MessageNotInflight"},
	} {
		err := q.ChangeVisibility(c.receipt, c.timeout)
		var refusal *source.Refusal
		if !errors.As(err, &refusal) || refusal.Code != c.code {
			t.Errorf("%s: got %v, want %s", name, err, c.code)
		}
	}
}

// In real time, as with processes: no clock is moved.
func TestRealTime(t *testing.T) {
	failed := false
	fn := &function{answer: func(context.Context, events.SQSEvent) (any, error) {
		if !failed {
			failed = true
			return nil, errors.New("some error")
		}
		return nil, nil
	}}
	q := queue.New(fn.invoker(), queue.Config{VisibilityTimeout: 10 * time.Millisecond, Mapping: queue.Mapping{MaximumConcurrency: 1}})
	ids := send(t, q, "1")
	drain(t, q)
	check(t, q)
	entry, _ := q.Ledger().Entry(ids[0])
	if len(entry.Deliveries) != 2 || entry.Deliveries[1].At.Sub(entry.Deliveries[0].At) < 10*time.Millisecond {
		t.Errorf("deliveries %+v", entry.Deliveries)
	}
}

func TestSourcesShareAClock(t *testing.T) {
	clock := source.NewClock(begin)
	var second *queue.Queue
	fn := &function{answer: func(context.Context, events.SQSEvent) (any, error) {
		_, err := second.Send(queue.Message{Body: "from the first", Delay: time.Minute})
		return nil, err
	}}
	first := queue.New(fn.invoker(), queue.Config{Name: "first", Clock: clock})
	of := &function{}
	second = queue.New(of.invoker(), queue.Config{Name: "second", Clock: clock})
	ctx, stop := context.WithCancel(within(t))
	ran := make(chan error, 2)
	for _, q := range []*queue.Queue{first, second} {
		go func() { ran <- q.Run(ctx) }()
	}
	send(t, first, "1")
	if err := second.Ledger().Wait(ctx, func(c source.Counts) bool { return c.Done == 1 }); err != nil {
		t.Error(err)
	}
	stop()
	for range 2 {
		if err := <-ran; err != nil {
			t.Error(err)
		}
	}
	same(t, "the clock", clock.Now(), begin.Add(time.Minute))
}
