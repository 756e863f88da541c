package otel_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/guard/metrics"
	"github.com/lambdarmor/lambdarmor/guard/otel"
)

// BenchmarkTrace compares a chain with the same chain inside Trace, 20 calls of one
// and then of the other in turn, by the fastest turn of each. "added-ns/op" is what
// Trace costs, "ratio" is that of the whole to the chain alone, and
// "added-allocs/op" are the allocations of Trace.
func BenchmarkTrace(b *testing.B) {
	discard := func(opts ...sdktrace.TracerProviderOption) *sdktrace.TracerProvider {
		return sdktrace.NewTracerProvider(append(opts, sdktrace.WithSyncer(nothing{}))...)
	}
	none, sampled, unsampled := noop.NewTracerProvider(), discard(), discard(sdktrace.WithSampler(sdktrace.NeverSample()))
	place := httpapi.Func(func(context.Context, struct{}) (any, error) { return "placed", nil })
	chain := []guard.Middleware{httpapi.Default(logging.New(io.Discard))}
	request := sample.HTTP("GET", "/orders/7").Route("GET /orders/{id}").Bytes()
	for _, bb := range []struct {
		name   string
		trace  guard.Middleware
		header string
	}{
		{name: "noop", trace: otel.Trace(none), header: segment},
		{name: "noop/no-header", trace: otel.Trace(none)},
		{name: "noop/trust", trace: otel.Trace(none, otel.TrustHeaders()), header: segment},
		{name: "sdk/sampled", trace: otel.Trace(sampled), header: segment},
		{name: "sdk/not-sampled", trace: otel.Trace(unsampled), header: segment},
	} {
		b.Run(bb.name, func(b *testing.B) {
			ctx, cancel := context.WithTimeout(invocation(b.Context(), bb.header), time.Hour)
			defer cancel()
			compare(b, ctx, request, guard.Wrap(place, chain...), guard.Wrap(place, append([]guard.Middleware{bb.trace}, chain...)...))
		})
	}
}

// BenchmarkWhole compares the usual chain without a log with the same chain and all
// that this module and metrics can show: log, metrics with one of the handler's, and
// a trace by a provider that records nothing.
func BenchmarkWhole(b *testing.B) {
	place := httpapi.Func(func(ctx context.Context, _ struct{}) (any, error) {
		return "placed", metrics.Add(ctx, "OrdersPlaced", metrics.Count, 1)
	})
	unseen := httpapi.Func(func(context.Context, struct{}) (any, error) { return "placed", nil })
	usual := []guard.Middleware{
		httpapi.Problems(), httpapi.SecurityHeaders(), guard.Recover(), guard.Limit(guard.Limits{}), guard.Deadline(300 * time.Millisecond),
	}
	request := sample.HTTP("GET", "/orders/7").Route("GET /orders/{id}").Bytes()
	ctx, cancel := context.WithTimeout(invocation(b.Context(), segment), time.Hour)
	defer cancel()
	log := guard.Log(logging.New(io.Discard))
	compare(b, ctx, request, guard.Wrap(unseen, usual...),
		guard.Wrap(place, otel.Trace(noop.NewTracerProvider()), metrics.Default(metrics.New(io.Discard, "Shop")), log, guard.Chain(usual...)))
}

// compare calls two handlers in turn and reports what the second one adds.
func compare(b *testing.B, ctx context.Context, request []byte, without, with lambda.Handler) {
	call := func(h lambda.Handler) {
		if _, err := h.Invoke(ctx, request); err != nil {
			b.Fatal(err)
		}
	}
	const turn = 20
	fastest := [2]time.Duration{time.Hour, time.Hour}
	for b.Loop() {
		for i, h := range []lambda.Handler{without, with} {
			start := time.Now()
			for range turn {
				call(h)
			}
			fastest[i] = min(fastest[i], time.Since(start))
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(fastest[0])/turn, "chain-ns/op")
	b.ReportMetric(float64(fastest[1]-fastest[0])/turn, "added-ns/op")
	b.ReportMetric(float64(fastest[1])/float64(fastest[0]), "ratio")
	b.ReportMetric(testing.AllocsPerRun(100, func() { call(with) })-testing.AllocsPerRun(100, func() { call(without) }), "added-allocs/op")
}

// nothing is an exporter that drops all.
type nothing struct{}

func (nothing) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return nil }
func (nothing) Shutdown(context.Context) error                             { return nil }
