package recipes_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/getsentry/sentry-go"

	"github.com/lambdarmor/lambdarmor/internal/proptest/recipes"
)

// sent is a transport of Sentry that keeps its events.
type sent struct {
	events  []*sentry.Event
	flushed int
}

func (s *sent) Flush(time.Duration) bool              { s.flushed++; return true }
func (s *sent) FlushWithContext(context.Context) bool { s.flushed++; return true }
func (s *sent) Configure(sentry.ClientOptions)        {}
func (s *sent) SendEvent(e *sentry.Event)             { s.events = append(s.events, e) }
func (s *sent) Close()                                {}

func sentryHub(t *testing.T, options sentry.ClientOptions) (*sentry.Hub, *sent) {
	t.Helper()
	to := &sent{}
	options.Dsn, options.Transport = "https://key@sentry.example.com/1", to
	client, err := sentry.NewClient(options)
	if err != nil {
		t.Fatal(err)
	}
	return sentry.NewHub(client, sentry.NewScope()), to
}

func TestSentryGetsEachFailureOnce(t *testing.T) {
	for _, tc := range []struct {
		way   string
		code  string // of the event, "" if there is none
		kind  string // of the last exception
		stack string // the function that it ends in
	}{
		{way: "ok"},
		{way: "refusal"},
		{way: "error", code: "internal", kind: "*errors.errorString"},
		{way: "panic", code: "panic", kind: "*guard.PanicError", stack: "explode"},
	} {
		for _, http := range []bool{true, false} {
			hub, to := sentryHub(t, sentry.ClientOptions{BeforeSend: recipes.WithoutTexts})
			run(t, arrangement{http: http, way: tc.way}, recipes.Sentry(hub))
			if tc.code == "" {
				if len(to.events) != 0 {
					t.Errorf("%s, HTTP %t: got %d events, want none", tc.way, http, len(to.events))
				}
				continue
			}
			if len(to.events) != 1 || to.flushed == 0 {
				t.Errorf("%s, HTTP %t: got %d events and %d flushes, want one, flushed", tc.way, http, len(to.events), to.flushed)
				continue
			}
			e := to.events[0]
			want := map[string]string{"requestId": requestID, "traceId": xrayRoot, "code": tc.code}
			if http {
				want["route"] = "$default" // of the sample
			}
			for name, value := range want {
				if e.Tags[name] != value {
					t.Errorf("%s, HTTP %t: got the tag %s %q, want %q", tc.way, http, name, e.Tags[name], value)
				}
			}
			last := e.Exception[len(e.Exception)-1]
			if last.Type != tc.kind || last.Value != "" || strings.Contains(e.Message, "hunter2") {
				t.Errorf("%s, HTTP %t: got the exception %s %q, want %s without a text", tc.way, http, last.Type, last.Value, tc.kind)
			}
			if tc.stack != "" {
				frames := last.Stacktrace.Frames
				if got := frames[len(frames)-1].Function; got != tc.stack {
					t.Errorf("%s, HTTP %t: got a stack that ends in %s, want %s", tc.way, http, got, tc.stack)
				}
			}
		}
	}
}

// Without WithoutTexts the texts of errors leave the function.
func TestSentryGetsTheTextsOfErrors(t *testing.T) {
	hub, to := sentryHub(t, sentry.ClientOptions{})
	run(t, arrangement{way: "error"}, recipes.Sentry(hub))
	if len(to.events) != 1 || to.events[0].Exception[0].Value != "hunter2" {
		t.Errorf("got %+v, want the text", to.events)
	}
}
