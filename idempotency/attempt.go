package idempotency

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
)

// task is one request.
type task struct {
	key         string // as the key function returned it
	storedKey   string
	fingerprint string
	payload     []byte
}

// effect runs a request, and keeps the answer for its caller.
type effect interface {
	run(ctx context.Context) outcome
	// adopt uses the answer that Reconcile found instead of running.
	adopt(answer []byte) outcome
}

// attempt runs t once. If t was run before, it returns the completed record. The
// error is about the key; an error of the effect is kept in the effect.
func (c *config) attempt(ctx context.Context, t task, e effect) (replay *Record, err error) {
	r := Record{Key: t.storedKey, Epoch: 1, Status: InProgress, Fingerprint: t.fingerprint}
	if replay, err = c.claim(ctx, &r); err != nil || replay != nil {
		return replay, err
	}
	inner, tx := c.begin(ctx, r)
	o, err := c.reconcileOrRun(inner, t, r.Epoch, e)
	staged := tx != nil && tx.Seal() && !o.failed
	switch {
	case err != nil || o.fate == unknown:
		return nil, err
	case o.fate == keep:
		r.Result, r.NoResult = o.result, o.noResult != nil
		if o.noResult != nil {
			c.storeError(ctx, r, o.noResult)
		}
		if staged {
			return nil, c.commit(ctx, r, tx)
		}
		return nil, c.complete(ctx, r)
	default:
		err = c.release(ctx, r)
		switch {
		case staged:
			return nil, notKept()
		case o.failed: // the caller gets that error
			return nil, nil
		}
		return nil, err
	}
}

// reconcileOrRun runs the effect, unless Reconcile finds that an earlier attempt
// has carried it out.
func (c *config) reconcileOrRun(ctx context.Context, t task, epoch int64, e effect) (outcome, error) {
	if c.reconcile == nil || epoch == 1 {
		return e.run(ctx), nil
	}
	answer, done, err := c.reconcile(ctx, Unfinished{Key: t.key, Payload: t.payload, Epoch: epoch - 1})
	switch {
	case err != nil:
		return outcome{}, unreconciled(err)
	case done:
		return e.adopt(answer), nil
	default:
		return e.run(ctx), nil
	}
}

// complete stores a success for repeats. The caller gets its success also if the
// store fails, since the effect has happened.
func (c *config) complete(ctx context.Context, r Record) error {
	settle, stop := settling(ctx, 2*time.Second, 2)
	defer stop()
	return c.settled(ctx, r, "idempotency: complete", c.finish(ctx, &r, func(r Record) error {
		return c.store.Complete(settle, r)
	}))
}

// release lets a retry run.
func (c *config) release(ctx context.Context, r Record) error {
	settle, stop := settling(ctx, 2*time.Second, 2)
	defer stop()
	return c.settled(ctx, r, "idempotency: release", c.store.Release(settle, r))
}

// finish writes the completed record, without its result if that is too large.
func (c *config) finish(ctx context.Context, r *Record, write func(Record) error) error {
	r.Status, r.Expires = Completed, wallClock().Add(c.ttl)
	err := write(*r)
	if errors.Is(err, ErrTooLarge) {
		c.storeError(ctx, *r, fmt.Errorf("idempotency: a result of %d bytes: %w", len(r.Result), err))
		r.Result, r.NoResult = nil, true
		err = write(*r)
	}
	if err == nil {
		c.local.add(*r)
	}
	return err
}

// settled returns the error for a success that could not be stored. The caller
// still gets the success, unless another attempt has the key, or may have it
// because the lease is over.
func (c *config) settled(ctx context.Context, r Record, step guard.Reason, err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("%w: %w", step, err)
	if errors.Is(err, ErrLost) {
		return lost(ctx, err)
	}
	c.storeError(ctx, r, err)
	if !wallClock().Before(r.Lease) {
		return overdue(err)
	}
	return nil
}

// storeError logs that a record could not be stored as intended, and calls
// OnStoreError.
func (c *config) storeError(ctx context.Context, r Record, err error) {
	guard.AddAttrs(ctx, slog.String("idempotencyKey", r.Key), slog.Any("idempotencyError", err))
	if c.onStoreError != nil {
		c.onStoreError(ctx, r, err)
	}
}
