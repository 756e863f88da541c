// Package otellambda stands in for
// go.opentelemetry.io/contrib/instrumentation/github.com/aws/aws-lambda-go/otellambda,
// which is being given up (opentelemetry-go-contrib#9217). Its wrapper has the
// signature and the order of steps of
// https://github.com/open-telemetry/opentelemetry-go-contrib/blob/main/instrumentation/github.com/aws/aws-lambda-go/otellambda/wrapHandler.go:
// a span is begun, and ended and flushed by a deferred call, also after a panic.
package otellambda

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"go.opentelemetry.io/otel/trace"
)

// Option stands for an option.
type Option func(*handler)

// WithSpans is of the stand-in alone: it begins each span.
func WithSpans(begin func(ctx context.Context, requestID string) (context.Context, trace.SpanContext), end func(err error, panicked bool)) Option {
	return func(h *handler) { h.begin, h.end = begin, end }
}

type handler struct {
	next  lambda.Handler
	begin func(context.Context, string) (context.Context, trace.SpanContext)
	end   func(error, bool)
}

// WrapHandler has the signature of the original.
func WrapHandler(next lambda.Handler, options ...Option) lambda.Handler {
	h := &handler{next: next}
	for _, o := range options {
		o(h)
	}
	return h
}

// Invoke is like the original.
func (h *handler) Invoke(ctx context.Context, payload []byte) (out []byte, err error) {
	requestID := ""
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		requestID = lc.AwsRequestID
	}
	ctx, _ = h.begin(ctx, requestID)
	returned := false
	defer func() { h.end(err, !returned) }()
	out, err = h.next.Invoke(ctx, payload)
	returned = true
	return out, err
}
