package oteltest_test

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/lambdarmor/lambdarmor/guard/otel/oteltest"
)

// tracesTo returns a provider that sends its spans to a collector, once.
func tracesTo(c *oteltest.Collector) *sdktrace.TracerProvider {
	exporter, err := otlptracehttp.New(context.Background(), otlptracehttp.WithEndpointURL(c.URL+"/v1/traces"),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{}))
	if err != nil {
		panic(err)
	}
	return sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter))
}

func ExampleCollector_Spans() {
	c := oteltest.NewCollector()
	defer c.Close()
	tp := tracesTo(c)

	ctx, outer := tp.Tracer("shop").Start(context.Background(), "outer")
	_, inner := tp.Tracer("shop").Start(ctx, "inner")
	inner.End()
	outer.End()
	if err := tp.ForceFlush(context.Background()); err != nil {
		panic(err)
	}
	spans := c.Spans()
	fmt.Println(spans[0].Name, "in", spans[1].Name, spans[0].ParentID == spans[1].SpanID)
	// Output: inner in outer true
}

// A slow collector: what waits for it can be looked at before it answers.
func ExampleCollector_Hold() {
	c := oteltest.NewCollector()
	defer c.Close()
	tp := tracesTo(c)
	release := c.Hold()

	_, span := tp.Tracer("shop").Start(context.Background(), "a span")
	span.End()
	flushed := make(chan error)
	go func() { flushed <- tp.ForceFlush(context.Background()) }()
	if err := c.Await(context.Background(), 1); err != nil {
		panic(err)
	}
	fmt.Println(c.Requests(), "request,", len(c.Spans()), "spans")
	release()
	fmt.Println(<-flushed, len(c.Spans()), "span")
	// Output:
	// 1 request, 0 spans
	// <nil> 1 span
}

func ExampleCollector_Throttle() {
	c := oteltest.NewCollector()
	defer c.Close()
	tp := tracesTo(c)
	c.Throttle(30 * time.Second)

	_, span := tp.Tracer("shop").Start(context.Background(), "a span")
	span.End()
	err := tp.ForceFlush(context.Background())
	fmt.Println(err != nil, len(c.Spans()))
	// Output: true 0
}
