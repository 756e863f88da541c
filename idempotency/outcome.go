package idempotency

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/lambdarmor/lambdarmor/guard"
)

// outcome is the result of an attempt.
type outcome struct {
	fate     fate
	result   []byte // to store
	noResult error  // done, but there is no result to store, for this reason
	failed   bool   // the caller gets an error, so nothing that was staged is written
}

// fate is what happens to a key: it is completed, released or left in progress.
type fate uint8

const (
	unknown fate = iota // the lease goes on
	keep
	release
)

// afterError returns the fate of a key whose handler failed.
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

// inDoubt is the fate of a key whose handler may have done something. With Rerun
// the key is released at once, as the handler runs again anyway.
func (c *config) inDoubt() fate {
	if c.timeout == Rerun {
		return release
	}
	return unknown
}

// timedOut reports whether err is a timeout or a cancellation: the operation may
// still have happened.
func timedOut(err error) bool {
	var slow interface{ Timeout() bool }
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		guard.KindOf(err) == guard.Timeout || errors.As(err, &slow) && slow.Timeout()
}

// Keep is the default of [StoreWhen]. It keeps HTTP answers from 2xx to 4xx, except
// those that ask the caller to try again: 408, 409, 423, 425 and 429. It keeps
// all other answers, except a partial failure of a batch, since the failed part is
// delivered again.
func Keep(status int, answer []byte) bool {
	switch status {
	case 0:
		var batch struct {
			Failures []json.RawMessage `json:"batchItemFailures"`
		}
		return json.Unmarshal(answer, &batch) != nil || len(batch.Failures) == 0
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusLocked, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	default:
		return status >= 200 && status < 500
	}
}
