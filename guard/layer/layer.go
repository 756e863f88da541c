// Package layer is for authors of layers: it names a layer, so that chains check
// its order, and sets the principal, route and error of an invocation.
//
// A layer needs none of it to work: any func(lambda.Handler) lambda.Handler is
// one. Outside an invocation the setters do nothing.
package layer

import (
	"context"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/invocation"
	"github.com/lambdarmor/lambdarmor/internal/order"
)

// Named gives a layer the name by which the rules for the order of a chain know
// it; docs/order.md lists them. A chain panics as it is built if the layer stands
// outside one that has to be outside of it. A name that no rule knows changes
// nothing.
func Named(name string, m guard.Middleware) guard.Middleware {
	return func(next lambda.Handler) lambda.Handler {
		return order.New(name, m(next), next)
	}
}

// NamedHandler is [Named] for the handler at the centre of a chain. inside are
// the handlers that it calls in turn.
func NamedHandler(name string, h lambda.Handler, inside ...lambda.Handler) lambda.Handler {
	return order.New(name, h, inside...)
}

// SetRoute sets the route in the record of the invocation: a pattern like
// "GET /orders/{id}", never a path with values in it. Without one the record has
// the route key of the gateway.
func SetRoute(ctx context.Context, pattern string) {
	if inv := invocation.Of(ctx); inv != nil {
		inv.Update(func(f *invocation.Facts) { f.Route = pattern })
	}
}

// SetError sets the error in the record of the invocation. A layer that turns an
// error into an answer calls it, because that error does not leave the chain. The
// last one set is recorded. An error that is itself an answer for the platform, a
// [messages.InvokeResponse_Error], does not replace the one that it was made of.
//
// [messages.InvokeResponse_Error]: https://pkg.go.dev/github.com/aws/aws-lambda-go/lambda/messages#InvokeResponse_Error
func SetError(ctx context.Context, err error) {
	if inv := invocation.Of(ctx); inv != nil {
		inv.SetError(err)
	}
}

// InvocationDeadline returns when Lambda ends the invocation of ctx, however
// early ctx itself ends. Outside an invocation it returns the deadline of ctx. ok
// is false if there is none.
func InvocationDeadline(ctx context.Context) (end time.Time, ok bool) {
	if inv := invocation.Of(ctx); inv != nil {
		ctx = inv.Context
	}
	return ctx.Deadline()
}
