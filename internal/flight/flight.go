// Package flight makes one call for all who want what it brings. It starts
// nothing that outlives the call.
package flight

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"
)

// A Flight is one call, in a goroutine of its own, so that each of those who
// wait for it can leave with its own context. What the call brings it stores
// where they look for it, before it returns.
type Flight struct {
	cancel context.CancelCauseFunc
	done   chan struct{}
	err    error // of the call; set before done is closed

	mu      sync.Mutex
	aboard  int           // lives that have not ended
	over    bool          // the last of them has, or the call
	release []func() bool // what watches the lives
}

// ErrEnded is the error of a call that has panicked or ended its goroutine.
var ErrEnded = errors.New("the call did not return")

// Start makes a call whose context has the values of ctx. It ends after
// timeout, with [context.DeadlineExceeded] as its cause, or when all lives that
// are aboard have ended, with the error of the last one. life is the first to
// board.
func Start(ctx, life context.Context, timeout time.Duration, call func(ctx context.Context) error) *Flight {
	timed, stop := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	ctx, cancel := context.WithCancelCause(timed)
	f := &Flight{cancel: cancel, done: make(chan struct{}), err: ErrEnded}
	f.Board(life)
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
	return f
}

// panicked describes what a call has panicked with. Only the runtime's own text
// is sure to have nothing of what the call was about.
func panicked(r any) string {
	if e, ok := r.(runtime.Error); ok {
		return e.Error()
	}
	return fmt.Sprintf("a panic with a %T", r)
}

// Board keeps the call alive until life ends. It reports false if it is too late:
// the call is over, or was given up.
func (f *Flight) Board(life context.Context) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over {
		return false
	}
	f.aboard++
	f.release = append(f.release, context.AfterFunc(life, func() { f.leave(life.Err()) }))
	return true
}

// leave ends a life. Without any the call is given up.
func (f *Flight) leave(why error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.aboard--; f.aboard == 0 && !f.over {
		f.over = true
		f.cancel(why)
	}
}

// land ends the watch over lives.
func (f *Flight) land() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.over = true
	for _, release := range f.release {
		release()
	}
	f.cancel(nil)
}

// Wait waits for the call, and reports false if ctx ends before.
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

// Err is the error that the call returned. It waits for the call.
func (f *Flight) Err() error {
	<-f.done
	return f.err
}
