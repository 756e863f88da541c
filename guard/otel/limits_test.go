package otel_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/metrics"
	"github.com/lambdarmor/lambdarmor/guard/otel"
)

// However few attributes and links the SDK keeps, there is a span of the invocation
// and of each record, with its name and its status.
func TestTheLimitsOfTheSDKLeaveNameAndStatus(t *testing.T) {
	event := sample.Of(guard.SQS).Repeat(2).Set("/Records/0/attributes/AWSTraceHeader", segment).Bytes()
	for _, limit := range []string{"0", "1"} {
		for _, v := range []string{"ATTRIBUTE_COUNT", "ATTRIBUTE_VALUE_LENGTH", "LINK_COUNT", "EVENT_COUNT"} {
			t.Setenv("OTEL_SPAN_"+v+"_LIMIT", limit)
		}
		tp := record(t)
		broken := func(context.Context, events.SQSMessage) error { return guard.Reason("broken") }
		h := batch.SQS(batch.Chain(broken, otel.Records[events.SQSMessage](tp)))
		out, err := tp.invoke(t, invocation(t.Context(), segment), event, h, otel.ApartFromXRay())
		spans := tp.spans.GetSpans()
		if err != nil || len(out) == 0 || len(spans) != 3 {
			t.Fatalf("limit %s: got %s, %v, %d spans, want an answer and 3", limit, out, err, len(spans))
		}
		for i, want := range []codes.Code{codes.Error, codes.Error, codes.Unset} { // the invocation ends last
			if s := spans[i]; s.Name != "process orders" || s.Status.Code != want || len(s.Attributes) > 1 || len(s.Links) > 1 {
				t.Errorf("limit %s: got %q, %v, %d attributes, %d links", limit, s.Name, s.Status.Code, len(s.Attributes), len(s.Links))
			}
		}
	}
}

// Invocations leave nothing behind in a process that has had many.
func TestMemoryDoesNotGrowWithInvocations(t *testing.T) {
	tp := sdktrace.NewTracerProvider(sdktrace.WithBatcher(nothing{}))
	mp := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
	t.Cleanup(func() { _ = tp.Shutdown(context.Background()) })
	pass := func(next lambda.Handler) lambda.Handler { return next }
	h := guard.Wrap(answer(`{"statusCode":200}`),
		otel.Flush(time.Minute, tp), otel.Trace(tp, otel.TrustHeaders()), metrics.Default(otel.Meter(mp)), otel.Span(tp, "handler", pass))
	event := sends("traceparent", parentHeader, "baggage", "user=7")
	heapAfter := func(invocations int) uint64 {
		var all sync.WaitGroup
		for range 64 {
			all.Go(func() {
				for range invocations / 64 {
					if _, err := h.Invoke(invocation(context.Background(), segment), event); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		runtime.GC()
		runtime.GC() // what the first one has finalized, and pools
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	const invocations = 4_000
	before := heapAfter(640)
	if after := heapAfter(invocations); after > before+100*invocations {
		t.Errorf("got %d bytes after %d invocations more, want about %d", after, invocations, before)
	}
}
