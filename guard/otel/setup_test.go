package otel_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/otel"
)

const (
	function = "arn:aws:lambda:us-east-1:123456789012:function:orders"

	// The ids of the documents of X-Ray.
	segment   = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
	xrayTrace = "5759e988bd862e3fe1be46a994272793"
	xraySpan  = "53995c3f42cd8ad8"

	// The ids of the document of Trace Context.
	parentHeader = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	w3cTrace     = "4bf92f3577b34da6a3ce929d0e0e4736"
	w3cSpan      = "00f067aa0ba902b7"
)

// recording is a provider whose spans a test reads.
type recording struct {
	*sdktrace.TracerProvider
	spans *tracetest.InMemoryExporter
}

func record(t testing.TB, opts ...sdktrace.TracerProviderOption) recording {
	t.Helper()
	spans := tracetest.NewInMemoryExporter()
	tp := sdktrace.NewTracerProvider(append(opts, sdktrace.WithSyncer(spans))...)
	t.Cleanup(func() { _ = tp.Shutdown(context.Background()) })
	return recording{TracerProvider: tp, spans: spans}
}

// only returns the one span that was made since the last call.
func (r recording) only(t testing.TB) tracetest.SpanStub {
	t.Helper()
	spans := r.spans.GetSpans()
	r.spans.Reset()
	if len(spans) != 1 {
		t.Fatalf("got %d spans, want 1", len(spans))
	}
	return spans[0]
}

// invoke calls a handler within otel.Trace.
func (r recording) invoke(t testing.TB, ctx context.Context, payload []byte, h lambda.Handler, opts ...otel.Option) ([]byte, error) {
	t.Helper()
	return guard.Wrap(h, otel.Trace(r, opts...)).Invoke(ctx, payload)
}

// invocation is the context of an invocation, with a tracing header if it is not "".
func invocation(ctx context.Context, header string) context.Context {
	ctx = lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{
		AwsRequestID: "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", InvokedFunctionArn: function,
	})
	if header != "" {
		//lint:ignore SA1029 the key that aws-lambda-go uses
		ctx = context.WithValue(ctx, "x-amzn-trace-id", header)
	}
	return ctx
}

func answer(text string) lambda.Handler {
	return guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return []byte(text), nil })
}

func failing(err error) lambda.Handler {
	return guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return nil, err })
}

// attributes returns those of a span as lines, without those that all spans have.
func attributes(s tracetest.SpanStub) string {
	lines := make(map[string]bool)
	for _, a := range s.Attributes {
		switch a.Key {
		case "faas.invocation_id", "faas.coldstart", "cloud.resource_id", "cloud.account.id", "aws.lambda.invoked_arn":
		default:
			lines[fmt.Sprintf("%s=%v", a.Key, a.Value.AsInterface())] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(lines)), "\n")
}

func lines(all ...string) string {
	slices.Sort(all)
	return strings.Join(all, "\n")
}

func linked(s tracetest.SpanStub) (ids []string) {
	for _, l := range s.Links {
		ids = append(ids, l.SpanContext.TraceID().String()+"-"+l.SpanContext.SpanID().String())
	}
	return ids
}

func ids(sc trace.SpanContext) string {
	if !sc.IsValid() {
		return ""
	}
	return sc.TraceID().String() + "-" + sc.SpanID().String()
}

func traceOf(ctx context.Context) string { return trace.SpanContextFromContext(ctx).TraceID().String() }
