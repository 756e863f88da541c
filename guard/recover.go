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

// Recover turns a panic of the handler into an Internal error with code "panic",
// and the process goes on. aws-lambda-go alone would report the panic's text to the
// caller and end the process. The error has a [*PanicError] in its chain, with the
// stack for [Log]. Its text never has the value of the panic.
//
// An error that panics when it is unwrapped, such as a typed-nil *[fs.PathError],
// counts as a panic too.
//
// After a panic the outcome of the handler is unknown. [Panicked] reports whether
// an error stems from one.
//
// Recover cannot reach a goroutine that the handler started, nor fatal errors of
// the Go runtime: concurrent map writes, exhausted memory or stack.
// [runtime.Goexit] cannot be undone either. Log records it; then it ends the
// goroutine and, if that is the runtime's own, the process.
func Recover() Middleware {
	return named("guard.Recover", func(next lambda.Handler) lambda.Handler {
		return HandlerFunc(func(ctx context.Context, payload []byte) (out []byte, err error) {
			returned := false
			defer func() {
				if value := recover(); !returned { // the value of a panic can be nil
					out, err = nil, panicked(value)
				}
			}()
			out, err = next.Invoke(ctx, payload)
			askFor(err)
			returned = true
			return out, err
		})
	})
}

// askFor unwraps all of an error, as outer layers do later, so that a panic in it
// happens here.
func askFor(err error) {
	_ = errors.As(err, new(absent)) || errors.Is(err, absent{})
}

type absent struct{}

func (absent) Error() string { return "" }

// PanicError is a panic that [Recover] caught or that [Log] recorded. [errors.As]
// finds it in what Recover returns. Its text has the type of the panic's value,
// and not the value: that may hold anything, even the payload. For a panic of the
// Go runtime it is the runtime's text.
type PanicError struct {
	value any // nil after runtime.Goexit
	stack []byte
	calls []uintptr
}

// Value returns what the handler panicked with, nil if it called runtime.Goexit.
func (p *PanicError) Value() any { return p.value }

// Stack returns the stack of the goroutine that panicked, as [debug.Stack]
// formats it: function names, files and lines, and no values except the words
// that arguments were passed in.
func (p *PanicError) Stack() []byte { return p.stack }

// StackTrace returns the same stack as program counters, for [runtime.CallersFrames].
// Error reporters look for a method of this name: Sentry's and New Relic's do.
func (p *PanicError) StackTrace() []uintptr { return p.calls }

func (p *PanicError) Error() string {
	if p.value == nil {
		return "the handler called runtime.Goexit"
	}
	if text, ok := runtimeText(p.value); ok {
		return "the handler panicked: " + text
	}
	return fmt.Sprintf("the handler panicked with a %T", p.value)
}

// runtimeText returns the text of an error that the Go runtime wrote, which has
// types and numbers in it and nothing else.
func runtimeText(value any) (string, bool) {
	err, ok := value.(runtime.Error)
	if !ok {
		return "", false
	}
	t := reflect.TypeOf(value)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.PkgPath() != "runtime" { // anyone can implement the interface
		return "", false
	}
	return err.Error(), true
}

// panicked returns the error of a panic. A nil value means a Goexit. It must be
// called before the stack of the panic is unwound.
func panicked(value any) error {
	var calls [64]uintptr
	n := runtime.Callers(3, calls[:]) // without this function and the one that defers it
	return &Error{Kind: Internal, Code: "panic", Err: &PanicError{value: value, stack: debug.Stack(), calls: calls[:n:n]}}
}

// Panicked reports whether err stems from a panic that [Recover] caught: the
// outcome of the handler is then unknown.
func Panicked(err error) bool { return panicOf(err) != nil }

// panicOf returns nil if there is no PanicError in err.
func panicOf(err error) *PanicError {
	p, _ := errors.AsType[*PanicError](err)
	return p
}
