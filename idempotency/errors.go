package idempotency

import (
	"fmt"
	"math"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency/internal/keys"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// ErrNoKey is the error of a [KeyFunc] that finds no key, or only parts of one.
// What wraps it lets [AllowMissingKey] tell it from a key that is malformed.
var ErrNoKey error = keys.ErrMissing

// ErrOutcomeUnknown is for a handler that cannot tell what it has done, as when
// a payment provider did not answer. An error that wraps it leaves the key in
// progress until the lease ends; then [AfterTimeout] decides.
var ErrOutcomeUnknown = reason.New("idempotency: the outcome is unknown")

// errMismatch is a cause, for the log.
var errMismatch = reason.New("idempotency: the fingerprint is another")

func reused() error {
	return &guard.Error{
		Kind: guard.Unprocessable, Code: "idempotency_key_reused",
		Detail: "The idempotency key was used before, with another request.", Err: errMismatch,
	}
}

// inFlight says after how many seconds the lease ends: what comes earlier would
// be refused again.
func inFlight(remaining time.Duration) error {
	seconds := max(1, math.Ceil(remaining.Seconds()))
	return &guard.Error{
		Kind: guard.Conflict, Code: "idempotency_in_progress",
		Detail: "A request with this idempotency key is being worked on.", RetryAfter: time.Duration(seconds) * time.Second,
		Err: ErrHeld,
	}
}

func outcomeUnknown() error {
	return &guard.Error{
		Kind: guard.Conflict, Code: "idempotency_outcome_unknown",
		Detail: "A request with this idempotency key did not finish, and it is not known what it did.",
		Err:    reason.New("idempotency: the lease of the attempt before is over"),
	}
}

func unreconciled(err error) error {
	return &guard.Error{
		Kind: guard.Unavailable, Code: "idempotency_not_reconciled",
		Detail: "It could not be found out what a request with this idempotency key did.",
		Err:    fmt.Errorf("idempotency: reconcile: %w", err),
	}
}

func resultUnavailable() error {
	return &guard.Error{
		Kind: guard.Unprocessable, Code: "idempotency_result_unavailable",
		Detail: "The request was carried out before; its answer was not kept.",
	}
}

func unreadable(err error) error {
	return &guard.Error{Kind: guard.Internal, Code: "idempotency_result_unreadable", Err: err}
}

func unavailable(err error) error {
	return &guard.Error{
		Kind: guard.Unavailable, Code: "idempotency_store_unavailable",
		Detail: "It could not be found out whether the request was carried out before.",
		Err:    fmt.Errorf("idempotency: claim: %w", err),
	}
}

func lost(err error) error {
	return &guard.Error{
		Kind: guard.Conflict, Code: "idempotency_lease_lost",
		Detail: "The request took too long, and another attempt has taken its place.",
		Err:    err,
	}
}

func overdue(err error) error {
	return &guard.Error{
		Kind: guard.Conflict, Code: "idempotency_outcome_unknown",
		Detail: "The request took too long, and it is not known whether another attempt has taken its place.",
		Err:    fmt.Errorf("%w: the lease is over: %w", ErrOutcomeUnknown, err),
	}
}

func commitUnknown(err error) error {
	return &guard.Error{
		Kind: guard.Unavailable, Code: "idempotency_commit_unknown",
		Detail: "It could not be found out whether the request was carried out. Sending it again with the same key does.",
		Err:    err,
	}
}
