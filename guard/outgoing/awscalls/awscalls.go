package awscalls

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/lambdarmor/lambdarmor/guard/outgoing/internal/ids"
	"github.com/lambdarmor/lambdarmor/internal/amzntrace"
)

// Instrument makes each call of the clients that are made from cfg send the header
// X-Amzn-Trace-Id of the invocation of its context. Its parent is the span of
// layer.Trace if that is in the same trace. A header that is set already is not changed.
// In a context without a tracing header, the SDK does what it does by itself. Instrument
// twice is as good as once.
//
// Call Instrument before the clients are made. It panics if cfg is nil.
func Instrument(cfg *aws.Config) {
	if cfg == nil {
		panic("awscalls: Instrument with a nil config")
	}
	cfg.APIOptions = append(slices.Clip(cfg.APIOptions), add) // copies of cfg may share the old ones
}

const id = "lambdarmor.trace"

func add(stack *middleware.Stack) error {
	if _, ok := stack.Build.Get(id); ok {
		return nil
	}
	// Before the SDK's RecursionDetection, which keeps a header that is there.
	return stack.Build.Add(middleware.BuildMiddlewareFunc(id, func(
		ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler,
	) (middleware.BuildOutput, middleware.Metadata, error) {
		if r, ok := in.Request.(*smithyhttp.Request); ok && r.Header.Get(amzntrace.Name) == "" {
			if header := ids.AmznTrace(ctx); header != "" {
				r.Header.Set(amzntrace.Name, amzntrace.Encode(header))
			}
		}
		return next.HandleBuild(ctx, in)
	}), middleware.Before)
}
