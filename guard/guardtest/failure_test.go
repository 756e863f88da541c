package guardtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

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
		{name: "an init that failed and says so", payload: `{}`, cfg: guardtest.Config{Env: []string{"INIT=report"}}, errorType: "config", message: "no table", logged: "Init failed: {\"errorMessage\":\"no table\"}\nconfig\n"},
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
			fn.Close() // the log is complete
			if strings.Count(fn.Log(), guardtest.TypeExit) > 1 {
				t.Errorf("it is reported more than once: %s", fn.Log())
			}
		})
	}
}

func TestDeadProcessIsReplaced(t *testing.T) {
	ending := func(payload string) func(*testing.T, *guardtest.Function) {
		return func(t *testing.T, fn *guardtest.Function) {
			_, err := fn.Invoke(within(t, patient), []byte(payload))
			failure(t, err)
		}
	}
	for name, end := range map[string]func(*testing.T, *guardtest.Function){
		"a panic":    ending(`{"do":"panic"}`),
		"an exit":    ending(`{"do":"exit"}`),
		"a deadline": func(t *testing.T, fn *guardtest.Function) { overrun(t, fn) },
	} {
		t.Run(name, func(t *testing.T) {
			fn := start(t, guardtest.Config{})
			before := answer(t, fn, `{"do":"pid"}`)
			if again := answer(t, fn, `{"do":"pid"}`); again != before {
				t.Fatalf("process %s, then %s: a healthy one is to be kept", before, again)
			}
			end(t, fn)
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
