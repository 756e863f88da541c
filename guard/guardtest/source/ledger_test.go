package source_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/async"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/stream"
)

func TestLedgerNamesWhatIsWrong(t *testing.T) {
	t.Run("nothing was called", func(t *testing.T) {
		q := queue.New(nil, queue.Config{Clock: source.NewClock(begin)})
		ids := send(t, q, "", slices.Repeat([]string{"x"}, 12)...)
		err := q.Ledger().Check()
		if err == nil || !strings.Contains(err.Error(), "message "+ids[0]+" is neither done nor dead-lettered; it was never delivered") ||
			strings.Contains(err.Error(), ids[10]) || !strings.HasSuffix(err.Error(), "and 2 more") {
			t.Errorf("got %v", err)
		}
	})
	// Whatever the function claims, only what was deleted is done.
	t.Run("a function that claims success and dies", func(t *testing.T) {
		fn := handled(func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) {
			panic("after it answered in its own mind")
		})
		clock := source.NewClock(begin)
		q := queue.New(fn, queue.Config{Clock: clock, Retention: time.Minute})
		send(t, q, "", "1")
		drain(t, q)
		if got, want := q.Ledger().Counts(), (source.Counts{Sent: 1, Expired: 1, Batches: 2, Deliveries: 2}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if err := q.Ledger().Check(); err == nil {
			t.Error("nothing is wrong")
		}
	})
}

func TestWaitingForTheLedgerEnds(t *testing.T) {
	q := queue.New(nil, queue.Config{})
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("some cause"))
	err := q.Ledger().Wait(ctx, func(source.Counts) bool { return false })
	if err == nil || !strings.Contains(err.Error(), "some cause; the counts: {Sent:0") {
		t.Errorf("got %v", err)
	}
}

func TestTheLedgerSeesAMessageThatOvertook(t *testing.T) {
	fn := handled(func(_ context.Context, event events.SQSEvent) (answer events.SQSEventResponse, err error) {
		if event.Records[0].Body == "a1" { // and not the others of its group
			answer.BatchItemFailures = []events.SQSBatchItemFailure{{ItemIdentifier: event.Records[0].MessageId}}
		}
		return answer, nil
	})
	clock := source.NewClock(begin)
	dead := queue.New(nil, queue.Config{Name: "dead.fifo", Clock: clock})
	q := queue.New(fn, queue.Config{
		Name: "q.fifo", Clock: clock, Redrive: queue.Redrive{To: dead, MaxReceives: 2}, Mapping: queue.Mapping{ReportBatchItemFailures: true},
	})
	ids := send(t, q, "a", "a1", "a2")
	drain(t, q)
	want := fmt.Sprintf("source: message %s of group \"a\" was done before message %s, sent earlier", ids[1], ids[0])
	if err := q.Ledger().Check(); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// What a test gets cannot be written to, also not by asserting another type.
func TestALedgerIsOnlyRead(t *testing.T) {
	fn := handled(func(context.Context, events.SQSEvent) (answer events.SQSEventResponse, err error) { return answer, nil })
	want := reflect.TypeFor[source.Ledger]().NumMethod()
	for name, l := range map[string]source.Ledger{
		"queue":  queue.New(nil, queue.Config{}).Ledger(),
		"stream": stream.New(fn, stream.Config{}).Ledger(),
		"async":  async.New(fn, async.Config{}).Ledger(),
	} {
		if got := reflect.TypeOf(l).NumMethod(); got != want {
			t.Errorf("the ledger of %s has %d methods, want %d", name, got, want)
		}
	}
}
