package async_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/async"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
)

var asyncStart = time.Date(2026, 11, 14, 18, 16, 5, 568e6, time.UTC)

// asyncFunc is a function that a test decides about.
type asyncFunc func(ctx context.Context, call guardtest.Call) (guardtest.Result, error)

func (f asyncFunc) Do(ctx context.Context, call guardtest.Call) (guardtest.Result, error) {
	return f(ctx, call)
}

// answers fails with each error in turn, and then succeeds.
func answers(failures ...error) asyncFunc {
	return func(_ context.Context, call guardtest.Call) (guardtest.Result, error) {
		if len(failures) == 0 {
			return guardtest.Result{RequestID: call.RequestID, Payload: []byte(`{"booked":true}`)}, nil
		}
		failure := failures[0]
		failures = failures[1:]
		return guardtest.Result{RequestID: call.RequestID}, failure
	}
}

func always(failure error) asyncFunc {
	return func(context.Context, guardtest.Call) (guardtest.Result, error) { return guardtest.Result{}, failure }
}

var broken = &guardtest.FunctionError{Type: "broken", Message: "intentional failure", Payload: []byte(`{"errorMessage":"intentional failure","errorType":"broken"}`)}

// letters keeps what a target gets.
type letters struct {
	mu   sync.Mutex
	kept []source.Letter
}

func (l *letters) to(arn string) source.Target {
	return source.To(arn, func(letter source.Letter) error {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.kept = append(l.kept, letter)
		return nil
	})
}

const (
	queueARN  = "arn:aws:sqs:us-east-1:123456789012:dead"
	topicARN  = "arn:aws:sns:us-east-1:123456789012:dead"
	busARN    = "arn:aws:events:us-east-1:123456789012:event-bus/results"
	bucketARN = "arn:aws:s3:::dead-letters"
)

func invoke(t *testing.T, a *async.Queue, payload string) string {
	t.Helper()
	id, err := a.Invoke([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func drainAsync(t *testing.T, a *async.Queue) {
	t.Helper()
	if err := a.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func entryOf(t *testing.T, a *async.Queue, id string) source.Entry {
	t.Helper()
	e, ok := a.Ledger().Entry(id)
	if !ok {
		t.Fatalf("no entry %s", id)
	}
	return e
}

// triesOf returns when an event was tried, since it was sent.
func triesOf(e source.Entry) (at []time.Duration) {
	for _, d := range e.Deliveries {
		at = append(at, d.At.Sub(e.Sent))
	}
	return at
}

func TestWhenAnEventIsTriedAgain(t *testing.T) {
	const s, m = time.Second, time.Minute
	for _, c := range []struct {
		name    string
		fn      guardtest.Invoker
		cfg     async.Config
		tries   []time.Duration
		outcome source.Outcome
		reason  string
	}{
		{name: "it succeeds", fn: answers(), tries: []time.Duration{0}, outcome: source.Done},
		{name: "it succeeds in the end", fn: answers(broken, broken), tries: []time.Duration{0, m, 3 * m}, outcome: source.Done},
		{
			name: "it fails", fn: always(broken), tries: []time.Duration{0, m, 3 * m}, outcome: source.DeadLettered,
			reason: "RetriesExhausted, at last broken",
		},
		{
			name: "it fails, one retry", fn: always(broken), cfg: async.Config{MaximumRetryAttempts: new(1)},
			tries: []time.Duration{0, m}, outcome: source.DeadLettered, reason: "RetriesExhausted, at last broken",
		},
		{
			name: "it fails, no retries", fn: always(broken), cfg: async.Config{MaximumRetryAttempts: new(0)},
			tries: []time.Duration{0}, outcome: source.DeadLettered, reason: "RetriesExhausted, at last broken",
		},
		{
			name: "the next retry would be too late", fn: always(broken), cfg: async.Config{MaximumEventAge: 2 * m},
			tries: []time.Duration{0, m}, outcome: source.DeadLettered, reason: "EventAgeExceeded, at last broken",
		},
		{
			name: "a retry at the last moment", fn: always(broken), cfg: async.Config{MaximumEventAge: 3 * m},
			tries: []time.Duration{0, m, 3 * m}, outcome: source.DeadLettered, reason: "RetriesExhausted, at last broken",
		},
		{
			name: "it is throttled for a while", fn: answers(source.ErrThrottled, source.ErrThrottled, source.ErrThrottled),
			tries: []time.Duration{0, s, 3 * s, 7 * s}, outcome: source.Done,
		},
		{
			name: "Lambda fails for a while, without retries", fn: answers(async.ErrServiceFailure, async.ErrServiceFailure),
			cfg: async.Config{MaximumRetryAttempts: new(0)}, tries: []time.Duration{0, s, 3 * s}, outcome: source.Done,
		},
		{
			name: "throttles do not count, and begin anew", fn: answers(source.ErrThrottled, broken, source.ErrThrottled, source.ErrThrottled, broken),
			tries: []time.Duration{0, s, m + s, m + 2*s, m + 4*s, 3*m + 4*s}, outcome: source.Done,
		},
		{
			name: "it is throttled until it is too old", fn: always(source.ErrThrottled), cfg: async.Config{MaximumEventAge: m},
			tries: []time.Duration{0, s, 3 * s, 7 * s, 15 * s, 31 * s}, outcome: source.DeadLettered, reason: "EventAgeExceeded, at last throttled",
		},
		{
			name: "the reserved concurrency is 0", fn: source.ReservedConcurrency(answers(), 0),
			outcome: source.DeadLettered, reason: "ZeroReservedConcurrency",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			dead := &letters{}
			c.cfg.DeadLetters, c.cfg.Clock = dead.to(queueARN), source.NewClock(asyncStart)
			a := async.New(c.fn, c.cfg)
			id := invoke(t, a, `{}`)
			drainAsync(t, a)
			e := entryOf(t, a, id)
			if got := triesOf(e); !reflect.DeepEqual(got, c.tries) {
				t.Errorf("tried after %v, want %v", got, c.tries)
			}
			if e.Outcome != c.outcome || e.Reason != c.reason {
				t.Errorf("%s (%s), want %s (%s)", e.Outcome, e.Reason, c.outcome, c.reason)
			}
			if err := a.Ledger().Check(); err != nil {
				t.Error(err)
			}
			if want := map[source.Outcome]int{source.DeadLettered: 1}[c.outcome]; len(dead.kept) != want {
				t.Errorf("%d dead letters, want %d", len(dead.kept), want)
			}
			for _, d := range e.Deliveries {
				if d.RequestID != id {
					t.Errorf("tried with request id %s, want %s", d.RequestID, id)
				}
			}
		})
	}
}

func TestThrottlesLastSixHours(t *testing.T) {
	a := async.New(always(source.ErrThrottled), async.Config{Clock: source.NewClock(asyncStart)})
	id := invoke(t, a, `{}`)
	drainAsync(t, a)
	e := entryOf(t, a, id)
	tries := triesOf(e)
	longest := time.Duration(0)
	for i := range tries[1:] {
		longest = max(longest, tries[i+1]-tries[i])
	}
	if last := tries[len(tries)-1]; longest != 5*time.Minute || last > 6*time.Hour || last <= 6*time.Hour-5*time.Minute {
		t.Errorf("the longest wait is %s and the last try after %s", longest, last)
	}
	if e.Outcome != source.Dropped || e.Reason != "EventAgeExceeded, at last throttled, and nothing was to keep it" {
		t.Errorf("%s (%s)", e.Outcome, e.Reason)
	}
	if err := a.Ledger().Check(); err == nil || !strings.Contains(err.Error(), "is lost") {
		t.Errorf("got %v, want that it is lost", err)
	}
}

func TestTheClockMovesAsTheTestSays(t *testing.T) {
	clock := source.NewClock(asyncStart)
	a := async.New(answers(broken), async.Config{Clock: clock})
	id := invoke(t, a, `{}`)
	for _, step := range []struct {
		by      time.Duration
		tries   int
		outcome source.Outcome
	}{
		{0, 1, source.Waiting},
		{time.Minute - 1, 1, source.Waiting},
		{1, 2, source.Done},
		{time.Hour, 2, source.Done},
	} {
		if err := a.Advance(t.Context(), step.by); err != nil {
			t.Fatal(err)
		}
		if e := entryOf(t, a, id); len(e.Deliveries) != step.tries || e.Outcome != step.outcome {
			t.Errorf("at %s: %d tries and %s, want %d and %s", clock.Now().Sub(asyncStart), len(e.Deliveries), e.Outcome, step.tries, step.outcome)
		}
	}
	if got := clock.Now().Sub(asyncStart); got != time.Hour+time.Minute {
		t.Errorf("the clock moved by %s", got)
	}
}

func TestAnEventWhoseTimeOthersHaveTakenIsTooOld(t *testing.T) {
	clock := source.NewClock(asyncStart)
	a := async.New(answers(), async.Config{Clock: clock, MaximumEventAge: time.Minute})
	id := invoke(t, a, `{}`)
	clock.Advance(time.Minute + 1)
	drainAsync(t, a)
	if e := entryOf(t, a, id); e.Outcome != source.Dropped || len(e.Deliveries) != 0 {
		t.Errorf("%s after %d tries", e.Outcome, len(e.Deliveries))
	}
}

// The records that LocalStack's tests have of AWS, and the example on AWS's page.
func TestInvocationRecords(t *testing.T) {
	for _, c := range []struct {
		name string
		fn   guardtest.Invoker
		cfg  async.Config
		want string
	}{
		{
			name: "success", fn: answers(),
			want: `{"version":"1.0","timestamp":"2026-11-14T18:16:05.568Z","requestContext":{"requestId":"ID","functionArn":"arn:aws:lambda:us-east-1:123456789012:function:function:$LATEST","condition":"Success","approximateInvokeCount":1},"requestPayload":{"order":"o-1 <&>"},"responseContext":{"statusCode":200,"executedVersion":"$LATEST"},"responsePayload":{"booked":true}}`,
		},
		{
			name: "a function error", fn: always(broken),
			want: `{"version":"1.0","timestamp":"2026-11-14T18:19:05.568Z","requestContext":{"requestId":"ID","functionArn":"arn:aws:lambda:us-east-1:123456789012:function:function:$LATEST","condition":"RetriesExhausted","approximateInvokeCount":3},"requestPayload":{"order":"o-1 <&>"},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"responsePayload":{"errorMessage":"intentional failure","errorType":"broken"}}`,
		},
		{
			name: "too old", fn: always(broken), cfg: async.Config{MaximumEventAge: time.Minute},
			want: `{"version":"1.0","timestamp":"2026-11-14T18:17:05.568Z","requestContext":{"requestId":"ID","functionArn":"arn:aws:lambda:us-east-1:123456789012:function:function:$LATEST","condition":"EventAgeExceeded","approximateInvokeCount":2},"requestPayload":{"order":"o-1 <&>"},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"responsePayload":{"errorMessage":"intentional failure","errorType":"broken"}}`,
		},
		{
			name: "no concurrency", fn: source.ReservedConcurrency(answers(), 0),
			want: `{"version":"1.0","timestamp":"2026-11-14T18:16:05.568Z","requestContext":{"requestId":"ID","functionArn":"arn:aws:lambda:us-east-1:123456789012:function:function:$LATEST","condition":"ZeroReservedConcurrency","approximateInvokeCount":0},"requestPayload":{"order":"o-1 <&>"}}`,
		},
		{
			name: "an answer that is not JSON",
			fn: asyncFunc(func(context.Context, guardtest.Call) (guardtest.Result, error) {
				return guardtest.Result{Payload: []byte("booked")}, nil
			}),
			want: `{"version":"1.0","timestamp":"2026-11-14T18:16:05.568Z","requestContext":{"requestId":"ID","functionArn":"arn:aws:lambda:us-east-1:123456789012:function:function:$LATEST","condition":"Success","approximateInvokeCount":1},"requestPayload":{"order":"o-1 <&>"},"responseContext":{"statusCode":200,"executedVersion":"$LATEST"},"responsePayload":null}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			results := &letters{}
			c.cfg.OnSuccess, c.cfg.OnFailure, c.cfg.Clock = results.to(queueARN), results.to(queueARN), source.NewClock(asyncStart)
			a := async.New(c.fn, c.cfg)
			id := invoke(t, a, `{ "order": "o-1 <&>" }`)
			drainAsync(t, a)
			if len(results.kept) != 1 {
				t.Fatalf("%d records", len(results.kept))
			}
			if got := strings.ReplaceAll(results.kept[0].Body, id, "ID"); got != c.want || results.kept[0].Attributes != nil {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestDeadLettersAreTheEventAndWhyItFailed(t *testing.T) {
	long := strings.Repeat("é", 600)
	for _, c := range []struct {
		name          string
		fn            guardtest.Invoker
		code, message string
	}{
		{"a function error", always(broken), "200", "intentional failure"},
		{"a long message, cut between characters", always(&guardtest.FunctionError{Type: "t", Message: "x" + long}), "200", "x" + long[:1022]},
		{"no message", always(&guardtest.FunctionError{Type: "t"}), "200", ""},
		{"throttled", always(source.ErrThrottled), "429", "Rate Exceeded."},
		{"a failure of Lambda", always(async.ErrServiceFailure), "500", "ServiceException"},
	} {
		t.Run(c.name, func(t *testing.T) {
			clock := source.NewClock(asyncStart)
			dead := queue.New(nil, queue.Config{Name: "dead", Clock: clock})
			records := &letters{}
			a := async.New(c.fn, async.Config{DeadLetters: dead.Target(), OnFailure: records.to(topicARN), Clock: clock})
			id := invoke(t, a, `{ "order": "o-1" }`)
			drainAsync(t, a)
			got := dead.Messages()
			if len(got) != 1 || len(records.kept) != 1 {
				t.Fatalf("%d dead letters and %d records, want one of each", len(got), len(records.kept))
			}
			want := map[string]source.Attribute{
				"RequestID": {DataType: "String", String: id},
				"ErrorCode": {DataType: "Number", String: c.code},
			}
			if c.message != "" {
				want["ErrorMessage"] = source.Attribute{DataType: "String", String: c.message}
			}
			if got[0].Body != `{ "order": "o-1" }` || !reflect.DeepEqual(got[0].MessageAttributes, want) {
				t.Errorf("got %s with %v, want the event with %v", got[0].Body, got[0].MessageAttributes, want)
			}
		})
	}
}

func TestRecordsInABucketAndOnABus(t *testing.T) {
	bucket, bus := &letters{}, &letters{}
	a := async.New(always(broken), async.Config{
		OnFailure: bucket.to(bucketARN), MaximumRetryAttempts: new(0), Clock: source.NewClock(asyncStart),
	})
	invoke(t, a, `{}`)
	drainAsync(t, a)
	if len(bucket.kept) != 1 || !strings.HasPrefix(bucket.kept[0].Key, "aws/lambda/async/function/2026/11/14/2026-11-14T18.16.05-") || !strings.Contains(bucket.kept[0].Body, `"condition":"RetriesExhausted"`) {
		t.Errorf("in the bucket: %+v", bucket.kept)
	}

	a = async.New(answers(), async.Config{OnSuccess: bus.to(busARN), Clock: source.NewClock(asyncStart)})
	id := invoke(t, a, `{"order":"o-1"}`)
	drainAsync(t, a)
	if len(bus.kept) != 1 {
		t.Fatalf("%d events", len(bus.kept))
	}
	var event struct {
		DetailType string `json:"detail-type"`
		Source     string
		Resources  []string
		Detail     struct{ RequestContext struct{ RequestID string } }
	}
	if err := json.Unmarshal([]byte(bus.kept[0].Body), &event); err != nil {
		t.Fatal(err)
	}
	if event.DetailType != "Lambda Function Invocation Result - Success" || event.Source != "lambda" || event.Resources[0] != busARN || event.Detail.RequestContext.RequestID != id {
		t.Errorf("on the bus: %s", bus.kept[0].Body)
	}
	if trigger := guard.EventOf(t.Context(), []byte(bus.kept[0].Body)).Trigger(); trigger != guard.EventBridge {
		t.Errorf("the event is one of %s", trigger)
	}
}

func TestARecordIsTheEventOfAnotherFunction(t *testing.T) {
	clock := source.NewClock(asyncStart)
	var got string
	next := async.New(asyncFunc(func(_ context.Context, call guardtest.Call) (guardtest.Result, error) {
		got = string(call.Payload)
		return guardtest.Result{}, nil
	}), async.Config{ARN: "arn:aws:lambda:us-east-1:123456789012:function:next", Clock: clock})
	a := async.New(always(broken), async.Config{OnFailure: next.Target(), Clock: clock})
	invoke(t, a, `{"order":"o-1"}`)
	drainAsync(t, a)
	drainAsync(t, next)
	if !strings.Contains(got, `"requestPayload":{"order":"o-1"}`) {
		t.Errorf("the next function got %s", got)
	}
}

func TestWhatNoTargetTakesIsLost(t *testing.T) {
	full := errors.New("full")
	large := `{"x":"` + strings.Repeat("x", 256<<10) + `"}`
	failing := source.To(queueARN, func(source.Letter) error { return full })
	kept := &letters{}
	for _, c := range []struct {
		name     string
		payload  string
		cfg      async.Config
		outcome  source.Outcome
		failures int
		kept     int
	}{
		{name: "the queue fails", payload: `{}`, cfg: async.Config{DeadLetters: failing}, outcome: source.Dropped, failures: 1},
		{name: "the queue fails, the destination does not", payload: `{}`, cfg: async.Config{DeadLetters: failing, OnFailure: kept.to(topicARN)}, outcome: source.DeadLettered, failures: 1, kept: 1},
		{name: "too large for a topic", payload: large, cfg: async.Config{OnFailure: kept.to(topicARN)}, outcome: source.Dropped, failures: 1},
		{name: "not too large for a queue", payload: large, cfg: async.Config{OnFailure: kept.to(queueARN)}, outcome: source.DeadLettered, kept: 1},
		{name: "too large for a queue with what is added", payload: `"` + strings.Repeat("x", 1<<20-2) + `"`, cfg: async.Config{OnFailure: kept.to(queueARN), DeadLetters: kept.to(queueARN)}, outcome: source.Dropped, failures: 2},
		{name: "not too large for a bucket", payload: `"` + strings.Repeat("x", 1<<20-2) + `"`, cfg: async.Config{OnFailure: kept.to(bucketARN)}, outcome: source.DeadLettered, kept: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			kept.kept = nil
			a := async.New(always(broken), c.cfg)
			id := invoke(t, a, c.payload)
			drainAsync(t, a)
			if e := entryOf(t, a, id); e.Outcome != c.outcome || len(a.DeliveryFailures()) != c.failures || len(kept.kept) != c.kept {
				t.Errorf("%s (%s), %v and %d letters, want %s, %d failures and %d letters", e.Outcome, e.Reason, a.DeliveryFailures(), len(kept.kept), c.outcome, c.failures, c.kept)
			}
		})
	}
	a := async.New(always(broken), async.Config{DeadLetters: failing})
	invoke(t, a, `{}`)
	drainAsync(t, a)
	if got := a.DeliveryFailures(); !errors.Is(got[0], full) || !strings.Contains(got[0].Error(), queueARN) {
		t.Errorf("got %v, want the target's error with its ARN", got)
	}
}

func TestDuplicates(t *testing.T) {
	var mu sync.Mutex
	calls, most, now := 0, 0, 0
	both := make(chan struct{})
	fn := asyncFunc(func(context.Context, guardtest.Call) (guardtest.Result, error) {
		mu.Lock()
		calls++
		now++
		most = max(most, now)
		if calls == 2 {
			close(both)
		}
		mu.Unlock()
		<-both
		mu.Lock()
		now--
		mu.Unlock()
		return guardtest.Result{}, nil
	})
	results := &letters{}
	a := async.New(fn, async.Config{Concurrency: 2, OnSuccess: results.to(queueARN)})
	id := invoke(t, a, `{}`)
	if err := a.Duplicate(id); err != nil {
		t.Fatal(err)
	}
	drainAsync(t, a)
	if e := entryOf(t, a, id); most != 2 || e.Outcome != source.Done || len(e.Deliveries) != 2 {
		t.Errorf("%d at once, %s after %d deliveries", most, e.Outcome, len(e.Deliveries))
	}
	if err := a.Duplicate(id); err != nil { // one that is done
		t.Fatal(err)
	}
	if e := entryOf(t, a, id); e.Outcome != source.Waiting {
		t.Errorf("%s while a duplicate waits", e.Outcome)
	}
	drainAsync(t, a)
	if e := entryOf(t, a, id); calls != 3 || e.Outcome != source.Done || len(results.kept) != 3 {
		t.Errorf("%d calls, %s, %d records", calls, e.Outcome, len(results.kept))
	}
	if err := a.Ledger().Check(); err != nil {
		t.Error(err)
	}

	dead := &letters{}
	a = async.New(answers(nil, broken, broken, broken), async.Config{DeadLetters: dead.to(queueARN)})
	id = invoke(t, a, `{}`)
	if err := a.Duplicate(id); err != nil {
		t.Fatal(err)
	}
	drainAsync(t, a)
	if e := entryOf(t, a, id); e.Outcome != source.DeadLettered || len(dead.kept) != 1 {
		t.Errorf("one copy done and one given up: %s", e.Outcome)
	}
	if err := a.Duplicate(id); err == nil {
		t.Error("an event that was given up came again")
	}
	if err := a.Duplicate("unknown"); err == nil {
		t.Error("an event that nobody sent came again")
	}
}

func TestEventsOfTheServicesReachAHandler(t *testing.T) {
	for _, trigger := range []guard.Trigger{guard.S3, guard.SNS, guard.EventBridge, guard.SES} {
		var got guard.Trigger
		var id string
		h := guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			got = guard.EventOf(ctx, payload).Trigger()
			lc, _ := lambdacontext.FromContext(ctx)
			id = lc.AwsRequestID
			return nil, nil
		})
		a := async.New(guardtest.NewInProcess(h, guardtest.Config{}), async.Config{})
		want := invoke(t, a, string(sample.Of(trigger).Bytes()))
		drainAsync(t, a)
		if got != trigger || id != want {
			t.Errorf("the handler got an event of %s as request %s, want %s as %s", got, id, trigger, want)
		}
	}
}

func TestWhatLambdaDoesNotTake(t *testing.T) {
	a := async.New(answers(), async.Config{})
	for _, c := range []struct{ name, payload, code string }{
		{"not JSON", "hello", "InvalidRequestContentException"},
		{"over 1 MiB", `"` + strings.Repeat("x", 1<<20-1) + `"`, "RequestEntityTooLargeException"},
	} {
		var refusal *source.Refusal
		if _, err := a.Invoke([]byte(c.payload)); !errors.As(err, &refusal) || refusal.Code != c.code {
			t.Errorf("%s: got %v, want %s", c.name, err, c.code)
		}
	}
	for _, payload := range []string{``, `"` + strings.Repeat("x", 1<<20-2) + `"`} {
		invoke(t, a, payload)
	}
	drainAsync(t, a)
	if counts := a.Ledger().Counts(); counts.Sent != 2 || counts.Done != 2 {
		t.Errorf("%+v", counts)
	}
}

func TestAFunctionThatCannotBeCalledStopsDrain(t *testing.T) {
	a := async.New(answers(guardtest.ErrClosed), async.Config{})
	id := invoke(t, a, `{}`)
	if err := a.Drain(t.Context()); !errors.Is(err, guardtest.ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
	if e := entryOf(t, a, id); e.Outcome != source.Waiting {
		t.Errorf("the event is %s", e.Outcome)
	}
	drainAsync(t, a)
	if e := entryOf(t, a, id); e.Outcome != source.Done {
		t.Errorf("the event is %s", e.Outcome)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	id = invoke(t, a, `{}`)
	if err := a.Drain(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want Canceled", err)
	}
	if e := entryOf(t, a, id); e.Outcome != source.Waiting || len(e.Deliveries) != 0 {
		t.Errorf("the event is %s", e.Outcome)
	}
}

// Each event is handled once or persisted: whatever fails, the ledger agrees with what
// the function did and with what the targets have.
func TestNoEventIsLost(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	var mu sync.Mutex
	done := map[string]int{}
	plans := map[string][]error{}
	fn := asyncFunc(func(_ context.Context, call guardtest.Call) (guardtest.Result, error) {
		mu.Lock()
		defer mu.Unlock()
		if plan := plans[string(call.Payload)]; len(plan) > 0 {
			plans[string(call.Payload)] = plan[1:]
			return guardtest.Result{}, plan[0]
		}
		done[string(call.Payload)]++
		return guardtest.Result{}, nil
	})
	clock := source.NewClock(asyncStart)
	dead := queue.New(nil, queue.Config{Name: "dead", Clock: clock, Retention: 14 * 24 * time.Hour})
	a := async.New(fn, async.Config{DeadLetters: dead.Target(), Clock: clock, Concurrency: 16})
	var senders sync.WaitGroup
	for i := range 8 {
		failures := []error{broken, source.ErrThrottled, async.ErrServiceFailure, &guardtest.FunctionError{Type: guardtest.TypeExit}}
		list := map[string][]error{}
		for j := range 100 {
			var plan []error
			for range random.IntN(6) {
				plan = append(plan, failures[random.IntN(len(failures))])
			}
			list[fmt.Sprintf(`"%d-%d"`, i, j)] = plan
		}
		senders.Go(func() {
			for payload, plan := range list {
				mu.Lock()
				plans[payload] = plan
				mu.Unlock()
				if _, err := a.Invoke([]byte(payload)); err != nil {
					t.Error(err)
				}
				if err := a.Advance(t.Context(), time.Second); err != nil {
					t.Error(err)
				}
			}
		})
	}
	senders.Wait()
	drainAsync(t, a)
	if err := a.Ledger().Check(); err != nil {
		t.Fatal(err)
	}
	for _, m := range dead.Messages() {
		if done[m.Body] > 0 {
			t.Errorf("%s is done and dead-lettered", m.Body)
		}
		done[m.Body]++
	}
	for payload, times := range done {
		if times != 1 {
			t.Errorf("%s ended %d times", payload, times)
		}
	}
	if counts := a.Ledger().Counts(); len(done) != 800 || counts.Sent != 800 || counts.DeadLettered != len(dead.Messages()) || counts.DeadLettered == 0 || counts.Done == 0 {
		t.Errorf("%d ended; %+v", len(done), counts)
	}
}

func TestSettingsThatLambdaDoesNotAllowPanic(t *testing.T) {
	for name, f := range map[string]func(){
		"no function":          func() { async.New(nil, async.Config{}) },
		"three retries":        func() { async.New(answers(), async.Config{MaximumRetryAttempts: new(3)}) },
		"less than no retries": func() { async.New(answers(), async.Config{MaximumRetryAttempts: new(-1)}) },
		"a short age":          func() { async.New(answers(), async.Config{MaximumEventAge: time.Second}) },
		"a long age":           func() { async.New(answers(), async.Config{MaximumEventAge: 7 * time.Hour}) },
		"negative concurrency": func() { async.New(answers(), async.Config{Concurrency: -1}) },
		"a bus for letters":    func() { async.New(answers(), async.Config{DeadLetters: (&letters{}).to(busARN)}) },
		"successes in a bucket": func() {
			async.New(answers(), async.Config{OnSuccess: (&letters{}).to(bucketARN)})
		},
		"an ARN with a version": func() {
			async.New(answers(), async.Config{ARN: "arn:aws:lambda:us-east-1:123456789012:function:f:7"})
		},
		"an ARN of a queue": func() { async.New(answers(), async.Config{ARN: queueARN}) },
		"back in time":      func() { _ = async.New(answers(), async.Config{}).Advance(t.Context(), -1) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if v := recover(); v == nil || !strings.HasPrefix(fmt.Sprint(v), "async: ") {
					t.Errorf("got %v, want a panic with the package's name", v)
				}
			}()
			f()
		})
	}
}
