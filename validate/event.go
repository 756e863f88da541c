package validate

import (
	"context"

	"github.com/lambdarmor/lambdarmor/guard"
)

// Event returns a middleware that validates the whole payload as the trigger
// sent it. Do not forbid unknown members in the schema of an AWS event: AWS adds
// members over time.
func Event(s *Schema, opts ...Option) guard.Middleware {
	c := newChecker("Event", s, opts)
	return checking("validate.Event", func(ctx context.Context, payload []byte) error {
		tree, err := guard.EventOf(ctx, payload).Tree()
		if err != nil {
			return err
		}
		return c.check(tree)
	})
}
