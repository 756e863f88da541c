package idempotency

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// Transactor is a [Store] that can write other items in the same step that
// completes a record, so that they are written exactly once. A handler stages
// them with a function of the store's package, as dynamo.Stage.
type Transactor interface {
	Store
	// Begin opens the transaction of the attempt r, which holds its key. It
	// sends no request.
	Begin(r Record) Transaction
}

// Transaction has the staged writes of one attempt. Writes may be staged
// concurrently.
type Transaction interface {
	// Seal reports whether anything was staged. Staging after Seal is an error.
	Seal() bool

	// Commit completes the record as Complete does, and writes the staged items, in
	// one step. It returns [ErrLost] and [ErrTooLarge] as Complete does: nothing
	// was written, and after the latter Commit with NoResult can follow.
	// [ErrNotCommitted] means that nothing was written nor will be, and that the
	// key is released. After any other error the step may or may not have been
	// taken.
	Commit(ctx context.Context, r Record) error
}

// An operation whose handler succeeded, and whose staged writes were not written,
// returns an error that wraps ErrNotCommitted. The key is free again, at the latest
// when its lease ends.
var ErrNotCommitted = reason.New("idempotency: nothing was committed")

type transactionKey struct{}

// current is the innermost operation in a context.
type current struct {
	tx     Transaction // nil if the store is no Transactor
	inside bool
}

// TransactionOf returns the transaction of the innermost operation around ctx:
// nil if the store of that operation is no [Transactor]. It reports whether
// there is an operation.
func TransactionOf(ctx context.Context) (tx Transaction, inside bool) {
	c, _ := ctx.Value(transactionKey{}).(current)
	return c.tx, c.inside
}

// begin returns the context for the handler. It always hides the transaction of an
// outer operation, whose outcome is independent.
func (c *config) begin(ctx context.Context, r Record) (context.Context, Transaction) {
	now := current{inside: true}
	if c.transactor != nil {
		now.tx = c.transactor.Begin(r)
	}
	return context.WithValue(ctx, transactionKey{}, now), now.tx
}

// unprotected returns the context for a handler that runs without a key and without
// a transaction.
func unprotected(ctx context.Context) context.Context {
	return context.WithValue(ctx, transactionKey{}, current{})
}

// commit completes a record together with its staged writes. The caller gets its
// success only if the store has confirmed it. Commits have more time than other
// requests: they are the effect itself.
func (c *config) commit(ctx context.Context, r Record, tx Transaction) error {
	settle, stop := settling(ctx, 15*time.Second, 3)
	defer stop()
	err := c.finish(ctx, &r, func(r Record) error { return tx.Commit(settle, r) })
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrLost):
		return lost(ctx, fmt.Errorf("idempotency: commit: %w", err))
	case errors.Is(err, ErrNotCommitted):
		guard.AddAttrs(ctx, slog.String("idempotencyKey", r.Key))
		return err
	default:
		err = fmt.Errorf("idempotency: commit: %w", err)
		c.storeError(ctx, r, err)
		return commitUnknown(err)
	}
}

// notKept is the error for a success that has staged writes and releases the key:
// the next attempt would write them again.
func notKept() error {
	return fmt.Errorf("%w: the answer is a success and is not stored", ErrNotCommitted)
}
