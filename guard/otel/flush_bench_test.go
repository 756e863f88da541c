package otel_test

import (
	"context"
	"testing"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/otel"
	"github.com/lambdarmor/lambdarmor/guard/otel/oteltest"
)

// BenchmarkFlush is an invocation whose span is sent to a collector on the same
// machine, or is not sampled.
func BenchmarkFlush(b *testing.B) {
	for name, sampler := range map[string]sdktrace.Sampler{"sampled": sdktrace.AlwaysSample(), "not sampled": sdktrace.NeverSample()} {
		b.Run(name, func(b *testing.B) {
			collector := oteltest.NewCollector()
			defer collector.Close()
			exporter, err := otlptracehttp.New(context.Background(), otlptracehttp.WithEndpointURL(collector.URL+"/v1/traces"))
			if err != nil {
				b.Fatal(err)
			}
			tp := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithSampler(sampler))
			h := guard.Wrap(answer(`{}`), otel.Flush(time.Second, tp), otel.Trace(tp))
			for b.Loop() {
				if _, err := h.Invoke(b.Context(), []byte(`{}`)); err != nil {
					b.Fatal(err)
				}
			}
			if sent := len(collector.Spans()) > 0; sent != (name == "sampled") {
				b.Errorf("got spans sent: %t", sent)
			}
		})
	}
}
