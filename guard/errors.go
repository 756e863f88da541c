package guard

import (
	"context"
	"errors"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
)

// Errors turns any error into the one that Lambda reports: errorType is the stable
// code, errorMessage the public detail. If there is no detail, the message is the
// kind's title with the request id. Causes and panics are not in it. List [Log]
// before Errors.
//
// It is for direct and asynchronous invocations, whose caller or dead-letter queue
// reads the error. A [messages.InvokeResponse_Error] is passed on as it is, also
// if it is wrapped; aws-lambda-go alone would not find a wrapped one.
func Errors() Middleware {
	return named("guard.Errors", func(next lambda.Handler) lambda.Handler {
		return HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			out, err := next.Invoke(ctx, payload)
			if err == nil {
				return out, nil
			}
			setError(ctx, err)
			return nil, invokeError(ctx, err)
		})
	})
}

func invokeError(ctx context.Context, err error) messages.InvokeResponse_Error {
	if own, ok := asInvokeError(err); ok {
		return own
	}
	e := Public(err)
	message := e.Detail
	if message == "" {
		message = e.Kind.Title()
		if id := requestID(ctx); id != "" {
			message += " (request " + id + ")"
		}
	}
	return messages.InvokeResponse_Error{Type: e.Code, Message: message}
}

// asInvokeError returns an error that the handler made for the platform itself. If
// err also has an [Error], that is the answer instead.
func asInvokeError(err error) (messages.InvokeResponse_Error, bool) {
	var value messages.InvokeResponse_Error
	var pointer *messages.InvokeResponse_Error
	switch {
	case find(err) != nil:
		return value, false
	case errors.As(err, &pointer) && pointer != nil:
		return *pointer, true
	default:
		return value, errors.As(err, &value)
	}
}
