package guard

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/internal/order"
)

// DeadlineOption changes [Deadline].
type DeadlineOption struct{ set func(*deadline) }

// MinRemaining sets how much time a handler must have at its start, 10 ms by
// default. It is not called with less.
func MinRemaining(d time.Duration) DeadlineOption {
	return DeadlineOption{func(dl *deadline) { dl.minimum = d }}
}

// KeepLateAnswers returns the answer of a handler that overran without an error, in
// place of a Timeout.
func KeepLateAnswers() DeadlineOption {
	return DeadlineOption{func(dl *deadline) { dl.keepLate = true }}
}

type deadline struct {
	reserve  time.Duration
	minimum  time.Duration
	keepLate bool
}

// Deadline ends the context of the inner layers before Lambda ends the invocation;
// reserve is the time between. The outer layers use it to answer and to log, so
// list Deadline after them. The error is a Timeout if the handler overran, also if
// it returned a value late. It is Unavailable if too little time is left at the
// start; the handler is then not called. Deadline panics if reserve is negative.
//
// The answer of a handler of package batch counts however late it is: it lists the
// records that failed, and with an error all of them would come again. Deadline does
// not see a batch behind a third party's layer.
//
// Deadline waits for the handler: Go cannot stop a goroutine, and an abandoned one
// would run on in the next invocation. Lambda ends a handler that ignores its
// context.
//
// Some emulators send no deadline, or one of 1970. The handler then has no time
// limit.
func Deadline(reserve time.Duration, opts ...DeadlineOption) Middleware {
	if reserve < 0 {
		panic("guard: Deadline with a negative reserve")
	}
	dl := deadline{reserve: reserve, minimum: 10 * time.Millisecond}
	for _, opt := range opts {
		opt.set(&dl)
	}
	return named("guard.Deadline", func(next lambda.Handler) lambda.Handler {
		dl := dl
		dl.keepLate = dl.keepLate || order.Holds(next, order.BatchHandler)
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
