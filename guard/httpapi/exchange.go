package httpapi

import (
	"context"
	"sync"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/internal/answer"
	"github.com/lambdarmor/lambdarmor/internal/invocation"
)

// exchange is shared by the layers of this package during one request. It has the
// request, read once, and the decorators of its response. It is itself a context,
// which saves an allocation.
type exchange struct {
	context.Context
	event *guard.Event
	outer *exchange // of the event that a layer has rewritten; nil for most

	mu         sync.Mutex
	read       Request
	req        *Request    // read, or what Routes made of it; nil until it is read
	decorators []decorator // of the outermost exchange; appended to, never changed
	encoded    []byte      // the last answer that was made here
}

// decorator adds headers to a response before it is encoded.
type decorator interface {
	decorate(req *Request, res *answer.Answer)
}

// decorating returns a layer that applies a decorator to every response from inside
// it. An answer to a WebSocket's message has no headers.
func decorating(name string, d decorator) guard.Middleware {
	return layer.Named(name, func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			ctx, x := enter(ctx, payload)
			x.decorateWith(d)
			return x.decorated(next.Invoke(ctx, payload))
		})
	})
}

// decorated returns the answer of an inner handler once it has passed the
// decorators. Errors, and answers that are no HTTP responses, stay as they are.
func (x *exchange) decorated(out []byte, err error) ([]byte, error) {
	if trigger := x.event.Trigger(); err != nil || !answersHTTP(trigger) || trigger == guard.WebSocket {
		return out, err
	}
	return x.finish(out)
}

type exchangeKey struct{}

func (x *exchange) Value(key any) any {
	if key == (exchangeKey{}) {
		return x
	}
	return x.Context.Value(key)
}

func exchangeOf(ctx context.Context) *exchange {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	return x
}

// enter returns the exchange that ctx belongs to, and makes one for the first
// layer that asks. A rewritten event has its own, with the decorators of the first.
func enter(ctx context.Context, payload []byte) (context.Context, *exchange) {
	outer := exchangeOf(ctx)
	event := guard.EventOf(ctx, payload)
	if outer != nil && outer.event == event {
		return ctx, outer
	}
	x := &exchange{Context: ctx, event: event, outer: outer}
	return x, x
}

// decorateWith adds a layer's decorator. A layer that is called again adds it again,
// which makes no difference to a response.
func (x *exchange) decorateWith(d decorator) {
	first := x.outermost()
	first.mu.Lock()
	defer first.mu.Unlock()
	first.decorators = append(first.decorators, d)
}

func (x *exchange) allDecorators() []decorator {
	first := x.outermost()
	first.mu.Lock()
	defer first.mu.Unlock()
	return first.decorators
}

func (x *exchange) outermost() *exchange {
	for x.outer != nil {
		x = x.outer
	}
	return x
}

// request returns the request, which is read on first use.
func (x *exchange) request() (*Request, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.req == nil {
		in, err := x.event.Request()
		if err != nil {
			return nil, err
		}
		x.read = newRequest(x.event, in)
		x.req = &x.read
	}
	return x.req, nil
}

func (x *exchange) setRequest(req *Request) {
	x.mu.Lock()
	x.req = req
	x.mu.Unlock()
}

// asked returns the request, or the readable part of a refused one, for the form of
// the answer.
func (x *exchange) asked() *Request {
	if req, err := x.request(); err == nil {
		return req
	}
	in, _ := x.event.Request()
	refused := newRequest(x.event, in)
	return &refused
}

// answer decorates a response and encodes it in the form that the request asks for.
func (x *exchange) answer(res *answer.Answer) ([]byte, error) {
	req := x.asked()
	for _, d := range x.allDecorators() {
		d.decorate(req, res)
	}
	out, err := encode(res, answer.FormOf(req.in))
	if err != nil {
		return nil, err
	}
	x.mu.Lock()
	x.encoded = out
	x.mu.Unlock()
	if inv := invocation.Of(x); inv != nil {
		inv.Update(func(f *invocation.Facts) { f.Answer, f.Status = out, res.Status })
	}
	return out, nil
}

// finish returns the answer of an inner handler once it has passed the decorators.
// One that was not made here is read and written again.
func (x *exchange) finish(out []byte) ([]byte, error) {
	if x.made(out) {
		return out, nil
	}
	res, err := answer.Read(out, answer.FormOf(x.asked().in))
	if err != nil {
		return nil, invalidResponse("%w", err)
	}
	return x.answer(res)
}

// made reports whether an answer was encoded here. It compares addresses, not
// bytes.
func (x *exchange) made(out []byte) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(out) > 0 && len(out) == len(x.encoded) && &out[0] == &x.encoded[0]
}
