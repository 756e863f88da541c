package idempotency

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/lambdarmor/lambdarmor/guard"
)

// task is what is to be done once.
type task struct {
	key         string // as the key function gave it
	storedKey   string
	fingerprint string
	payload     []byte
}

// effect is how it is done, and takes what comes of it for its caller.
type effect interface {
	run(ctx context.Context) outcome
	// adopt takes the answer of an earlier attempt for that of this one.
	adopt(answer []byte) outcome
}

// attempt does t once. If it was done before, replay is true and done has the
// result. The error is about the key, and never the effect's own.
func (c *config) attempt(ctx context.Context, t task, e effect) (done Record, replay bool, err error) {
	r := Record{
		Key: t.storedKey, Epoch: 1,
		Status: InProgress, Fingerprint: t.fingerprint,
	}
	done, replay, err = c.claim(ctx, &r)
	if err != nil || replay {
		return done, replay, err
	}
	inner, tx := c.begin(ctx, r)
	o, err := c.reconcileOrRun(inner, t, r.Epoch, e)
	staged := tx != nil && tx.Seal() && !o.failed
	if err != nil {
		return Record{}, false, err
	}
	switch o.fate {
	case keep:
		r.Result, r.NoResult = o.result, o.lossy != nil
		if o.lossy != nil {
			c.storeError(ctx, r, o.lossy)
		}
		if staged {
			return Record{}, false, c.commit(ctx, tx, r)
		}
		return Record{}, false, c.complete(ctx, r)
	case release:
		err := c.release(ctx, r)
		switch {
		case staged:
			return Record{}, false, notKept()
		case !o.failed:
			return Record{}, false, err
		}
	}
	return Record{}, false, nil
}

// reconcileOrRun runs the effect, unless an attempt before may have and is
// found to.
func (c *config) reconcileOrRun(ctx context.Context, t task, epoch int64, e effect) (outcome, error) {
	find, ok := c.timeout.(reconcile)
	if !ok || epoch == 1 {
		return e.run(ctx), nil
	}
	answer, done, err := find(ctx, Unfinished{Key: t.key, Payload: t.payload, Epoch: epoch - 1})
	switch {
	case err != nil:
		return outcome{}, unreconciled(err)
	case done:
		return e.adopt(answer), nil
	default:
		return e.run(ctx), nil
	}
}

// complete keeps a success for repeats.
func (c *config) complete(ctx context.Context, r Record) error {
	settle, stop := settling(ctx)
	defer stop()
	r.Status, r.Expires = Completed, wallClock().Add(c.ttl)
	err := c.store.Complete(settle, r)
	if errors.Is(err, ErrTooLarge) {
		c.storeError(ctx, r, tooLarge(r, err))
		r.Result, r.NoResult = nil, true
		err = c.store.Complete(settle, r)
	}
	if err == nil {
		c.local.add(r)
	}
	return c.settled(ctx, r, "idempotency: complete", err)
}

// release lets a retry run.
func (c *config) release(ctx context.Context, r Record) error {
	settle, stop := settling(ctx)
	defer stop()
	return c.settled(ctx, r, "idempotency: release", c.store.Release(settle, r))
}

// settled returns what a success has become by the answer of the store. A store
// that fails does not take it from the caller, unless another attempt may have
// the key: it then cannot say so.
func (c *config) settled(ctx context.Context, r Record, step guard.Reason, err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("%w: %w", step, err)
	if errors.Is(err, ErrLost) {
		return lost(err)
	}
	c.storeError(ctx, r, err)
	if !wallClock().Before(r.Lease) {
		return overdue(err)
	}
	return nil
}

func tooLarge(r Record, err error) error {
	return fmt.Errorf("idempotency: a result of %d bytes: %w", len(r.Result), err)
}

// storeError reports a record that is not as it should be.
func (c *config) storeError(ctx context.Context, r Record, err error) {
	guard.AddAttrs(ctx, slog.String("idempotencyKey", r.Key), slog.Any("idempotencyError", err))
	if c.onStoreError != nil {
		c.onStoreError(ctx, r, err)
	}
}

// replayed calls OnReplay, which may add headers, and refuses a replay whose
// answer was not kept.
func (c *config) replayed(ctx context.Context, done Record) (extra http.Header, err error) {
	if done.NoResult {
		return nil, resultUnavailable()
	}
	guard.AddAttrs(ctx, slog.String("idempotencyKey", done.Key), slog.Bool("idempotentReplayed", true))
	if c.onReplay != nil {
		extra = make(http.Header)
		c.onReplay(ctx, done, extra)
	}
	return extra, nil
}
