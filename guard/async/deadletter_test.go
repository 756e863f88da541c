package async_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/async"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	lambdaasync "github.com/lambdarmor/lambdarmor/guard/guardtest/source/async"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

var errNever = guard.Errorf(guard.Invalid, "no_such_customer", "There is no such customer.")

// kept is a sink in memory.
type kept struct {
	fail error

	mu      sync.Mutex
	letters []batch.DeadLetter
}

func (k *kept) Send(_ context.Context, l batch.DeadLetter) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fail == nil {
		k.letters = append(k.letters, l)
	}
	return k.fail
}

func failing(err error) lambda.Handler {
	return guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return []byte("out"), err })
}

func withRequest(t *testing.T) context.Context {
	return lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "request-1", InvokedFunctionArn: "arn:aws:lambda:us-east-1:123456789012:function:points"})
}

func TestWhichErrorsGoToTheSink(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		sunk bool
	}{
		{"success", nil, false},
		{"invalid", errNever, true},
		{"unprocessable, wrapped", fmt.Errorf("book: %w", guard.Errorf(guard.Unprocessable, "", "No.")), true},
		{"not found", guard.Errorf(guard.NotFound, "", "No."), true},
		{"forbidden", guard.Errorf(guard.Forbidden, "", "No."), true},
		{"no kind", errors.New("broken"), false},
		{"unavailable", guard.Errorf(guard.Unavailable, "", "No."), false},
		{"a conflict", guard.Errorf(guard.Conflict, "", "No."), false},
		{"too many requests", guard.Errorf(guard.TooManyRequests, "", "No."), false},
		{"a timeout", context.DeadlineExceeded, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			sink := &kept{}
			out, err := guard.Wrap(failing(c.err), async.DeadLetter(sink)).Invoke(withRequest(t), sample.Of(guard.SNS).Bytes())
			if c.sunk {
				if out != nil || err != nil || len(sink.letters) != 1 {
					t.Errorf("got %s, %v and %d letters, want success and a letter", out, err, len(sink.letters))
				}
				return
			}
			if string(out) != "out" || err != c.err || len(sink.letters) != 0 {
				t.Errorf("got %s, %v and %d letters, want what the handler returned", out, err, len(sink.letters))
			}
		})
	}
}

func TestTheLetter(t *testing.T) {
	rule := "arn:aws:events:us-east-1:123456789012:rule/nightly"
	for _, c := range []struct {
		name       string
		event      sample.Event
		trigger    guard.Trigger
		id, source string
	}{
		{name: "SNS", event: sample.Of(guard.SNS), trigger: guard.SNS, id: sample.Of(guard.SNS).Get("/Records/0/Sns/MessageId").(string), source: sample.Of(guard.SNS).Get("/Records/0/Sns/TopicArn").(string)},
		{name: "EventBridge", event: sample.Of(guard.EventBridge), trigger: guard.EventBridge, id: sample.Of(guard.EventBridge).Get("/id").(string)},
		{name: "EventBridge, scheduled", event: sample.Of(guard.EventBridge, "scheduled").Set("/resources", []string{rule}), trigger: guard.EventBridge, id: sample.Of(guard.EventBridge, "scheduled").Get("/id").(string), source: rule},
		{name: "S3", event: sample.Of(guard.S3), trigger: guard.S3, id: "request-1", source: sample.Of(guard.S3).Get("/Records/0/s3/bucket/arn").(string)},
		{name: "SES", event: sample.Of(guard.SES), trigger: guard.SES, id: "request-1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			sink := &kept{}
			before := time.Now().Round(0)
			payload := c.event.Bytes()
			if _, err := guard.Wrap(failing(errNever), async.DeadLetter(sink)).Invoke(withRequest(t), payload); err != nil {
				t.Fatal(err)
			}
			got := sink.letters[0]
			if got.LastFailure.Before(before) || got.LastFailure.After(time.Now()) || !got.FirstFailure.Equal(got.LastFailure) {
				t.Errorf("failed at %s and %s", got.FirstFailure, got.LastFailure)
			}
			want := batch.DeadLetter{
				Trigger: c.trigger, Record: payload, Source: c.source, ID: c.id,
				Code: "no_such_customer", Detail: "There is no such customer.",
				RequestID: "request-1", FunctionARN: "arn:aws:lambda:us-east-1:123456789012:function:points",
				FirstFailure: got.FirstFailure, LastFailure: got.LastFailure,
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got\n%+v\nwant\n%+v", got, want)
			}
			payload[0] = 'x' // the runtime reuses its memory
			if got.Record[0] == 'x' {
				t.Error("the letter shares the memory of the event")
			}
		})
	}
}

func TestAnEventOfNoServiceHasTheRequestID(t *testing.T) {
	sink := &kept{}
	for _, payload := range []string{`{"points":120}`, `{"a":1,"a":2}`, `[]`} {
		if _, err := guard.Wrap(failing(errNever), async.DeadLetter(sink)).Invoke(withRequest(t), []byte(payload)); err != nil {
			t.Fatal(err)
		}
		last := sink.letters[len(sink.letters)-1]
		if string(last.Record) != payload || last.ID != "request-1" || last.Source != "" {
			t.Errorf("%s: got %+v", payload, last)
		}
	}
}

func TestASinkThatFailsLeavesTheEventToLambda(t *testing.T) {
	full := errors.New("full")
	out, err := guard.Wrap(failing(errNever), async.DeadLetter(&kept{fail: full})).Invoke(withRequest(t), sample.Of(guard.SNS).Bytes())
	if out != nil || !errors.Is(err, full) || !errors.Is(err, errNever) {
		t.Errorf("got %s and %v, want both errors", out, err)
	}
	panics := batch.SinkFunc(func(context.Context, batch.DeadLetter) error { panic("no") })
	if _, err := guard.Wrap(failing(errNever), guard.Recover(), async.DeadLetter(panics)).Invoke(withRequest(t), sample.Of(guard.SNS).Bytes()); err == nil {
		t.Error("a sink that panicked took the event")
	}
}

func TestServicesThatReadTheAnswerGetTheError(t *testing.T) {
	for name, event := range sample.All() {
		sink := &kept{}
		_, err := guard.Wrap(failing(errNever), async.DeadLetter(sink)).Invoke(withRequest(t), event.Bytes())
		kind, _, _ := strings.Cut(name, "/")
		switch guard.Trigger(kind) {
		case guard.S3, guard.SNS, guard.SES, guard.EventBridge, guard.CloudWatchLogs, guard.CodeCommit:
			if err != nil || len(sink.letters) != 1 {
				t.Errorf("%s: got %v and %d letters, want a letter", name, err, len(sink.letters))
			}
		default:
			if !errors.Is(err, errNever) || len(sink.letters) != 0 {
				t.Errorf("%s: got %v and %d letters, want the error", name, err, len(sink.letters))
			}
		}
	}
}

func TestOneRecordHasTheErrorAndThatItIsKept(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	h := guard.Wrap(failing(errNever), guard.Default(logger), async.DeadLetter(&kept{}))
	if _, err := h.Invoke(withRequest(t), sample.Of(guard.SNS).Bytes()); err != nil {
		t.Fatal(err)
	}
	var record struct {
		Level        string
		DeadLettered bool
		Error        struct{ Code string }
	}
	if err := json.Unmarshal(log.Bytes(), &record); err != nil { // also if there are two
		t.Fatalf("%v in %s", err, log.Bytes())
	}
	if !record.DeadLettered || record.Error.Code != "no_such_customer" {
		t.Errorf("the record is %s", log.Bytes())
	}
}

func TestArrangementsThatCannotWorkAreRefused(t *testing.T) {
	dead := async.DeadLetter(&kept{})
	nothing := func(context.Context, events.SQSMessage) error { return nil }
	for name, build := range map[string]func(){
		"around a batch": func() { guard.Wrap(batch.SQS(nothing), dead) },
		"around HTTP": func() {
			guard.Wrap(httpapi.Func(func(context.Context, struct{}) (struct{}, error) { return struct{}{}, nil }), httpapi.Problems(), dead)
		},
		"inside idempotency.Once": func() {
			guard.Wrap(failing(nil), idempotency.Once(idempotency.NewMemoryStore(), idempotency.Payload()), dead)
		},
		"outside guard.Errors":  func() { guard.Wrap(failing(nil), dead, guard.Errors()) },
		"outside guard.Default": func() { guard.Wrap(failing(nil), dead, guard.Default(slog.New(slog.DiscardHandler))) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if v := recover(); v == nil || !strings.Contains(fmt.Sprint(v), "async.DeadLetter") {
					t.Errorf("got %v, want a panic that names the layer", v)
				}
			}()
			build()
		})
	}
	t.Run("without a sink", func(t *testing.T) {
		defer func() {
			if v := recover(); v != "async: DeadLetter with a nil sink" {
				t.Errorf("got %v", v)
			}
		}()
		async.DeadLetter(nil)
	})
	guard.Wrap(failing(nil), guard.Default(slog.New(slog.DiscardHandler)), dead) // as documented
}

// Lambda's own rules and the layer's together: each event is handled once, in the sink,
// or in Lambda's dead-letter queue, and only what may succeed is tried again.
func TestWithLambdasRetries(t *testing.T) {
	sink := &kept{}
	tries := map[string]int{}
	h := guard.HandlerFunc(func(_ context.Context, payload []byte) ([]byte, error) {
		tries[string(payload)]++
		switch string(payload) {
		case `"never"`:
			return nil, errNever
		case `"later"`:
			if tries[`"later"`] == 1 {
				return nil, guard.Errorf(guard.Unavailable, "", "Not now.")
			}
		case `"broken"`:
			return nil, errors.New("broken")
		case `"panics"`:
			panic("no")
		}
		return nil, nil
	})
	clock := source.NewClock(time.Now())
	dead := queue.New(nil, queue.Config{Name: "dead", Clock: clock})
	a := lambdaasync.New(guardtest.NewInProcess(guard.Wrap(h, guard.Default(slog.New(slog.DiscardHandler)), async.DeadLetter(sink)), guardtest.Config{}),
		lambdaasync.Config{DeadLetters: dead.Target(), Clock: clock})
	for _, payload := range []string{`"good"`, `"never"`, `"later"`, `"broken"`, `"panics"`} {
		if _, err := a.Invoke([]byte(payload)); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := a.Ledger().Check(); err != nil {
		t.Error(err)
	}
	if want := map[string]int{`"good"`: 1, `"never"`: 1, `"later"`: 2, `"broken"`: 3, `"panics"`: 3}; !reflect.DeepEqual(tries, want) {
		t.Errorf("tried %v, want %v", tries, want)
	}
	if len(sink.letters) != 1 || string(sink.letters[0].Record) != `"never"` || len(dead.Messages()) != 2 {
		t.Errorf("%d letters in the sink and %d in the queue, want 1 and 2", len(sink.letters), len(dead.Messages()))
	}
}

func TestConcurrentInvocations(t *testing.T) {
	sink := &kept{}
	h := guard.Wrap(guard.HandlerFunc(func(_ context.Context, payload []byte) ([]byte, error) {
		return nil, guard.Errorf(guard.Invalid, "code_"+string(payload), "No.")
	}), async.DeadLetter(sink))
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			if _, err := h.Invoke(t.Context(), fmt.Append(nil, i)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	seen := map[string]bool{}
	for _, l := range sink.letters {
		if l.Code != "code_"+string(l.Record) {
			t.Errorf("%s has the reason %s", l.Record, l.Code)
		}
		seen[string(l.Record)] = true
	}
	if len(seen) != 64 {
		t.Errorf("%d letters, want 64", len(seen))
	}
}

// An error that the handler made for Lambda has no kind, so Lambda tries again.
func TestAnErrorForThePlatformPasses(t *testing.T) {
	own := messages.InvokeResponse_Error{Type: "own", Message: "m"}
	if _, err := guard.Wrap(failing(own), async.DeadLetter(&kept{})).Invoke(withRequest(t), []byte(`{}`)); !errors.As(err, &own) {
		t.Errorf("got %v", err)
	}
}

// An event that the sink has taken is not done: it runs when it is run again.
func TestAnEventOfTheSinkRunsAgain(t *testing.T) {
	var err error = errNever
	runs := 0
	h := guard.Wrap(guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { runs++; return nil, err }),
		async.DeadLetter(&kept{}), idempotency.Once(idempotency.NewMemoryStore(), idempotency.Payload()))
	for range 2 {
		if _, err := h.Invoke(withRequest(t), sample.Of(guard.SNS).Bytes()); err != nil {
			t.Fatal(err)
		}
		err = nil // it is mended
	}
	if runs != 2 {
		t.Errorf("got %d runs, want 2", runs)
	}
}
