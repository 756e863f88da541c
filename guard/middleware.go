package guard

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/internal/order"
	"github.com/lambdarmor/lambdarmor/internal/reflected"
)

// Middleware is a layer around a handler. It is a plain function type, so any
// func(lambda.Handler) lambda.Handler, a third party's included, is one.
type Middleware func(next lambda.Handler) lambda.Handler

// HandlerFunc makes a [lambda.Handler] of a function.
type HandlerFunc func(ctx context.Context, payload []byte) ([]byte, error)

// Invoke calls f.
func (f HandlerFunc) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	return f(ctx, payload)
}

// Chain makes one layer of several. The first is outermost: it sees the event
// first and the answer last. Nil layers are skipped, so that a layer can be
// left out by a condition.
//
// lambda.NewHandler reuses its response buffer too early (aws-lambda-go#639), so
// that a function which serves several invocations at once would mix up answers.
// Chain works around it where such a handler stands at its centre. Where a third
// party's wrapper holds one, that is a warning in the log, and Chain panics if
// AWS_LAMBDA_MAX_CONCURRENCY is above 1: hand the wrapper a handler of [Func]
// instead. A wrapper that is a function is not seen through.
func Chain(layers ...Middleware) Middleware {
	return func(next lambda.Handler) lambda.Handler {
		if next = reflected.Handler(next); !isNamed(next) && reflected.Held(next) {
			next = tooEarly(next)
		}
		for i := len(layers) - 1; i >= 0; i-- {
			if layers[i] != nil {
				next = layers[i](next)
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
	what := fmt.Sprintf("a %T holds a handler of lambda.NewHandler, which gives its answers away too early; hand it one of guard.Func", h)
	if n, err := strconv.Atoi(os.Getenv("AWS_LAMBDA_MAX_CONCURRENCY")); err == nil && n > 1 {
		panic("guard: " + what)
	}
	n := order.New("a third party's wrapper", h)
	n.Warn(what)
	return n
}

// Wrap puts layers around h, the first outermost, and shares one [Event]
// between them for as long as an invocation lasts. A wrapped handler may be
// wrapped again or stand as a route inside another: the event stays shared.
// Where layers are put around one another without Wrap, the invocation begins in
// the outermost one of this module, and what a foreign layer further out does is
// not part of it.
func Wrap(h lambda.Handler, layers ...Middleware) lambda.Handler {
	if h == nil {
		panic("guard: Wrap of a nil handler")
	}
	next := Chain(layers...)(h)
	return order.New("guard.Wrap", next, next)
}

// Start wraps h with layers, as [Wrap] does, and hands it to the Lambda
// runtime. It never returns.
func Start(h lambda.Handler, layers ...Middleware) {
	lambda.Start(Wrap(h, layers...))
}

// named gives a layer of this package its name in the rules for order.
func named(name string, m Middleware) Middleware {
	return func(next lambda.Handler) lambda.Handler {
		return order.New(name, m(next), next)
	}
}
