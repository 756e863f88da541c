package metadata

import (
	"context"
	"log/slog"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
)

// Layer returns a layer that adds availabilityZoneId to the record of each
// invocation, which guard.Log writes. The first invocation waits for the endpoint, a
// second at most. If the zone is not known, the record is without it and the invocation
// goes on. After a restore from a snapshot, which may be in another zone, guard.Start
// calls Forget.
func (c *Client) Layer() guard.Middleware {
	return guard.Chain(guard.OnRestore(c.Forget), layer.Named("metadata.Layer", func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			if zone, err := c.AvailabilityZoneID(ctx); err == nil {
				guard.AddAttrs(ctx, slog.String("availabilityZoneId", zone))
			}
			return next.Invoke(ctx, payload)
		})
	}))
}
