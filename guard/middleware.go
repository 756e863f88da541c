package guard

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

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
// A handler of [lambda.NewHandler] may stand inside: its Invoke alone would
// give its answers away before a layer has read them, so that a function that
// serves several invocations at once mixed them up. Chain calls it in another
// way. A third party's wrapper around such a handler is not told apart.
func Chain(layers ...Middleware) Middleware {
	return func(next lambda.Handler) lambda.Handler {
		next = reflected.Handler(next)
		for i := len(layers) - 1; i >= 0; i-- {
			if layers[i] != nil {
				next = layers[i](next)
			}
		}
		return next
	}
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
	w := &named{next: Chain(layers...)(h)}
	w.inside, w.unwise = layersOf(w.next)
	return w
}

// Start wraps h with layers, as [Wrap] does, and hands it to the Lambda
// runtime. It never returns.
func Start(h lambda.Handler, layers ...Middleware) {
	lambda.Start(Wrap(h, layers...))
}
