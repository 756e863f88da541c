package guard

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"runtime/debug"

	"github.com/aws/aws-lambda-go/lambda"
)

// Recover turns a panic of the handler into an Internal error with code
// "panic", and the process lives on; aws-lambda-go alone would report the
// panic's text to the caller and end the process. The error has a [*PanicError]
// in its chain, with the stack for [Log]. Its text never has the value.
//
// An error that panics when it is unwrapped is such a panic as well. A nil
// *[fs.PathError] that became an error by accident does that.
//
// A panic says that the handler stopped somewhere: unlike after an error, it
// is not known what it did. [Panicked] tells the two apart.
//
// Out of reach are a goroutine that the handler started, and what the Go runtime
// ends a process for: concurrent map writes, exhausted memory or stack. A call
// of [runtime.Goexit] cannot be undone either: Log records it, then it ends the
// goroutine, and with the runtime's own goroutine the process.
func Recover() Middleware {
	return named("guard.Recover", func(next lambda.Handler) lambda.Handler {
		return HandlerFunc(func(ctx context.Context, payload []byte) (out []byte, err error) {
			returned := false
			defer func() {
				if returned {
					return
				}
				p := &PanicError{value: recover(), stack: debug.Stack()}
				out, err = nil, panicked(p)
				if p.value == nil {
					setError(ctx, err) // for Log, as a Goexit goes on and returns nothing
				}
			}()
			out, err = next.Invoke(ctx, payload)
			if err != nil {
				ask(err)
			}
			returned = true
			return out, err
		})
	})
}

// ask looks through all of an error, as layers further out do where nobody
// recovers, for something that is in none.
func ask(err error) {
	_ = errors.As(err, new(absent)) || errors.Is(err, absent{})
}

type absent struct{}

func (absent) Error() string { return "" }

// PanicError is a panic that [Recover] caught, or that [Log] saw go by. It is
// found with [errors.As] in the chain of what Recover returns. Its text has the
// type of the panic's value and not the value, which may be made of anything,
// the payload included. A panic of the Go runtime shows its text.
type PanicError struct {
	value any // nil after runtime.Goexit
	stack []byte
}

// Value returns what the handler panicked with. It is nil if it called
// runtime.Goexit, and if nobody recovered the panic.
func (p *PanicError) Value() any {
	if p.value == (unseen{}) {
		return nil
	}
	return p.value
}

// Stack returns the stack of the goroutine that panicked, as [debug.Stack]
// formats it. It has function names, files and lines, and no values but the
// words that arguments were passed in.
func (p *PanicError) Stack() []byte { return p.stack }

func (p *PanicError) Error() string {
	switch p.value.(type) {
	case nil:
		return "the handler called runtime.Goexit"
	case unseen:
		return "the handler panicked or called runtime.Goexit"
	}
	if text, ok := runtimeText(p.value); ok {
		return "the handler panicked: " + text
	}
	return fmt.Sprintf("the handler panicked with a %T", p.value)
}

// unseen stands for the value of a panic that was seen and not recovered.
type unseen struct{}

// runtimeText returns the text of an error that the Go runtime wrote: it is made
// of types and numbers alone.
func runtimeText(value any) (string, bool) {
	err, ok := value.(runtime.Error)
	if !ok {
		return "", false
	}
	t := reflect.TypeOf(value)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.PkgPath() != "runtime" {
		return "", false // of someone who implements the interface
	}
	return err.Error(), true
}

func panicked(p *PanicError) error {
	return &Error{Kind: Internal, Code: "panic", Err: p}
}

// Panicked reports whether err stems from a panic that [Recover] caught: the
// outcome of the handler is then unknown.
func Panicked(err error) bool {
	_, ok := panicOf(err)
	return ok
}

func panicOf(err error) (*PanicError, bool) {
	var p *PanicError
	ok := errors.As(err, &p)
	return p, ok
}
