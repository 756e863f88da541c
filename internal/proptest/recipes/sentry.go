package recipes

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/getsentry/sentry-go"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
)

// Sentry returns a layer that reports the failures of the function, also those that
// have become an HTTP answer. List it before httpapi.Default or guard.Default.
func Sentry(hub *sentry.Hub) guard.Middleware {
	return func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			out, err := next.Invoke(ctx, payload)
			o := layer.OutcomeOf(ctx, payload, out, err)
			if o.Err == nil || guard.KindOf(o.Err).IsClientError() {
				return out, err
			}
			failure := o.Err
			if p, ok := errors.AsType[*guard.PanicError](failure); ok {
				failure = p // alone, so that Sentry shows its stack and not that of this layer
			}
			own := hub.Clone() // its scope is not that of other invocations
			own.ConfigureScope(func(s *sentry.Scope) {
				if lc, ok := lambdacontext.FromContext(ctx); ok {
					s.SetTag("requestId", lc.AwsRequestID)
				}
				s.SetTag("code", guard.Public(o.Err).Code)
				s.SetTag("route", o.Route)
				s.SetTag("traceId", guard.TraceID(ctx)) // of X-Ray
				if traceID, spanID, _ := layer.Trace(ctx); traceID != "" {
					s.SetTag("trace_id", traceID)
					s.SetTag("span_id", spanID)
				}
			})
			own.CaptureException(failure)
			own.Flush(time.Second) // before Lambda freezes the process
			return out, err
		})
	}
}

// WithoutTexts is for BeforeSend: the text of an error may quote what a caller sent.
func WithoutTexts(event *sentry.Event, _ *sentry.EventHint) *sentry.Event {
	for i := range event.Exception {
		event.Exception[i].Value = ""
	}
	return event
}
