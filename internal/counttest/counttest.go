// Package counttest shows tests what the layers of an invocation have counted.
package counttest

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
)

// Handler returns h, whose invocations set counts to what is counted in them.
func Handler(h lambda.Handler, counts *map[string]int) lambda.Handler {
	return guard.Wrap(guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
		out, err := h.Invoke(ctx, payload)
		*counts = layer.OutcomeOf(ctx, payload, out, err).Counts
		return out, err
	}))
}

// Of returns what is counted in an invocation that runs fn.
func Of(ctx context.Context, fn func(ctx context.Context)) map[string]int {
	var counts map[string]int
	_, _ = Handler(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		fn(ctx)
		return nil, nil
	}), &counts).Invoke(ctx, nil)
	return counts
}
