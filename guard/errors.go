package guard

import (
	"context"
	"errors"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
)

// Errors makes of any error the one that Lambda reports: errorType is the
// stable code, errorMessage the public detail, with the request id where there
// is nothing more to say. Causes, panics and their texts stay inside, for
// [Log], which belongs outside this layer.
//
// It is for direct and asynchronous invocations, whose caller or dead-letter
// queue reads the error. aws-lambda-go knows [messages.InvokeResponse_Error]
// by its type alone; this layer finds one also through wrapping, and passes it
// on as it is.
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

// asInvokeError finds an error that the handler made for the platform itself.
// One that is the cause of an [Error] is not the answer: the Error is.
func asInvokeError(err error) (messages.InvokeResponse_Error, bool) {
	var value messages.InvokeResponse_Error
	if e := find(err); e != nil && e.Err != nil {
		if _, inside := asInvokeError(e.Err); inside {
			return value, false
		}
	}
	if errors.As(err, &value) {
		return value, true
	}
	var pointer *messages.InvokeResponse_Error
	if errors.As(err, &pointer) && pointer != nil {
		return *pointer, true
	}
	return value, false
}
