// Package ids returns the trace of an invocation as it is sent to other services.
package ids

import (
	"context"

	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/internal/amzntrace"
)

// Traceparent returns the trace of the invocation of ctx as W3C Trace Context writes
// it: that of [layer.Trace], or else that of Lambda's tracing header. It returns "" if
// there is neither, or no parent.
//
// https://www.w3.org/TR/trace-context/#traceparent-header
func Traceparent(ctx context.Context) string {
	traceID, spanID, sampled := layer.Trace(ctx)
	if traceID == "" {
		h := amzntrace.FromContext(ctx)
		traceID, spanID, sampled = h.TraceID(), h.Parent, h.Sampled == "1"
	}
	if traceID == "" || spanID == "" {
		return ""
	}
	flags := "-00"
	if sampled {
		flags = "-01"
	}
	return "00-" + traceID + "-" + spanID + flags
}

// AmznTrace returns Lambda's tracing header, with the span of [layer.Trace] as the
// parent if that is in the same trace. It returns "" if there is no header.
func AmznTrace(ctx context.Context) string {
	h := amzntrace.FromContext(ctx)
	if traceID, spanID, sampled := layer.Trace(ctx); traceID != "" && traceID == h.TraceID() {
		h.Parent, h.Sampled = spanID, "0"
		if sampled {
			h.Sampled = "1"
		}
	}
	return h.String()
}
