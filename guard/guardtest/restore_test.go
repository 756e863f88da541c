package guardtest_test

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

const (
	restoreNext  = "/2018-06-01/runtime/restore/next"
	restoreError = "/2018-06-01/runtime/restore/error"
)

func TestASnapshotIsRestoredForAnInvocationWhoseTimeBeginsAfterwards(t *testing.T) {
	const timeout = time.Hour
	rt, c := newRuntime(t, guardtest.Config{SnapStart: true, Timeout: timeout})
	ended := invoke(within(t, patient*2), rt, guardtest.Call{})
	if res, _ := c.do("GET", restoreNext, ""); res.StatusCode != http.StatusOK {
		t.Errorf("restore/next: got status %d, want 200", res.StatusCode)
	}
	restored := time.Now()
	next, _ := c.next()
	// The caller's own deadline is sooner than the function's timeout.
	ms, err := strconv.ParseInt(next.Header.Get("Lambda-Runtime-Deadline-Ms"), 10, 64)
	if end := time.UnixMilli(ms); err != nil || end.Before(restored.Add(time.Minute)) {
		t.Errorf("got the deadline %v and %v, want more than the 10 s of a restore from %v on", end, err, restored)
	}
	if status, text := c.post(next.Header.Get("Lambda-Runtime-Aws-Request-Id"), "response", "done"); status != http.StatusAccepted {
		t.Errorf("the answer: got status %d %s, want 202", status, text)
	}
	if got := <-ended; got.err != nil || string(got.result.Payload) != "done" {
		t.Errorf("got %q and %v, want the function's answer", got.result.Payload, got.err)
	}
	if res, text := c.do("POST", restoreError, "{}"); res.StatusCode != http.StatusForbidden {
		t.Errorf("restore/error after the restore: got status %d %s, want 403", res.StatusCode, text)
	}
}

func TestAnErrorOfTheRestoreFailsItsInvocation(t *testing.T) {
	rt, c := newRuntime(t, guardtest.Config{SnapStart: true})
	if res, text := c.do("POST", restoreError, "{}"); res.StatusCode != http.StatusForbidden {
		t.Errorf("restore/error before the restore: got status %d %s, want 403", res.StatusCode, text)
	}
	ended := invoke(within(t, patient), rt, guardtest.Call{})
	c.do("GET", restoreNext, "")
	res, text := c.do("POST", restoreError, `{"errorMessage":"There is no secret."}`, "Lambda-Runtime-Function-Error-Type", "Runtime.AfterRestoreError")
	if res.StatusCode != http.StatusAccepted {
		t.Errorf("got status %d %s, want 202", res.StatusCode, text)
	}
	if got := failure(t, (<-ended).err); got.Type != "Runtime.AfterRestoreError" || got.Message != "There is no secret." {
		t.Errorf("got %v, want the error of the restore", got)
	}
}

func TestARestoreThatTakesTooLongFailsItsInvocation(t *testing.T) {
	rt, c := newRuntime(t, guardtest.Config{SnapStart: true})
	go func() {
		if res, err := http.Get(c.base + restoreNext); err == nil {
			_ = res.Body.Close()
		}
	}()
	if got := overrun(t, rt); got.Type != guardtest.TypeTimeout { // its deadline is sooner than 10 s
		t.Errorf("got %v, want a timeout", got)
	}
	// A function that goes on gets another invocation, and not the one that failed.
	second := invoke(within(t, patient), rt, guardtest.Call{RequestID: "second"})
	next, _ := c.next()
	id := next.Header.Get("Lambda-Runtime-Aws-Request-Id")
	if id != "second" {
		t.Errorf("got the invocation %s, want second", id)
	}
	c.post(id, "response", "done")
	if got := <-second; got.err != nil {
		t.Error(got.err)
	}
}

// Extensions hear of an invocation when the restore is over, and of a restore in records.
func TestRecordsOfARestore(t *testing.T) {
	tests := []struct {
		name string
		end  func(c client, next func() string)
		want []string
	}{
		{name: "that succeeds", want: []string{"platform.restoreRuntimeDone success", "platform.restoreReport success", "platform.start r"}, end: func(c client, next func() string) {
			c.next()
			if event := next(); !strings.Contains(event, `"requestId":"r"`) {
				t.Errorf("got the event %s, want that of r", event)
			}
		}},
		{name: "that fails", want: []string{"platform.restoreRuntimeDone error Hooks.Failed", "platform.restoreReport error Hooks.Failed"}, end: func(c client, _ func() string) {
			c.do("POST", restoreError, "{}", "Lambda-Runtime-Function-Error-Type", "Hooks.Failed")
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rt, c := newRuntime(t, guardtest.Config{SnapStart: true})
			id, received := subscribed(t, c)
			invoke(t.Context(), rt, guardtest.Call{RequestID: "r"})
			c.do("GET", restoreNext, "")
			tt.end(c, func() string {
				_, event := c.do("GET", "/2020-01-01/extension/event/next", "", "Lambda-Extension-Identifier", id)
				return event
			})
			want := append([]string{"platform.restoreStart"}, tt.want...)
			var got []string
			for tooLong := time.After(patient); len(got) < len(want); {
				select {
				case r := <-received:
					if strings.HasPrefix(r.Type, "platform.r") || r.Type == "platform.start" {
						got = append(got, strings.TrimSpace(r.Type+" "+r.field("status")+r.field("requestId")+" "+r.field("errorType")))
					}
				case <-tooLong:
					t.Fatalf("got %q, want %q", got, want)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestWithoutSnapStartNothingIsRestored(t *testing.T) {
	_, c := newRuntime(t, guardtest.Config{})
	for path, method := range map[string]string{restoreNext: "GET", restoreError: "POST"} {
		if res, _ := c.do(method, path, "{}"); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: got status %d, want 404", path, res.StatusCode)
		}
	}
}

// An environment is restored for one invocation at a time.
func TestASecondRequestForARestoreTakesNoInvocation(t *testing.T) {
	rt, c := newRuntime(t, guardtest.Config{SnapStart: true})
	first := invoke(within(t, patient), rt, guardtest.Call{RequestID: "first"})
	c.do("GET", restoreNext, "")
	go func() {
		if res, err := http.Get(c.base + restoreNext); err == nil {
			_ = res.Body.Close()
		}
	}()
	eventually(t, "the second request waits", func() bool { return rt.Pollers() == 1 })
	invoke(within(t, patient), rt, guardtest.Call{RequestID: "second"})
	next, _ := c.next()
	id := next.Header.Get("Lambda-Runtime-Aws-Request-Id")
	if id != "first" {
		t.Errorf("got the invocation %s, want first", id)
	}
	c.post(id, "response", "done")
	if got := <-first; got.err != nil {
		t.Error(got.err)
	}
}

// https://docs.aws.amazon.com/lambda/latest/dg/snapstart-monitoring.html
func TestAFunctionOfASnapshotHasNoNamesOfItsLog(t *testing.T) {
	fn := start(t, guardtest.Config{SnapStart: true})
	env := answer(t, fn, `{"do":"env"}`)
	if !strings.Contains(env, "AWS_LAMBDA_INITIALIZATION_TYPE=snap-start") || strings.Contains(env, "AWS_LAMBDA_LOG_") {
		t.Errorf("got %s, want no AWS_LAMBDA_LOG_GROUP_NAME and AWS_LAMBDA_LOG_STREAM_NAME", env)
	}
}

func TestTelemetryTellsOfARestore(t *testing.T) {
	tests := []struct {
		name   string
		env    string
		failed bool
		want   []string
	}{
		{name: "that succeeds", env: "RESTORE=succeed", want: []string{
			"platform.restoreStart", "platform.restoreRuntimeDone success", "platform.restoreReport success",
			"platform.start", "platform.runtimeDone success", "platform.report success",
		}},
		{name: "in which the process ends", env: "RESTORE=exit", failed: true, want: []string{
			"platform.restoreStart", "platform.restoreRuntimeDone error Runtime.ExitError", "platform.restoreReport error Runtime.ExitError",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "records")
			fn := beside(t, guardtest.Config{SnapStart: true, Env: []string{"EXTENSION_RECORDS=" + file, tt.env}}, "telemetry")
			result, err := fn.Invoke(within(t, patient), []byte(`{"do":"pid"}`))
			if (err != nil) != tt.failed {
				t.Errorf("got %v, want a failure: %t", err, tt.failed)
			}
			_, _ = result.PostRuntimeExtensionsDuration(within(t, patient)) // the report comes then
			fn.Close()
			var got []string
			for _, r := range records(t, file) {
				if strings.HasPrefix(r.Type, "platform.") && (got != nil || r.Type == "platform.restoreStart") {
					got = append(got, strings.TrimSpace(r.Type+" "+r.field("status")+" "+r.field("errorType")))
				}
				var report struct{ Metrics map[string]float64 }
				if r.Type == "platform.report" {
					_ = json.Unmarshal(r.Record, &report)
					_, restored := report.Metrics["restoreDurationMs"]
					if _, init := report.Metrics["initDurationMs"]; init || !restored {
						t.Errorf("got the metrics %v, want the time of the restore and not that of init", report.Metrics)
					}
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}
