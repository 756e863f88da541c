package guardtest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/ids"
)

// An Invoker runs a function's invocations: a [Runtime], a [Function] or an
// [InProcess].
//
// A deadline of ctx before the function's timeout becomes the invocation's own.
// Cancelling ctx ends the wait, as for a client of Lambda. The error then wraps
// ctx's error, and a function that has taken the invocation continues.
//
// An error of the function, or its death, is a [*FunctionError]. After [ErrTooLarge]
// and [ErrClosed] the function was not called.
type Invoker interface {
	Do(ctx context.Context, call Call) (Result, error)
}

// A Call is the request of one invocation.
type Call struct {
	// Payload is the event, at most 6 MiB.
	Payload []byte

	// RequestID is a fresh UUID when empty.
	RequestID string

	// TraceID is the X-Ray header value; a fresh, unsampled one when empty.
	TraceID string

	// TenantID is for functions with tenant isolation; empty for all others.
	TenantID string

	// ClientContext and Identity are JSON, or nil: what a mobile SDK adds
	// ({"client":…,"custom":…,"env":…}), and the caller's Cognito identity
	// ({"cognitoIdentityId":…,"cognitoIdentityPoolId":…}).
	ClientContext, Identity []byte
}

// A Result is the answer of a function. RequestID is set for a failed invocation as
// well.
type Result struct {
	RequestID   string
	Payload     []byte
	ContentType string // as the function sent it

	taken *invocation // nil if no function took it
}

// PostRuntimeExtensionsDuration waits for the end of the invoke phase, and returns
// how long it went on after the answer: until each extension registered for INVOKE
// had asked for its next event. It is 0 without such extensions. The error is a
// [*FunctionError] when the phase failed, or ctx's.
func (r Result) PostRuntimeExtensionsDuration(ctx context.Context) (time.Duration, error) {
	if r.taken == nil {
		return 0, nil
	}
	select {
	case <-r.taken.over:
		return r.taken.after, r.taken.overErr
	case <-ctx.Done():
		return 0, fmt.Errorf("guardtest: gave up waiting for the extensions: %w", context.Cause(ctx))
	}
}

// Lambda's limits on a synchronous invocation, in bytes.
// See https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	maxPayload  = 6 << 20
	maxResponse = 6<<20 + 100
)

var (
	// ErrTooLarge reports a payload over Lambda's limit of 6 MiB.
	ErrTooLarge = errors.New("guardtest: payload is over 6291456 bytes")

	// ErrClosed reports that the runtime or function has been closed.
	ErrClosed = errors.New("guardtest: closed")
)

func (c Call) withDefaults() Call {
	if c.RequestID == "" {
		c.RequestID = ids.UUID()
	}
	if c.TraceID == "" {
		c.TraceID = ids.TraceRoot() + ";Parent=" + ids.Hex(8) + ";Sampled=0"
	}
	return c
}

func unixMilli(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
