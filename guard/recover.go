package guard

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"runtime/debug"

	"github.com/aws/aws-lambda-go/lambda"
)

// Recover turns a panic of the handler, or a call of [runtime.Goexit], into an
// Internal error with code "panic". The process lives on; aws-lambda-go alone
// would report the panic's text to the caller and end the process. The value
// and the stack are for [Log]; the error's text has neither.
//
// An error that panics when it is unwrapped, as a nil *[fs.PathError] does that
// became an error by accident, is such a panic as well.
//
// A panic says that the handler stopped somewhere: unlike after an error, it
// is not known what it did. [Panicked] tells the two apart.
//
// A goroutine that the handler started is out of reach, and so is what the Go
// runtime ends a process for: concurrent map writes, exhausted memory or stack,
// and here also a handler that ends with its thread locked by
// [runtime.LockOSThread], or calls Goexit on a thread that whoever invokes it
// has locked.
func Recover() Middleware {
	return Named("guard.Recover", func(next lambda.Handler) lambda.Handler {
		return HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			var a outcome
			// Goexit cannot be undone on the goroutine that calls it, and the one
			// that we are on belongs to the runtime's loop. A coroutine is a
			// goroutine that is switched to: another one would be scheduled, and
			// that costs as much as all other layers together.
			run, end := iter.Pull(func(suspend func(struct{}) bool) {
				a.run(ctx, next, payload, suspend)
			})
			if _, exiting := run(); exiting {
				go end() // exits as well: it takes over the Goexit
			}
			return a.out, a.err
		})
	})
}

type outcome struct {
	out []byte
	err error
}

// run calls next. A Goexit that ends it is suspended halfway: resumed, it would
// go on to the goroutine that waits for the answer.
func (a *outcome) run(ctx context.Context, next lambda.Handler, payload []byte, suspend func(struct{}) bool) {
	returned := false
	defer func() {
		if returned {
			return
		}
		value := recover()
		a.out, a.err = nil, panicked(value)
		if value == nil {
			suspend(struct{}{})
		}
	}()
	growStack()
	a.out, a.err = next.Invoke(ctx, payload)
	if a.err != nil {
		ask(a.err)
	}
	returned = true
}

// ask looks through all of an error, as layers further out do where nobody
// recovers, for something that is in none.
func ask(err error) {
	_ = errors.As(err, new(absent)) || errors.Is(err, absent{})
}

type absent struct{}

func (absent) Error() string { return "" }

// growStack grows the stack of a fresh coroutine once, to what a handler that
// decodes JSON needs, instead of step by step with a copy at each.
//
//go:noinline
func growStack() {
	var room [12 << 10]byte
	touch(&room)
}

//go:noinline
func touch(room *[12 << 10]byte) { room[0] = 1 }

// panicError is a panic. Its text leaves the value out, which may be made of
// anything, the payload included.
type panicError struct {
	value any // nil after runtime.Goexit
	stack []byte
}

// seen reports whether there is a value to show.
func (p *panicError) seen() bool { return p.value != nil && p.value != unseen{} }

// unseen stands for the value of a panic that was seen and not recovered.
type unseen struct{}

func panicked(value any) error {
	return &Error{Kind: Internal, Code: "panic", Err: &panicError{value: value, stack: debug.Stack()}}
}

func (p *panicError) Error() string {
	switch value := p.value.(type) {
	case nil:
		return "the handler called runtime.Goexit"
	case unseen:
		return "the handler panicked or called runtime.Goexit"
	case runtime.Error: // written by the Go runtime, of types and numbers alone
		return "the handler panicked: " + value.Error()
	default:
		return fmt.Sprintf("the handler panicked with a %T", value)
	}
}

// Panicked reports whether err stems from a panic that [Recover] caught: the
// outcome of the handler is then unknown.
func Panicked(err error) bool {
	_, ok := panicOf(err)
	return ok
}

func panicOf(err error) (*panicError, bool) {
	var p *panicError
	ok := errors.As(err, &p)
	return p, ok
}
