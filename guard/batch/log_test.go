package batch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/internal/counttest"
)

// The counts of a batch are those of its records in the log, and those of metrics.
func TestTheCountsAreThoseOfTheLog(t *testing.T) {
	var all []message
	for i, outcome := range []string{"ok", "fail", "poison", "panic", "ok", "poison", "fail", "ok"} {
		for j := range 5 { // some groups have a rest that does not start
			all = append(all, message{outcome, fmt.Sprint("g", (i+j)%7)})
		}
	}
	for _, concurrency := range []int{1, 4} {
		for _, full := range []error{nil, guard.Reason("full")} {
			var log bytes.Buffer
			h := guard.Wrap(batch.SQS(new(journal).handle, batch.Concurrency(concurrency), batch.DeadLetters(&sink{err: full})), guard.Default(logging.New(&log)))
			var counted map[string]int
			h = counttest.Handler(h, &counted)
			listed := len(strings.Fields(invoke(t, h, queueEvent(fifoARN, all...))))
			var counts struct{ Records, Failed, DeadLettered, NotStarted int }
			lines := map[string]int{}
			for line := range strings.Lines(log.String()) {
				var r struct{ Message string }
				if err := json.Unmarshal([]byte(line), &r); err != nil {
					t.Fatal(err)
				}
				if lines[r.Message]++; r.Message == "invocation" {
					_ = json.Unmarshal([]byte(line), &counts)
				}
			}
			if counts.Records != len(all) || counts.Failed == 0 || counts.Failed+counts.NotStarted != listed {
				t.Errorf("got %+v and %d in the answer of %d records, want them to agree", counts, listed, len(all))
			}
			if want := map[string]int{
				layer.Records: counts.Records, layer.RecordsFailed: counts.Failed,
				layer.RecordsDeadLettered: counts.DeadLettered, layer.RecordsNotStarted: counts.NotStarted,
			}; !sameCounts(counted, want) {
				t.Errorf("got the counts %v, want %v", counted, want)
			}
			if lines["record failed"] != counts.Failed || lines["record dead-lettered"] != counts.DeadLettered || (full == nil) != (lines["dead letter not sent"] == 0) {
				t.Errorf("got the lines %v for %+v, want one for each", lines, counts)
			}
		}
	}
}

// sameCounts takes a count that is missing for 0.
func sameCounts(got, want map[string]int) bool {
	got = maps.Clone(got)
	for name, n := range want {
		if got[name] != n {
			return false
		}
		delete(got, name)
	}
	return len(got) == 0
}

// A key stands once in a record of the log, whatever a function adds.
func TestNoKeyStandsTwiceInTheRecordOfAFailure(t *testing.T) {
	var log bytes.Buffer
	h := guard.Wrap(batch.SQS(func(ctx context.Context, _ events.SQSMessage) error {
		guard.AddAttrs(ctx, slog.String("source", "web"), slog.Int("attempt", 99), slog.String("order", "o-1"))
		return outcome("fail")
	}), guard.Log(logging.New(&log)))
	invoke(t, h, bodies("ok"))
	line, _, _ := strings.Cut(log.String(), "\n")
	for part, want := range map[string]int{`"source":"` + queueARN + `"`: 1, `"attempt":1`: 1, `"source":`: 1, `"attempt":`: 1, `"order":"o-1"`: 1} {
		if got := strings.Count(line, part); got != want {
			t.Errorf("got %s %d times, want %d:\n%s", part, got, want, line)
		}
	}
}

// Of a function whose timeout is too short for any record, the log has an error.
func TestABatchInWhichNothingStartsIsAnError(t *testing.T) {
	for _, tc := range []struct {
		what  string
		left  time.Duration
		level string
	}{
		{what: "nothing starts", left: time.Second, level: "ERROR"},
		{what: "one starts", left: 3 * time.Second, level: "INFO"},
	} {
		t.Run(tc.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), tc.left)
				defer cancel()
				var log bytes.Buffer
				h := guard.Wrap(batch.SQS(func(context.Context, events.SQSMessage) error { time.Sleep(2 * time.Second); return nil }), guard.Log(logging.New(&log)))
				if _, err := h.Invoke(ctx, bodies("ok", "ok")); err != nil {
					t.Fatal(err)
				}
				if got := log.String(); !strings.Contains(got, `"level":"`+tc.level+`"`) || strings.Contains(got, "no_time_left") != (tc.level == "ERROR") {
					t.Errorf("got %s, want the level %s", got, tc.level)
				}
			})
		})
	}
}
