package otel

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// sdkErrorType returns the error.type of a failed call: the code of the API, or what
// kept the call from an answer. It has nothing of the error's text.
func sdkErrorType(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		if code := api.ErrorCode(); isCode(code) {
			return code
		}
		return otherError
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "canceled"
	}
	if e, ok := errors.AsType[*smithyhttp.RequestSendError](err); ok {
		return fmt.Sprintf("%T", e)
	}
	if e, ok := errors.AsType[*smithy.DeserializationError](err); ok {
		return fmt.Sprintf("%T", e)
	}
	if last, ok := errors.AsType[*retry.MaxAttemptsError](err); ok && last.Err != nil {
		err = last.Err
	}
	for ; err != nil; err = errors.Unwrap(err) {
		// The types of these packages, such as *fmt.wrapError, say nothing.
		if name := fmt.Sprintf("%T", err); !strings.HasPrefix(name, "*fmt.") && !strings.HasPrefix(name, "*errors.") {
			return name
		}
	}
	return otherError
}

// otherError is the value for an error that has no usable name.
//
// https://github.com/open-telemetry/semantic-conventions/blob/v1.43.0/docs/registry/attributes/error.md
const otherError = "_OTHER"

// isCode reports whether text can be an error code. A server that is no AWS may answer
// anything.
func isCode(text string) bool {
	return plain(text, "._-:#/", 128) != ""
}
