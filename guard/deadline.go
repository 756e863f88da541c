package guard

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

// DeadlineOption changes [Deadline].
type DeadlineOption func(*deadline)

// MinRemaining sets how much time a handler must have at its start, 10 ms when
// it is not set. With less it is not called.
func MinRemaining(d time.Duration) DeadlineOption {
	return func(dl *deadline) { dl.minimum = d }
}

// KeepLateAnswers passes on what a handler returns without an error after its
// time: a caller that has waited so long may still want it.
func KeepLateAnswers() DeadlineOption {
	return func(dl *deadline) { dl.keepLate = true }
}

type deadline struct {
	reserve  time.Duration
	minimum  time.Duration
	keepLate bool
}

// Deadline ends the context of what is inside it reserve before Lambda ends
// the invocation, so that there is time left to answer and to log. A handler
// that overran gets a Timeout for an answer, also when it returned a value
// late. Where less than a minimum is left at the start, the answer is
// Unavailable and the handler is not called.
//
// The layer waits for the handler: Go cannot stop a goroutine, and one that is
// left behind would go on in the next invocation. A handler that ignores its
// context is stopped by Lambda.
//
// Without a deadline, or with one at the beginning of time, as some emulators
// send, the handler has no limit of time.
func Deadline(reserve time.Duration, opts ...DeadlineOption) Middleware {
	if reserve < 0 {
		panic("guard: Deadline with a negative reserve")
	}
	dl := deadline{reserve: reserve, minimum: 10 * time.Millisecond}
	for _, opt := range opts {
		opt(&dl)
	}
	return named("guard.Deadline", func(next lambda.Handler) lambda.Handler {
		return HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			return dl.invoke(ctx, next, payload)
		})
	})
}

func (dl *deadline) invoke(ctx context.Context, next lambda.Handler, payload []byte) ([]byte, error) {
	end, ok := ctx.Deadline()
	if !ok {
		return next.Invoke(ctx, payload)
	}
	if end.UnixMilli() <= 0 {
		return next.Invoke(context.WithoutCancel(ctx), payload)
	}
	end = end.Add(-dl.reserve)
	if time.Until(end) < dl.minimum {
		return nil, &Error{Kind: Unavailable, Code: "no_time_left", Detail: "There was not enough time left to begin."}
	}
	inner, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	out, err := next.Invoke(inner, payload)
	if !errors.Is(inner.Err(), context.DeadlineExceeded) || Panicked(err) || err == nil && dl.keepLate {
		return out, err
	}
	if err == nil {
		err = Reason("it returned a value after its time")
	}
	return nil, &Error{Kind: Timeout, Code: "timeout", Detail: "There was not enough time to finish.", Err: fmt.Errorf("%w: %w", Reason("guard: the handler overran"), err)}
}
