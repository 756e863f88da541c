package validate

import (
	"context"

	"github.com/lambdarmor/lambdarmor/guard"
)

// Event lets an event through that s accepts, the whole payload as the trigger
// sent it. Events of AWS gain members over time: a schema for one should not
// forbid those it does not know.
func Event(s Schema, opts ...Option) guard.Middleware {
	c := newChecker("Event", s, opts)
	return checking("validate.Event", func(ctx context.Context, payload []byte) error {
		tree, err := guard.EventOf(ctx, payload).Tree()
		if err != nil {
			return err
		}
		return c.check(tree)
	})
}
