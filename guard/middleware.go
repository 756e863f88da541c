package guard

import (
	"context"
	"fmt"
	"log"
	"os"
	"strconv"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/internal/order"
	"github.com/lambdarmor/lambdarmor/internal/reflected"
	"github.com/lambdarmor/lambdarmor/internal/secondline"
)

// Middleware is a layer around a handler. Any func(lambda.Handler) lambda.Handler
// is one, also a third party's.
type Middleware func(next lambda.Handler) lambda.Handler

// HandlerFunc is a function as a [lambda.Handler].
type HandlerFunc func(ctx context.Context, payload []byte) ([]byte, error)

// Invoke calls f.
func (f HandlerFunc) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	return f(ctx, payload)
}

// Chain returns several layers as one. The first is outermost: it sees the event
// first and the answer last. Nil layers are skipped, so that a condition can leave
// a layer out. Building a chain panics if its order is unsafe.
//
// lambda.NewHandler reuses its response buffer too early (aws-lambda-go#639), so
// that a function that serves several invocations at once mixes up answers. Chain
// works around it if such a handler stands at its centre. If a third party's
// wrapper holds one, Chain logs a warning, and panics if
// AWS_LAMBDA_MAX_CONCURRENCY is above 1: pass the wrapper a handler of [Func]
// instead. Chain cannot see into a wrapper that is a function.
func Chain(layers ...Middleware) Middleware {
	return func(next lambda.Handler) lambda.Handler {
		if next = reflected.Handler(next); !isNamed(next) && reflected.Held(next) {
			next = tooEarly(next)
		}
		for i := len(layers) - 1; i >= 0; i-- {
			if layers[i] != nil {
				next = order.Around(layers[i](next), next)
			}
		}
		return next
	}
}

func isNamed(h lambda.Handler) bool {
	_, ok := h.(*order.Named)
	return ok
}

// tooEarly warns of a wrapper around a handler of lambda.NewHandler.
func tooEarly(h lambda.Handler) lambda.Handler {
	what := fmt.Sprintf("a %T holds a handler of lambda.NewHandler, which reuses its buffer before its answer is read; pass it a handler of guard.Func", h)
	if n, err := strconv.Atoi(os.Getenv("AWS_LAMBDA_MAX_CONCURRENCY")); err == nil && n > 1 {
		panic("guard: " + what)
	}
	n := order.New("a third party's wrapper", h)
	n.Warn(what)
	return n
}

// Wrap puts layers around h, the first outermost, and shares one [Event] between
// them for each invocation. A wrapped handler may be wrapped again or be a route
// inside another: the event stays shared. Wrap panics if h is nil.
//
// Without Wrap, the invocation begins in the outermost layer of this module. A
// third party's layer outside of that is not part of it.
func Wrap(h lambda.Handler, layers ...Middleware) lambda.Handler {
	if h == nil {
		panic("guard: Wrap of a nil handler")
	}
	next := Chain(layers...)(h)
	return order.New("guard.Wrap", next, next)
}

// Start wraps h in layers, as [Wrap] does, and starts the Lambda runtime with it.
// It calls the hooks of [OnRestore] and [OnShutdown]; lambda.Start does not. It never
// returns.
//
// aws-lambda-go prints an error that it reports to Lambda, as a line of text by the
// standard logger of package log. Start leaves out that line if [Log] has written
// the record of the invocation, also of a panic. All else is printed as before: an
// error that a layer outside of Log has made, and a failure before the handler is
// called.
func Start(h lambda.Handler, layers ...Middleware) {
	run(started(h, layers, log.Default()))
}

func started(h lambda.Handler, layers []Middleware, l *log.Logger) lambda.Handler {
	next := Wrap(h, layers...)
	return order.New("guard.Start", secondline.Drop(l, next), next)
}

// named sets the name of a layer of this package for the rules of order.
func named(name string, m Middleware) Middleware {
	return func(next lambda.Handler) lambda.Handler {
		return order.New(name, m(next), next)
	}
}
