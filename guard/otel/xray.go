package otel

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/lambdarmor/lambdarmor/internal/amzntrace"
)

// XRay is the propagator of the [tracing header] of X-Ray, for what calls AWS and
// what AWS calls:
//
//	X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1
//
// The 32 digits of a trace id are those of Root without its version: 8 that X-Ray
// takes for a time, and 24 more. Parent is the span.
//
// Extract needs a Root and a Parent, and ignores a header without. A span is
// sampled if Sampled is 1; for 0, "?" and no Sampled it is not. Inject writes what
// was decided since, or Sampled as it came if nothing was. A field in another form
// counts as one that is not there, and of a field that is there twice the first one
// counts. Of other propagators, some ignore the whole header for a Sampled in
// another form, and one takes it for 1.
//
// Lineage, by which Lambda finds functions that call each other in a loop, is
// kept: Inject writes the Lineage of the header that was extracted, or else of the
// header that Lambda has sent with the invocation. Other fields, such as Self of a
// load balancer, are dropped.
//
// [tracing header]: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
type XRay struct{}

var _ propagation.TextMapPropagator = XRay{}

const xrayHeader = amzntrace.Name

// Inject sets the header to the span of ctx. It does nothing without one.
func (XRay) Inject(ctx context.Context, carrier propagation.TextMapCarrier) {
	sc := trace.SpanContextFromContext(ctx)
	if !sc.IsValid() {
		return
	}
	came, ok := ctx.Value(headerKey{}).(amzntrace.Header)
	if !ok {
		came = amzntrace.FromContext(ctx)
	}
	id := sc.TraceID().String()
	h := amzntrace.Header{Root: "1-" + id[:8] + "-" + id[8:], Parent: sc.SpanID().String(), Sampled: "0", Lineage: came.Lineage}
	switch {
	case sc.IsSampled():
		h.Sampled = "1"
	case h.Root == came.Root && h.Parent == came.Parent: // nobody has decided
		h.Sampled = came.Sampled
	}
	carrier.Set(xrayHeader, h.String())
}

// Extract returns ctx with the span of the header as a remote one, or ctx if there
// is none.
func (XRay) Extract(ctx context.Context, carrier propagation.TextMapCarrier) context.Context {
	h := amzntrace.Parse(carrier.Get(xrayHeader))
	sc := spanContextOf(h)
	if !sc.IsValid() {
		return ctx
	}
	return trace.ContextWithSpanContext(context.WithValue(ctx, headerKey{}, h), sc)
}

// Fields returns the header that Inject sets.
func (XRay) Fields() []string { return []string{xrayHeader} }

// headerKey is for the header that was extracted into a context.
type headerKey struct{}

// spanContextOf returns the span of a header, which is not valid without a Root or
// a Parent.
func spanContextOf(h amzntrace.Header) trace.SpanContext {
	if h.Root == "" || h.Parent == "" {
		return trace.SpanContext{}
	}
	id, err := trace.TraceIDFromHex(h.TraceID())
	if err != nil {
		return trace.SpanContext{}
	}
	span, err := trace.SpanIDFromHex(h.Parent)
	if err != nil {
		return trace.SpanContext{}
	}
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: id, SpanID: span, TraceFlags: trace.TraceFlags(0).WithSampled(h.Sampled == "1"), Remote: true,
	})
}
