package idempotency

import (
	"context"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/layer"
)

// times returns until when an attempt that claims now holds its key, and until
// when its record counts if it is never settled.
func (c *config) times(ctx context.Context) (lease, expires time.Time) {
	now := wallClock()
	end, ok := deadline(ctx)
	switch {
	case ok:
		lease = latest(end.Round(0), now).Add(c.skew)
		lease = latest(lease, now.Add(c.lease))
	case c.lease > 0:
		lease = now.Add(c.lease)
	default:
		lease = now.Add(longest + c.skew)
	}
	return lease, latest(now.Add(c.ttl), lease)
}

// deadline is that of the invocation: a context for one step ends before what
// the step has begun. One that outlives the invocation counts.
func deadline(ctx context.Context) (end time.Time, ok bool) {
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
