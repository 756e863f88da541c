package invocation

import (
	"context"
	"log/slog"

	"github.com/lambdarmor/lambdarmor/internal/amzntrace"
)

// AppendIdentity appends the fields that every record of the invocation has.
func (inv *Invocation) AppendIdentity(to []slog.Attr) []slog.Attr {
	to = AppendText(to, "requestId", inv.Lambda.AwsRequestID)
	to = AppendText(to, "traceId", TraceID(inv.Context))
	facts := inv.Facts()
	to = AppendText(to, "trace_id", facts.TraceID)
	to = AppendText(to, "span_id", facts.SpanID)
	to = AppendText(to, "correlationId", facts.Correlation)
	return AppendText(to, "recordId", inv.record)
}

// AppendText appends a field unless it is empty.
func AppendText(attrs []slog.Attr, key, value string) []slog.Attr {
	if value == "" {
		return attrs
	}
	return append(attrs, slog.String(key, value))
}

// Reserved reports whether every record has a key.
func Reserved(key string) bool {
	switch key {
	case slog.TimeKey, "timestamp", slog.LevelKey, slog.MessageKey, "message", "requestId", "traceId", "trace_id", "span_id",
		"correlationId", "recordId":
		return true
	default:
		return false
	}
}

// Renamed is the key of an attribute whose own key is reserved.
func Renamed(key string) string { return "fields." + key }

// TraceID returns the Root of the tracing header in ctx, "" where there is none of
// its form.
func TraceID(ctx context.Context) string {
	return amzntrace.FromContext(ctx).Root
}

type wholeKey struct{}

// WithWholeRecord marks ctx for a record that has its identity already: the one
// that guard.Log writes.
func WithWholeRecord(ctx context.Context) context.Context {
	return context.WithValue(ctx, wholeKey{}, true)
}

// IsWholeRecord reports whether ctx is marked.
func IsWholeRecord(ctx context.Context) bool { return ctx.Value(wholeKey{}) != nil }
