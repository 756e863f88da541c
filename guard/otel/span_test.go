package otel_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/guard/otel"
)

func TestALayerHasASpan(t *testing.T) {
	pass := func(next lambda.Handler) lambda.Handler { return next }
	for name, tt := range map[string]struct {
		h      lambda.Handler
		status codes.Code
		attrs  string
		panics bool
	}{
		"an answer": {h: answer(`{}`)},
		"an error":  {h: failing(guard.Errorf(guard.Forbidden, "not_yours", "Not yours.")), status: codes.Error, attrs: "error.type=not_yours"},
		"a panic":   {h: panicking("hunter2"), status: codes.Error, attrs: "error.type=panic", panics: true},
	} {
		tp := record(t)
		h := guard.Wrap(tt.h, otel.Trace(tp), otel.Span(tp, "authorize", pass))
		panicked := func() (value any) {
			defer func() { value = recover() }()
			_, _ = h.Invoke(invocation(t.Context(), ""), []byte(`{}`))
			return nil
		}()
		spans := tp.spans.GetSpans()
		if len(spans) != 2 || (panicked != nil) != tt.panics {
			t.Fatalf("%s: got %d spans, panic %v, want 2", name, len(spans), panicked)
		}
		inner, outer := spans[0], spans[1]
		if inner.Name != "authorize" || inner.Parent.SpanID() != outer.SpanContext.SpanID() || inner.SpanKind != trace.SpanKindInternal {
			t.Errorf("%s: got %q, %v in %v", name, inner.Name, inner.SpanKind, inner.Parent)
		}
		if inner.Status.Code != tt.status || inner.Status.Description != "" || attributes(inner) != tt.attrs || len(inner.Events) != 0 {
			t.Errorf("%s: got %v, %q, %v, want %v, %q", name, inner.Status, attributes(inner), inner.Events, tt.status, tt.attrs)
		}
	}
}

// A span hides no layer from the rules of order.
func TestALayerInASpanIsHeldToItsOrder(t *testing.T) {
	pass := func(next lambda.Handler) lambda.Handler { return next }
	for _, tp := range []trace.TracerProvider{record(t), noop.NewTracerProvider()} {
		func() {
			defer func() {
				if got, _ := recover().(string); !strings.Contains(got, "list authorizer.Require before idempotency.Once") {
					t.Errorf("got panic %q, want a refusal", got)
				}
			}()
			guard.Wrap(answer(`{}`), layer.Named("idempotency.Once", pass), otel.Span(tp, "authorize", layer.Named("authorizer.Require", pass)))
		}()
	}
}

// Without a provider that records, the parent goes on, and nothing else is done.
func TestWithoutASpanTheParentGoesOn(t *testing.T) {
	for name, tt := range map[string]struct {
		payload []byte
		opts    []otel.Option
		want    string
		logged  string
	}{
		"X-Ray":            {payload: sends("traceparent", parentHeader), want: xrayTrace + "-" + xraySpan},
		"a trusted caller": {payload: sends("traceparent", parentHeader), opts: []otel.Option{otel.TrustHeaders()}, want: w3cTrace + "-" + w3cSpan, logged: w3cTrace},
	} {
		var got, logged string
		h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			got = ids(trace.SpanContextFromContext(ctx))
			logged, _, _ = layer.Trace(ctx)
			return nil, nil
		}), otel.Trace(noop.NewTracerProvider(), tt.opts...))
		if _, err := h.Invoke(invocation(t.Context(), segment), tt.payload); err != nil || got != tt.want || logged != tt.logged {
			t.Errorf("%s: got %v, %q, %q, want %q, %q", name, err, got, logged, tt.want, tt.logged)
		}
	}
}

func TestAProviderThatRecordsNothingCostsTwoAllocations(t *testing.T) {
	payload := sends()
	ctx := invocation(t.Context(), segment)
	allocations := func(h lambda.Handler) float64 {
		return testing.AllocsPerRun(100, func() { _, _ = h.Invoke(ctx, payload) })
	}
	without := allocations(guard.Wrap(answer(`{}`), guard.Recover()))
	with := allocations(guard.Wrap(answer(`{}`), otel.Trace(noop.NewTracerProvider()), guard.Recover()))
	if with > without+2 {
		t.Errorf("got %v allocations with Trace and %v without, want 2 more at most", with, without)
	}
}
