package recipes_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/newrelic/go-agent/v3/newrelic"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/proptest/recipes"
	"github.com/lambdarmor/lambdarmor/internal/proptest/recipes/nrlambda"
)

// relicApp returns the real agent, in its serverless mode, which sends nothing.
func relicApp(t *testing.T, noticed *[]newrelic.ErrorInfo, options ...newrelic.ConfigOption) *newrelic.Application {
	t.Helper()
	options = append(options, newrelic.ConfigAppName("orders"), func(c *newrelic.Config) {
		c.ServerlessMode.Enabled = true
		c.ErrorCollector.ErrorGroupCallback = func(e newrelic.ErrorInfo) string {
			*noticed = append(*noticed, e)
			return ""
		}
	})
	app, err := newrelic.NewApplication(options...)
	if err != nil {
		t.Fatal(err)
	}
	return app
}

func TestNewRelicGetsTheStackOfAPanic(t *testing.T) {
	for _, tc := range []struct {
		what    string
		http    bool
		inside  bool
		notices bool // NoticeErrors is listed
		way     string
		classes string // of the errors, in order
		stack   bool   // the first one has the stack of the panic
	}{
		{what: "HTTP, an answer", http: true, notices: true, way: "ok"},
		{what: "HTTP, a refusal", http: true, notices: true, way: "refusal"},
		{what: "HTTP, an error", http: true, notices: true, way: "error", classes: "*errors.errorString"},
		{what: "HTTP, a panic", http: true, notices: true, way: "panic", classes: "*guard.PanicError", stack: true},
		{what: "HTTP, a panic, the wrapper alone", http: true, way: "panic"},
		{what: "direct, a panic, the wrapper alone", way: "panic", classes: "messages.InvokeResponse_Error"},
		{what: "direct, a panic", notices: true, way: "panic", classes: "*guard.PanicError messages.InvokeResponse_Error", stack: true},
		{what: "direct, a panic, inside", inside: true, way: "panic"},
	} {
		var noticed []newrelic.ErrorInfo
		app := relicApp(t, &noticed)
		vendor := []guard.Middleware{func(next lambda.Handler) lambda.Handler { return nrlambda.WrapHandler(next, app) }}
		if tc.notices {
			vendor = append(vendor, recipes.NoticeErrors())
		}
		run(t, arrangement{http: tc.http, inside: tc.inside, way: tc.way}, vendor...)
		var classes []string
		for _, e := range noticed {
			classes = append(classes, e.Class)
		}
		if got := strings.Join(classes, " "); got != tc.classes {
			t.Errorf("%s: got the errors %q, want %q", tc.what, got, tc.classes)
			continue
		}
		if !tc.stack {
			continue
		}
		found := false
		for _, f := range noticed[0].GetStackTraceFrames() {
			found = found || strings.HasSuffix(f.Name, ".explode")
		}
		if !found {
			t.Errorf("%s: got the stack %+v, want one with explode", tc.what, noticed[0].GetStackTraceFrames())
		}
	}
}

// With RecordPanics the agent sees a panic inside the default chain by itself, with
// its value.
func TestNewRelicRecordsPanicsInside(t *testing.T) {
	var noticed []newrelic.ErrorInfo
	app := relicApp(t, &noticed, func(c *newrelic.Config) { c.ErrorCollector.RecordPanics = true })
	run(t, arrangement{inside: true, way: "panic"}, func(next lambda.Handler) lambda.Handler { return nrlambda.WrapHandler(next, app) })
	if len(noticed) != 1 || noticed[0].Class != newrelic.PanicErrorClass || noticed[0].Message != "hunter2" {
		t.Errorf("got %+v, want the panic", noticed)
	}
}
