package guard

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/aws/aws-lambda-go/lambda"
)

// Order is a rule for two layers of a chain, or for a layer and the handler.
type Order struct {
	Outer  string // the layer that must not stand outside, "idempotency.Once"
	Inner  string // of what
	Why    string // what happens then
	Do     string // what to do about it
	Unsafe bool   // the chain is refused; else it is a warning in the log
	unless string // a layer outside of the inner one that makes it right
}

// String says what the rule asks for.
func (o Order) String() string {
	return fmt.Sprintf("%s stands outside %s: %s; %s", o.Outer, o.Inner, o.Why, o.Do)
}

// first is the rule that inner is to be listed before outer.
func first(inner, outer, why string, unsafe bool) Order {
	return Order{Outer: outer, Inner: inner, Why: why, Unsafe: unsafe, Do: "list " + inner + " before " + outer}
}

// anHTTPHandler is the name of the handlers of package httpapi.
const anHTTPHandler = "httpapi.Func, Routes, Handler, Serve"

// Orders returns the rules that every chain is held to as it is built. An unsafe
// order panics; one that is only unwise is a warning in the log of the first
// invocation. What construction cannot see, as a third party's layer hides what
// is inside it, fails at the first invocation: see [SealPrincipal].
func Orders() []Order {
	const unsafe, unwise = true, false
	return []Order{
		first("authorizer.Require", "idempotency.Once", "a stored answer would go to whoever sends its key", unsafe),
		first("authorizer.FromGateway", "idempotency.Once", "a stored answer would go to whoever sends its key", unsafe),
		first("webhook.Require", "idempotency.Once", "a stored answer would go to whoever sends its key", unsafe),
		{
			Outer: "guard.Errors", Inner: anHTTPHandler, Why: "an HTTP client would get a 502 for every error",
			Do: "use httpapi.Default, or httpapi.Problems in its place", Unsafe: true, unless: "httpapi.Problems",
		},

		{
			Outer: "idempotency.Once", Inner: "idempotency.Once", Why: "a key would be in progress by itself",
			Do: "list it once",
		},
		first("validate.Body", "idempotency.Once", "a request of the wrong form would use up its key", unwise),
		first("validate.Event", "idempotency.Once", "a request of the wrong form would use up its key", unwise),
		first("validate.Parameters", "idempotency.Once", "a request of the wrong form would use up its key", unwise),
		first("httpapi.Problems", "idempotency.Once", "its own errors would leave the chain as errors of the function", unwise),
		first("guard.Errors", "idempotency.Once", "its own errors would leave the chain with their texts", unwise),
		first("httpapi.Problems", "authorizer.Require", "a denial would leave the chain as an error of the function", unwise),
		first("httpapi.CORS", "authorizer.Require", "a preflight carries no credentials and would be denied", unwise),
		first("httpapi.CORS", "authorizer.FromGateway", "a preflight carries no credentials and would be denied", unwise),
		first("guard.Log", "guard.Recover", "the record of a panic would not say what became of it", unwise),
		first("httpapi.Problems", "guard.Recover", "a panic would leave the chain as an error of the function", unwise),
		first("guard.Errors", "guard.Recover", "a panic would leave the chain with its text", unwise),
		first("guard.Recover", "guard.Limit", "a panic while it reads would end the process", unwise),
		first("guard.Recover", "authorizer.Require", "a panic of the check would end the process", unwise),
		first("guard.Log", "idempotency.Once", "the record would not have the replay", unwise),
		first("guard.Log", "httpapi.Problems", "the record would not have the answer", unwise),
		first("guard.Log", "guard.Errors", "the record would not have the error that is reported", unwise),
		first("guard.Log", "guard.Deadline", "there would be no time left to write the record", unwise),
		first("httpapi.Problems", "guard.Deadline", "there would be no time left to answer", unwise),
		first("guard.Limit", "validate.Body", "a body would be read before it is known to be small enough", unwise),
		first("guard.Limit", "authorizer.Require", "a request would be read before it is known to be small enough", unwise),
		first("guard.Limit", "idempotency.Once", "a request would be read before it is known to be small enough", unwise),
	}
}

// Named gives a layer the name by which the rules of [Orders] know it. A chain
// in which it stands outside a layer that has to be outside of it panics as it is
// built, with one sentence that names both. For layers that the rules do not know,
// it does nothing.
func Named(name string, m Middleware) Middleware {
	return func(next lambda.Handler) lambda.Handler {
		return newNamed(name, m(next), next)
	}
}

// NamedHandler is [Named] for the handler at the centre of a chain, with the
// handlers that it calls in turn.
func NamedHandler(name string, h lambda.Handler, inside ...lambda.Handler) lambda.Handler {
	return newNamed(name, h, inside...)
}

// named is a handler that knows which layers stand inside it. It begins the
// invocation where nothing outside of it has: who puts layers around one another
// without [Wrap] is to be as safe.
type named struct {
	next   lambda.Handler
	inside []string // its own name first
	unwise []string // what is to be warned of
	warm   atomic.Bool
}

func (n *named) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	return n.next.Invoke(enter(ctx, payload, n), payload)
}

type naming interface {
	layers() (names, unwise []string)
}

func (n *named) layers() (names, unwise []string) { return n.inside, n.unwise }

// layersOf returns the names of what stands inside h, as far as that is known,
// and what is to be warned of.
func layersOf(h lambda.Handler) (names, unwise []string) {
	if known, ok := h.(naming); ok {
		return known.layers()
	}
	return nil, nil
}

func newNamed(name string, h lambda.Handler, inside ...lambda.Handler) *named {
	n := &named{next: h, inside: []string{name}}
	for _, next := range inside {
		names, unwise := layersOf(next)
		n.inside = append(n.inside, names...)
		n.unwise = append(n.unwise, unwise...)
	}
	for _, o := range Orders() {
		switch {
		case o.unless == name: // what is inside is of no concern further out
			n.inside = slices.DeleteFunc(n.inside, func(inner string) bool { return inner == o.Inner })
		case o.Outer != name || !slices.Contains(n.inside[1:], o.Inner):
		case o.Unsafe:
			panic("guard: " + o.String())
		default:
			n.unwise = append(n.unwise, o.String())
		}
	}
	return n
}
