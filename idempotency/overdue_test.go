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

// succeedingAfter is a handler that succeeds after so long, whatever its deadline is.
func succeedingAfter(d time.Duration, answer string) *function {
	return &function{handle: func(context.Context, int64) ([]byte, error) {
		time.Sleep(d)
		return []byte(answer), nil
	}}
}

// A store that is silent cannot tell whether another attempt has the key. While
// the lease lasts nobody has.
func TestASuccessThatTheStoreDoesNotConfirmCountsWhileTheLeaseLasts(t *testing.T) {
	for name, c := range map[string]struct {
		takes   time.Duration // of a lease of 12 s
		answer  string
		store   idempotency.Store
		unknown bool
	}{
		"completed in time": {takes: 11 * time.Second, store: &faulty{Store: idempotency.NewMemoryStore(), complete: errDown}},
		"completed late":    {takes: 12 * time.Second, store: &faulty{Store: idempotency.NewMemoryStore(), complete: errDown}, unknown: true},
		"completed, but told of late": {takes: 11900 * time.Millisecond, store: hanging{
			Store: idempotency.NewMemoryStore(),
		}, unknown: true},
		"not kept, in time": {takes: 11 * time.Second, answer: `{"statusCode":202}`, store: &faulty{Store: idempotency.NewMemoryStore(), release: errDown}},
		"not kept, late":    {takes: 12 * time.Second, answer: `{"statusCode":202}`, store: &faulty{Store: idempotency.NewMemoryStore(), release: errDown}, unknown: true},
		"a failure, late":   {takes: 12 * time.Second, answer: `{"statusCode":503}`, store: &faulty{Store: idempotency.NewMemoryStore(), release: errDown}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if c.answer == "" {
					c.answer = `{"statusCode":201}`
				}
				told := 0
				h := protect(succeedingAfter(c.takes, c.answer), c.store,
					idempotency.StoreWhen(func(status int, _ []byte) bool { return status == 201 }),
					idempotency.OnStoreError(func(context.Context, idempotency.Record, error) { told++ }))
				if !c.unknown {
					if out := mustAnswer(t, h, request{key: "k"}); out != c.answer {
						t.Errorf("got %s, want %s", out, c.answer)
					}
				} else if e := mustRefuse(t, h, request{key: "k"}, guard.Conflict, "idempotency_outcome_unknown"); !errors.Is(e, idempotency.ErrOutcomeUnknown) {
					t.Errorf("got %v, which does not wrap ErrOutcomeUnknown", e)
				}
				if told != 1 {
					t.Errorf("called %d times, want once", told)
				}
			})
		})
	}
}

func TestDoIsNotSureOfALateSuccessThatTheStoreDoesNotConfirm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := idempotency.NewOperation("charge", &faulty{Store: idempotency.NewMemoryStore(), complete: errDown}, idempotency.Lease(time.Second))
		got, err := idempotency.Do(t.Context(), op, "k", nil, func(context.Context) (int, error) {
			time.Sleep(time.Minute)
			return 7, nil
		})
		mustBe(t, got, err, guard.Conflict, "idempotency_outcome_unknown")
		if got != 0 {
			t.Errorf("got %d, want nothing", got)
		}
	})
}

// Also one whose answer is not kept has lost its key to another.
func TestASuccessThatIsNotKeptIsNoneWhenTheKeyIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &function{handle: func(_ context.Context, run int64) ([]byte, error) {
			if run == 1 {
				time.Sleep(20 * time.Second)
				return []byte(`{"statusCode":202}`), nil
			}
			return []byte(`{"statusCode":201}`), nil
		}}
		h := protect(f, idempotency.NewMemoryStore(), idempotency.StoreWhen(func(status int, _ []byte) bool { return status == 201 }))
		ended := make(chan error)
		go func() {
			_, err := ask(t, h, request{key: "k"})
			ended <- err
		}()
		time.Sleep(13 * time.Second)
		mustAnswer(t, h, request{key: "k"})
		mustBe(t, "the late attempt", <-ended, guard.Conflict, "idempotency_lease_lost")
	})
}
