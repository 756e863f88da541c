// Package invocationctx finds the context of a whole invocation: what serves
// all of it is not to end with the part that happened to begin it.
package invocationctx

import "context"

// Key is the key for which the context of an invocation has as its value the
// context that the runtime gave: it ends with the invocation.
type Key struct{}

// Of returns the context of the invocation that ctx belongs to. Outside an
// invocation, and where ctx was detached from one that is over, it returns a
// context that never ends.
func Of(ctx context.Context) context.Context {
	outer, _ := ctx.Value(Key{}).(context.Context)
	if outer == nil || outer.Err() != nil && ctx.Err() == nil {
		return context.Background()
	}
	return outer
}
