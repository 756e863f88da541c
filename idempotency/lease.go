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
