package layer

import (
	"context"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/invocation"
	"github.com/lambdarmor/lambdarmor/internal/outcome"
)

// Outcome is what became of an invocation, as [guard.Log] records it.
type Outcome struct {
	Trigger guard.Trigger
	Method  string // of an HTTP request, in the words of the caller
	Route   string // "GET /orders/{id}", from [SetRoute] or else the gateway's route key
	Status  int    // of an HTTP answer, 0 if there is none
	Err     error  // also one that an inner layer has turned into an answer

	// Counts are what inner layers have counted; see [Count]. The map must not be
	// changed.
	Counts map[string]int
}

// OutcomeOf returns what became of the invocation of ctx, for a layer that reports
// it: payload is what the layer got, and out and err are what the next handler
// returned. Outside an invocation only Err is set.
func OutcomeOf(ctx context.Context, payload, out []byte, err error) Outcome {
	inv := invocation.Of(ctx)
	if inv == nil {
		return Outcome{Trigger: guard.Unknown, Err: err}
	}
	r, _ := guard.EventOf(ctx, payload).Request() // of a refused event, as far as it is known
	o := outcome.Of(inv.Facts(), r, out, err)
	return Outcome{
		Trigger: o.Trigger, Method: o.Method, Route: o.Route, Status: o.Status, Err: o.Err,
		Counts: inv.Whole().Facts().Counts,
	}
}

// The counts of this module's layers.
const (
	Replays             = "Replays"             // answers that package idempotency has replayed
	ClaimsLost          = "ClaimsLost"          // keys that another invocation has taken over
	StaleSecrets        = "StaleSecrets"        // secrets that were served past their age, as their source did not answer
	Denials             = "Denials"             // calls that package authorizer or webhook has denied
	Records             = "Records"             // of a batch
	RecordsFailed       = "RecordsFailed"       // that ran, or were given up, and come again
	RecordsNotStarted   = "RecordsNotStarted"   // that had no time left, or follow one that failed, and come again
	RecordsDeadLettered = "RecordsDeadLettered" // that a sink has taken
)

// Count adds n to a count of the whole invocation of ctx, for metrics. Layers of
// packages metrics and otel report each count under its name, so a name must be
// one of a few: a constant of the program.
func Count(ctx context.Context, name string, n int) {
	if inv := invocation.Of(ctx); inv != nil && n != 0 {
		inv.Count(name, n)
	}
}

// SetTrace sets the trace and the span that the invocation of ctx belongs to, or
// one record of a batch: 32 and 16 hexadecimal digits in lower case. All its
// records in the log then have them as trace_id and span_id, the names of
// OpenTelemetry's [Trace Context in non-OTLP Log Formats], and what is sent by
// package outgoing has them too. It does nothing with ids of another form.
//
// [Trace Context in non-OTLP Log Formats]: https://opentelemetry.io/docs/specs/otel/compatibility/logging_trace_context/
func SetTrace(ctx context.Context, traceID, spanID string, sampled bool) {
	if inv := invocation.Of(ctx); inv != nil && isID(traceID, 32) && isID(spanID, 16) {
		inv.Update(func(f *invocation.Facts) { f.TraceID, f.SpanID, f.Sampled = traceID, spanID, sampled })
	}
}

// Trace returns what [SetTrace] has set, empty ids without one.
func Trace(ctx context.Context) (traceID, spanID string, sampled bool) {
	if inv := invocation.Of(ctx); inv != nil {
		f := inv.Facts()
		return f.TraceID, f.SpanID, f.Sampled
	}
	return "", "", false
}

// isID reports whether s has n hexadecimal digits in lower case, not all of them 0.
func isID(s string, n int) bool {
	if len(s) != n {
		return false
	}
	zero := true
	for i := range n {
		switch c := s[i]; {
		case c == '0':
		case '1' <= c && c <= '9', 'a' <= c && c <= 'f':
			zero = false
		default:
			return false
		}
	}
	return !zero
}
