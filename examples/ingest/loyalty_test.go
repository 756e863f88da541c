package main

import (
	"context"
	"errors"
	"io"
	"reflect"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/async"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// notification is an event of the topic.
func notification(message string) []byte {
	return sample.Of(guard.SNS).Set("/Records/0/Sns/Message", message).Bytes()
}

const bought = `{"type":"purchase.completed","id":"p-1","customer":"c-42","cents":17950,"shop":"unread"}`

func TestWhatANotificationBecomes(t *testing.T) {
	for _, c := range []struct {
		name    string
		message string
		want    []entry
		code    string // of the error
	}{
		{name: "a purchase", message: bought, want: []entry{{Purchase: "p-1", Customer: "c-42", Points: 179}}},
		{name: "one for less than a point", message: `{"type":"purchase.completed","id":"p-2","customer":"c-42","cents":99}`, want: []entry{{Purchase: "p-2", Customer: "c-42"}}},
		{name: "something else", message: `{"type":"purchase.cancelled","id":"p-1"}`},
		{name: "no id", message: `{"type":"purchase.completed","customer":"c-42","cents":100}`, code: "bad_purchase"},
		{name: "no customer", message: `{"type":"purchase.completed","id":"p-1","cents":100}`, code: "bad_purchase"},
		{name: "a negative amount", message: `{"type":"purchase.completed","id":"p-1","customer":"c-42","cents":-1}`, code: "bad_purchase"},
		{name: "no JSON", message: `purchase p-1`, code: "malformed_json"},
		{name: "a member twice", message: `{"type":"purchase.completed","id":"p-1","id":"p-2"}`, code: "duplicate_member"},
	} {
		t.Run(c.name, func(t *testing.T) {
			kept := &memory{}
			h := guard.Func(newLoyalty(kept, idempotency.NewMemoryStore()).ingest)
			_, err := h.Invoke(t.Context(), notification(c.message))
			if c.code == "" && err != nil || c.code != "" && (err == nil || guard.Public(err).Code != c.code || guard.KindOf(err).Retryable()) {
				t.Errorf("got %v, want the code %q", err, c.code)
			}
			if !reflect.DeepEqual(kept.entries, c.want) {
				t.Errorf("booked %+v, want %+v", kept.entries, c.want)
			}
		})
	}
}

// flaky fails the first times.
type flaky struct {
	memory
	failures int
}

var errDown = errors.New("the table does not answer")

func (f *flaky) add(ctx context.Context, e entry) error {
	if f.failures--; f.failures >= 0 {
		return errDown
	}
	return f.memory.add(ctx, e)
}

// The function behind Lambda's own retries: whatever happens, a purchase is booked once
// or kept, and tried again only if that may help.
func TestAPurchaseIsBookedOnceOrKept(t *testing.T) {
	for _, c := range []struct {
		name     string
		message  string
		failures int
		sinkDown bool
		tries    int
		booked   int
		letters  int // of the function
		dead     int // of Lambda
	}{
		{name: "at once", message: bought, tries: 1, booked: 1},
		{name: "at the third try", message: bought, failures: 2, tries: 3, booked: 1},
		{name: "never, since the table is down", message: bought, failures: 9, tries: 3, dead: 1},
		{name: "never, since it is no purchase", message: `{"type":"purchase.completed"}`, tries: 1, letters: 1},
		{name: "never, and the sink is down, too", message: `{"type":"purchase.completed"}`, sinkDown: true, tries: 3, dead: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			books := &flaky{failures: c.failures}
			letters := 0
			sink := batch.SinkFunc(func(context.Context, batch.DeadLetter) error {
				if c.sinkDown {
					return errDown
				}
				letters++
				return nil
			})
			clock := source.NewClock(time.Now())
			dead := queue.New(nil, queue.Config{Name: "dead", Clock: clock})
			fn := guardtest.NewInProcess(ingest(logging.New(io.Discard), &services{
				loyalty: newLoyalty(books, idempotency.NewMemoryStore()), deadLetters: sink,
			}), guardtest.Config{})
			purchases := async.New(fn, async.Config{DeadLetters: dead.Target(), MaximumEventAge: time.Hour, Clock: clock})

			id, err := purchases.Invoke(notification(c.message))
			if err != nil {
				t.Fatal(err)
			}
			if err := purchases.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := purchases.Ledger().Check(); err != nil {
				t.Error(err)
			}
			e, _ := purchases.Ledger().Entry(id)
			if len(e.Deliveries) != c.tries || len(books.entries) != c.booked || letters != c.letters || len(dead.Messages()) != c.dead {
				t.Errorf("%d tries, %d booked, %d letters, %d dead; want %d, %d, %d, %d",
					len(e.Deliveries), len(books.entries), letters, len(dead.Messages()), c.tries, c.booked, c.letters, c.dead)
			}
		})
	}
}
