package idempotency

import "context"

// TimeoutPolicy says what becomes of a key whose holder did not finish within
// its lease: its process was stopped, it panicked, or it is slower than anyone
// thought. What it did is unknown. See the package's comment for what each
// policy risks.
type TimeoutPolicy interface{ timeoutPolicy() }

type simplePolicy string

// The policies without a parameter.
const (
	// Rerun takes the key over and runs again. The default.
	Rerun simplePolicy = "rerun"
	// Refuse answers Conflict with code idempotency_outcome_unknown until the
	// record expires or is removed by hand.
	Refuse simplePolicy = "refuse"
)

func (simplePolicy) timeoutPolicy() {}

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

type reconcile func(context.Context, Unfinished) ([]byte, bool, error)

func (reconcile) timeoutPolicy() {}

// AfterTimeout sets what becomes of a key whose lease is over and whose attempt
// is unknown: [Rerun], [Refuse] or [Reconcile]. The default is Rerun.
//
// An attempt is unknown if its process was stopped, if it panicked, or if its
// handler returned an error that wraps [ErrOutcomeUnknown]. With Refuse and
// Reconcile it is also unknown after an error that is a timeout or a
// cancellation, after any error once the handler's context has ended, and after
// an HTTP answer of 5xx. With Rerun these release the key at once, since the
// handler would run again anyway.
func AfterTimeout(p TimeoutPolicy) Option {
	mustNotBeNil("AfterTimeout", p == nil)
	return func(c *config) { c.timeout = p }
}
