package source

import (
	"context"
	"errors"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

// ErrThrottled is the error of an invoker that refuses an invocation as Lambda does with
// TooManyRequestsException, status 429: the function was not called, and the source
// calls it again later.
var ErrThrottled = errors.New("source: the function is throttled")

// ReservedConcurrency returns fn with a reserved concurrency of n: an invocation beyond n
// at once is refused with [ErrThrottled]. With n = 0 an event of package async is given up
// without a try, as Lambda does. It panics if n is negative.
//
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
func ReservedConcurrency(fn guardtest.Invoker, n int) guardtest.Invoker {
	if fn == nil || n < 0 {
		panic("source: ReservedConcurrency needs a function and a number that is not negative")
	}
	return reserved{fn, make(chan struct{}, n)}
}

type reserved struct {
	guardtest.Invoker
	running chan struct{}
}

// Reserved returns the reserved concurrency and the function, for package async.
func (r reserved) Reserved() (n int, fn guardtest.Invoker) { return cap(r.running), r.Invoker }

func (r reserved) Do(ctx context.Context, call guardtest.Call) (guardtest.Result, error) {
	select {
	case r.running <- struct{}{}:
		defer func() { <-r.running }()
		return r.Invoker.Do(ctx, call)
	default:
		return guardtest.Result{RequestID: call.RequestID}, ErrThrottled
	}
}
