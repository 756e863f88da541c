package idempotency

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/idempotency/internal/keys"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// A [KeyFunc] that finds no key, or only a part of one, returns an error that wraps
// ErrNoKey. [AllowMissingKey] lets such requests run.
var ErrNoKey error = keys.ErrMissing

// A handler returns ErrOutcomeUnknown, wrapped or not, if it does not know its
// outcome, for example because a payment provider did not answer. The key then
// stays in progress until the lease ends, and [AfterTimeout] decides.
var ErrOutcomeUnknown = reason.New("idempotency: the outcome is unknown")

var (
	errOtherRequest = reason.New("idempotency: the fingerprint differs")
	errLeaseEnded   = reason.New("idempotency: the lease of an earlier attempt has ended")
)

func failure(kind guard.Kind, code, detail string, cause error) *guard.Error {
	return &guard.Error{Kind: kind, Code: code, Detail: detail, Err: cause}
}

func reused() error {
	return failure(guard.Unprocessable, "idempotency_key_reused",
		"The idempotency key was used before, with another request.", errOtherRequest)
}

// inFlight returns an error that asks the caller to wait for the end of the lease,
// as an earlier repeat may be refused again.
func inFlight(left time.Duration) error {
	e := failure(guard.Conflict, "idempotency_in_progress",
		"A request with this idempotency key is in progress.", ErrHeld)
	e.RetryAfter = time.Duration(max(1, math.Ceil(left.Seconds()))) * time.Second
	return e
}

func outcomeUnknown() error {
	return failure(guard.Conflict, "idempotency_outcome_unknown",
		"A request with this idempotency key did not finish, and it is not known what it did.", errLeaseEnded)
}

func overdue(err error) error {
	return failure(guard.Conflict, "idempotency_outcome_unknown",
		"The request took too long, and another attempt may have taken its place.",
		fmt.Errorf("%w: the lease has ended: %w", ErrOutcomeUnknown, err))
}

func unreconciled(err error) error {
	return failure(guard.Unavailable, "idempotency_not_reconciled",
		"It is not known now what an earlier request with this idempotency key did.",
		fmt.Errorf("idempotency: reconcile: %w", err))
}

func resultUnavailable() error {
	return failure(guard.Unprocessable, "idempotency_result_unavailable",
		"The request was carried out before, and its answer is not stored.", nil)
}

func unreadable(err error) error {
	return failure(guard.Internal, "idempotency_result_unreadable", "", err)
}

func unavailable(err error) error {
	return failure(guard.Unavailable, "idempotency_store_unavailable",
		"It is not known now whether the request was carried out before.", fmt.Errorf("idempotency: claim: %w", err))
}

// lost is for a claim that another attempt has taken over.
func lost(ctx context.Context, err error) error {
	layer.Count(ctx, layer.ClaimsLost, 1)
	return failure(guard.Conflict, "idempotency_lease_lost",
		"The request took too long, and another attempt has taken its place.", err)
}

func commitUnknown(err error) error {
	return failure(guard.Unavailable, "idempotency_commit_unknown",
		"It is not known whether the request was carried out. Send it again with the same key to find out.", err)
}
