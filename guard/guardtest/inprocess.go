package guardtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/lambdarmor/lambdarmor/internal/reflected"
)

// InProcess runs a handler in the calling goroutine, with aws-lambda-go's context:
// its [lambdacontext.LambdaContext], the deadline, and the trace id under the key
// "x-amzn-trace-id". Errors and panics are reported as by aws-lambda-go.
//
// Unlike a [Function] it has no process of its own. The environment variables are
// the test's, a panic ends no process, and values set with
// [lambda.WithContextValue] are missing. It waits for a handler that overruns its
// deadline, or whose caller has left.
type InProcess struct {
	handler lambda.Handler
	cfg     Config
}

// NewInProcess returns an Invoker for h. It uses the ARN and the timeout of cfg.
func NewInProcess(h lambda.Handler, cfg Config) *InProcess {
	if h == nil {
		panic("guardtest: NewInProcess needs a handler")
	}
	return &InProcess{handler: reflected.Handler(h), cfg: cfg.withDefaults()}
}

// Invoke is Do with nothing but a payload.
func (p *InProcess) Invoke(ctx context.Context, payload []byte) (Result, error) {
	return p.Do(ctx, Call{Payload: payload})
}

// Do calls the handler; see [Invoker].
func (p *InProcess) Do(ctx context.Context, call Call) (Result, error) {
	call = call.withDefaults()
	result := Result{RequestID: call.RequestID}
	if len(call.Payload) > maxPayload {
		return result, ErrTooLarge
	}
	started := time.Now()
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Timeout)
	defer cancel()
	deadline, _ := ctx.Deadline()

	payload, err := p.call(ctx, call)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return result, timeoutError(call.RequestID, deadline.Sub(started))
	case err != nil:
		return result, err
	case len(payload) > maxResponse:
		return result, responseTooLargeError()
	}
	result.Payload, result.ContentType = payload, "application/octet-stream"
	return result, nil
}

func (p *InProcess) call(ctx context.Context, call Call) (payload []byte, failure error) {
	lc := &lambdacontext.LambdaContext{
		AwsRequestID:       call.RequestID,
		InvokedFunctionArn: p.cfg.ARN,
		TenantID:           call.TenantID,
	}
	if len(call.ClientContext) > 0 {
		if err := json.Unmarshal(call.ClientContext, &lc.ClientContext); err != nil {
			return nil, handlerError(fmt.Errorf("failed to unmarshal client context json: %w", err))
		}
	}
	if len(call.Identity) > 0 {
		if err := json.Unmarshal(call.Identity, &lc.Identity); err != nil {
			return nil, handlerError(fmt.Errorf("failed to unmarshal cognito identity json: %w", err))
		}
	}
	ctx = lambdacontext.NewContext(ctx, lc)
	//lint:ignore SA1029 the key is aws-lambda-go's
	ctx = context.WithValue(ctx, "x-amzn-trace-id", call.TraceID)

	defer func() {
		if v := recover(); v != nil {
			failure = panicError(v)
		}
	}()
	payload, err := p.handler.Invoke(ctx, call.Payload)
	if err != nil {
		return nil, handlerError(err)
	}
	return payload, nil
}

func handlerError(err error) *FunctionError {
	reported, ok := err.(messages.InvokeResponse_Error) // not errors.As: aws-lambda-go does not unwrap either
	if !ok {
		reported = messages.InvokeResponse_Error{Type: typeName(err), Message: err.Error()}
	}
	return asReported(reported)
}

func panicError(v any) *FunctionError {
	reported, ok := v.(messages.InvokeResponse_Error)
	if !ok {
		reported = messages.InvokeResponse_Error{Type: typeName(v), Message: fmt.Sprint(v)}
	}
	return asReported(reported)
}

func asReported(reported messages.InvokeResponse_Error) *FunctionError {
	payload, _ := json.Marshal(reported)
	return reportedError("", payload)
}

func typeName(v any) string {
	t := reflect.TypeOf(v)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Name()
}
