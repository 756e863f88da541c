package otel_test

import (
	"sync"
	"testing"
	"testing/cryptotest"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	lambdaotel "github.com/lambdarmor/lambdarmor/guard/otel"
)

func TestIDsAreTheGeneratorOfTheSDKAndDiffer(t *testing.T) {
	tracer := sdktrace.NewTracerProvider(sdktrace.WithIDGenerator(lambdaotel.IDs{})).Tracer("test")
	const each = 100
	ids := make(chan [2]string, 10*each*2)
	var done sync.WaitGroup
	for range 10 {
		done.Go(func() {
			for range each {
				ctx, root := tracer.Start(t.Context(), "root")
				_, child := tracer.Start(ctx, "child")
				for _, span := range []trace.Span{root, child} {
					if sc := span.SpanContext(); !sc.IsValid() {
						t.Errorf("got the ids %v, want valid ones", sc)
					}
				}
				if child.SpanContext().TraceID() != root.SpanContext().TraceID() {
					t.Error("a span has another trace than its parent")
				}
				ids <- [2]string{root.SpanContext().TraceID().String(), root.SpanContext().SpanID().String()}
				ids <- [2]string{root.SpanContext().TraceID().String(), child.SpanContext().SpanID().String()}
			}
		})
	}
	done.Wait()
	close(ids)
	traces, spans := map[string]bool{}, map[string]bool{}
	for id := range ids {
		traces[id[0]], spans[id[1]] = true, true
	}
	if len(traces) != 10*each || len(spans) != 10*each*2 {
		t.Errorf("got %d traces and %d spans, want %d and %d", len(traces), len(spans), 10*each, 10*each*2)
	}
}

// Copies of a snapshot share all randomness of the process, but not that of the
// kernel, which the test replaces.
func TestIDsComeFromTheKernel(t *testing.T) {
	draw := func(seed uint64) (ids [2]trace.SpanID, id trace.TraceID) {
		cryptotest.SetGlobalRandom(t, seed)
		id, ids[0] = lambdaotel.IDs{}.NewIDs(t.Context())
		ids[1] = lambdaotel.IDs{}.NewSpanID(t.Context(), id)
		return ids, id
	}
	spans, id := draw(1)
	sameSpans, sameID := draw(1)
	otherSpans, otherID := draw(2)
	if spans != sameSpans || id != sameID || spans[0] == otherSpans[0] || spans[1] == otherSpans[1] || id == otherID {
		t.Errorf("got %v %v, %v %v and %v %v, want the first two alike and the third different",
			id, spans, sameID, sameSpans, otherID, otherSpans)
	}
}
