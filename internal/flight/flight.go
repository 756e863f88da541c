// Package flight shares one call between all callers that need the same value, and
// delays the next call after failures or too many calls. Nothing runs between
// calls.
package flight

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// A Flight is one call in a goroutine of its own, so that each waiter can leave
// with its own context. The call has to store its result before it returns.
type Flight struct {
	cancel context.CancelCauseFunc
	done   chan struct{}
	err    error // of the call; set before done is closed

	mu      sync.Mutex
	aboard  int           // lives that have not ended
	over    bool          // the call has returned or was cancelled
	release []func() bool // stops watching each life
}

// ErrEnded is the error of a call that panicked or ended its goroutine.
var ErrEnded = reason.New("the call did not return")

// Start makes a call whose context has the values of ctx. That context ends
// after timeout with [context.DeadlineExceeded] as its cause, or when all lives
// aboard have ended, with the error of the last one as its cause. life is the
// first aboard; leave is what Board returns for it.
func Start(ctx, life context.Context, timeout time.Duration, call func(ctx context.Context) error) (f *Flight, leave func()) {
	timed, stop := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	ctx, cancel := context.WithCancelCause(timed)
	f = &Flight{cancel: cancel, done: make(chan struct{}), err: ErrEnded}
	leave = f.Board(life)
	go func() {
		defer close(f.done)
		defer stop()
		defer f.land()
		defer func() {
			if r := recover(); r != nil {
				f.err = fmt.Errorf("%w: %s", ErrEnded, panicked(r))
			}
		}()
		f.err = call(ctx)
	}()
	return f, leave
}

// panicked describes a panic. Only the runtime's own text is sure to hold no
// secret.
func panicked(r any) string {
	if e, ok := r.(runtime.Error); ok {
		return e.Error()
	}
	return fmt.Sprintf("a panic with a %T", r)
}

// Board keeps the call alive until life ends. It returns nil if the call is over or
// was cancelled. Otherwise leave may be called once life has ended: if nobody else
// is aboard, it waits for the call to end.
func (f *Flight) Board(life context.Context) (leave func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over {
		return nil
	}
	f.aboard++
	end := sync.OnceValue(func() bool { return f.end(life.Err()) })
	f.release = append(f.release, context.AfterFunc(life, func() { end() }))
	return func() {
		if gaveUp := end(); gaveUp {
			<-f.done
		}
	}
}

// end ends a life. If it was the last one, end cancels the call and returns true.
func (f *Flight) end(why error) (gaveUp bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.aboard--
	if f.aboard > 0 {
		return false
	}
	f.over = true
	f.cancel(why)
	return true
}

// Aboard returns how many lives keep the call alive.
func (f *Flight) Aboard() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.aboard
}

// land stops watching the lives.
func (f *Flight) land() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.over = true
	for _, release := range f.release {
		release()
	}
	f.cancel(nil)
}

// Wait waits for the call and reports whether it ended before ctx.
func (f *Flight) Wait(ctx context.Context) bool {
	select {
	case <-f.done:
		return true
	default:
	}
	select {
	case <-f.done:
		return true
	case <-ctx.Done():
		return false
	}
}

// Err waits for the call and returns its error.
func (f *Flight) Err() error {
	<-f.done
	return f.err
}
