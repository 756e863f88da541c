// Package layer is for authors of layers: it names a layer, so that chains check
// its order, and sets the principal, route and error of an invocation.
//
// A layer needs none of it to work: any func(lambda.Handler) lambda.Handler is
// one. Outside an invocation the setters do nothing.
package layer

import (
	"context"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/invocation"
	"github.com/lambdarmor/lambdarmor/internal/order"
)

// Named sets the name of a layer for the rules of order, which docs/order.md lists.
// Building a chain panics if its order breaks a rule. A name without a rule has no
// effect.
//
// A layer that holds something from one invocation to the next, such as a token, is
// listed in a [guard.Chain] with a [guard.OnRestore] that drops it.
func Named(name string, m guard.Middleware) guard.Middleware {
	return func(next lambda.Handler) lambda.Handler {
		return order.New(name, m(next), next)
	}
}

// NamedHandler is [Named] for the handler at the centre of a chain. inside are
// the handlers that it calls in turn, whose hooks [guard.Start] then finds.
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

// SetError sets the error in the record of the invocation. Call it in a layer that
// turns an error into an answer, because that error does not leave the chain. The
// last one set is recorded. In the context of a record of a batch, use [LogError]:
// the record of the invocation has nothing of it. A [messages.InvokeResponse_Error],
// which is an answer for the platform, does not replace the error that it was made
// from. An error that panics when it is unwrapped does so in SetError.
//
// [messages.InvokeResponse_Error]: https://pkg.go.dev/github.com/aws/aws-lambda-go/lambda/messages#InvokeResponse_Error
func SetError(ctx context.Context, err error) {
	if inv := invocation.Of(ctx); inv != nil {
		_ = guard.KindOf(err) // the layers that report it stand outside of guard.Recover
		inv.SetError(err)
	}
}

// LogError writes a record about an error that does not leave the chain, such as
// the failure of one record of a batch. The error and the level are those that
// [guard.Log] would log. It also has what [guard.AddAttrs] added so far: in the
// context of a record of a batch, for that record. Of two attributes with one key,
// that of attrs counts. Without guard.Log nothing is written.
func LogError(ctx context.Context, message string, err error, attrs ...slog.Attr) {
	inv := invocation.Of(ctx)
	if inv == nil {
		return
	}
	if write := inv.Whole().Facts().LogError; write != nil {
		write(ctx, message, err, attrs)
	}
}

// InvocationDeadline returns when Lambda ends the invocation of ctx, however
// early ctx itself ends. Outside an invocation it returns the deadline of ctx. ok
// is false if there is none, or one of 1970, which some emulators send.
func InvocationDeadline(ctx context.Context) (end time.Time, ok bool) {
	if inv := invocation.Of(ctx); inv != nil {
		ctx = inv.Whole().Context
	}
	if end, ok = ctx.Deadline(); !ok || end.UnixMilli() <= 0 {
		return time.Time{}, false
	}
	return end, true
}
