package batch_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

// A record that takes as long as Reserve says can finish if it starts.
func TestARecordHasTheTimeOfReserve(t *testing.T) {
	for _, tc := range []struct {
		left     time.Duration
		failures string
		ran      string
	}{
		{left: 5 * time.Second, failures: "none", ran: "m0"},
		{left: 3100 * time.Millisecond, failures: "none", ran: "m0"},
		{left: 3099 * time.Millisecond, failures: "m0"},
		{left: 3 * time.Second, failures: "m0"},
	} {
		t.Run(tc.left.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), tc.left)
				defer cancel()
				var j journal
				h := batch.SQS(func(ctx context.Context, m events.SQSMessage) error {
					j.add(m.MessageId)
					select {
					case <-time.After(3*time.Second - 1):
						return nil
					case <-ctx.Done():
						return ctx.Err()
					}
				}, batch.Reserve(3*time.Second))
				out, err := h.Invoke(ctx, bodies("ok"))
				if got := failures(t, out); err != nil || got != tc.failures || j.String() != tc.ran {
					t.Errorf("got the failures %s, %v, ran %q; want %s, ran %q", got, err, &j, tc.failures, tc.ran)
				}
			})
		})
	}
}

// Some emulators send a deadline of 1970.
func TestADeadlineOf1970IsNone(t *testing.T) {
	ctx, cancel := context.WithDeadline(t.Context(), time.UnixMilli(0))
	defer cancel()
	var j journal
	s := &sink{}
	h := batch.SQS(j.handle, batch.DeadLetters(batch.SinkFunc(func(ctx context.Context, l batch.DeadLetter) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return s.Send(ctx, l)
	})))
	out, err := h.Invoke(ctx, bodies("ok", "poison", "fail"))
	if got := failures(t, out); err != nil || got != "m2" || j.String() != "m0 m1 m2" || s.ids() != "m1:bad_order" {
		t.Errorf("got the failures %s, %v, ran %s, letters %s; want m2, all, and the letter of m1", got, err, &j, s.ids())
	}
}

// A sink and a delayer that hang do not take the time to answer.
func TestWhatHangsLeavesTimeToAnswer(t *testing.T) {
	hang := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	for _, tc := range []struct {
		what   string
		body   string
		option batch.Option
	}{
		{what: "the sink", body: "poison", option: batch.DeadLetters(batch.SinkFunc(func(ctx context.Context, _ batch.DeadLetter) error { return hang(ctx) }))},
		{what: "the delayer", body: "fail", option: batch.RetryLater(delayFunc(hang), func(int) time.Duration { return time.Minute })},
	} {
		for _, outer := range []struct {
			what  string
			layer guard.Middleware
		}{
			{what: "alone"},
			{what: "in guard.Default", layer: guard.Default(logging.New(&bytes.Buffer{}))},
		} {
			t.Run(tc.what+" "+outer.what, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
					defer cancel()
					h := guard.Wrap(batch.SQS(new(journal).handle, tc.option), outer.layer)
					out, err := h.Invoke(ctx, bodies("ok", tc.body, "ok"))
					if err != nil {
						t.Fatalf("got %v, want an answer", err)
					}
					if got := failures(t, out); got != "m1 m2" || ctx.Err() != nil {
						t.Errorf("got the failures %s, %v; want m1 m2 in time", got, ctx.Err())
					}
				})
			})
		}
	}
}

type delayFunc func(ctx context.Context) error

func (f delayFunc) Delay(ctx context.Context, _ events.SQSMessage, _ time.Duration) error {
	return f(ctx)
}

// A sink that could not end in time is not called, so that no letter is sent for a
// record whose failure is being reported.
func TestNoSinkIsCalledAfterItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		s := &sink{}
		message := received("ok", 3)
		h := batch.SQS(func(context.Context, events.SQSMessage) error {
			time.Sleep(11 * time.Second)
			return nil
		}, batch.DeadLetters(s), batch.MaxReceives(3))
		out, err := h.Invoke(ctx, message)
		if got := failures(t, out); err != nil || got != "m0" || s.ids() != "" {
			t.Errorf("got the failures %s, %v, letters %q; want m0 and no letter", got, err, s.ids())
		}
	})
}

// What a sink and a delayer log belongs to the record, and so do their attributes.
func TestASinkIsCalledForTheRecord(t *testing.T) {
	var log bytes.Buffer
	logger := logging.New(&log)
	seen := func(ctx context.Context) {
		info, ok := batch.RecordFrom(ctx)
		if !ok || info.ID != "m0" {
			t.Errorf("got the record %q, %t, want m0", info.ID, ok)
		}
		logger.InfoContext(ctx, "seen")
	}
	s := batch.SinkFunc(func(ctx context.Context, _ batch.DeadLetter) error {
		seen(ctx)
		return guard.Reason("full")
	})
	d := delayFunc(func(ctx context.Context) error { seen(ctx); return nil })
	h := guard.Wrap(batch.SQS(new(journal).handle, batch.DeadLetters(s), batch.RetryLater(d, func(int) time.Duration { return time.Minute })), guard.Default(logger))
	if got := invoke(t, h, bodies("poison")); got != "m0" {
		t.Errorf("got the failures %s, want m0", got)
	}
	if got := strings.Count(log.String(), `"message":"seen","recordId":"m0"`); got != 2 {
		t.Errorf("got %d lines with the record, want 2:\n%s", got, &log)
	}
}

// A function that ignores its context costs the records that were not started, and
// not the answer: what is in it is true however late it is.
func TestALateAnswerCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		h := guard.Wrap(batch.SQS(func(_ context.Context, m events.SQSMessage) error {
			if m.Body == "slow" {
				time.Sleep(9900 * time.Millisecond)
			}
			return nil
		}), guard.Default(logging.New(&bytes.Buffer{})))
		out, err := h.Invoke(ctx, bodies("ok", "slow", "ok"))
		if err != nil {
			t.Fatalf("got %v, want an answer", err)
		}
		if got := failures(t, out); got != "m1 m2" {
			t.Errorf("got the failures %s, want m1 m2", got)
		}
	})
}
