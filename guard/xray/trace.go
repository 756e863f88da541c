package xray

import (
	"context"
	"sync"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	sdk "github.com/aws/aws-xray-sdk-go/xray"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
)

// Trace records the invocation as a subsegment "handler" of the segment that Lambda
// made. List it first. Its parent is read from the context's tracing header, so
// invocations at the same time do not mix. The subsegment has these annotations,
// and leaves out those that are empty:
//
//	coldStart  whether the caller had to wait for the process to start
//	service    the name of the function, or that of the option
//	tenant     of a function with tenant isolation
//	errorCode  the code of the guard.Error, as in error.code of guard.Log
//
// It is marked with throttle and error for a status or kind of 429, with error for
// another 4xx, and with fault for a 5xx, a panic and runtime.Goexit. It has nothing
// of the event, the answer or the texts of errors. A panic that Recover caught is
// recorded with its stack.
//
// The records of guard.Log have the ids of the trace and of the subsegment as
// trace_id and span_id.
//
// If the header says Sampled=0 nothing is sent, and the clients of this package
// send that on. Without a header, or with one of another form, the invocation runs
// untraced, and the first time guard.Log writes a warning.
func Trace(opts ...Option) guard.Middleware {
	c := config{service: lambdacontext.FunctionName}
	for _, opt := range opts {
		opt.set(&c)
	}
	return layer.Named("xray.Trace", func(next lambda.Handler) lambda.Handler {
		return &traced{config: c, next: next}
	})
}

type traced struct {
	config
	next lambda.Handler
	warn sync.Once
}

func (t *traced) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	if sdk.SdkDisabled() {
		return t.next.Invoke(ctx, payload)
	}
	h, err := received(ctx)
	if err != nil {
		// Afterwards, because guard.Log stands inside.
		defer t.warn.Do(func() { layer.LogError(ctx, "xray: an invocation is not traced", err) })
		return t.next.Invoke(ctx, payload)
	}
	fields := forSDK(h)
	ctx, lambdas := sdk.BeginFacadeSegment(ctx, "lambda", fields)
	lambdas.IncomingHeader = fields // for what is sent on
	if !lambdas.Sampled {
		layer.SetTrace(ctx, h.TraceID(), h.Parent, false)
		return t.next.Invoke(ctx, payload)
	}
	e := emitThrough(lambdas, t.texts)
	ctx, e.handler = begin(ctx, "handler")
	layer.SetTrace(ctx, h.TraceID(), e.handler.ID, true)
	return t.record(ctx, e, payload)
}

func (t *traced) record(ctx context.Context, e *emitter, payload []byte) (out []byte, err error) {
	annotate(e.handler, "coldStart", guard.ColdStart(ctx))
	annotate(e.handler, "service", t.service)
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		annotate(e.handler, "tenant", lc.TenantID)
	}
	result := unreturned
	defer func() {
		if guard.Panicked(result.err) || t.texts && result.err != nil {
			_ = e.handler.AddError(result.err) // also its stack
		}
		result.end(e.handler)
		e.settle()
	}()
	out, err = t.next.Invoke(ctx, payload)
	result = resultOf(ctx, payload, out, err)
	if t.payload {
		_ = e.handler.AddMetadata("event", shortened(string(payload), longestPayload))
		_ = e.handler.AddMetadata("answer", shortened(string(out), longestPayload))
	}
	return out, err
}
