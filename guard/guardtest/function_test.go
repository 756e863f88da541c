package guardtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

func start(t *testing.T, cfg guardtest.Config) *guardtest.Function {
	t.Helper()
	if cfg.Timeout == 0 {
		cfg.Timeout = patient
	}
	if cfg.InitTimeout == 0 {
		cfg.InitTimeout = patient
	}
	return guardtest.Start(t, echo, cfg)
}

func answer(t *testing.T, fn guardtest.Invoker, payload string) string {
	t.Helper()
	result, err := fn.Do(within(t, patient), guardtest.Call{Payload: []byte(payload)})
	if err != nil {
		t.Fatalf("%s: %v", payload, err)
	}
	return string(result.Payload)
}

func TestAnswerIsTheFunctions(t *testing.T) {
	fn := start(t, guardtest.Config{})
	result, err := fn.Invoke(t.Context(), []byte(`{"do":"echo","text":"ü <&>"}`))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(result.Payload), `{"do":"echo","text":"ü <&>"}`; got != want {
		t.Errorf("payload %s, want %s", got, want)
	}
	if result.ContentType != "application/json" {
		t.Errorf("content type %q, want the function's", result.ContentType)
	}
	if result.RequestID == "" {
		t.Error("no request id")
	}
}

func TestFunctionSeesTheInvocation(t *testing.T) {
	fn := start(t, guardtest.Config{Name: "orders", Version: "7", Memory: 256, Region: "eu-central-1", Timeout: patient})
	result, err := fn.Do(t.Context(), guardtest.Call{
		Payload:       []byte(`{"do":"context"}`),
		RequestID:     "request-1",
		TraceID:       "Root=1-2-3",
		TenantID:      "blue",
		ClientContext: []byte(`{"custom":{"a":"b"}}`),
		Identity:      []byte(`{"cognitoIdentityId":"someone"}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(result.Payload, &got); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{
		"requestId": "request-1",
		"arn":       "arn:aws:lambda:eu-central-1:123456789012:function:orders",
		"tenantId":  "blue",
		"identity":  "someone",
		"custom":    map[string]any{"a": "b"},
		"traceId":   "Root=1-2-3",
		"function":  "orders",
		"version":   "7",
		"memory":    256.0,
	} {
		if fmt.Sprint(got[name]) != fmt.Sprint(want) {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	if left := got["left"].(float64); left > float64(patient.Milliseconds()) || left < float64(patient.Milliseconds())/2 {
		t.Errorf("%v ms left of %s", left, patient)
	}
}

func TestFunctionSeesLambdasEnvironmentOnly(t *testing.T) {
	t.Setenv("GUARDTEST_SECRET", "of the test")
	dir := t.TempDir()
	fn := start(t, guardtest.Config{Dir: dir, Env: []string{"MINE=1", "TZ=Europe/Berlin"}})
	var environ []string
	if err := json.Unmarshal([]byte(answer(t, fn, `{"do":"env"}`)), &environ); err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		names[name] = value
	}
	for name, want := range map[string]string{
		"AWS_LAMBDA_RUNTIME_API":          `127\.0\.0\.1:\d+`,
		"_HANDLER":                        `bootstrap`,
		"AWS_LAMBDA_FUNCTION_NAME":        `function`,
		"AWS_LAMBDA_FUNCTION_VERSION":     `\$LATEST`,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": `128`,
		"AWS_LAMBDA_INITIALIZATION_TYPE":  `on-demand`,
		"AWS_LAMBDA_LOG_GROUP_NAME":       `/aws/lambda/function`,
		"AWS_LAMBDA_LOG_STREAM_NAME":      `\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}`,
		"AWS_REGION":                      `us-east-1`,
		"AWS_DEFAULT_REGION":              `us-east-1`,
		"LAMBDA_TASK_ROOT":                regexp.QuoteMeta(dir),
		"LAMBDA_RUNTIME_DIR":              `/var/runtime`,
		"PATH":                            `/usr/local/bin:.*`,
		"LANG":                            `en_US\.UTF-8`,
		"TZ":                              `Europe/Berlin`,
		"MINE":                            `1`,
	} {
		if value := names[name]; !regexp.MustCompile("^" + want + "$").MatchString(value) {
			t.Errorf("%s is %q, want %s", name, value, want)
		}
	}
	for _, name := range []string{"GUARDTEST_SECRET", "AWS_LAMBDA_MAX_CONCURRENCY", "AWS_SAM_LOCAL"} {
		if value, ok := names[name]; ok {
			t.Errorf("%s is set, to %q", name, value)
		}
	}
	if got := answer(t, fn, `{"do":"dir"}`); !strings.Contains(got, dir) {
		t.Errorf("working directory %s, want %s", got, dir)
	}
}

func TestSoonerDeadlineOfTheContextCounts(t *testing.T) {
	fn := start(t, guardtest.Config{})
	answer(t, fn, `{"do":"pid"}`) // so that the start does not count
	got := overrun(t, fn)
	_, after, _ := strings.Cut(got.Message, "Task timed out after ")
	if seconds, err := strconv.ParseFloat(strings.TrimSuffix(after, " seconds"), 64); got.Type != guardtest.TypeTimeout || err != nil || seconds >= patient.Seconds() {
		t.Errorf("%v", got)
	}
	answer(t, fn, `{"do":"pid"}`)
}

func TestCancelledCallerLeavesTheFunctionRunning(t *testing.T) {
	fn := start(t, guardtest.Config{})
	before := answer(t, fn, `{"do":"pid"}`)
	ctx, cancel := context.WithCancel(t.Context())
	free := newEvent(t)
	ended := invoke(ctx, fn, guardtest.Call{Payload: []byte(free.awaited())})
	if err := fn.WaitLog(within(t, patient), "awaiting"); err != nil {
		t.Fatal(err)
	}
	cancel()
	if got := <-ended; !errors.Is(got.err, context.Canceled) {
		t.Errorf("error %v, want the context's", got.err)
	}
	// The next one waits behind it, on the same process.
	waiting := invoke(within(t, patient), fn, guardtest.Call{Payload: []byte(`{"do":"pid"}`)})
	free.happen(t)
	if after := <-waiting; after.err != nil || string(after.result.Payload) != before {
		t.Errorf("process %s, then %s, %v", before, after.result.Payload, after.err)
	}
}

func TestOneProcessTakesAsManyAtOnceAsToldTo(t *testing.T) {
	const n = 64
	fn := start(t, guardtest.Config{Concurrency: n})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			payload := fmt.Sprintf(`{"do":"meet","bytes":%d,"text":"%d"}`, n, i)
			if got, want := answer(t, fn, payload), fmt.Sprintf("%q", fmt.Sprint(i)); got != want {
				t.Errorf("answer %s, want %s", got, want)
			}
		})
	}
	wg.Wait()
	fn.Close() // the log is complete
	if starts := strings.Count(fn.Log(), "init of"); starts != 1 {
		t.Errorf("%d processes", starts)
	}
}

func TestOneInvocationAtATimeNeedsOneProcess(t *testing.T) {
	fn := start(t, guardtest.Config{Instances: 3})
	for range 10 {
		answer(t, fn, `{"do":"pid"}`)
	}
	fn.Close() // the log is complete
	if starts := strings.Count(fn.Log(), "init of"); starts != 1 {
		t.Errorf("%d processes", starts)
	}
}

func TestProcessesAreStartedOnDemandUpToTheirNumber(t *testing.T) {
	const instances = 3
	fn, free := start(t, guardtest.Config{Instances: instances}), newEvent(t)
	var ended []<-chan outcome
	for range 4 * instances {
		ended = append(ended, invoke(within(t, patient), fn, guardtest.Call{Payload: []byte(free.awaited())}))
	}
	eventually(t, "each process has an invocation", func() bool { return strings.Count(fn.Log(), "awaiting") == instances })
	free.happen(t)
	pids := map[string]bool{}
	for _, ended := range ended {
		got := <-ended
		if got.err != nil {
			t.Error(got.err)
		}
		pids[string(got.result.Payload)] = true
	}
	if len(pids) != instances {
		t.Errorf("%d processes, want %d", len(pids), instances)
	}
	fn.Close() // the log is complete
	if starts := strings.Count(fn.Log(), "init of"); starts != instances {
		t.Errorf("%d starts, want %d", starts, instances)
	}
}

func TestOverrunLeavesConcurrentInvocationsAlone(t *testing.T) {
	fn, free := start(t, guardtest.Config{Concurrency: 4, Instances: 2}), newEvent(t)
	before := answer(t, fn, `{"do":"pid"}`)
	besides := invoke(within(t, patient), fn, guardtest.Call{Payload: []byte(free.awaited())})
	if err := fn.WaitLog(within(t, patient), "awaiting"); err != nil {
		t.Fatal(err)
	}
	if got := overrun(t, fn); got.Type != guardtest.TypeTimeout {
		t.Errorf("type %q", got.Type)
	}
	if after := answer(t, fn, `{"do":"pid"}`); after == before {
		t.Error("the process that overran got a new invocation")
	}
	free.happen(t)
	if got := <-besides; got.err != nil || string(got.result.Payload) != before {
		t.Errorf("%s, %v from process %s", got.result.Payload, got.err, before)
	}
}

func TestPayloadOverTheLimitDoesNotReachTheFunction(t *testing.T) {
	fn := start(t, guardtest.Config{})
	_, err := fn.Invoke(t.Context(), make([]byte, 6<<20+1))
	if !errors.Is(err, guardtest.ErrTooLarge) {
		t.Errorf("error %v", err)
	}
	if fn.Log() != "" {
		t.Errorf("a process was started: %s", fn.Log())
	}
}

func TestRequestIDIsTakenOnceAtATime(t *testing.T) {
	fn := start(t, guardtest.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = fn.Do(ctx, guardtest.Call{RequestID: "same", Payload: []byte(`{"do":"overrun"}`)})
	}()
	if err := fn.WaitLog(within(t, patient), "overrunning"); err != nil {
		t.Fatal(err)
	}
	if _, err := fn.Do(t.Context(), guardtest.Call{RequestID: "same"}); err == nil || !strings.Contains(err.Error(), "same") {
		t.Errorf("error %v", err)
	}
	cancel()
	<-ended
}

func TestCloseFailsWhatIsUnderWay(t *testing.T) {
	fn := start(t, guardtest.Config{})
	running, waiting := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := fn.Invoke(t.Context(), []byte(`{"do":"overrun"}`))
		running <- err
	}()
	if err := fn.WaitLog(within(t, patient), "overrunning"); err != nil {
		t.Fatal(err)
	}
	go func() {
		_, err := fn.Invoke(t.Context(), []byte(`{}`))
		waiting <- err
	}()
	fn.Close()
	if got := failure(t, <-running); got.Type != guardtest.TypeExit {
		t.Errorf("type %q", got.Type)
	}
	if err := <-waiting; !errors.Is(err, guardtest.ErrClosed) {
		t.Errorf("error %v", err)
	}
	if _, err := fn.Invoke(t.Context(), nil); !errors.Is(err, guardtest.ErrClosed) {
		t.Errorf("error %v", err)
	}
	fn.Close() // twice is once
}

func TestFunctionGetsSIGTERMWhenItCloses(t *testing.T) {
	fn := start(t, guardtest.Config{Env: []string{"SIGTERM=handled"}})
	fn.SetShutdownGrace(patient)
	answer(t, fn, `{"do":"pid"}`)
	fn.Close()
	if !strings.Contains(fn.Log(), "got SIGTERM") {
		t.Errorf("the log: %s", fn.Log())
	}
	if strings.Contains(fn.Log(), "Error") {
		t.Errorf("an end that was asked for is reported as an error: %s", fn.Log())
	}
}
