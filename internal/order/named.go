package order

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/internal/invocation"
)

// Named is a handler that knows the layers inside it. It begins the invocation if
// no outer handler has, so that a chain without guard.Wrap is as safe.
type Named struct {
	next     lambda.Handler
	inside   []string // names, its own first
	warnings []string
	hooks    []*Hook // its own and those inside, outermost first
	own      []*Hook // those that were added to this handler
	warm     atomic.Bool
}

// New names a handler that calls the handlers in inside. It panics if the order
// of the layers is unsafe.
func New(name string, h lambda.Handler, inside ...lambda.Handler) *Named {
	n := &Named{next: h, inside: []string{name}}
	if known, ok := h.(*Named); ok {
		n.addHooks(known.hooks)
	}
	for _, next := range inside {
		if known, ok := next.(*Named); ok {
			n.inside = append(n.inside, known.inside...)
			n.warnings = append(n.warnings, known.warnings...)
			n.addHooks(known.hooks)
		}
	}
	for _, r := range rules {
		switch {
		case r.unless == name: // from here outwards the rule is met
			n.inside = slices.DeleteFunc(n.inside, func(inner string) bool { return inner == r.Inner })
		case r.Outer != name || !slices.Contains(n.inside[1:], r.Inner):
		case r.Unsafe:
			panic("guard: " + r.String())
		default:
			n.warnings = append(n.warnings, r.String())
		}
	}
	return n
}

// Holds reports whether a handler of this name is h or stands inside it, as far as
// its layers are named.
func Holds(h lambda.Handler, name string) bool {
	n, ok := h.(*Named)
	return ok && slices.Contains(n.inside, name)
}

// Warn adds a warning to the warnings of the chain.
func (n *Named) Warn(text string) { n.warnings = append(n.warnings, text) }

// Warnings returns the warnings for this layer and the layers inside it.
func (n *Named) Warnings() []string { return n.warnings }

// Invoke calls the handler within an invocation.
func (n *Named) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	for _, hook := range n.own {
		if hook.isDue(ctx) {
			return nil, errNotRestored
		}
	}
	if invocation.Of(ctx) == nil {
		// Load before Swap: the flag is written once and read by all cores.
		first := !n.warm.Load() && !n.warm.Swap(true)
		ctx = invocation.Begin(ctx, payload, first, n.warnings)
	}
	return n.next.Invoke(ctx, payload)
}
