package otel

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
	"go.opentelemetry.io/otel/trace"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
)

// Trace makes a span of each invocation.
func Trace(tp trace.TracerProvider, opts ...Option) guard.Middleware {
	tracer, cfg := tracerOf("Trace", tp), configOf(opts)
	_ = cfg
	return layer.Named("otel.Trace", func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			ctx, span := tracer.Start(ctx, "invocation")
			defer span.End()
			sc := span.SpanContext()
			layer.SetTrace(ctx, sc.TraceID().String(), sc.SpanID().String(), sc.IsSampled())
			return next.Invoke(ctx, payload)
		})
	})
}
