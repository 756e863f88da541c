package order

import (
	"context"
	"os"
	"slices"
	"sync/atomic"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// Moment is when a hook is called.
type Moment int

const (
	Restored Moment = iota // the process was restored from a snapshot
	Shutdown               // the process is about to end
)

// Hook is a function that is called at a moment in the life of the process.
type Hook struct {
	at      Moment
	call    func(context.Context) error
	waiting atomic.Bool // the process is or will be restored, and has not called it
}

// NewHook returns a hook. The handlers of one hook share it: it is called once.
func NewHook(at Moment, call func(context.Context) error) *Hook {
	h := &Hook{at: at, call: call}
	h.waiting.Store(at == Restored && SnapStart())
	return h
}

// SnapStart reports whether the process is part of a snapshot, or restored from it.
//
// https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-custom.html
func SnapStart() bool { return os.Getenv("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start" }

// Call calls the function.
func (h *Hook) Call(ctx context.Context) error {
	h.waiting.Store(false)
	return h.call(ctx)
}

var errNotRestored = reason.New("guard: the hooks of a restored snapshot were not called: " +
	"start the function with guard.Start, and name a handler that calls others by layer.NamedHandler")

// isDue reports whether an invocation has come before the hook was called. An
// invocation of the program itself, to fill caches before the snapshot, does not
// count: it has no [lambdacontext.LambdaContext].
func (h *Hook) isDue(ctx context.Context) bool {
	if !h.waiting.Load() {
		return false
	}
	_, ok := lambdacontext.FromContext(ctx)
	return ok
}

// WithHook returns h with a hook, which is called before those of the handlers
// inside if it is for [Restored], and after them if it is for [Shutdown].
func WithHook(h lambda.Handler, hook *Hook) *Named {
	n := &Named{next: h, hooks: []*Hook{hook}, own: []*Hook{hook}}
	if known, ok := h.(*Named); ok { // in its place, so that an invocation takes no step more
		n.next, n.inside, n.warnings = known.next, known.inside, known.warnings
		n.addHooks(known.hooks)
		n.own = append(n.own, known.own...)
	}
	return n
}

// Around returns outer, a layer around inner, with the hooks of both.
func Around(outer, inner lambda.Handler) lambda.Handler {
	known, ok := inner.(*Named)
	if !ok {
		return outer
	}
	n := &Named{next: outer}
	if named, ok := outer.(*Named); ok {
		n.inside, n.warnings = named.inside, named.warnings
		n.addHooks(named.hooks)
	}
	found := len(n.hooks)
	if n.addHooks(known.hooks); len(n.hooks) == found {
		return outer
	}
	return n
}

func (n *Named) addHooks(hooks []*Hook) {
	for _, hook := range hooks {
		if !slices.Contains(n.hooks, hook) {
			n.hooks = append(n.hooks, hook)
		}
	}
}

// Hooks returns the hooks of h and of the handlers inside it, in the order in which
// they are called.
func Hooks(h lambda.Handler, at Moment) []*Hook {
	n, ok := h.(*Named)
	if !ok {
		return nil
	}
	hooks := slices.DeleteFunc(slices.Clone(n.hooks), func(hook *Hook) bool { return hook.at != at })
	if at == Shutdown {
		slices.Reverse(hooks)
	}
	return hooks
}
