package guardtest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

// client is a function's end of the Runtime API, by hand.
type client struct {
	t    *testing.T
	base string
}

func newRuntime(t *testing.T, cfg guardtest.Config) (*guardtest.Runtime, client) {
	t.Helper()
	if cfg.Timeout == 0 {
		cfg.Timeout = patient
	}
	rt, err := guardtest.NewRuntime(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(rt.Close)
	return rt, client{t: t, base: "http://" + rt.Addr()}
}

func (c client) do(method, path, body string, header ...string) (*http.Response, string) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(within(c.t, patient), method, c.base+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return res, string(answer)
}

func (c client) next() (*http.Response, string) {
	c.t.Helper()
	return c.do("GET", "/2018-06-01/runtime/invocation/next", "")
}

func (c client) post(id, kind, body string, header ...string) (int, string) {
	c.t.Helper()
	res, answer := c.do("POST", "/2018-06-01/runtime/invocation/"+id+"/"+kind, body, header...)
	return res.StatusCode, answer
}

type outcome struct {
	result guardtest.Result
	err    error
}

func invoke(ctx context.Context, fn guardtest.Invoker, call guardtest.Call) <-chan outcome {
	ended := make(chan outcome, 1)
	go func() {
		result, err := fn.Do(ctx, call)
		ended <- outcome{result: result, err: err}
	}()
	return ended
}

func TestRuntimeHandsOutAnInvocation(t *testing.T) {
	rt, function := newRuntime(t, guardtest.Config{Name: "orders", Timeout: time.Minute})
	ended := invoke(t.Context(), rt, guardtest.Call{
		Payload: []byte(`{"n":1}`), RequestID: "r-1", TraceID: "Root=1-2-3", TenantID: "blue",
		ClientContext: []byte(`{"custom":{}}`), Identity: []byte(`{}`),
	})
	before := time.Now()
	res, payload := function.next()
	if res.StatusCode != http.StatusOK || payload != `{"n":1}` {
		t.Errorf("%s %s", res.Status, payload)
	}
	for name, want := range map[string]string{
		"Lambda-Runtime-Aws-Request-Id":       "r-1",
		"Lambda-Runtime-Trace-Id":             "Root=1-2-3",
		"Lambda-Runtime-Aws-Tenant-Id":        "blue",
		"Lambda-Runtime-Client-Context":       `{"custom":{}}`,
		"Lambda-Runtime-Cognito-Identity":     `{}`,
		"Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:orders",
	} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	deadline, err := strconv.ParseInt(res.Header.Get("Lambda-Runtime-Deadline-Ms"), 10, 64)
	if left := time.UnixMilli(deadline).Sub(before); err != nil || left < time.Minute-time.Millisecond || left > time.Minute+time.Since(before) {
		t.Errorf("deadline in %s (%v), want a minute", left, err)
	}

	status, answer := function.post("r-1", "response", "ok", "Content-Type", "text/x-mine")
	if status != http.StatusAccepted || answer != `{"status":"OK"}` {
		t.Errorf("%d %s", status, answer)
	}
	got := <-ended
	if got.err != nil || string(got.result.Payload) != "ok" || got.result.ContentType != "text/x-mine" {
		t.Errorf("%+v", got)
	}
}

func TestRuntimeRefusesWhatLambdaRefuses(t *testing.T) {
	const answered, open = "answered", "open"
	tests := []struct {
		name, path, body string
		status           int
		errorType        string
	}{
		{
			name:      "a response to an unknown invocation",
			path:      "/2018-06-01/runtime/invocation/unknown/response",
			body:      "x",
			status:    400,
			errorType: "InvalidRequestID",
		},
		{
			name:      "an error of an unknown invocation",
			path:      "/2018-06-01/runtime/invocation/unknown/error",
			body:      "{}",
			status:    400,
			errorType: "InvalidRequestID",
		},
		{
			name:      "a second response",
			path:      "/2018-06-01/runtime/invocation/" + answered + "/response",
			body:      "x",
			status:    400,
			errorType: "InvalidRequestID",
		},
		{
			name:      "an error after the response",
			path:      "/2018-06-01/runtime/invocation/" + answered + "/error",
			body:      "{}",
			status:    400,
			errorType: "InvalidRequestID",
		},
		{
			name:      "a failed init after the first invocation",
			path:      "/2018-06-01/runtime/init/error",
			body:      "{}",
			status:    403,
			errorType: "InvalidStateTransition",
		},
		{
			name:      "a response over 6 MiB",
			path:      "/2018-06-01/runtime/invocation/" + open + "/response",
			body:      strings.Repeat("x", 6<<20+101),
			status:    413,
			errorType: "RequestEntityTooLarge",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rt, function := newRuntime(t, guardtest.Config{})
			first := invoke(t.Context(), rt, guardtest.Call{RequestID: answered})
			function.next()
			function.post(answered, "response", "first")
			second := invoke(t.Context(), rt, guardtest.Call{RequestID: open})
			function.next()

			res, answer := function.do("POST", tt.path, tt.body)
			if res.StatusCode != tt.status || !strings.Contains(answer, `"errorType":"`+tt.errorType+`"`) {
				t.Errorf("%d %s, want %d %s", res.StatusCode, answer, tt.status, tt.errorType)
			}
			if got := <-first; string(got.result.Payload) != "first" {
				t.Errorf("the first invocation ended with %+v", got)
			}
			function.do("POST", "/2018-06-01/runtime/invocation/"+open+"/response", "second")
			got := <-second
			if tt.status == http.StatusRequestEntityTooLarge {
				if failure(t, got.err).Type != guardtest.TypeResponseTooLarge {
					t.Errorf("the oversized invocation ended with %v", got.err)
				}
			} else if string(got.result.Payload) != "second" {
				t.Errorf("the second invocation ended with %+v", got)
			}
		})
	}
}

func TestResponseOfExactlyTheLimitPasses(t *testing.T) {
	rt, function := newRuntime(t, guardtest.Config{})
	ended := invoke(t.Context(), rt, guardtest.Call{RequestID: "r"})
	function.next()
	if status, answer := function.post("r", "response", strings.Repeat("x", 6<<20+100)); status != http.StatusAccepted {
		t.Errorf("%d %s", status, answer)
	}
	if got := <-ended; len(got.result.Payload) != 6<<20+100 {
		t.Errorf("%d bytes, %v", len(got.result.Payload), got.err)
	}
}

func TestLateResponseIsRefusedAndHarmsNothing(t *testing.T) {
	rt, function := newRuntime(t, guardtest.Config{})
	taken := make(chan struct{})
	go func() {
		defer close(taken)
		function.next()
	}()
	eventually(t, "the function waits", func() bool { return rt.Pollers() == 1 })
	ended := invoke(within(t, 50*time.Millisecond), rt, guardtest.Call{RequestID: "late"})
	if got := failure(t, (<-ended).err); got.Type != guardtest.TypeTimeout || !strings.Contains(got.Message, " late Task timed out after ") {
		t.Errorf("failure %v", got)
	}
	<-taken
	if status, answer := function.post("late", "response", "x"); status != http.StatusBadRequest || !strings.Contains(answer, "InvalidRequestID") {
		t.Errorf("%d %s", status, answer)
	}
	ended = invoke(within(t, patient), rt, guardtest.Call{RequestID: "next"})
	function.next()
	function.post("next", "response", "in time")
	if got := <-ended; string(got.result.Payload) != "in time" {
		t.Errorf("%+v", got)
	}
}

func TestErrorIsKeptAsPosted(t *testing.T) {
	rt, function := newRuntime(t, guardtest.Config{})
	const posted = `{"errorMessage":"m","errorType":"t","stackTrace":[{"path":"p","line":3,"label":"l"}],"more":1}`
	ended := invoke(t.Context(), rt, guardtest.Call{RequestID: "r"})
	function.next()
	if status, _ := function.post("r", "error", posted); status != http.StatusAccepted {
		t.Errorf("status %d", status)
	}
	got := failure(t, (<-ended).err)
	if got.Type != "t" || got.Message != "m" || len(got.StackTrace) != 1 || got.StackTrace[0].Line != 3 || string(got.Payload) != posted {
		t.Errorf("%+v", got)
	}
}

func TestManyInvocationsAtOnceAreNotMixed(t *testing.T) {
	const pollers, calls = 16, 400
	rt, function := newRuntime(t, guardtest.Config{Timeout: patient})
	ctx, stop := context.WithCancel(t.Context())
	var polling sync.WaitGroup
	for range pollers {
		polling.Go(func() {
			for ctx.Err() == nil {
				req, _ := http.NewRequestWithContext(ctx, "GET", function.base+"/2018-06-01/runtime/invocation/next", nil)
				res, err := http.DefaultClient.Do(req)
				if err != nil {
					return
				}
				payload, _ := io.ReadAll(res.Body)
				res.Body.Close()
				function.post(res.Header.Get("Lambda-Runtime-Aws-Request-Id"), "response", "re: "+string(payload))
			}
		})
	}
	var calling sync.WaitGroup
	for i := range calls {
		calling.Go(func() {
			payload := fmt.Sprint(i)
			result, err := rt.Invoke(within(t, patient), []byte(payload))
			if err != nil || string(result.Payload) != "re: "+payload {
				t.Errorf("%s: %s, %v", payload, result.Payload, err)
			}
		})
	}
	calling.Wait()
	stop()
	polling.Wait()
}

func TestPollerThatLeavesTakesNothingWithIt(t *testing.T) {
	rt, function := newRuntime(t, guardtest.Config{Timeout: patient})
	for range 20 {
		ctx, leave := context.WithCancel(t.Context())
		left := make(chan struct{})
		go func() {
			defer close(left)
			req, _ := http.NewRequestWithContext(ctx, "GET", function.base+"/2018-06-01/runtime/invocation/next", nil)
			if res, err := http.DefaultClient.Do(req); err == nil {
				res.Body.Close()
			}
		}()
		eventually(t, "the function waits", func() bool { return rt.Pollers() == 1 })
		leave()
		<-left
		// What a poller had already been given when it left is lost, in Lambda as
		// well; those that left before must not be given anything.
		eventually(t, "its leaving is noticed", func() bool { return rt.Pollers() == 0 })
	}
	ended := invoke(within(t, patient), rt, guardtest.Call{RequestID: "r"})
	function.next()
	function.post("r", "response", "ok")
	if got := <-ended; got.err != nil {
		t.Error(got.err)
	}
}

func TestWaitingInvocationIsWithdrawnWithItsContext(t *testing.T) {
	rt, function := newRuntime(t, guardtest.Config{})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := rt.Invoke(ctx, []byte("withdrawn"))
	if got := (*guardtest.FunctionError)(nil); !errors.Is(err, context.DeadlineExceeded) || errors.As(err, &got) {
		t.Errorf("error %v: no function had anything to do with it", err)
	}
	ended := invoke(t.Context(), rt, guardtest.Call{RequestID: "r", Payload: []byte("next")})
	if _, payload := function.next(); payload != "next" {
		t.Errorf("the function got %q", payload)
	}
	function.post("r", "response", "ok")
	<-ended
}

func TestExitedEndsWhatTheProcessHad(t *testing.T) {
	rt, function := newRuntime(t, guardtest.Config{})
	ended := invoke(t.Context(), rt, guardtest.Call{RequestID: "r"})
	function.next()
	rt.Exited(errors.New("exit status 9"))
	got := failure(t, (<-ended).err)
	if got.Type != guardtest.TypeExit || got.Message != "RequestId: r Error: Runtime exited with error: exit status 9" {
		t.Errorf("%v", got)
	}
}

func TestInitErrorFailsWhatWaits(t *testing.T) {
	rt, function := newRuntime(t, guardtest.Config{})
	ended := invoke(t.Context(), rt, guardtest.Call{})
	// Until the invocation waits there is nothing to fail.
	for {
		status, answer := function.do("POST", "/2018-06-01/runtime/init/error", `{"errorType":"config","errorMessage":"no table"}`)
		if status.StatusCode != http.StatusAccepted {
			t.Fatalf("%s %s", status.Status, answer)
		}
		select {
		case got := <-ended:
			if failure(t, got.err).Type != "config" {
				t.Errorf("%v", got.err)
			}
			return
		case <-time.After(time.Millisecond):
		}
	}
}

func TestExtensions(t *testing.T) {
	rt, function := newRuntime(t, guardtest.Config{Name: "orders"})
	const register = "/2020-01-01/extension/register"
	refused := []struct {
		name, body, extension string
		status                int
		errorType             string
	}{
		{name: "no name", body: `{}`, status: 400, errorType: "Extension.InvalidExtensionName"},
		{name: "not JSON", body: `{`, extension: "a", status: 400, errorType: "InvalidRequestFormat"},
		{
			name:      "an unknown event",
			body:      `{"events":["FROB"]}`,
			extension: "a",
			status:    400,
			errorType: "Extension.InvalidEventType",
		},
	}
	for _, tt := range refused {
		res, answer := function.do("POST", register, tt.body, "Lambda-Extension-Name", tt.extension)
		if res.StatusCode != tt.status || !strings.Contains(answer, tt.errorType) {
			t.Errorf("%s: %d %s", tt.name, res.StatusCode, answer)
		}
	}
	res, answer := function.do("POST", register, `{"events":["INVOKE"]}`, "Lambda-Extension-Name", "watch")
	id := res.Header.Get("Lambda-Extension-Identifier")
	if res.StatusCode != 200 || id == "" || !strings.Contains(answer, `"functionName":"orders"`) {
		t.Fatalf("%d %s", res.StatusCode, answer)
	}
	if res, answer := function.do("POST", register, `{}`, "Lambda-Extension-Name", "watch"); res.StatusCode != 403 || !strings.Contains(answer, `"Extension with this name already registered","errorType":"Extension.InvalidExtensionState"`) {
		t.Errorf("the same again: %d %s", res.StatusCode, answer)
	}

	invoke(t.Context(), rt, guardtest.Call{RequestID: "r"})
	function.next()
	res, event := function.do("GET", "/2020-01-01/extension/event/next", "", "Lambda-Extension-Identifier", id)
	if res.StatusCode != 200 || !strings.Contains(event, `"eventType":"INVOKE"`) || !strings.Contains(event, `"requestId":"r"`) {
		t.Errorf("%d %s", res.StatusCode, event)
	}

	if res, answer := function.do("POST", register, `{}`, "Lambda-Extension-Name", "late"); res.StatusCode != 403 || !strings.Contains(answer, "RegistrationClosed") {
		t.Errorf("after init: %d %s", res.StatusCode, answer)
	}
	reports := []struct {
		name, path, id, errorType string
		status                    int
		want                      string
	}{
		{name: "an unknown extension", path: "init/error", id: "other", errorType: "E", status: 403, want: "Extension.UnknownExtensionIdentifier"},
		{name: "no type", path: "exit/error", id: id, status: 403, want: "Extension.MissingHeader"},
		{name: "of INIT, after it", path: "init/error", id: id, errorType: "E", status: 403, want: "Extension.InvalidExtensionState"},
		{name: "as it should be", path: "exit/error", id: id, errorType: "E", status: 202},
	}
	for _, tt := range reports {
		res, answer := function.do("POST", "/2020-01-01/extension/"+tt.path, `{}`, "Lambda-Extension-Identifier", tt.id, "Lambda-Extension-Function-Error-Type", tt.errorType)
		if res.StatusCode != tt.status || !strings.Contains(answer, tt.want) {
			t.Errorf("report, %s: %d %s, want %d %s", tt.name, res.StatusCode, answer, tt.status, tt.want)
		}
	}
}
