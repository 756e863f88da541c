package otel

import (
	"context"
	"crypto/rand"

	"go.opentelemetry.io/otel/trace"
)

// IDs makes the ids of traces and spans by crypto/rand. It is a generator for the
// TracerProvider of the SDK:
//
//	sdktrace.NewTracerProvider(sdktrace.WithIDGenerator(lambdaotel.IDs{}), …)
//
// Use it with SnapStart. The SDK's own generator draws from math/rand/v2, whose state
// is in the memory of the process: all copies that are restored from one snapshot
// would give the same ids to different traces.
type IDs struct{}

// NewIDs returns the ids of a new trace and of its first span.
func (IDs) NewIDs(context.Context) (id trace.TraceID, span trace.SpanID) {
	_, _ = rand.Read(id[:]) // never fails
	_, _ = rand.Read(span[:])
	return id, span
}

// NewSpanID returns the id of a new span.
func (IDs) NewSpanID(context.Context, trace.TraceID) (span trace.SpanID) {
	_, _ = rand.Read(span[:])
	return span
}
