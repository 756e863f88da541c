package idempotency_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// deaf is a store whose next claims take place, but whose answers are lost.
type deaf struct {
	idempotency.Store
	lose     int
	hang     bool // the caller hears nothing at all until its time is over
	releases []idempotency.Record
	fails    error // of releases
}

func (d *deaf) Claim(ctx context.Context, r idempotency.Record) (idempotency.Record, error) {
	held, err := d.Store.Claim(ctx, r)
	if d.lose == 0 || err != nil {
		return held, err
	}
	d.lose--
	if d.hang {
		<-ctx.Done()
		return idempotency.Record{}, ctx.Err()
	}
	return idempotency.Record{}, errDown
}

func (d *deaf) Release(ctx context.Context, r idempotency.Record) error {
	d.releases = append(d.releases, r)
	if d.fails != nil {
		return d.fails
	}
	return d.Store.Release(ctx, r)
}

// The handler has not begun, so that nothing speaks against the next try.
func TestAClaimWhoseAnswerIsLostIsReleased(t *testing.T) {
	for _, p := range policies() {
		for name, hang := range map[string]bool{"an error": false, "no answer": true} {
			t.Run(p.name+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := &deaf{Store: idempotency.NewMemoryStore(), lose: 1, hang: hang}
					f := new(function)
					h := protect(f, s, p.of)
					mustRefuse(t, h, request{key: "k"}, guard.Unavailable, "idempotency_store_unavailable")
					f.mustHaveRun(t, 0)
					mustAnswer(t, h, request{key: "k"})
					f.mustHaveRun(t, 1)
				})
			})
		}
	}
}

// It makes no difference that the attempt had waited for another.
func TestAClaimThatIsLostWhileWaitingIsReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := idempotency.NewMemoryStore()
		crash(t, protect(crashing(), store)) // holds the key for 12 s
		time.Sleep(5 * time.Second)
		f := new(function)
		waiting := protect(f, &deaf{Store: store, lose: 1, hang: true}, idempotency.Wait(time.Minute))
		mustRefuse(t, waiting, request{key: "k"}, guard.Conflict, "idempotency_in_progress")
		f.mustHaveRun(t, 0)
		mustAnswer(t, protect(f, store), request{key: "k"})
		f.mustHaveRun(t, 1)
	})
}

func TestTheClaimOfAnotherIsNotReleased(t *testing.T) {
	store := idempotency.NewMemoryStore()
	crash(t, protect(crashing(), store))
	mustRefuse(t, protect(new(function), &faulty{Store: store, claim: errDown}), request{key: "k"}, guard.Unavailable, "idempotency_store_unavailable")
	mustRefuse(t, protect(new(function), store), request{key: "k"}, guard.Conflict, "idempotency_in_progress")
}

// It is a favour to the next try: whether it succeeds makes no difference to
// this one.
func TestAReleaseOfAnUnansweredClaimMayFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := 0
		s := &deaf{Store: idempotency.NewMemoryStore(), lose: 1, fails: errDown}
		h := protect(new(function), s, idempotency.OnStoreError(func(context.Context, idempotency.Record, error) { told++ }))
		e := mustRefuse(t, h, request{key: "k"}, guard.Unavailable, "idempotency_store_unavailable")
		if !errors.Is(e, errDown) || len(s.releases) != 1 || told != 0 {
			t.Errorf("got %v after %d releases, called %d times; want the claim's error, one and none", e, len(s.releases), told)
		}
		mustRefuse(t, h, request{key: "k"}, guard.Conflict, "idempotency_in_progress")
	})
}
