package httpapi

import (
	"context"
	"slices"
	"sync"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/answer"
)

// exchange is what the layers of this package share during one request: the
// request, read once, and what each of them adds to the response, whichever
// layer ends up making it. It is a context of its own, see guard's invocation.
type exchange struct {
	context.Context
	event  *guard.Event
	layers *decorators // own, or those of the exchange outside
	own    decorators

	first Request
	query query

	mu        sync.Mutex
	req       *Request // &first, or what Routes has made of it
	encoded   []byte   // the last answer that was made here, decorated
	decorated int      // how many decorators it has been through
}

// decorators are the layers that add to the response. An exchange of a
// rewritten event has those of the first: whichever of the two makes the
// response, it passes all of them.
type decorators struct {
	mu  sync.Mutex
	all []decorator // appended to, never changed
}

// add has a layer's decorator once, however often the layer calls what is
// inside it.
func (d *decorators) add(one decorator) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.Contains(d.all, one) {
		d.all = append(d.all, one)
	}
}

func (d *decorators) list() []decorator {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.all
}

// decorator adds headers to a response before it is encoded.
type decorator interface {
	decorate(req *Request, res *answer.Answer)
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

// enter gives the exchange that ctx belongs to, a new one for the first layer
// that asks.
func enter(ctx context.Context, payload []byte) (context.Context, *exchange) {
	outer := exchangeOf(ctx)
	if outer != nil && same(outer.event.Raw(), payload) {
		return ctx, outer
	}
	x := &exchange{Context: ctx, event: guard.EventOf(ctx, payload)}
	if outer != nil { // a layer between has rewritten the event
		x.layers = outer.layers
	} else {
		x.layers = &x.own
	}
	return x, x
}

// same reports whether two slices are one.
func same(a, b []byte) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// request reads the request on first use.
func (x *exchange) request() (*Request, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.req == nil {
		in, err := x.event.Request()
		if err != nil {
			return nil, err
		}
		x.first.query = &x.query
		x.first.read(x.event, in)
		x.req = &x.first
	}
	return x.req, nil
}

func (x *exchange) setRequest(req *Request) {
	x.mu.Lock()
	x.req = req
	x.mu.Unlock()
}

// asked is the request, or what can be seen of one that was refused: enough to
// answer it.
func (x *exchange) asked() *Request {
	req, err := x.request()
	if err == nil {
		return req
	}
	in, _ := x.event.Request()
	refused := new(Request)
	refused.read(x.event, in)
	return refused
}

// answer decorates res and encodes it in the form that the request asks for.
func (x *exchange) answer(res *answer.Answer) ([]byte, error) {
	req := x.asked()
	decorators := x.layers.list()
	for _, d := range decorators {
		d.decorate(req, res)
	}
	out, err := encode(res, answer.FormOf(req.in))
	if err != nil {
		return nil, err
	}
	x.mu.Lock()
	x.encoded, x.decorated = out, len(decorators)
	x.mu.Unlock()
	answer.Report(x, out, res.Status)
	return out, nil
}

// finish makes sure that out, the answer of an inner handler, has been through
// every decorator: it has when it was made here, and is opened when a handler
// of someone else's made it.
func (x *exchange) finish(out []byte) ([]byte, error) {
	all := len(x.layers.list())
	x.mu.Lock()
	done := len(out) > 0 && same(x.encoded, out) && x.decorated == all
	x.mu.Unlock()
	if done {
		return out, nil
	}
	res, err := answer.Read(out, answer.FormOf(x.asked().in))
	if err != nil {
		return nil, invalidResponse("%w", err)
	}
	return x.answer(res)
}
