package idempotency

import (
	"context"
	"errors"

	"github.com/lambdarmor/lambdarmor/guard"
)

// outcome is what a store is told of an attempt.
type outcome struct {
	fate   fate
	result []byte // to keep
	lossy  error  // done, but this is why there is no result that could be kept
	failed bool   // the caller is told of a failure, so that nothing that was staged is written
}

type fate uint8

const (
	unknown fate = iota // the lease goes on
	keep
	release
)

// afterError decides what the error of a handler means for the key.
func (c *config) afterError(ctx context.Context, err error) fate {
	switch {
	case guard.Panicked(err), errors.Is(err, ErrOutcomeUnknown):
		return unknown
	case ctx.Err() != nil, timedOut(err):
		return c.inDoubt()
	default:
		return release
	}
}

// inDoubt is the fate of an attempt that has ended and may have done something.
// Rerun takes that risk at once, as it would when the lease is over.
func (c *config) inDoubt() fate {
	if c.timeout == Rerun {
		return release
	}
	return unknown
}

// timedOut reports whether an error says that somebody has stopped waiting:
// what was waited for may have happened.
func timedOut(err error) bool {
	var slow interface{ Timeout() bool }
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		guard.KindOf(err) == guard.Timeout || errors.As(err, &slow) && slow.Timeout()
}
