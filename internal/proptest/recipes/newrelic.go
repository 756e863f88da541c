package recipes

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/newrelic/go-agent/v3/newrelic"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
)

// NoticeErrors returns a layer that adds to the transaction of New Relic what has
// failed, also if it has become an HTTP answer. List it after the wrapper.
func NoticeErrors() guard.Middleware {
	return func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			out, err := next.Invoke(ctx, payload)
			if o := layer.OutcomeOf(ctx, payload, out, err); o.Err != nil && !guard.KindOf(o.Err).IsClientError() {
				newrelic.FromContext(ctx).NoticeError(o.Err)
			}
			return out, err
		})
	}
}
