package otel

import (
	"context"

	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/amzntrace"
)

// parent returns the context for the span of an invocation, with its parent in it:
// the span of a layer further out, that of a trusted caller, or that of X-Ray. The
// span of X-Ray is a link if it is not the parent.
func (c config) parent(ctx context.Context, payload []byte) (context.Context, []trace.Link) {
	if trace.SpanContextFromContext(ctx).IsValid() {
		return ctx, nil
	}
	apart := c.apart
	if c.trust {
		ctx = fromCaller(ctx, sentWith(guard.EventOf(ctx, payload)))
		apart = apart || trace.SpanContextFromContext(ctx).IsValid()
	}
	xray := spanContextOf(amzntrace.FromContext(ctx))
	switch {
	case !xray.IsValid():
		return ctx, nil
	case apart:
		return ctx, []trace.Link{{SpanContext: xray}}
	default:
		return trace.ContextWithSpanContext(ctx, xray), nil
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

// sentWith returns the headers of a request, or the attributes of the one message of
// an event of SNS. What comes in batches has no parent, and is linked to instead.
func sentWith(ev *guard.Event) carrier {
	switch t := ev.Trigger(); {
	case t == guard.SNS:
		if all := notifications(ev); len(all) == 1 {
			return all[0].attribute
		}
	case t.IsHTTP():
		if r, err := ev.Request(); err == nil {
			return r.Header
		}
	}
	return func(string) string { return "" }
}

// carrier returns the value of a header or attribute, "" without one.
type carrier func(name string) string

// Get returns a value, "" if it is too long. Of baggage the API has limits itself.
func (c carrier) Get(name string) string {
	value := c(name)
	if name != "baggage" && len(value) > mostTraceContext {
		return ""
	}
	return value
}

// Set does nothing.
func (carrier) Set(string, string) {}

// Keys returns nothing, which no propagator here asks for.
func (carrier) Keys() []string { return nil }
