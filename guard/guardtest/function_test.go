package guardtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

func start(t *testing.T, cfg guardtest.Config) *guardtest.Function {
	t.Helper()
	if cfg.Timeout == 0 {
		cfg.Timeout = patient
	}
	return guardtest.Start(t, echo, cfg)
}

func answer(t *testing.T, fn guardtest.Invoker, payload string) string {
	t.Helper()
	result, err := fn.Do(t.Context(), guardtest.Call{Payload: []byte(payload)})
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
		t.Errorf("content type %q, want that of the function", result.ContentType)
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

func TestFailuresAreReportedAsLambdaDoes(t *testing.T) {
	const id = "0f5b9b2c"
	tests := []struct {
		name, payload string
		cfg           guardtest.Config
		errorType     string
		message       string // a regular expression
		stack         bool
		logged        string
	}{
		{name: "an error that the function returned", payload: `{"do":"error","text":"no"}`, errorType: "errorString", message: "no"},
		{name: "an error with a type of its own", payload: `{"do":"typed error","text":"sold out"}`, errorType: "no_stock", message: "sold out"},
		{name: "a panic", payload: `{"do":"panic","text":"boom"}`, errorType: "string", message: "boom", stack: true, logged: "Runtime exited with error: exit status 1\nRuntime.ExitError\n"},
		{name: "an exit", payload: `{"do":"exit"}`, errorType: guardtest.TypeExit, message: "RequestId: 0f5b9b2c Error: Runtime exited with error: exit status 7", logged: "RequestId: 0f5b9b2c Error: Runtime exited with error: exit status 7\nRuntime.ExitError\n"},
		{name: "an exit with status 0", payload: `{"do":"clean exit"}`, errorType: guardtest.TypeExit, message: "RequestId: 0f5b9b2c Error: Runtime exited without providing a reason"},
		{name: "a timeout", payload: `{"do":"overrun"}`, cfg: guardtest.Config{Timeout: 250 * time.Millisecond}, errorType: guardtest.TypeTimeout, message: `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z 0f5b9b2c Task timed out after 0\.25 seconds`, logged: "0f5b9b2c Task timed out after 0.25 seconds\n"},
		{name: "a response over the limit", payload: `{"do":"big","bytes":6291600}`, errorType: guardtest.TypeResponseTooLarge, message: `.* \(6291556 bytes\)\.`},
		{name: "a stream that breaks", payload: `{"do":"broken stream"}`, errorType: "errorString", message: "stream broke"},
		{name: "an exit during init", payload: `{}`, cfg: guardtest.Config{Env: []string{"INIT=exit"}}, errorType: guardtest.TypeExit, message: "RequestId: 0f5b9b2c Error: Runtime exited with error: exit status 3", logged: "init gives up\nInit failed: Runtime exited with error: exit status 3\nRuntime.ExitError\n"},
		{name: "an init that does not end", payload: `{}`, cfg: guardtest.Config{Env: []string{"INIT=hang"}, InitTimeout: 200 * time.Millisecond}, errorType: guardtest.TypeTimeout, message: "RequestId: 0f5b9b2c Error: Init timed out after 0.20 seconds", logged: "Init failed: Init timed out after 0.20 seconds"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fn := start(t, tt.cfg)
			result, err := fn.Do(within(t, patient), guardtest.Call{Payload: []byte(tt.payload), RequestID: id})
			got := failure(t, err)
			if got.Type != tt.errorType {
				t.Errorf("type %q, want %q", got.Type, tt.errorType)
			}
			if !regexp.MustCompile("^" + tt.message + "$").MatchString(got.Message) {
				t.Errorf("message %q, want %s", got.Message, tt.message)
			}
			if (len(got.StackTrace) > 0) != tt.stack {
				t.Errorf("stack trace of %d frames", len(got.StackTrace))
			}
			var posted struct{ ErrorType, ErrorMessage string }
			if err := json.Unmarshal(got.Payload, &posted); err != nil || posted.ErrorMessage != got.Message {
				t.Errorf("payload %s (%v) does not say the same", got.Payload, err)
			}
			if result.RequestID != id {
				t.Errorf("request id %q, want %q", result.RequestID, id)
			}
			if errors.Is(err, context.DeadlineExceeded) != (tt.errorType == guardtest.TypeTimeout) {
				t.Errorf("errors.Is(err, context.DeadlineExceeded) of %v", err)
			}
			if err := fn.WaitLog(within(t, patient), tt.logged); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDeadProcessIsReplaced(t *testing.T) {
	for _, end := range []string{`{"do":"panic"}`, `{"do":"exit"}`, `{"do":"overrun"}`} {
		t.Run(end, func(t *testing.T) {
			fn := start(t, guardtest.Config{Timeout: 500 * time.Millisecond})
			before := answer(t, fn, `{"do":"pid"}`)
			if again := answer(t, fn, `{"do":"pid"}`); again != before {
				t.Fatalf("process %s, then %s: a healthy one is to be kept", before, again)
			}
			if _, err := fn.Invoke(t.Context(), []byte(end)); err == nil {
				t.Fatal("no error")
			}
			if after := answer(t, fn, `{"do":"pid"}`); after == before {
				t.Errorf("process %s goes on", before)
			}
		})
	}
}

func TestReturnedErrorKeepsTheProcess(t *testing.T) {
	fn := start(t, guardtest.Config{})
	before := answer(t, fn, `{"do":"pid"}`)
	_, err := fn.Invoke(t.Context(), []byte(`{"do":"error"}`))
	failure(t, err)
	if after := answer(t, fn, `{"do":"pid"}`); after != before {
		t.Errorf("process %s, then %s", before, after)
	}
}

func TestSoonerDeadlineOfTheContextCounts(t *testing.T) {
	fn := start(t, guardtest.Config{})
	answer(t, fn, `{"do":"pid"}`) // so that the start does not count
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := fn.Invoke(ctx, []byte(`{"do":"overrun"}`))
	if got := failure(t, err); got.Type != guardtest.TypeTimeout {
		t.Errorf("type %q", got.Type)
	}
	answer(t, fn, `{"do":"pid"}`)
}

func TestCancelledCallerLeavesTheFunctionRunning(t *testing.T) {
	fn := start(t, guardtest.Config{})
	before := answer(t, fn, `{"do":"pid"}`)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := fn.Invoke(ctx, []byte(`{"do":"sleep","ms":200,"text":"x"}`))
		ended <- err
	}()
	// The next one waits behind it, on the same process.
	waiting := make(chan string)
	go func() { waiting <- answer(t, fn, `{"do":"pid"}`) }()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
	if after := <-waiting; after != before {
		t.Errorf("process %s, then %s", before, after)
	}
}

func TestFailedInitIsTriedOncePerInvocation(t *testing.T) {
	fn := start(t, guardtest.Config{Env: []string{"INIT=exit"}})
	for n := 1; n <= 3; n++ {
		_, err := fn.Invoke(within(t, patient), []byte(`{}`))
		failure(t, err)
		if err := fn.WaitLog(within(t, patient), "Init failed"); err != nil {
			t.Fatal(err)
		}
		if starts := strings.Count(fn.Log(), "init gives up"); starts != n {
			t.Fatalf("%d starts after %d invocations", starts, n)
		}
	}
}

func TestFailedInitFailsAllThatWait(t *testing.T) {
	fn := start(t, guardtest.Config{Env: []string{"INIT=exit"}, Instances: 2})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			_, err := fn.Invoke(within(t, patient), []byte(`{}`))
			if failure := failure(t, err); failure.Type != guardtest.TypeExit {
				t.Errorf("type %q", failure.Type)
			}
		})
	}
	wg.Wait()
	if starts := strings.Count(fn.Log(), "init gives up"); starts > 20 {
		t.Errorf("%d starts for 20 invocations", starts)
	}
}

func TestUnstartableBinaryIsAnEntrypointError(t *testing.T) {
	fn := guardtest.Start(t, t.TempDir()+"/missing", guardtest.Config{})
	_, err := fn.Invoke(within(t, patient), nil)
	if got := failure(t, err); got.Type != guardtest.TypeEntrypoint {
		t.Errorf("type %q", got.Type)
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
	if starts := strings.Count(fn.Log(), "init of"); starts != 1 {
		t.Errorf("%d processes", starts)
	}
}

func TestProcessesAreStartedOnDemandUpToTheirNumber(t *testing.T) {
	const instances = 3
	fn := start(t, guardtest.Config{Instances: instances})
	for range 10 {
		answer(t, fn, `{"do":"pid"}`)
	}
	if starts := strings.Count(fn.Log(), "init of"); starts != 1 {
		t.Fatalf("%d processes for one invocation at a time", starts)
	}
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		pids []string
	)
	for range 4 * instances {
		wg.Go(func() {
			answer(t, fn, `{"do":"sleep","ms":50}`)
			pid := answer(t, fn, `{"do":"pid"}`)
			mu.Lock()
			pids = append(pids, pid)
			mu.Unlock()
		})
	}
	wg.Wait()
	slices.Sort(pids)
	if got := len(slices.Compact(pids)); got > instances {
		t.Errorf("%d processes, want at most %d", got, instances)
	}
	if starts := strings.Count(fn.Log(), "init of"); starts != instances {
		t.Errorf("%d starts, want %d", starts, instances)
	}
}

func TestOverrunLeavesConcurrentInvocationsAlone(t *testing.T) {
	fn := start(t, guardtest.Config{Concurrency: 4, Timeout: time.Second})
	before := answer(t, fn, `{"do":"pid"}`)
	overrun := make(chan error)
	go func() {
		_, err := fn.Invoke(t.Context(), []byte(`{"do":"overrun"}`))
		overrun <- err
	}()
	if err := fn.WaitLog(within(t, patient), "overrunning"); err != nil {
		t.Fatal(err)
	}
	// Begins before the overrun's deadline and ends after it.
	<-time.After(600 * time.Millisecond)
	if got := answer(t, fn, `{"do":"sleep","ms":700,"text":"slept"}`); got != `"slept"` {
		t.Errorf("answer %s", got)
	}
	if got := failure(t, <-overrun); got.Type != guardtest.TypeTimeout {
		t.Errorf("type %q", got.Type)
	}
	if after := answer(t, fn, `{"do":"pid"}`); after == before {
		t.Error("the process that overran got a new invocation")
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
	fn := start(t, guardtest.Config{Env: []string{"SIGTERM=1"}})
	answer(t, fn, `{"do":"pid"}`)
	fn.Close()
	if !strings.Contains(fn.Log(), "got SIGTERM") {
		t.Errorf("the log: %s", fn.Log())
	}
	if strings.Contains(fn.Log(), "Error") {
		t.Errorf("an end that was asked for is reported as an error: %s", fn.Log())
	}
}
