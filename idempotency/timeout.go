package idempotency

import (
	"context"
	"encoding/json"
	"fmt"
)

// TimeoutPolicy says what becomes of a key whose holder did not finish within
// its lease: its process was stopped, it panicked, or it is slower than anyone
// thought. What it did is unknown. See the package's comment for what each
// policy risks.
type TimeoutPolicy interface{ timeoutPolicy() }

// SimplePolicy is a [TimeoutPolicy] without a parameter.
type SimplePolicy string

const (
	// Rerun takes the key over and runs again. The default.
	Rerun SimplePolicy = "rerun"
	// Refuse answers Conflict with code idempotency_outcome_unknown until the
	// record expires or is removed by hand.
	Refuse SimplePolicy = "refuse"
)

func (SimplePolicy) timeoutPolicy() {}

// Unfinished is an attempt that is to be reconciled.
type Unfinished struct {
	// Key is the key, as the key function gave it.
	Key string
	// Payload is the event, or the canonical JSON of the input of [Do].
	Payload []byte
	// Epoch counts the attempts up to the one that is unfinished.
	Epoch int64
}

// Reconcile takes the key over and has find look at what the attempt before
// did. If done, answer becomes the answer, of this call and of all repeats: for
// an HTTP request a response in proxy form, in [Do] the JSON of its result. If
// not, the handler runs. After an error nobody knows: the answer is
// Unavailable, and the key stays held until the next lease is over. So it does
// where answer is not what it has to be, which is idempotency_result_unreadable.
//
// The question stays until an attempt has completed: if this one fails, the
// next asks again.
func Reconcile(find func(ctx context.Context, u Unfinished) (answer []byte, done bool, err error)) TimeoutPolicy {
	mustNotBeNil("Reconcile", find == nil)
	return reconcile(find)
}

// ReconcileAs is [Reconcile] for a find that returns a value, which is encoded as
// the result of [Do] is: by encoding/json. Its type is that of the operation's
// result, or for [Once] a response in proxy form, as events.APIGatewayV2HTTPResponse.
// A value that cannot be encoded counts as an error of find.
func ReconcileAs[T any](find func(ctx context.Context, u Unfinished) (answer T, done bool, err error)) TimeoutPolicy {
	mustNotBeNil("ReconcileAs", find == nil)
	return reconcile(func(ctx context.Context, u Unfinished) ([]byte, bool, error) {
		value, done, err := find(ctx, u)
		if err != nil || !done {
			return nil, false, err
		}
		answer, err := json.Marshal(value)
		return answer, err == nil, err
	})
}

type reconcile func(context.Context, Unfinished) ([]byte, bool, error)

func (reconcile) timeoutPolicy() {}

// AfterTimeout sets what becomes of a key whose lease is over and whose attempt
// is unknown: [Rerun], [Refuse], [Reconcile] or [ReconcileAs]. The default is Rerun.
//
// An attempt is unknown if its process was stopped, if it panicked, or if its
// handler returned an error that wraps [ErrOutcomeUnknown]. With Refuse and
// Reconcile it is also unknown after an error that is a timeout or a
// cancellation, after any error once the handler's context has ended, and after
// an HTTP answer of 5xx. With Rerun these release the key at once, since the
// handler would run again anyway.
func AfterTimeout(p TimeoutPolicy) Option {
	mustNotBeNil("AfterTimeout", p == nil)
	if simple, ok := p.(SimplePolicy); ok && simple != Rerun && simple != Refuse {
		panic(fmt.Sprintf("idempotency: AfterTimeout(%q), must be Rerun, Refuse or a Reconcile", simple))
	}
	return func(c *config) { c.timeout = p }
}
