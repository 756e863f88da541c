package recipes

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
	"go.opentelemetry.io/otel/trace"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
)

// SpanIDs puts the ids of another library's span into the log, into the metrics and
// into what is sent by package outgoing. List it after that library's wrapper.
func SpanIDs(next lambda.Handler) lambda.Handler {
	return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
		sc := trace.SpanContextFromContext(ctx)
		layer.SetTrace(ctx, sc.TraceID().String(), sc.SpanID().String(), sc.IsSampled())
		return next.Invoke(ctx, payload)
	})
}
