package idempotency

import (
	"context"

	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// Store keeps records. Each method is one atomic step; all may be called
// concurrently, by processes that share nothing but the store. Package
// storetest holds a store to what follows.
//
// An error that is none of those named means that it is not known whether the
// step was taken. Slices belong to whoever receives them: a store copies what
// it keeps.
type Store interface {
	// Claim makes r, which is in progress, the record of r.Key if the key is
	// free: there is no record, it has expired, or it is an abandoned claim of the
	// same request and r.Epoch is its epoch plus one. Requests are the same if
	// their fingerprints are equal, or one has none. A claim that finds itself, the
	// same owner and epoch in progress, has been made before and its answer was
	// lost: that is a success. Otherwise Claim changes nothing and returns
	// [ErrHeld] with the record that holds the key.
	Claim(ctx context.Context, r Record) (held Record, err error)

	// Complete makes the record of r.Key completed, with r's result and
	// expiry, if it belongs to r's owner and epoch; completing again with them
	// is a success. Otherwise it changes nothing and returns [ErrLost].
	// [ErrTooLarge] says that the result does not fit: nothing has changed, and
	// Complete with NoResult can follow.
	Complete(ctx context.Context, r Record) error

	// Release frees the key if r's claim is in progress and belongs to r's owner
	// and epoch. A first attempt leaves no record. A later one leaves an abandoned
	// claim of its epoch that is nobody's: its lease is over by every clock, and no
	// attempt can complete or release it, so that the next one still knows that
	// an attempt before is unknown. Otherwise Release changes nothing and returns
	// [ErrLost]; where there is no record, or r has been released before, it may
	// return nil as well.
	Release(ctx context.Context, r Record) error
}

// The errors of a [Store].
var (
	ErrHeld     = reason.New("idempotency: the key is held")
	ErrLost     = reason.New("idempotency: the key is held by another attempt")
	ErrTooLarge = reason.New("idempotency: the result is too large for the store")
)
