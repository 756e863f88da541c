package otel_test

import (
	"os"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/guard/metrics"
	"github.com/lambdarmor/lambdarmor/guard/otel"
)

// Traces, metrics and the log of one function, with the same ids.
func Example_withMetrics() {
	tp := sdktrace.NewTracerProvider() // with an exporter
	log := logging.New(os.Stdout)
	routes := httpapi.Func(placeOrder)
	guard.Start(routes,
		otel.Flush(time.Second, tp),
		otel.Trace(tp),
		metrics.Default(metrics.New(os.Stdout, "Shop")),
		httpapi.Default(log),
	)
}
