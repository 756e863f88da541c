package authorizer

import (
	"context"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// Check decides on a request. It returns a Grant to allow it, and an error of the kind
// [guard.Unauthenticated] or [guard.Forbidden] to deny it. Any other error, and a nil Grant
// without an error, means that the check has failed: nobody is allowed, the gateway stores
// nothing, and the log has an error. A Check must be safe for concurrent use.
type Check func(ctx context.Context, r *Request) (*Grant, error)

// verdict is the kind of an answer to the gateway.
type verdict int

const (
	failed          verdict = iota // the check is broken: nobody is allowed, nothing is stored
	unauthenticated                // the credential is missing or does not hold
	forbidden
	allowed
)

func verdictOf(err error) verdict {
	if err == nil {
		return allowed
	}
	switch guard.KindOf(err) {
	case guard.Unauthenticated:
		return unauthenticated
	case guard.Forbidden:
		return forbidden
	}
	return failed
}

// count counts a denial.
func (v verdict) count(ctx context.Context) {
	if v == unauthenticated || v == forbidden {
		layer.Count(ctx, layer.Denials, 1)
	}
}

var errNoAnswer = reason.New("authorizer: a check has returned neither a grant nor an error")

// decide runs a check. The grant is valid if the error is nil, and nil otherwise.
func decide(ctx context.Context, c Check, r *Request) (*Grant, error) {
	g, err := c(ctx, r)
	if err != nil {
		return nil, err
	}
	if g == nil {
		return nil, errNoAnswer
	}
	if err := g.Validate(); err != nil {
		return nil, err
	}
	if err := g.expired(); err != nil {
		return nil, err
	}
	return g, nil
}

// expired uses the wall clock, as the process may have been frozen.
func (g *Grant) expired() error {
	if g.Expires.IsZero() || time.Now().Round(0).Before(g.Expires) {
		return nil
	}
	return guard.Errorf(guard.Unauthenticated, "credential_expired", "The credential has expired.")
}
