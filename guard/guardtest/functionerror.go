package guardtest

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/extensions"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/telemetry"
)

// Error types that Lambda itself reports.
const (
	TypeTimeout          = telemetry.TypeTimeout           // the deadline passed
	TypeExit             = "Runtime.ExitError"             // the process ended before it answered
	TypeOutOfMemory      = "Runtime.OutOfMemory"           // the process was killed for its memory
	TypeEntrypoint       = "Runtime.InvalidEntrypoint"     // the process could not be started
	TypeResponseTooLarge = "Function.ResponseSizeTooLarge" // the answer is over 6 MiB
	TypeExtensionLaunch  = extensions.TypeLaunch           // an extension could not be started, or is the eleventh
	TypeExtensionInit    = extensions.TypeInit             // an extension posted init/error
	TypeExtensionExit    = extensions.TypeExit             // an extension posted exit/error
	TypeExtensionCrash   = extensions.TypeCrash            // an extension ended by itself
)

// A FunctionError is a failed invocation, as the function reported it, or as Lambda
// reports a function that died or took too long.
type FunctionError struct {
	Type       string                                      `json:"errorType"`
	Message    string                                      `json:"errorMessage"`
	StackTrace []*messages.InvokeResponse_Error_StackFrame `json:"stackTrace,omitempty"`

	// Payload is the error as the caller of Lambda reads it, JSON.
	Payload []byte `json:"-"`
}

// Error returns the type and the message.
func (e *FunctionError) Error() string { return e.Type + ": " + e.Message }

// Is makes a timeout match [context.DeadlineExceeded].
func (e *FunctionError) Is(target error) bool {
	return target == context.DeadlineExceeded && e.Type == TypeTimeout
}

// errorType is empty for no error.
func (e *FunctionError) errorType() string {
	if e == nil {
		return ""
	}
	return e.Type
}

func newFunctionError(errorType, message string) *FunctionError {
	e := &FunctionError{Type: errorType, Message: message}
	e.Payload, _ = json.Marshal(e)
	return e
}

// reportedError is the error that a function posted. It may be any JSON; known
// clients send an object of errorType, errorMessage and stackTrace.
func reportedError(headerType string, payload []byte) *FunctionError {
	e := &FunctionError{}
	if err := json.Unmarshal(payload, e); err != nil {
		e = &FunctionError{Message: string(payload)}
	}
	if e.Type == "" {
		e.Type = headerType
	}
	e.Payload = payload
	return e
}

func timeoutError(requestID string, after time.Duration) *FunctionError {
	return newFunctionError(TypeTimeout, fmt.Sprintf("%s %s Task timed out after %.2f seconds",
		time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), requestID, after.Seconds()))
}

func responseTooLargeError() *FunctionError {
	return newFunctionError(TypeResponseTooLarge,
		fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", maxResponse))
}

// A death is how a process ended: Lambda's type for it, and the reason.
type death struct{ errorType, reason string }

func (d death) forRequest(id string) *FunctionError {
	return newFunctionError(d.errorType, "RequestId: "+id+" Error: "+d.reason)
}
