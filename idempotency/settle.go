package idempotency

import (
	"context"
	"time"
)

// settling returns the context in which an attempt is settled. It outlives the
// one of the handler, which may be over, but does not keep the caller waiting for
// a store that does not answer: 2 s at most, and no more than half of the time
// that is left, so that a success can still be answered.
func settling(ctx context.Context) (context.Context, context.CancelFunc) {
	return within(ctx, 2*time.Second, 2)
}

// committing is longer: a commit is the effect itself, worth waiting for while
// others are in its way, and there is no success to answer without it.
func committing(ctx context.Context) (context.Context, context.CancelFunc) {
	return within(ctx, 15*time.Second, 3)
}

// within takes so many quarters of the time that is left to the handler. One that
// had less time than the invocation has a quarter of the invocation's.
func within(ctx context.Context, most, quarters time.Duration) (context.Context, context.CancelFunc) {
	const least = 200 * time.Millisecond
	budget := most
	if end, ok := ctx.Deadline(); ok && end.UnixMilli() > 0 {
		now := wallClock()
		budget = end.Sub(now) / 4 * quarters
		if end, ok := deadline(ctx); ok {
			budget = max(budget, end.Sub(now)/4)
		}
		budget = max(least, min(most, budget))
	}
	return context.WithTimeout(context.WithoutCancel(ctx), budget)
}
