package idempotency

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/random"
)

// claim stores r as the record of its key, in progress. It returns the completed
// record instead if the request was carried out before.
func (c *config) claim(ctx context.Context, r *Record) (replay *Record, err error) {
	if done, ok := c.local.get(r.Key); ok {
		replay := done
		return &replay, checkRequest(done, *r)
	}
	r.Owner = rand.Text()
	w := wait{until: wallClock().Add(c.wait)}
	for {
		r.Lease, r.Expires = c.times(ctx)
		held, err := c.store.Claim(ctx, *r)
		if err == nil {
			return nil, nil
		}
		if !errors.Is(err, ErrHeld) {
			c.disclaim(ctx, *r)
			if w.inFlight != nil && ctx.Err() != nil {
				return nil, w.inFlight
			}
			return nil, unavailable(err)
		}
		if err := checkRequest(held, *r); err != nil {
			return nil, err
		}
		switch {
		case held.Status == Completed:
			c.local.add(held)
			replay := held
			return &replay, nil
		case held.Status == Abandoned && c.timeout == Refuse:
			return nil, outcomeUnknown()
		case held.Status == Abandoned && r.Epoch != held.Epoch+1:
			r.Epoch = held.Epoch + 1
			continue
		}
		r.Epoch = 1 // a first attempt again: the holder may release the key
		w.inFlight = inFlight(held.Lease.Sub(wallClock()))
		if !w.pause(ctx) {
			return nil, w.inFlight
		}
	}
}

// disclaim releases a claim that may have been taken, since the handler did not
// run. If that fails, the next attempt has to wait for the lease to end.
func (c *config) disclaim(ctx context.Context, r Record) {
	ctx, stop := settling(ctx, 2*time.Second, 2)
	defer stop()
	_ = c.store.Release(ctx, r)
}

// checkRequest refuses a request whose fingerprint differs from the record's.
func checkRequest(held, r Record) error {
	if !held.SameRequest(r) {
		return reused()
	}
	return nil
}

// wait is the pause between the claims of a request that waits for its key.
type wait struct {
	until    time.Time
	next     time.Duration
	inFlight error // why the last claim failed
}

// pause reports whether to claim again.
func (w *wait) pause(ctx context.Context) bool {
	const shortest, longest = 20 * time.Millisecond, 500 * time.Millisecond
	w.next = min(max(2*w.next, shortest), longest)
	d := w.next/2 + random.N(w.next/2) // not all at once
	d = min(d, w.until.Sub(wallClock()))
	if d <= 0 {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
