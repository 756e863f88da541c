package otel

import (
	"context"

	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/lambdarmor/lambdarmor/guard"
)

// parent returns the context for the span of an invocation, with its parent in it:
// the span of a layer further out, that of a trusted caller, or that of X-Ray. The
// span of X-Ray is a link if it is not the parent.
func (c config) parent(ctx context.Context, payload []byte) (context.Context, []trace.Link) {
	if trace.SpanContextFromContext(ctx).IsValid() {
		return ctx, nil
	}
	if c.trust {
		if r, err := guard.EventOf(ctx, payload).Request(); err == nil && r.Trigger().IsHTTP() {
			ctx = fromCaller(ctx, r.Header)
		}
	}
	text, _ := ctx.Value(lambdaHeader).(string)
	h, ok := parseXRay(text)
	switch {
	case !ok:
		return ctx, nil
	case c.apart || trace.SpanContextFromContext(ctx).IsValid():
		return ctx, []trace.Link{{SpanContext: h.spanContext()}}
	default:
		return trace.ContextWithSpanContext(ctx, h.spanContext()), nil
	}
}

// fromCaller returns ctx with the span and the baggage that a caller has sent, as
// far as they are valid. An error of theirs quotes them, so nobody is told.
func fromCaller(ctx context.Context, sent carrier) context.Context {
	ctx = propagation.TraceContext{}.Extract(ctx, sent)
	if b, err := baggage.Parse(sent.Get("baggage")); err == nil && b.Len() > 0 {
		ctx = baggage.ContextWithBaggage(ctx, b)
	}
	return ctx
}

// sender returns the span that a message was sent by: that of a trusted caller, or
// else that of X-Ray, whose header is "" if there is none.
func (c config) sender(sent carrier, xray string) trace.SpanContext {
	if c.trust {
		ctx := propagation.TraceContext{}.Extract(context.Background(), sent)
		if sc := trace.SpanContextFromContext(ctx); sc.IsValid() {
			return sc
		}
	}
	if h, ok := parseXRay(xray); ok {
		return h.spanContext()
	}
	return trace.SpanContext{}
}

// carrier returns the value of a header or attribute, "" without one.
type carrier func(name string) string

// longestState is how much of a tracestate has to be passed on at least:
// https://www.w3.org/TR/trace-context/#tracestate-limits
const longestState = 512

// Get returns a value, "" if it is too long.
func (c carrier) Get(name string) string {
	value := c(name)
	if name == "tracestate" && len(value) > longestState {
		return ""
	}
	return value
}

// Set does nothing.
func (carrier) Set(string, string) {}

// Keys returns nothing, which no propagator here asks for.
func (carrier) Keys() []string { return nil }
