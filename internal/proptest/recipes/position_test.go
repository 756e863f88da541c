package recipes_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"go.opentelemetry.io/otel/trace"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/proptest/recipes"
	"github.com/lambdarmor/lambdarmor/internal/proptest/recipes/ddlambda"
	"github.com/lambdarmor/lambdarmor/internal/proptest/recipes/otellambda"
)

// errorType returns what Lambda would report.
func errorType(err error) string {
	if own, ok := errors.AsType[messages.InvokeResponse_Error](err); ok {
		return own.Type
	}
	return fmt.Sprintf("%T", err)
}

// What a wrapper sees depends on where it stands: outside of the default chain the
// error that Lambda gets, or an answer; inside it the handler's own error or panic.
func TestWhatAWrapperSees(t *testing.T) {
	for _, tc := range []struct {
		arrangement
		otel    string // the error, or "panic!"
		datadog string // "never" if nothing is sent
	}{
		{arrangement: arrangement{way: "ok"}, otel: "<nil>", datadog: "<nil>"},
		{arrangement: arrangement{way: "error"}, otel: "internal", datadog: "internal"},
		{arrangement: arrangement{way: "panic"}, otel: "panic", datadog: "panic"},
		{arrangement: arrangement{way: "refusal"}, otel: "sold_out", datadog: "sold_out"},
		{arrangement: arrangement{http: true, way: "error"}, otel: "<nil>", datadog: "<nil>"},
		{arrangement: arrangement{http: true, way: "panic"}, otel: "<nil>", datadog: "<nil>"},
		{arrangement: arrangement{inside: true, way: "error"}, otel: "*errors.errorString", datadog: "*errors.errorString"},
		{arrangement: arrangement{inside: true, way: "panic"}, otel: "panic!", datadog: "never"},
		{arrangement: arrangement{inside: true, http: true, way: "refusal"}, otel: "*guard.Error", datadog: "*guard.Error"},
		{arrangement: arrangement{inside: true, http: true, way: "panic"}, otel: "panic!", datadog: "never"},
	} {
		var seen string
		wrapper := func(next lambda.Handler) lambda.Handler {
			return otellambda.WrapHandler(next, otellambda.WithSpans(
				func(ctx context.Context, id string) (context.Context, trace.SpanContext) {
					if id != requestID {
						t.Errorf("%+v: otellambda got the request id %q, want %q", tc.arrangement, id, requestID)
					}
					return ctx, trace.SpanContext{}
				},
				func(err error, panicked bool) {
					if seen = errorType(err); panicked {
						seen = "panic!"
					}
				}))
		}
		run(t, tc.arrangement, wrapper)
		if seen != tc.otel {
			t.Errorf("%+v: otellambda got %s, want %s", tc.arrangement, seen, tc.otel)
		}

		seen = "never"
		cfg := &ddlambda.Config{MergeXrayTraces: true, Report: func(f ddlambda.Finished) {
			seen = errorType(f.Err)
			if f.RequestID != requestID || f.XRay != xray || tc.http && f.Parent != "1234" {
				t.Errorf("%+v: Datadog got the ids %+v", tc.arrangement, f)
			}
		}}
		run(t, tc.arrangement, func(next lambda.Handler) lambda.Handler { return ddlambda.WrapLambdaHandlerInterface(next, cfg) })
		if seen != tc.datadog {
			t.Errorf("%+v: Datadog got %s, want %s", tc.arrangement, seen, tc.datadog)
		}
	}
}

func TestTheSpanOfAnotherLibraryIsInTheLog(t *testing.T) {
	sc := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
	wrapper := func(next lambda.Handler) lambda.Handler {
		return otellambda.WrapHandler(next, otellambda.WithSpans(
			func(ctx context.Context, _ string) (context.Context, trace.SpanContext) {
				return trace.ContextWithSpanContext(ctx, sc), sc
			}, func(error, bool) {}))
	}
	record := run(t, arrangement{way: "error"}, wrapper, recipes.SpanIDs)
	if record["trace_id"] != sc.TraceID().String() || record["span_id"] != sc.SpanID().String() {
		t.Errorf("got %v and %v, want those of the span", record["trace_id"], record["span_id"])
	}
	record = run(t, arrangement{way: "error"}, recipes.SpanIDs)
	if record["trace_id"] != nil {
		t.Errorf("without a span: got %v, want no id", record["trace_id"])
	}
}

// Inside of a wrapper a handler of lambda.NewHandler mixes up answers, so with
// several invocations in a process the chain is refused.
func TestAHandlerOfNewHandlerInsideAWrapperIsRefused(t *testing.T) {
	t.Setenv("AWS_LAMBDA_MAX_CONCURRENCY", "2")
	defer func() {
		if recover() == nil {
			t.Error("got no panic, want one")
		}
	}()
	h := lambda.NewHandler(func() (string, error) { return "", nil })
	guard.Wrap(ddlambda.WrapLambdaHandlerInterface(h, &ddlambda.Config{}), guard.Recover())
}
