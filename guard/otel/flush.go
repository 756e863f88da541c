package otel

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
)

// Flusher is a provider that sends what it has recorded: a TracerProvider or a
// MeterProvider of the SDK.
type Flusher interface {
	// ForceFlush returns when all is sent, and no later than ctx ends. [Flush] waits
	// for it. Those of the SDK do so also if an export does not end.
	ForceFlush(ctx context.Context) error
}

// margin is the time that is left for the answer after a flush.
const margin = 50 * time.Millisecond

// Flush sends what the providers have recorded before the answer of an invocation
// is returned, also after an error or a panic. Lambda may freeze the process after
// that, for hours. The providers are flushed one after the other.
//
// A flush ends when all is sent. It takes no longer than reserve, and ends 50 ms
// before Lambda ends the invocation: what [guard.Deadline] has in reserve for the
// layers outside of it is what a flush has after a timeout. If a collector is slow
// or down, the invocation is answered all the same, and [layer.LogError] writes a
// record with code telemetry_not_sent.
//
// An exporter that waits to try again, as those of OTLP do by default, spends the
// reserve with waiting. Turn that off by its WithRetry: Lambda bills the time, and
// the next invocation flushes again.
//
// List Flush before [Trace], whose span has to end first. A chain in which it is
// the other way panics as it is built. Flush panics if reserve is not positive, or
// without a provider.
func Flush(reserve time.Duration, providers ...Flusher) guard.Middleware {
	if reserve <= 0 {
		panic("otel: Flush needs a reserve above 0")
	}
	if len(providers) == 0 {
		panic("otel: Flush without a provider")
	}
	for _, p := range providers {
		if isNil(p) {
			panic("otel: Flush with a nil provider")
		}
	}
	f := &flusher{reserve: reserve, providers: providers, now: time.Now}
	return layer.Named("otel.Flush", f.around)
}

type flusher struct {
	reserve   time.Duration
	providers []Flusher
	now       func() time.Time
}

func (f *flusher) around(next lambda.Handler) lambda.Handler {
	return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
		defer f.flush(ctx)
		return next.Invoke(ctx, payload)
	})
}

func (f *flusher) flush(ctx context.Context) {
	if err := f.send(ctx); err != nil {
		layer.LogError(ctx, "telemetry was not sent", &guard.Error{Kind: guard.Unavailable, Code: "telemetry_not_sent", Err: err})
	}
}

func (f *flusher) send(ctx context.Context) error {
	now := f.now()
	end := now.Add(f.reserve)
	if last, ok := layer.InvocationDeadline(ctx); ok {
		if last = last.Add(-margin); last.Before(end) {
			end = last
		}
	}
	if !end.After(now) {
		return guard.Reason("otel: no time was left to flush")
	}
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), end)
	defer cancel()
	var failures []error
	for _, p := range f.providers {
		failures = append(failures, p.ForceFlush(ctx))
	}
	return errors.Join(failures...)
}
