package idempotency

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// Transactor is a [Store] that can write other things in the very step that
// completes a record, so that an effect in that store takes place exactly once.
// A handler hands them to a function of the store's package, as dynamo.Stage,
// which finds the transaction of its operation with [TransactionOf].
type Transactor interface {
	Store
	// Begin opens the transaction of the attempt r, which holds its key. It
	// asks the store nothing.
	Begin(r Record) Transaction
}

// Transaction is what one attempt has staged. Writes may be staged
// concurrently.
type Transaction interface {
	// Seal lets nothing more be staged, which is an error from then on, and
	// reports whether something was.
	Seal() bool

	// Commit does what Complete does, and writes what was staged, in one step.
	// [ErrLost] and [ErrTooLarge] are those of Complete: nothing was written,
	// and after the latter Commit with NoResult can follow.
	// [ErrNotCommitted] says that nothing was written nor will be, and that the
	// key is released. After any other error it is not known whether the step
	// was taken.
	Commit(ctx context.Context, r Record) error
}

// ErrNotCommitted is what the error of an operation wraps if the handler
// succeeded and what it had staged is not written: nothing is, and the key is
// free again, at the latest when its lease ends.
var ErrNotCommitted = reason.New("idempotency: nothing was committed")

// TransactionOf returns the transaction of the innermost operation around ctx.
// It is nil where the store of that operation is no [Transactor]; inside is
// false where there is no operation.
func TransactionOf(ctx context.Context) (tx Transaction, inside bool) {
	switch tx := ctx.Value(transactionKey{}).(type) {
	case Transaction:
		return tx, true
	case noTransaction:
		return nil, true
	default:
		return nil, false
	}
}

type (
	transactionKey struct{}
	noTransaction  struct{}
)

// begin returns the context for the handler. Without a transaction it hides the
// one of an operation further out, whose outcome is another.
func (c *config) begin(ctx context.Context, r Record) (context.Context, Transaction) {
	if c.transactor == nil {
		return context.WithValue(ctx, transactionKey{}, noTransaction{}), nil
	}
	tx := c.transactor.Begin(r)
	return context.WithValue(ctx, transactionKey{}, tx), tx
}

// unprotected returns the context for what runs without a key, and so in no
// transaction, not even in that of an operation further out.
func unprotected(ctx context.Context) context.Context {
	return context.WithValue(ctx, transactionKey{}, nil)
}

// commit settles a success that is one only if what was staged is written. The
// caller hears of it only when the store has said so: unlike complete, which
// has an effect to tell of whatever the store says.
func (c *config) commit(ctx context.Context, tx Transaction, r Record) error {
	settle, stop := committing(ctx)
	defer stop()
	r.Status, r.Expires = Completed, wallClock().Add(c.ttl)
	err := tx.Commit(settle, r)
	if errors.Is(err, ErrTooLarge) {
		c.storeError(ctx, r, tooLarge(r, err))
		r.Result, r.NoResult = nil, true
		err = tx.Commit(settle, r)
	}
	if err == nil {
		c.local.add(r)
		return nil
	}
	switch {
	case errors.Is(err, ErrLost):
		return lost(fmt.Errorf("idempotency: commit: %w", err))
	case errors.Is(err, ErrNotCommitted):
		guard.AddAttrs(ctx, slog.String("idempotencyKey", r.Key))
		return err
	default:
		err = fmt.Errorf("idempotency: commit: %w", err)
		c.storeError(ctx, r, err)
		return commitUnknown(err)
	}
}

// notKept is the error of a success that is not for keeps, and has staged
// writes: they would be missing, or there twice.
func notKept() error {
	return fmt.Errorf("%w: the answer tells of a success and is not one that is kept", ErrNotCommitted)
}
