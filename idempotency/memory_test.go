package idempotency_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/storetest"
)

func TestMemoryStoreIsAStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) idempotency.Store { return idempotency.NewMemoryStore() })
}

func TestRecordLastsForCenturies(t *testing.T) {
	op := idempotency.NewOperation("op", idempotency.NewMemoryStore(), idempotency.TTL(math.MaxInt64), idempotency.Lease(math.MaxInt64))
	runs := 0
	var inFlight error
	run := func(ctx context.Context) (int, error) {
		if runs++; runs == 1 {
			_, inFlight = idempotency.Do(ctx, op, "k", nil, func(context.Context) (int, error) { runs++; return 0, nil })
		}
		return runs, nil
	}
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if got, err := idempotency.Do(ctx, op, "k", nil, run); got != 1 || err != nil {
			t.Errorf("%d, %v", got, err)
		}
	}
	if runs != 1 || inFlight == nil {
		t.Errorf("%d runs, meanwhile: %v", runs, inFlight)
	}
}
