package idempotency

import (
	"context"
	"encoding/json"
	"fmt"
)

// TimeoutPolicy is what happens to a key whose holder did not finish within its
// lease. The outcome is then unknown. For the risks of each policy see the package
// comment.
type TimeoutPolicy string

const (
	// Rerun lets the next attempt run. It is the default.
	Rerun TimeoutPolicy = "rerun"
	// Refuse returns a Conflict with code idempotency_outcome_unknown until the
	// record expires or is removed by hand.
	Refuse TimeoutPolicy = "refuse"

	reconciles TimeoutPolicy = "reconcile"
)

// AfterTimeout sets what happens to a key whose lease has ended and whose outcome
// is unknown: [Rerun] or [Refuse]. See also [Reconcile].
//
// An outcome is unknown if the process was stopped, if the handler panicked, or
// if it returned an error that wraps [ErrOutcomeUnknown]. With Refuse and Reconcile
// it is also unknown after a timeout or a cancellation, after any error once the
// handler's context has ended, and after a 5xx answer. With Rerun these release the
// key at once, since the handler would run again anyway.
func AfterTimeout(p TimeoutPolicy) Option {
	if p != Rerun && p != Refuse {
		panic(fmt.Sprintf("idempotency: AfterTimeout(%q), must be Rerun or Refuse", string(p)))
	}
	return Option{func(c *config) { c.timeout, c.reconcile = p, nil }}
}

// Unfinished is an attempt whose outcome is unknown.
type Unfinished struct {
	// Key is the key as the key function returned it.
	Key string
	// Payload is the event, or the canonical JSON of the input of [Do].
	Payload []byte
	// Epoch is the number of the attempt: 1 for the first.
	Epoch int64
}

// Reconcile sets a function that looks up the outcome of an attempt whose lease has
// ended, see [AfterTimeout].
//
// If find reports done, its answer is encoded by encoding/json and becomes the
// answer of this call and of all repeats. For [Do] it has the type of the
// result. For [Once] it is what the handler returns, for an HTTP request a
// response in proxy form such as events.APIGatewayV2HTTPResponse. Use a
// json.RawMessage for an answer that is encoded already. If find reports false,
// the handler runs.
//
// After an error of find, or an answer that cannot be encoded, the caller gets
// idempotency_not_reconciled. If the answer has the wrong form, the caller gets
// idempotency_result_unreadable. Either way the key stays held until the lease of
// this attempt ends. Find is called again until an attempt completes.
func Reconcile[T any](find func(ctx context.Context, u Unfinished) (answer T, done bool, err error)) Option {
	mustNotBeNil("Reconcile", find == nil)
	return Option{func(c *config) {
		c.timeout = reconciles
		c.reconcile = func(ctx context.Context, u Unfinished) ([]byte, bool, error) {
			value, done, err := find(ctx, u)
			if err != nil || !done {
				return nil, false, err
			}
			answer, err := json.Marshal(value)
			return answer, err == nil, err
		}
	}}
}
