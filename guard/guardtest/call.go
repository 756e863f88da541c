package guardtest

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/ids"
)

// An Invoker runs a function's invocations. [Runtime], [Function] and
// [InProcess] are Invokers.
//
// The deadline of ctx, where it is sooner than the function's timeout, becomes
// the invocation's own. Cancelling ctx ends the waiting, as it does for a client
// of Lambda: the error wraps that of ctx, and a function that has already
// taken the invocation goes on with it.
//
// What the function reports, and how it dies, is a [*FunctionError].
// [ErrTooLarge] and [ErrClosed] say that the function was not reached.
type Invoker interface {
	Do(ctx context.Context, call Call) (Result, error)
}

// A Call is one invocation as its caller states it.
type Call struct {
	// Payload is the event, at most 6 MiB.
	Payload []byte

	// RequestID is a fresh UUID when empty.
	RequestID string

	// TraceID is the X-Ray header value; a fresh, unsampled one when empty.
	TraceID string

	// TenantID is for functions with tenant isolation; empty for all others.
	TenantID string

	// ClientContext and Identity are JSON, or nil: what a mobile SDK sends along
	// ({"client":…,"custom":…,"env":…}) and the caller's Cognito identity
	// ({"cognitoIdentityId":…,"cognitoIdentityPoolId":…}).
	ClientContext, Identity []byte
}

// A Result is what the caller of a function gets. RequestID is set also when
// the invocation failed.
type Result struct {
	RequestID   string
	Payload     []byte
	ContentType string // as the function sent it
}

// Lambda's limits on a synchronous invocation, in bytes.
// See https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	maxPayload  = 6 << 20
	maxResponse = 6<<20 + 100
)

var (
	// ErrTooLarge says that a payload is over Lambda's limit of 6 MiB.
	ErrTooLarge = errors.New("guardtest: payload is over 6291456 bytes")

	// ErrClosed says that the runtime or function has been closed.
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
