package idempotency

import (
	"context"
	cryptorand "crypto/rand"
	"encoding/base64"
	"errors"
	"math/rand/v2"
	"time"
)

// claim makes r the record of its key. Where the request was carried out
// before, it returns the record of that instead.
func (c *config) claim(ctx context.Context, r *Record) (done Record, replay bool, err error) {
	if done, ok := c.local.get(r.Key); ok {
		err := match(&done, r)
		return done, err == nil, err
	}
	r.Owner = newOwner()
	var patience wait
	if c.wait > 0 {
		patience.until = wallClock().Add(c.wait)
	}
	for {
		r.Lease, r.Expires = c.times(ctx)
		held, err := c.store.Claim(ctx, *r)
		if err == nil {
			return Record{}, false, nil
		}
		if !errors.Is(err, ErrHeld) {
			c.disclaim(ctx, *r)
			if patience.last != nil && ctx.Err() != nil {
				return Record{}, false, patience.last
			}
			return Record{}, false, unavailable(err)
		}
		if err := match(&held, r); err != nil {
			return Record{}, false, err
		}
		switch {
		case held.Status == Completed:
			c.local.add(held)
			return held, true, nil
		case held.Status == Abandoned && c.timeout == Refuse:
			return Record{}, false, outcomeUnknown()
		case held.Status == Abandoned && r.Epoch != held.Epoch+1:
			r.Epoch = held.Epoch + 1
			continue
		}
		// Held, or taken over by another since: a first attempt again.
		r.Epoch = 1
		patience.last = inFlight(held.Lease.Sub(wallClock()))
		if !patience.pause(ctx) {
			return Record{}, false, patience.last
		}
	}
}

// disclaim releases a claim of which it is not known whether it was taken: the
// handler has not begun. It is a favour to the next attempt, which else waits
// for the lease to end, and no failure if it fails.
func (c *config) disclaim(ctx context.Context, r Record) {
	settle, stop := settling(ctx)
	defer stop()
	_ = c.store.Release(settle, r)
}

// newOwner makes a token of 128 random bits.
func newOwner() string {
	var token [16]byte
	_, _ = cryptorand.Read(token[:]) // never fails
	var text [22]byte
	base64.RawURLEncoding.Encode(text[:], token[:])
	return string(text[:])
}

// match refuses to answer one request with the outcome of another. A record
// without a fingerprint, of another library's, matches all.
func match(held, r *Record) error {
	if held.Fingerprint != "" && r.Fingerprint != "" && held.Fingerprint != r.Fingerprint {
		return reused()
	}
	return nil
}

// wait looks again after longer and longer pauses.
type wait struct {
	until time.Time
	next  time.Duration
	last  error // what held us up
}

// pause reports whether to look again.
func (w *wait) pause(ctx context.Context) bool {
	const shortest, longest = 20 * time.Millisecond, 500 * time.Millisecond
	w.next = min(max(2*w.next, shortest), longest)
	d := w.next/2 + rand.N(w.next/2) // not all at once
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
