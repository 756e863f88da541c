package idempotency_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// contested is a store in which a key that was found abandoned is released by
// its holder after all, and used for another request, which is stopped as well.
type contested struct {
	idempotency.Store
	t    *testing.T
	held idempotency.Record
}

func (c *contested) Claim(ctx context.Context, r idempotency.Record) (held idempotency.Record, err error) {
	if r.Epoch == 2 && c.held.Owner != "" {
		other := r
		other.Owner, other.Epoch, other.Fingerprint, other.Lease = "other", 1, "other", time.Now().Add(-time.Second)
		if err := c.Store.Release(ctx, c.held); err != nil {
			c.t.Error(err)
		}
		if _, err := c.Store.Claim(ctx, other); err != nil {
			c.t.Error(err)
		}
		c.held = idempotency.Record{}
	}
	held, err = c.Store.Claim(ctx, r)
	if errors.Is(err, idempotency.ErrHeld) {
		c.held = held
	}
	return held, err
}

// What another request has done is not what a repeat asks for.
func TestAKeyThatBecomesAnotherRequestsIsNotTakenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := idempotency.NewMemoryStore()
		crash(t, protect(crashing(), store))
		time.Sleep(13 * time.Second) // its lease is over
		f := new(function)
		h := protect(f, &contested{Store: store, t: t}, idempotency.Reconcile(
			func(context.Context, idempotency.Unfinished) (json.RawMessage, bool, error) {
				return []byte(`{"statusCode":201,"body":"what the other has done"}`), true, nil
			}))
		mustRefuse(t, h, request{key: "k"}, guard.Unprocessable, "idempotency_key_reused")
		f.mustHaveRun(t, 0)
	})
}
