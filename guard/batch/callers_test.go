package batch_test

import (
	"context"
	"math"
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

// Nor does a panic of Observe make what is done come again.
func TestAnObserverThatPanicsLosesNoAnswer(t *testing.T) {
	var log strings.Builder
	observe := func(context.Context, batch.Counts) { panic("no metrics") }
	h := guard.Wrap(batch.SQS((&journal{}).handle, batch.Observe(observe)), guard.Default(logging.New(&log)))
	if got := invoke(t, h, bodies("fail", "ok")); got != "m0" {
		t.Errorf("got the failures %s, want m0", got)
	}
	if strings.Count(log.String(), "counts not observed") != 1 {
		t.Errorf("got %s, want a line about it", log.String())
	}
}
