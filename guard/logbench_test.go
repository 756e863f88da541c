package guard_test

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

// tenAttrs are what a handler may add to the record of its invocation.
func tenAttrs() []slog.Attr {
	return []slog.Attr{
		slog.String("orderId", "o-4711"), slog.String("customer", "c-42"), slog.String("currency", "EUR"),
		slog.Int("items", 3), slog.Int("cents", 129900), slog.Bool("express", true), slog.Float64("weight", 1.25),
		slog.Duration("queued", 40*time.Millisecond), slog.String("warehouse", "FRA-2"), slog.Int("attempt", 1),
	}
}

// benchInvocation is an invocation of a function with a name, a deadline and a
// 1 kB event.
func benchInvocation(b *testing.B) (context.Context, []byte) {
	name, version := lambdacontext.FunctionName, lambdacontext.FunctionVersion
	b.Cleanup(func() { lambdacontext.FunctionName, lambdacontext.FunctionVersion = name, version })
	lambdacontext.FunctionName, lambdacontext.FunctionVersion = "orders", "7"
	ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
	b.Cleanup(cancel)
	return invocation(ctx, "8476a536-e9f4-11e8-9739-2dfe598c3fcd"), httpEvent(`{"sku":"A-1","note":"`+strings.Repeat("n", 750)+`"}`, false)
}

func invokeInLoop(b *testing.B, ctx context.Context, h lambda.Handler, payload []byte) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Invoke(ctx, payload); err != nil {
			b.Fatal(err)
		}
	}
}

// What the log costs an invocation: the chain without it, with it, with ten
// attributes added, and one record of the same attributes by slog alone.
func BenchmarkLog(b *testing.B) {
	ctx, payload := benchInvocation(b)
	answer := answers(`{"statusCode":201,"body":"{}"}`, nil)
	adding := func(attrs []slog.Attr) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			guard.AddAttrs(ctx, attrs...)
			return answer.Invoke(ctx, payload)
		})
	}
	logger := func(opts ...logging.Option) guard.Middleware {
		return guard.Log(logging.New(io.Discard, opts...))
	}
	for _, bc := range []struct {
		name string
		h    lambda.Handler
	}{
		{name: "none", h: guard.Wrap(answer)},
		{name: "log", h: guard.Wrap(answer, logger())},
		{name: "log+10", h: guard.Wrap(adding(tenAttrs()), logger())},
		{name: "log+10,foreign", h: guard.Wrap(adding(tenAttrs()), guard.Log(slog.New(slog.NewJSONHandler(io.Discard, nil))))},
		{name: "log,level=WARN", h: guard.Wrap(answer, logger(logging.MinLevel(slog.LevelWarn)))},
	} {
		b.Run(bc.name, func(b *testing.B) { invokeInLoop(b, ctx, bc.h, payload) })
	}
}

func recordAttrs() []slog.Attr {
	return []slog.Attr{
		slog.String("requestId", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"), slog.String("traceId", "1-5759e988-bd862e3fe1be46a994272793"),
		slog.String("functionName", "orders"), slog.String("functionVersion", "7"), slog.Bool("coldStart", false),
		slog.String("trigger", "http-api"), slog.Float64("durationMs", 0.002), slog.Float64("remainingMs", 3599999.25),
		slog.String("method", "POST"), slog.String("route", "POST /orders"), slog.Int("status", 201),
	}
}

// One record of an invocation by slog's own handler, with the same attributes.
func BenchmarkSlogAlone(b *testing.B) {
	ctx, _ := benchInvocation(b)
	keys := func(groups []string, a slog.Attr) slog.Attr {
		switch {
		case len(groups) > 0:
		case a.Key == slog.TimeKey:
			a.Key = "timestamp"
		case a.Key == slog.MessageKey:
			a.Key = "message"
		}
		return a
	}
	for _, bc := range []struct {
		name  string
		attrs []slog.Attr
		opts  *slog.HandlerOptions
	}{
		{name: "record", attrs: recordAttrs()},
		{name: "record,renamed", attrs: recordAttrs(), opts: &slog.HandlerOptions{ReplaceAttr: keys}},
		{name: "record+10", attrs: append(recordAttrs(), tenAttrs()...)},
		{name: "record+10,renamed", attrs: append(recordAttrs(), tenAttrs()...), opts: &slog.HandlerOptions{ReplaceAttr: keys}},
	} {
		b.Run(bc.name, func(b *testing.B) {
			log := slog.New(slog.NewJSONHandler(io.Discard, bc.opts))
			b.ReportAllocs()
			for b.Loop() {
				log.LogAttrs(ctx, slog.LevelInfo, "invocation", bc.attrs...)
			}
		})
	}
}

// What redaction costs a record: ten attributes whose names are compared, and
// one struct of ten members that is encoded, searched and copied.
func BenchmarkRedaction(b *testing.B) {
	ctx, _ := benchInvocation(b)
	type order struct {
		ID, Customer, Currency, Warehouse, Token string
		Items, Cents, Attempt                    int
		Express                                  bool
		Weight                                   float64
	}
	object := []slog.Attr{slog.Any("order", order{
		ID:        "o-4711",
		Customer:  "c-42",
		Currency:  "EUR",
		Warehouse: "FRA-2",
		Token:     "t",
		Items:     3,
		Cents:     129900,
		Attempt:   1,
		Express:   true,
		Weight:    1.25,
	})}
	for _, bc := range []struct {
		name  string
		h     slog.Handler
		attrs []slog.Attr
	}{
		{name: "attrs/off", h: slog.NewJSONHandler(io.Discard, nil), attrs: tenAttrs()},
		{name: "attrs/on", h: logging.NewHandler(slog.NewJSONHandler(io.Discard, nil)), attrs: tenAttrs()},
		{name: "struct/off", h: slog.NewJSONHandler(io.Discard, nil), attrs: object},
		{name: "struct/on", h: logging.NewHandler(slog.NewJSONHandler(io.Discard, nil)), attrs: object},
	} {
		b.Run(bc.name, func(b *testing.B) {
			log := slog.New(bc.h)
			b.ReportAllocs()
			for b.Loop() {
				log.LogAttrs(ctx, slog.LevelInfo, "m", bc.attrs...)
			}
		})
	}
}
