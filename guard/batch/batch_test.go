package batch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// SECURITY: Nothing is lost.
func TestOnlyWhatFailedIsReported(t *testing.T) {
	for _, tc := range []struct {
		what     string
		payload  []byte
		ran      string
		failures string
	}{
		{what: "nothing failed", payload: bodies("ok", "ok"), ran: "m0 m1", failures: "none"},
		{what: "no messages", payload: bodies(), failures: "none"},
		{what: "one failed", payload: bodies("ok", "fail", "ok"), ran: "m0 m1 m2", failures: "m1"},
		{what: "one panicked", payload: bodies("panic", "ok"), ran: "m0 m1", failures: "m0"},
		{what: "one can never succeed, and there is no sink", payload: bodies("ok", "poison"), ran: "m0 m1", failures: "m1"},
		{what: "all failed", payload: bodies("fail", "panic"), ran: "m0 m1", failures: "m0 m1"},
		{
			what: "a FIFO queue: the group stops, others go on", ran: "m0 m1 m3 m5", failures: "m1 m2 m4",
			payload: queueEvent(fifoARN, message{"ok", "a"}, message{"fail", "a"}, message{"ok", "a"}, message{"ok", "b"}, message{"ok", "a"}, message{"ok", "b"}),
		},
		{
			what: "groups of a standard queue have no order", ran: "m0 m1", failures: "m0",
			payload: queueEvent(queueARN, message{"fail", "a"}, message{"ok", "a"}),
		},
		{
			what: "two FIFO queues with a group of one name", ran: "m0 m1", failures: "m0",
			payload: bytes.Replace(queueEvent(fifoARN, message{"fail", "a"}, message{"ok", "a"}), []byte("orders.fifo"), []byte("other.fifo"), 1),
		},
	} {
		t.Run(tc.what, func(t *testing.T) {
			var j journal
			if got := invoke(t, batch.SQS(j.handle), tc.payload); got != tc.failures {
				t.Errorf("got the failures %s, want %s", got, tc.failures)
			}
			if got := j.String(); got != tc.ran {
				t.Errorf("ran %s, want %s", got, tc.ran)
			}
		})
	}
}

// A FIFO group stays in order while other groups run beside it.
func TestGroupsRunSideBySideAndInOrder(t *testing.T) {
	const groups, each = 8, 20
	var all []message
	for i := range groups * each {
		all = append(all, message{fmt.Sprint(i / groups), fmt.Sprint("g", i%groups)})
	}
	var mu sync.Mutex
	next := map[string]int{}
	arrived := make(chan struct{})
	waiting := groups
	h := batch.SQS(func(_ context.Context, m events.SQSMessage) error {
		group := m.Attributes["MessageGroupId"]
		mu.Lock()
		if got := fmt.Sprint(next[group]); got != m.Body {
			t.Errorf("group %s: got message %s, want %s", group, m.Body, got)
		}
		next[group]++
		if m.Body == "0" {
			if waiting--; waiting == 0 {
				close(arrived) // all groups are under way at once
			}
		}
		mu.Unlock()
		<-arrived
		return nil
	}, batch.Concurrency(groups))
	if got := invoke(t, h, queueEvent(fifoARN, all...)); got != "none" {
		t.Errorf("got the failures %s, want none", got)
	}
}

func TestConcurrencyIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		running, most := 0, 0
		h := batch.SQS(func(context.Context, events.SQSMessage) error {
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			running--
			mu.Unlock()
			return nil
		}, batch.Concurrency(3))
		start := time.Now()
		if got := invoke(t, h, bodies(strings.Split(strings.Repeat("ok ", 9), " ")[:9]...)); got != "none" {
			t.Errorf("got the failures %s, want none", got)
		}
		if took := time.Since(start); most != 3 || took != 3*time.Second {
			t.Errorf("got %d at once in %s, want 3 in 3s", most, took)
		}
	})
}

// What would not finish does not start, and what overran is a timeout.
//
// SECURITY: Nothing is lost.
func TestNothingStartsThatCannotFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var j journal
		var log bytes.Buffer
		h := guard.Wrap(batch.SQS(func(ctx context.Context, m events.SQSMessage) error {
			j.add(m.MessageId)
			select {
			case <-time.After(map[string]time.Duration{"slow": 4 * time.Second, "stuck": time.Hour}[m.Body]):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}, batch.Reserve(3*time.Second)), guard.Log(logging.New(&log)))
		out, err := h.Invoke(ctx, bodies("slow", "slow", "slow"))
		if err != nil {
			t.Fatal(err)
		}
		if got := failures(t, out); got != "m2" || j.String() != "m0 m1" {
			t.Errorf("got the failures %s, %s ran; want m2 not started", got, &j)
		}
		if got := log.String(); !strings.Contains(got, `"records":3,"failed":0,"deadLettered":0,"notStarted":1`) {
			t.Errorf("got the record %s, want its counts", got)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var log bytes.Buffer
		h := guard.Wrap(batch.SQS(func(ctx context.Context, m events.SQSMessage) error {
			<-ctx.Done()
			if end, ok := ctx.Deadline(); !ok || time.Until(end) > 0 {
				t.Errorf("the context ended before its deadline %v", end)
			}
			return nil // late
		}), guard.Log(logging.New(&log)))
		out, err := h.Invoke(ctx, bodies("stuck", "ok"))
		if got := failures(t, out); err != nil || got != "m0 m1" {
			t.Errorf("got %s, %v, want both", got, err)
		}
		if got := log.String(); !strings.Contains(got, `"code":"timeout"`) || strings.Count(got, "record failed") != 1 {
			t.Errorf("got the log %s, want one timeout", got)
		}
	})
}

func TestACancelledBatchStartsNothingMore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var j journal
	h := batch.SQS(func(ctx context.Context, m events.SQSMessage) error {
		cancel()
		return j.handle(ctx, m)
	})
	out, err := h.Invoke(ctx, bodies("ok", "ok"))
	if got := failures(t, out); err != nil || got != "m1" || j.String() != "m0" {
		t.Errorf("got %s, %v, ran %s; want m1 not started", got, err, &j)
	}
}

func TestAWholeBatchFailsIfAsked(t *testing.T) {
	for _, tc := range []struct {
		what    string
		option  batch.Option
		payload []byte
		code    string // of the error; "" is an answer
	}{
		{what: "one of two, FailWhole", option: batch.FailWhole(), payload: bodies("ok", "fail"), code: "batch_failed"},
		{what: "none, FailWhole", option: batch.FailWhole(), payload: bodies("ok", "ok")},
		{what: "no messages, FailWhole", option: batch.FailWhole(), payload: bodies()},
		{what: "one of two, FailWhenAllFail", option: batch.FailWhenAllFail(), payload: bodies("ok", "fail")},
		{what: "all, FailWhenAllFail", option: batch.FailWhenAllFail(), payload: bodies("fail", "panic"), code: "batch_failed"},
		{what: "no messages, FailWhenAllFail", option: batch.FailWhenAllFail(), payload: bodies()},
	} {
		_, err := batch.SQS(new(journal).handle, tc.option).Invoke(t.Context(), tc.payload)
		if (err == nil) != (tc.code == "") || err != nil && guard.Public(err).Code != tc.code {
			t.Errorf("%s: got %v, want %q", tc.what, err, tc.code)
		}
	}
}

// A record has its own id in the log, its own attributes and its own info.
func TestARecordHasItsOwnContext(t *testing.T) {
	var log bytes.Buffer
	logger := logging.New(&log)
	h := guard.Wrap(batch.SQS(func(ctx context.Context, m events.SQSMessage) error {
		info, ok := batch.RecordFrom(ctx)
		if !ok || info.ID != m.MessageId || info.Source != queueARN || info.Attempt != 1 || info.FirstSent.UnixMilli() != 1584040590390 || info.Age() < time.Hour {
			t.Errorf("got %+v, %t for %s", info, ok, m.MessageId)
		}
		guard.AddAttrs(ctx, slog.String("order", m.Body))
		logger.InfoContext(ctx, "seen")
		return outcome("fail")
	}, batch.Concurrency(2)), guard.Default(logger))
	invoke(t, h, bodies("o-0", "o-1"))
	byID := map[string]int{}
	for line := range strings.Lines(log.String()) {
		var r struct {
			Message, RecordID, Order string
			Attempt                  int
			Error                    struct{ Kind, Code, Cause string }
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		switch r.Message {
		case "seen":
			byID[r.RecordID]++
		case "record failed":
			byID[r.RecordID]++
			if r.Order != "o-"+r.RecordID[1:] || r.Attempt != 1 || r.Error.Kind != "internal" || r.Error.Cause != "no database" {
				t.Errorf("got %s, want the order and the error of %s", line, r.RecordID)
			}
		case "invocation":
			if r.RecordID != "" || r.Order != "" {
				t.Errorf("got %s, want nothing of a record", line)
			}
		}
	}
	if byID["m0"] != 2 || byID["m1"] != 2 || len(byID) != 2 {
		t.Errorf("got %v, want two lines of each record", byID)
	}
	if _, ok := batch.RecordFrom(t.Context()); ok {
		t.Error("got a record outside a batch")
	}
}

// No body is in the log, whatever fails.
func TestNoBodyIsLogged(t *testing.T) {
	const secret = "pass w0rd!"
	var log bytes.Buffer
	h := guard.Wrap(batch.SQS(batch.JSON[events.SQSMessage](func(_ context.Context, in struct{ A int }) error {
		return fmt.Errorf("cannot book %v", secret)
	}), batch.DeadLetters(&sink{err: errors.New("no queue for " + secret)})), guard.Default(logging.New(&log)))
	if got := invoke(t, h, bodies(secret, `{"A":1}`, `{"A":"`+secret+`"}`, `{"`+secret+`":1,"`+secret+`":2}`)); got != "m0 m1 m2 m3" {
		t.Errorf("got the failures %s, want all", got)
	}
	if strings.Contains(log.String(), secret) || strings.Count(log.String(), "record failed") != 4 || strings.Count(log.String(), "dead letter not sent") != 3 {
		t.Errorf("got %s, want four failures without a body, three of the sink", log.String())
	}
}

func TestAGoexitEndsTheInvocation(t *testing.T) {
	for _, concurrency := range []int{1, 4} {
		ended := make(chan bool)
		go func() {
			returned := false
			defer func() { ended <- !returned }()
			_, _ = batch.SQS(func(context.Context, events.SQSMessage) error { runtime.Goexit(); return nil }, batch.Concurrency(concurrency)).
				Invoke(t.Context(), bodies("ok", "ok"))
			returned = true
		}()
		if !<-ended {
			t.Errorf("concurrency %d: the handler returned after a Goexit", concurrency)
		}
	}
}

func TestWrongArrangementsAreRefused(t *testing.T) {
	ok := func(context.Context, events.SQSMessage) error { return nil }
	record := func(context.Context, events.KinesisEventRecord) error { return nil }
	for want, construct := range map[string]func(){
		"batch.SQS of a nil function":                    func() { batch.SQS(nil) },
		"batch: JSON of a nil function":                  func() { batch.JSON[events.SQSMessage, int](nil) },
		"batch: JSON: ":                                  func() { batch.JSON[events.SQSMessage](func(context.Context, chan int) error { return nil }) },
		"batch: Chain of a nil function":                 func() { batch.Chain(nil, batch.Unwrap) },
		"batch: Concurrency of less than 1":              func() { batch.Concurrency(0) },
		"batch: Reserve of a negative time":              func() { batch.Reserve(-1) },
		"batch: DeadLetters with a nil sink":             func() { batch.DeadLetters(nil) },
		"batch: MaxReceives of less than 1":              func() { batch.MaxReceives(0) },
		"batch: RetryLater with a nil Delayer":           func() { batch.RetryLater(nil, nil) },
		"batch: Backoff needs 0 < first <= longest":      func() { batch.Backoff(2, 1) },
		"batch.SQS: MaxReceives without DeadLetters":     func() { batch.SQS(ok, batch.MaxReceives(3)) },
		"batch.SQS: ContinueAfterFailure is for streams": func() { batch.SQS(ok, batch.ContinueAfterFailure()) },
		"batch.Kinesis: MaxReceives is for SQS":          func() { batch.Kinesis(record, batch.MaxReceives(3), batch.DeadLetters(&sink{})) },
		"batch.Kinesis: RetryLater is for SQS":           func() { batch.Kinesis(record, batch.RetryLater(&delays{}, nil)) },
		"guard: idempotency.Once stands outside batch.SQS, Kinesis, DynamoDB, Kafka": func() {
			guard.Wrap(batch.SQS(ok), idempotency.Once(idempotency.NewMemoryStore(), idempotency.Payload()))
		},
		"guard: httpapi.Problems stands outside batch.SQS, Kinesis, DynamoDB, Kafka": func() { guard.Wrap(batch.SQS(ok), httpapi.Problems()) },
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.HasPrefix(got, want) {
					t.Errorf("got %q, want %q", got, want)
				}
			}()
			construct()
		}()
	}
}

func TestLayersOfARecord(t *testing.T) {
	var j journal
	named := func(name string) batch.Layer[events.SQSMessage] {
		return func(next func(context.Context, events.SQSMessage) error) func(context.Context, events.SQSMessage) error {
			return func(ctx context.Context, m events.SQSMessage) error {
				j.add(name)
				return next(ctx, m)
			}
		}
	}
	booked := idempotency.NewOperation("book", idempotency.NewMemoryStore())
	once := idempotency.Records(booked, func(m events.SQSMessage) (string, any) { return m.Body, nil })
	h := batch.SQS(batch.Chain(j.handle, named("outer"), nil, once, named("inner")))
	if got := invoke(t, h, bodies("a", "fail", "a")); got != "m1" {
		t.Errorf("got the failures %s, want m1", got)
	}
	if got, want := j.String(), "outer inner m0 outer inner m1 outer"; got != want {
		t.Errorf("ran %s, want %s", got, want)
	}
}

// Many invocations share one handler.
func TestManyInvocationsAtOnce(t *testing.T) {
	h := guard.Wrap(batch.SQS(func(_ context.Context, m events.SQSMessage) error { return outcome(m.Body) },
		batch.Concurrency(4), batch.DeadLetters(&sink{})), guard.Default(logging.New(&bytes.Buffer{})))
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			out, err := h.Invoke(t.Context(), bodies("ok", "fail", "poison", "panic", "ok"))
			if err != nil {
				t.Error(err)
				return
			}
			if got := failures(t, out); got != "m1 m3" {
				t.Errorf("got the failures %s, want m1 m3", got)
			}
		})
	}
	wg.Wait()
}

var _ lambda.Handler = batch.DynamoDB(func(context.Context, events.DynamoDBEventRecord) error { return nil })

func TestSamplesOfEverySource(t *testing.T) {
	for _, tc := range []struct {
		trigger guard.Trigger
		variant []string
		handler lambda.Handler
		want    string
	}{
		{trigger: guard.SQS, handler: batch.SQS(func(context.Context, events.SQSMessage) error { return outcome("fail") }), want: "059f36b4-87a3-44ab-83d2-661975830001"},
		{trigger: guard.SQS, variant: []string{"fifo"}, handler: batch.SQS(func(context.Context, events.SQSMessage) error { return outcome("ok") }), want: "none"},
		{trigger: guard.Kinesis, handler: batch.Kinesis(func(context.Context, events.KinesisEventRecord) error { return outcome("fail") }), want: "49590338271490256608559692538361571095921575989136580001"},
		{trigger: guard.DynamoDB, handler: batch.DynamoDB(func(context.Context, events.DynamoDBEventRecord) error { return outcome("fail") }), want: fmt.Sprint(sample.Of(guard.DynamoDB).Get("/Records/0/dynamodb/SequenceNumber"))},
		{trigger: guard.DynamoDB, variant: []string{"remove"}, handler: batch.DynamoDB(func(context.Context, events.DynamoDBEventRecord) error { return nil }), want: "none"},
		{trigger: guard.Kafka, handler: batch.Kafka(func(context.Context, events.KafkaRecord) error { return outcome("fail") }), want: `{"partition":"orders-0","offset":15}`},
		{trigger: guard.Kafka, variant: []string{"self-managed"}, handler: batch.Kafka(func(context.Context, events.KafkaRecord) error { return outcome("fail") }), want: `{"partition":"orders-0","offset":15}`},
	} {
		if got := invoke(t, guard.Wrap(tc.handler, guard.Default(logging.New(&bytes.Buffer{}))), sample.Of(tc.trigger, tc.variant...).Bytes()); got != tc.want {
			t.Errorf("%s %s: got %s, want %s", tc.trigger, tc.variant, got, tc.want)
		}
	}
}
