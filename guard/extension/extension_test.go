package extension_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/extension"
)

func TestRegisterTellsLambdaTheNameAndTheEvents(t *testing.T) {
	own := filepath.Base(os.Args[0])
	both, one := []any{"INVOKE", "SHUTDOWN"}, []any{"SHUTDOWN"}
	for _, c := range []struct {
		when        string
		opts        []extension.Option
		initType    string
		concurrency string
		name        string
		events      []any
	}{
		{when: "by default", name: own, events: both},
		{when: "on a managed instance", initType: "lambda-managed-instances", name: own, events: one},
		{when: "with several invocations at once", concurrency: "8", name: own, events: one},
		{when: "with ShutdownOnly", opts: []extension.Option{extension.ShutdownOnly()}, name: own, events: one},
		{when: "with Name", opts: []extension.Option{extension.Name("wrapper.sh")}, name: "wrapper.sh", events: both},
	} {
		t.Run(c.when, func(t *testing.T) {
			p := serve(t)
			t.Setenv("AWS_LAMBDA_INITIALIZATION_TYPE", c.initType)
			t.Setenv("AWS_LAMBDA_MAX_CONCURRENCY", c.concurrency)
			register(t, c.opts...)
			got := p.got("POST /2020-01-01/extension/register")
			if len(got) != 1 {
				t.Fatalf("got %d requests, want 1", len(got))
			}
			if name := got[0].header.Get("Lambda-Extension-Name"); name != c.name {
				t.Errorf("got the name %q, want %q", name, c.name)
			}
			if feature := got[0].header.Get("Lambda-Extension-Accept-Feature"); feature != "accountId" {
				t.Errorf("got the feature %q, want accountId", feature)
			}
			if want := map[string]any{"events": c.events}; !reflect.DeepEqual(got[0].body, want) {
				t.Errorf("got the body %v, want %v", got[0].body, want)
			}
		})
	}
}

func TestRegisterReturnsTheFunction(t *testing.T) {
	serve(t)
	ext := register(t)
	got := []string{ext.Name, ext.FunctionName, ext.FunctionVersion, ext.Handler, ext.AccountID}
	want := []string{filepath.Base(os.Args[0]), "helloWorld", "$LATEST", "bootstrap", "123456789012"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// junk is what no API of Lambda answers.
var junk = []struct {
	what   string
	answer func(w http.ResponseWriter)
	want   string // in the error
}{
	{"no JSON", func(w http.ResponseWriter) { _, _ = io.WriteString(w, "<html>") }, "the answer is malformed"},
	{"a truncated body", func(w http.ResponseWriter) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, `{"eventType"`)
	}, "read the answer"},
	{"a huge body", func(w http.ResponseWriter) { _, _ = io.WriteString(w, `"`+strings.Repeat("x", 1<<20)+`"`) }, "over 65536 bytes"},
	{"huge headers", func(w http.ResponseWriter) { w.Header().Set("X", strings.Repeat("x", 1<<20)) }, "server response headers exceeded"},
	{"a redirect", func(w http.ResponseWriter) { w.Header().Set("Location", "/"); w.WriteHeader(http.StatusFound) }, "status 302"},
	{"an error", func(w http.ResponseWriter) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"errorType":"Extension.Refused","errorMessage":"not you"}`)
	}, "status 403: Extension.Refused: not you"},
	{"an error of another form", func(w http.ResponseWriter) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, "<html>")
	}, "status 500"},
	{"a connection that ends", func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, "EOF"},
}

func TestAnswersThatRegisterRefuses(t *testing.T) {
	p := serve(t)
	for _, c := range append(junk, struct {
		what   string
		answer func(w http.ResponseWriter)
		want   string
	}{"no identifier", func(w http.ResponseWriter) { _, _ = io.WriteString(w, `{"functionName":"f"}`) }, "the answer has no Lambda-Extension-Identifier"}) {
		p.instead(func(w http.ResponseWriter, _ *http.Request) bool { c.answer(w); return true })
		ext, err := extension.Register(t.Context())
		if ext != nil || err == nil || !strings.HasPrefix(err.Error(), "extension: register: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v and %v, want an error with %q", c.what, ext, err, c.want)
		}
	}
}

func TestARefusalHasStatusAndCode(t *testing.T) {
	p := serve(t)
	p.instead(func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"errorType":"Extension.AlreadyRegistered","errorMessage":"x is registered"}`)
		return true
	})
	_, err := extension.Register(t.Context())
	var refused interface {
		error
		HTTPStatusCode() int
		ErrorCode() string
	}
	if !errors.As(err, &refused) || refused.HTTPStatusCode() != 403 || refused.ErrorCode() != "Extension.AlreadyRegistered" {
		t.Errorf("got %v, want status 403 and its code", err)
	}
}

func TestRegisterOutsideOfLambda(t *testing.T) {
	for address, want := range map[string]string{
		"":                   "AWS_LAMBDA_RUNTIME_API is not set",
		"127.0.0.1":          "no host and port",
		"a@127.0.0.1:9001":   "no host and port",
		"127.0.0.1:9001/x":   "no host and port",
		"http://127.0.0.1:1": "no host and port",
		"127.0.0.1:1":        "connection refused",
	} {
		t.Setenv("AWS_LAMBDA_RUNTIME_API", address)
		if _, err := extension.Register(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error with %q", address, err, want)
		}
	}
}

func TestEventsAreThoseOfTheDocuments(t *testing.T) {
	p := serve(t)
	ext := register(t)
	p.events <- `{"eventType":"INVOKE","deadlineMs":676051,"requestId":"3da1f2dc","invokedFunctionArn":"arn:aws:lambda:us-east-1:123456789012:function:ExtensionTest",
		"tracing":{"type":"X-Amzn-Trace-Id","value":"Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent=2be948a625588e32;Sampled=1"},"more":{}}`
	p.events <- `{"eventType":"INVOKE","deadlineMs":676052,"requestId":"3da1f2dd","invokedFunctionArn":"arn"}`
	p.events <- `{"eventType":"SHUTDOWN","shutdownReason":"SPINDOWN","deadlineMs":676053}`
	p.events <- `{"eventType":"INVOKE"}` // nobody may ask for it
	var got []extension.Event
	for event, err := range ext.Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, event)
	}
	want := []extension.Event{
		extension.Invoke{
			RequestID: "3da1f2dc", Deadline: time.UnixMilli(676051), ARN: "arn:aws:lambda:us-east-1:123456789012:function:ExtensionTest",
			TraceID: "Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent=2be948a625588e32;Sampled=1",
		},
		extension.Invoke{RequestID: "3da1f2dd", Deadline: time.UnixMilli(676052), ARN: "arn"},
		extension.Shutdown{Reason: "spindown", Deadline: time.UnixMilli(676053)},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if asked := len(p.got("GET /2020-01-01/extension/event/next")); asked != 3 {
		t.Errorf("got %d requests for an event, want 3", asked)
	}
}

func TestALoopThatBreaksAsksForNoFurtherEvent(t *testing.T) {
	p := serve(t)
	ext := register(t)
	p.events <- `{"eventType":"INVOKE"}`
	for range ext.Events(t.Context()) {
		break
	}
	if asked := len(p.got("GET /2020-01-01/extension/event/next")); asked != 1 {
		t.Errorf("got %d requests for an event, want 1", asked)
	}
}

func TestEventsEndWithTheContext(t *testing.T) {
	p := serve(t)
	ext := register(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	p.events <- `{"eventType":"INVOKE"}`
	steps := 0
	for event, err := range ext.Events(ctx) {
		if err != nil {
			t.Fatalf("got %v, want no error", err)
		}
		if _, ok := event.(extension.Invoke); !ok {
			t.Errorf("got %+v, want an Invoke", event)
		}
		steps++
		time.AfterFunc(10*time.Millisecond, stop) // while the next step waits, or before
	}
	if steps != 1 {
		t.Errorf("got %d steps, want 1", steps)
	}
}

func TestAnErrorIsYieldedOnce(t *testing.T) {
	p := serve(t)
	ext := register(t)
	for _, c := range append(junk, struct {
		what   string
		answer func(w http.ResponseWriter)
		want   string
	}{"an unknown event", func(w http.ResponseWriter) { _, _ = io.WriteString(w, `{"eventType":"PAUSE"}`) }, `unknown type of event "PAUSE"`}) {
		p.instead(func(w http.ResponseWriter, _ *http.Request) bool { c.answer(w); return true })
		var got []error
		for event, err := range ext.Events(t.Context()) {
			if event != nil {
				t.Errorf("%s: got the event %+v, want none", c.what, event)
			}
			got = append(got, err)
		}
		if len(got) != 1 || got[0] == nil || !strings.HasPrefix(got[0].Error(), "extension: next event: ") || !strings.Contains(got[0].Error(), c.want) {
			t.Errorf("%s: got %v, want one error with %q", c.what, got, c.want)
		}
	}
}

func TestErrorsAreReportedWithoutForeignTexts(t *testing.T) {
	p := serve(t)
	ext := register(t)
	secret := errors.New("password hunter2 is wrong")
	for _, c := range []struct {
		err     error
		code    string
		message string
	}{
		{err: guard.Reason("no API key"), code: "Extension.internal", message: "no API key"},
		{err: fmt.Errorf("load: %w", &guard.Error{Code: "ConfigInvalid", Err: secret}), code: "Extension.ConfigInvalid", message: "ConfigInvalid: *errors.errorString"},
		{err: secret, code: "Extension.internal", message: "*errors.errorString"},
	} {
		for phase, report := range map[string]func(context.Context, error) error{"init": ext.InitError, "exit": ext.ExitError} {
			if err := report(t.Context(), c.err); err != nil {
				t.Fatalf("%s: %v", phase, err)
			}
			all := p.got("POST /2020-01-01/extension/" + phase + "/error")
			got := all[len(all)-1]
			if header := got.header.Get("Lambda-Extension-Function-Error-Type"); header != c.code {
				t.Errorf("%s: got the type %q, want %q", phase, header, c.code)
			}
			if want := map[string]any{"errorType": c.code, "errorMessage": c.message, "stackTrace": []any{}}; !reflect.DeepEqual(got.body, want) {
				t.Errorf("%s: got %v, want %v", phase, got.body, want)
			}
		}
	}
	p.instead(func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(http.StatusForbidden); return true })
	if err := ext.InitError(t.Context(), secret); err == nil || !strings.Contains(err.Error(), "extension: report an error: status 403") {
		t.Errorf("got %v, want an error with the status", err)
	}
}
