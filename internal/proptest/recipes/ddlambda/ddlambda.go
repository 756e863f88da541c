// Package ddlambda stands in for github.com/DataDog/datadog-lambda-go and its
// successor github.com/DataDog/dd-trace-go/contrib/aws/datadog-lambda-go/v2. Its
// wrapper has the signature and the order of steps of
// https://github.com/DataDog/dd-trace-go/blob/main/contrib/aws/datadog-lambda-go/internal/wrapper/wrap_handler.go
// and internal/trace/listener.go: what ends the span and flushes is called after
// the handler, and not deferred.
package ddlambda

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

// Config stands for the configuration. Report is of the stand-in alone.
type Config struct {
	MergeXrayTraces bool
	Report          func(Finished)
}

// Finished is what the span of an invocation has.
type Finished struct {
	RequestID string // the tag request_id
	Parent    string // x-datadog-trace-id
	XRay      string // the tracing header of Lambda, for MergeXrayTraces
	Err       error  // of FinishConfig
}

// WrapLambdaHandlerInterface has the signature of the original.
func WrapLambdaHandlerInterface(next lambda.Handler, cfg *Config) lambda.Handler {
	return &handler{next, cfg}
}

type handler struct {
	next lambda.Handler
	cfg  *Config
}

// Invoke is like the original.
func (h *handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	lc, _ := lambdacontext.FromContext(ctx)
	f := Finished{RequestID: lc.AwsRequestID}
	var event struct{ Headers map[string]string }
	_ = json.Unmarshal(payload, &event)
	for name, value := range event.Headers {
		if strings.EqualFold(name, "x-datadog-trace-id") {
			f.Parent = value
		}
	}
	if h.cfg.MergeXrayTraces {
		f.XRay, _ = ctx.Value("x-amzn-trace-id").(string)
	}
	out, err := h.next.Invoke(ctx, payload)
	f.Err = err
	h.cfg.Report(f)
	return out, err
}
