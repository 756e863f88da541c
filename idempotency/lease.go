package idempotency

import (
	"context"
	"time"
)

// times says until when an attempt that claims now holds its key, and until
// when its record counts if it is never settled.
func (c *config) times(ctx context.Context) (lease, expires time.Time) {
	now := wallClock()
	end, ok := ctx.Deadline()
	switch {
	case ok && end.UnixMilli() > 0: // some emulators send 0
		lease = latest(end.Round(0), now).Add(c.skew)
		lease = latest(lease, now.Add(c.lease))
	case c.lease > 0:
		lease = now.Add(c.lease)
	default:
		lease = now.Add(longest + c.skew)
	}
	return lease, latest(now.Add(c.ttl), lease)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// settling gives the context in which an attempt is settled. It outlives the
// one of the handler, which may be over, but does not keep the caller waiting
// for a store that does not answer: 2 s at most, and no more than half of the
// time that is left, so that a success can still be answered.
func settling(ctx context.Context) (context.Context, context.CancelFunc) {
	const most, least = 2 * time.Second, 200 * time.Millisecond
	budget := most
	if end, ok := ctx.Deadline(); ok && end.UnixMilli() > 0 {
		budget = max(least, min(most, time.Until(end)/2))
	}
	return context.WithTimeout(context.WithoutCancel(ctx), budget)
}
