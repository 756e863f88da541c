package batch_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

// A backoff is the caller's. Its panic ends neither the batch nor the process, also
// not with several workers.
func TestABackoffThatPanicsDelaysNothing(t *testing.T) {
	for _, concurrency := range []int{1, 4} {
		var log strings.Builder
		d := &delays{}
		backoff := func(attempt int) time.Duration { panic("no table for it") }
		h := guard.Wrap(batch.SQS((&journal{}).handle, batch.RetryLater(d, backoff), batch.Concurrency(concurrency)), guard.Log(logging.New(&log)))
		if got := invoke(t, h, bodies("fail", "ok", "fail")); got != "m0 m2" {
			t.Errorf("%d at a time: got the failures %s, want m0 m2", concurrency, got)
		}
		if d.String() != "" || strings.Count(log.String(), "message not delayed") != 2 {
			t.Errorf("%d at a time: got the delays %q and the log %s, want none, and two lines about it", concurrency, d, log.String())
		}
	}
}

// A message is delayed by at most 12 hours, however long its error asks for.
func TestNoDelayIsTooLongToAdd(t *testing.T) {
	for _, asked := range []time.Duration{12 * time.Hour, 13 * time.Hour, math.MaxInt64 - 1, math.MaxInt64} {
		d := &delays{}
		h := batch.SQS(func(context.Context, events.SQSMessage) error {
			return &guard.Error{Kind: guard.Unavailable, RetryAfter: asked}
		}, batch.RetryLater(d, nil))
		for range 20 { // it is random
			invoke(t, h, bodies("x"))
		}
		if got, want := d.String(), strings.TrimSuffix(strings.Repeat("m0 12h0m0s ", 20), " "); got != want {
			t.Errorf("%v: got %s, want 12 hours each time", asked, got)
		}
	}
}

// A count that is unknown is the first for a backoff, and is not in the log. Without
// a sink none is missed there.
func TestAnUnknownAttemptIsTheFirst(t *testing.T) {
	var log strings.Builder
	var attempts []int
	backoff := func(attempt int) time.Duration {
		attempts = append(attempts, attempt)
		return 0
	}
	h := guard.Wrap(batch.SQS((&journal{}).handle, batch.RetryLater(&delays{}, backoff)), guard.Default(logging.New(&log)))
	event := strings.ReplaceAll(string(bodies("fail", "poison")), "ApproximateReceiveCount", "Other")
	if got := invoke(t, h, []byte(event)); got != "m0 m1" || !slices.Equal(attempts, []int{1, 1}) {
		t.Errorf("got the failures %s and the attempts %v, want m0 m1 and 1 for each", got, attempts)
	}
	if got := log.String(); strings.Count(got, `"record failed"`) != 2 || strings.Contains(got, `"attempt"`) || strings.Contains(got, "dead letter") {
		t.Errorf("got %s, want two failures without an attempt, and nothing of a sink", got)
	}
}

// Messages that failed together for one reason do not come again together.
func TestARetryAfterIsSpread(t *testing.T) {
	d := delayed{}
	h := batch.SQS(func(context.Context, events.SQSMessage) error {
		return &guard.Error{Kind: guard.Unavailable, RetryAfter: time.Hour}
	}, batch.RetryLater(d, nil))
	invoke(t, h, bodies(strings.Split("a b c d e f g h", " ")...))
	if len(d) < 2 {
		t.Errorf("got the delays %v, want different ones", d)
	}
}

// delayed are the delays that were asked for.
type delayed map[time.Duration]bool

func (d delayed) Delay(_ context.Context, _ events.SQSMessage, by time.Duration) error {
	d[by] = true
	return nil
}

// A sink may keep a letter: the runtime reuses the memory of the event.
func TestALetterOutlivesItsEvent(t *testing.T) {
	s := &sink{}
	payload := bodies("poison")
	invoke(t, batch.SQS((&journal{}).handle, batch.DeadLetters(s)), payload)
	clear(payload)
	var m events.SQSMessage
	if err := json.Unmarshal(s.letters[0].Record, &m); err != nil || m.Body != "poison" {
		t.Errorf("got the record %q, %v; want the message", s.letters[0].Record, err)
	}
}

// Info has the place of a record in its event, also where records run out of order.
func TestARecordKnowsItsPlaceInTheEvent(t *testing.T) {
	h := guard.Wrap(batch.SQS(func(ctx context.Context, m events.SQSMessage) error {
		if info, _ := batch.RecordFrom(ctx); fmt.Sprint("m", info.Index) != m.MessageId {
			t.Errorf("got the index %d of %s", info.Index, m.MessageId)
		}
		return nil
	}, batch.Concurrency(4)))
	if got := invoke(t, h, bodies(make([]string, 20)...)); got != "none" {
		t.Errorf("got %s, want no failures", got)
	}
}
