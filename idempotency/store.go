package idempotency

import (
	"context"

	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// Store keeps records. Each method is one atomic step. All may be called
// concurrently, also by processes that share nothing but the store. Package
// storetest checks a store against these rules.
//
// After any other error than the ones below, the step may or may not have been
// taken. A store copies the slices that it keeps and returns.
type Store interface {
	// Claim stores r, which is in progress, if its key is free: there is no record,
	// the record has expired, or [Record.TakesOver] is true for it. Claim also
	// succeeds if the record in progress is r's own, since the answer to an earlier
	// try may have been lost. Otherwise it changes nothing and returns [ErrHeld]
	// with the record that holds the key.
	Claim(ctx context.Context, r Record) (held Record, err error)

	// Complete sets the record of r.Key to completed, with the result and the
	// expiry of r, if it [Record.BelongsTo] r. Completing it again succeeds.
	// Otherwise Complete changes nothing and returns [ErrLost]. If the result
	// does not fit, it changes nothing and returns [ErrTooLarge]; Complete with
	// NoResult can follow.
	Complete(ctx context.Context, r Record) error

	// Release frees the key if its record is in progress and [Record.BelongsTo]
	// r. After a first attempt no record is left. After a later one an abandoned
	// record of its epoch is left, without an owner and with a lease in the past.
	// So the next attempt knows that the outcome of an earlier one is unknown.
	// Otherwise Release changes nothing and returns [ErrLost]. If there is no
	// record, or r was released before, it may return nil as well.
	Release(ctx context.Context, r Record) error
}

// The errors of a [Store].
var (
	ErrHeld     = reason.New("idempotency: the key is held")
	ErrLost     = reason.New("idempotency: the key is held by another attempt")
	ErrTooLarge = reason.New("idempotency: the result is too large for the store")
)
