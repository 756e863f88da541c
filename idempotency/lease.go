package idempotency

import (
	"context"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/internal/clock"
)

// wallClock returns the time that leases and expiries are compared with.
func wallClock() time.Time { return clock.Clock(nil).Now() }

// times returns when the lease of a claim made now ends, and when its record
// expires if it is never completed.
func (c *config) times(ctx context.Context) (lease, expires time.Time) {
	now := wallClock()
	end, ok := invocationEnd(ctx)
	switch {
	case ok:
		lease = latest(end.Round(0), now).Add(c.skew)
		lease = latest(lease, now.Add(c.lease))
	case c.lease > 0:
		lease = now.Add(c.lease)
	default:
		lease = now.Add(maxInvocation + c.skew)
	}
	return lease, latest(now.Add(c.ttl), lease)
}

// invocationEnd returns the later of the deadlines of the invocation and of ctx. An
// earlier deadline of ctx does not count: the handler can still run after its
// context has ended.
func invocationEnd(ctx context.Context) (end time.Time, ok bool) {
	end, ok = layer.InvocationDeadline(ctx)
	if inner, bounded := ctx.Deadline(); ok && bounded {
		end = latest(end, inner)
	}
	return end, ok
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// settling returns the context for a request that settles an attempt. It lasts
// atMost, and no longer than a part of the remaining time, so that the answer can
// still be sent. It does not end with the handler's context.
func settling(ctx context.Context, atMost time.Duration, quarters time.Duration) (context.Context, context.CancelFunc) {
	const atLeast = 200 * time.Millisecond
	if end, ok := ctx.Deadline(); ok && end.UnixMilli() > 0 {
		now := wallClock()
		left := end.Sub(now) / 4 * quarters
		if end, ok := invocationEnd(ctx); ok { // if ctx is for one short step
			left = max(left, end.Sub(now)/4)
		}
		atMost = max(atLeast, min(atMost, left))
	}
	return context.WithTimeout(context.WithoutCancel(ctx), atMost)
}
