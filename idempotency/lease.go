package idempotency

import (
	"context"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/internal/clock"
)

// wallClock returns the time by which leases and expiries are judged.
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

// invocationEnd returns the deadline of the invocation, or that of ctx if it is
// later. An earlier one does not count: the handler of a step whose context ends
// can still be at work.
func invocationEnd(ctx context.Context) (end time.Time, ok bool) {
	end, ok = layer.InvocationDeadline(ctx)
	if !ok || end.UnixMilli() <= 0 { // some emulators send 0
		return time.Time{}, false
	}
	if inner, ok := ctx.Deadline(); ok {
		end = latest(end, inner)
	}
	return end, true
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// settling returns the context for a request that settles an attempt. It lasts
// at most as long as given, and no longer than a part of the time that is left,
// so that the answer can still be sent. It outlives the context of the handler,
// which may be over.
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
