package otel_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/guard/metrics"
	"github.com/lambdarmor/lambdarmor/guard/otel"
	"github.com/lambdarmor/lambdarmor/guard/otel/oteltest"
)

type Order struct {
	SKU string `json:"sku"`
}

func placeOrder(_ context.Context, o Order) (string, error) { return "placed " + o.SKU, nil }

// A whole function: traces and metrics go to the collector that the variable
// OTEL_EXPORTER_OTLP_ENDPOINT names, such as the one of a Lambda extension.
func Example() {
	if err := run(context.Background()); err != nil {
		slog.Error("cannot start", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	// An exporter that tries again spends the time of an invocation with waiting.
	spans, err := otlptracehttp.New(ctx, otlptracehttp.WithRetry(otlptracehttp.RetryConfig{}))
	if err != nil {
		return err
	}
	values, err := otlpmetrichttp.New(ctx, otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig{}))
	if err != nil {
		return err
	}
	// What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say counts first.
	function, err := resource.New(ctx, resource.WithAttributes(otel.Resource()...), resource.WithFromEnv())
	if err != nil {
		return err
	}
	tp := sdktrace.NewTracerProvider(sdktrace.WithBatcher(spans), sdktrace.WithResource(function))
	mp := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewPeriodicReader(values)), sdkmetric.WithResource(function))

	guard.Start(httpapi.Func(placeOrder),
		otel.Flush(time.Second, tp, mp),
		otel.Trace(tp),
		metrics.Default(otel.Meter(mp)),
		httpapi.Default(logging.New(os.Stdout)),
	)
	return nil
}

// A collector of package oteltest receives what a test's function sends.
func ExampleTrace() {
	collector := oteltest.NewCollector()
	defer collector.Close()
	exporter, err := otlptracehttp.New(context.Background(), otlptracehttp.WithEndpointURL(collector.URL+"/v1/traces"))
	if err != nil {
		panic(err)
	}
	tp := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter))
	h := guard.Wrap(httpapi.Func(placeOrder), otel.Flush(time.Second, tp), otel.Trace(tp), httpapi.Problems())

	event := sample.HTTP("PUT", "/orders/7").Route("PUT /orders/{id}").JSON(`{"sku":"KB-101"}`)
	if _, err := h.Invoke(context.Background(), event.Bytes()); err != nil {
		panic(err)
	}
	for _, span := range collector.Spans() {
		fmt.Println(span.Kind, span.Name, span.Attributes["http.response.status_code"])
	}
	// Output: server PUT /orders/{id} 200
}

// Behind IAM authentication every caller is a service of one's own. Its traces go on
// here.
func ExampleTrustHeaders() {
	tp := sdktrace.NewTracerProvider()
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		fmt.Println(traceOf(ctx))
		return []byte(`{"statusCode":204}`), nil
	}), otel.Trace(tp, otel.TrustHeaders()))

	event := sample.HTTP("GET", "/orders/7").Header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	if _, err := h.Invoke(context.Background(), event.Bytes()); err != nil {
		panic(err)
	}
	// Output: 4bf92f3577b34da6a3ce929d0e0e4736
}

// A collector that is down costs an invocation the reserve, and no answer.
func ExampleFlush() {
	collector := oteltest.NewCollector()
	defer collector.Close()
	collector.Down()
	exporter, err := otlptracehttp.New(context.Background(), otlptracehttp.WithEndpointURL(collector.URL+"/v1/traces"))
	if err != nil {
		panic(err)
	}
	tp := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter))
	h := guard.Wrap(guard.Func(placeOrder), otel.Flush(time.Second, tp), otel.Trace(tp))

	out, err := h.Invoke(context.Background(), []byte(`{"sku":"KB-101"}`))
	fmt.Println(string(out), err, len(collector.Spans()))
	// Output: "placed KB-101" <nil> 0
}

// The metrics of the guard go to OpenTelemetry in place of CloudWatch.
func ExampleMeter() {
	collector := oteltest.NewCollector()
	defer collector.Close()
	exporter, err := otlpmetrichttp.New(context.Background(), otlpmetrichttp.WithEndpointURL(collector.URL+"/v1/metrics"))
	if err != nil {
		panic(err)
	}
	mp := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewPeriodicReader(exporter)))
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		return nil, metrics.Add(ctx, "OrdersPlaced", metrics.Count, 1)
	}), otel.Flush(time.Second, mp), metrics.Default(otel.Meter(mp)))

	if _, err := h.Invoke(context.Background(), nil); err != nil {
		panic(err)
	}
	for _, m := range collector.Metrics() {
		if m.Kind == "sum" {
			fmt.Println(m.Name, m.Value)
		}
	}
	// Unordered output:
	// ColdStart 1
	// Invocations 1
	// OrdersPlaced 1
}
