package batch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

func received(body string, times int) []byte {
	return sample.Of(guard.SQS).Messages(body).Set("/Records/0/messageId", "m0").
		Set("/Records/0/attributes/ApproximateReceiveCount", fmt.Sprint(times)).Bytes()
}

// SECURITY: Nothing is lost.
func TestWhatCanNeverSucceedGoesToTheSink(t *testing.T) {
	for _, tc := range []struct {
		what     string
		payload  []byte
		options  []batch.Option
		refuses  bool // the sink does
		letters  string
		failures string
		ran      string
	}{
		{what: "poison", payload: bodies("ok", "poison", "ok"), letters: "m1:bad_order", failures: "none", ran: "m0 m1 m2"},
		{what: "what may succeed later", payload: bodies("fail", "panic"), failures: "m0 m1", ran: "m0 m1"},
		{what: "the sink fails", payload: bodies("poison", "ok"), refuses: true, failures: "m0", ran: "m0 m1"},
		{
			what: "a FIFO group goes on behind a dead letter", letters: "m0:bad_order", failures: "none", ran: "m0 m1",
			payload: queueEvent(fifoARN, message{"poison", "a"}, message{"ok", "a"}),
		},
		{
			what: "a FIFO group stops if the sink fails", refuses: true, failures: "m0 m1", ran: "m0",
			payload: queueEvent(fifoARN, message{"poison", "a"}, message{"ok", "a"}),
		},
		{what: "fails for the second time of three", payload: received("fail", 2), options: []batch.Option{batch.MaxReceives(3)}, failures: "m0", ran: "m0"},
		{what: "fails for the third time of three", payload: received("fail", 3), options: []batch.Option{batch.MaxReceives(3)}, letters: "m0:internal", failures: "none", ran: "m0"},
		{what: "succeeds the third time of three", payload: received("ok", 3), options: []batch.Option{batch.MaxReceives(3)}, failures: "none", ran: "m0"},
		{what: "comes for the fourth time of three", payload: received("ok", 4), options: []batch.Option{batch.MaxReceives(3)}, letters: "m0:too_many_receives", failures: "none"},
		{
			what: "only the first of a group is given up unrun", options: []batch.Option{batch.MaxReceives(3)}, letters: "m0:too_many_receives m2:internal", failures: "none", ran: "m1 m2",
			payload: bytes.ReplaceAll(queueEvent(fifoARN, message{"ok", "a"}, message{"ok", "a"}, message{"fail", "a"}),
				[]byte(`"ApproximateReceiveCount":"1"`), []byte(`"ApproximateReceiveCount":"4"`)),
		},
		{
			what: "one more of a group for each further receive", options: []batch.Option{batch.MaxReceives(3)}, letters: "m0:too_many_receives m1:too_many_receives", failures: "none", ran: "m2",
			payload: bytes.ReplaceAll(queueEvent(fifoARN, message{"ok", "a"}, message{"ok", "a"}, message{"ok", "a"}),
				[]byte(`"ApproximateReceiveCount":"1"`), []byte(`"ApproximateReceiveCount":"5"`)),
		},
		{what: "comes once more, and the sink fails", payload: received("ok", 4), options: []batch.Option{batch.MaxReceives(3)}, refuses: true, failures: "m0"},
	} {
		t.Run(tc.what, func(t *testing.T) {
			var j journal
			s := &sink{}
			if tc.refuses {
				s.err = guard.Reason("full")
			}
			got := invoke(t, batch.SQS(j.handle, append(tc.options, batch.DeadLetters(s))...), tc.payload)
			if got != tc.failures || s.ids() != tc.letters || j.String() != tc.ran {
				t.Errorf("got the failures %s, the letters %q, ran %q; want %s, %q, %q", got, s.ids(), j.String(), tc.failures, tc.letters, tc.ran)
			}
		})
	}
}

func TestADeadLetterHasTheRecordAndTheReason(t *testing.T) {
	s := &sink{}
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "r-1", InvokedFunctionArn: "arn:aws:lambda:us-east-1:123456789012:function:book"})
	event := sample.Of(guard.SQS, "fifo").Messages("ok", "poison")
	before := time.Now()
	if _, err := batch.SQS(new(journal).handle, batch.DeadLetters(s)).Invoke(ctx, event.Bytes()); err != nil || len(s.letters) != 1 {
		t.Fatalf("got %v and %d letters, want one", err, len(s.letters))
	}
	got := s.letters[0]
	var record, want any
	if err := json.Unmarshal(got.Record, &record); err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(event.Get("/Records/1"))
	_ = json.Unmarshal(text, &want)
	if fmt.Sprint(record) != fmt.Sprint(want) {
		t.Errorf("got the record %s, want %s", got.Record, text)
	}
	if got.Trigger != guard.SQS || got.ID != event.Get("/Records/1/messageId") || got.Source != event.Get("/Records/1/eventSourceARN") ||
		got.Group != event.Get("/Records/1/attributes/MessageGroupId") || got.Attempts != 1 || got.Code != "bad_order" || got.Detail != "The order is wrong." ||
		got.RequestID != "r-1" || !strings.HasSuffix(got.FunctionARN, ":book") || got.LastFailure.Before(before) || got.FirstFailure.UnixMilli() != 1584040590401 {
		t.Errorf("got %+v", got)
	}

	// Of a stream, which says nothing of earlier receives.
	s.letters = nil
	invoke(t, batch.Kinesis(new(journal).kinesis, batch.DeadLetters(s)), kinesis("a=ok", "b=poison"))
	if got := s.letters[0]; got.Trigger != guard.Kinesis || got.ID != "2" || got.Group != "b" || !got.FirstFailure.Equal(got.LastFailure) || !bytes.Contains(got.Record, []byte(`"partitionKey":"b"`)) {
		t.Errorf("got %+v", got)
	}
}

func TestASinkThatPanicsHasFailed(t *testing.T) {
	var log bytes.Buffer
	h := guard.Wrap(batch.SQS(new(journal).handle, batch.Concurrency(2), batch.DeadLetters(batch.SinkFunc(func(context.Context, batch.DeadLetter) error { panic("no queue") }))),
		guard.Default(logging.New(&log)))
	if got := invoke(t, h, bodies("poison", "ok", "poison")); got != "m0 m2" {
		t.Errorf("got the failures %s, want m0 m2", got)
	}
	if got := log.String(); strings.Count(got, "dead letter not sent") != 2 || !strings.Contains(got, `"code":"bad_order"`) {
		t.Errorf("got %s, want the reason and the sink", got)
	}
}

// delays notes what is delayed.
type delays struct {
	journal
	err error
}

func (d *delays) Delay(_ context.Context, m events.SQSMessage, by time.Duration) error {
	if d.err != nil {
		return d.err
	}
	if by%time.Second != 0 {
		d.add(m.MessageId + " " + by.Truncate(time.Second).String())
		return nil
	}
	d.add(m.MessageId + " " + by.String())
	return nil
}

func TestAFailedMessageComesLater(t *testing.T) {
	handle := func(_ context.Context, m events.SQSMessage) error {
		switch m.Body {
		case "busy":
			return &guard.Error{Kind: guard.Unavailable, RetryAfter: 10 * time.Minute}
		case "closed":
			return &guard.Error{Kind: guard.Unavailable, RetryAfter: 100 * time.Hour}
		default:
			return outcome(m.Body)
		}
	}
	seconds := func(attempt int) time.Duration { return time.Duration(attempt) * time.Minute }
	for _, tc := range []struct {
		what    string
		payload []byte
		backoff func(int) time.Duration
		want    string
	}{
		{what: "nothing failed", payload: bodies("ok"), backoff: seconds},
		{what: "by its attempt", payload: received("fail", 3), backoff: seconds, want: "m0 3m0s"},
		{what: "no more than SQS takes", payload: bodies("closed"), want: "m0 12h0m0s"},
		{what: "no backoff", payload: bodies("fail")},
		{what: "poison with a sink", payload: bodies("poison"), backoff: seconds},
		{
			what: "the first of a FIFO group", backoff: seconds, want: "m0 1m0s",
			payload: queueEvent(fifoARN, message{"fail", "a"}, message{"fail", "a"}, message{"ok", "b"}),
		},
	} {
		d := &delays{}
		invoke(t, batch.SQS(handle, batch.RetryLater(d, tc.backoff), batch.DeadLetters(&sink{})), tc.payload)
		if got := d.String(); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.what, got, tc.want)
		}
	}
	for range 20 { // at least as long as the error says, and a tenth more
		d := &delays{}
		invoke(t, batch.SQS(handle, batch.RetryLater(d, nil)), bodies("busy"))
		var got time.Duration
		if _, text, ok := strings.Cut(d.String(), " "); ok {
			got, _ = time.ParseDuration(text)
		}
		if got < 10*time.Minute || got > 11*time.Minute {
			t.Errorf("got %q, want 10 to 11 minutes", d)
		}
	}
	var log bytes.Buffer
	h := guard.Wrap(batch.SQS(handle, batch.RetryLater(&delays{err: guard.Reason("no permission")}, seconds)), guard.Log(logging.New(&log)))
	if got := invoke(t, h, bodies("fail")); got != "m0" || !strings.Contains(log.String(), "message not delayed") {
		t.Errorf("got %s and %s, want a failure that is logged", got, log.String())
	}
}

func TestBackoffGrowsToItsLongest(t *testing.T) {
	backoff := batch.Backoff(time.Second, time.Minute)
	for attempt, whole := range map[int]time.Duration{0: time.Second, 1: time.Second, 2: 2 * time.Second, 4: 8 * time.Second, 7: time.Minute, 1 << 40: time.Minute} {
		for range 50 {
			if got := backoff(attempt); got < whole/2 || got > whole {
				t.Errorf("attempt %d: got %s, want %s to %s", attempt, got, whole/2, whole)
			}
		}
	}
}

// A message that ends the process each time leaves its queue, wherever it stands in
// its group: of a process that ended there is no answer, so that all come again.
func TestAKillerInAGroupLeavesTheQueue(t *testing.T) {
	const most, size = 3, 4
	for place := range size {
		all := make([]message, size)
		for i := range all {
			all[i] = message{"ok", "a"}
		}
		all[place].body = "kills"
		s := &sink{}
		h := batch.SQS(func(_ context.Context, m events.SQSMessage) error {
			if m.Body == "kills" {
				runtime.Goexit()
			}
			return nil
		}, batch.DeadLetters(s), batch.MaxReceives(most))
		receives, answer := 0, ""
		for answer == "" && receives < 20 {
			receives++
			payload := bytes.ReplaceAll(queueEvent(fifoARN, all...), []byte(`"ApproximateReceiveCount":"1"`), fmt.Appendf(nil, `"ApproximateReceiveCount":"%d"`, receives))
			var wg sync.WaitGroup
			wg.Go(func() {
				out, err := h.Invoke(t.Context(), payload)
				if err != nil {
					t.Error(err)
					return
				}
				answer = failures(t, out)
			})
			wg.Wait()
		}
		if want := most + 1 + place; answer != "none" || receives != want || !strings.Contains(s.ids(), fmt.Sprintf("m%d:too_many_receives", place)) {
			t.Errorf("place %d: got %q after %d receives with the letters %s; want none after %d", place, answer, receives, s.ids(), want)
		}
	}
}
