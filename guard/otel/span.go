package otel

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
)

// Span makes a span of a layer and all that is inside it, to show in a trace what
// takes the time:
//
//	otel.Span(tp, "authorize", authorizer.Require(check))
//
// The span has the code of an error that leaves the layer as error.type. name must
// be one of a few, a constant of the program. Span panics if it is empty or layer
// is nil.
func Span(tp trace.TracerProvider, name string, m guard.Middleware) guard.Middleware {
	tracer := tracerOf("Span", tp)
	switch {
	case name == "":
		panic("otel: Span without a name")
	case m == nil:
		panic("otel: Span of a nil layer")
	}
	if _, idle := tracer.(noop.Tracer); idle {
		return m
	}
	return func(next lambda.Handler) lambda.Handler {
		inner := m(next)
		return layer.NamedHandler("otel.Span", guard.HandlerFunc(func(ctx context.Context, payload []byte) (out []byte, err error) {
			ctx, span := tracer.Start(ctx, name)
			finished := false
			defer func() { end(span, finished) }()
			if out, err = inner.Invoke(ctx, payload); err != nil {
				fail(span, guard.Public(err).Code)
			}
			finished = true
			return out, err
		}), inner)
	}
}
