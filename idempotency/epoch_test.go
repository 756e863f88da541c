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

// asked is a Reconcile that finds nothing, and the epochs that it was asked
// about.
type asked struct{ epochs []int64 }

func (a *asked) find(_ context.Context, u idempotency.Unfinished) (json.RawMessage, bool, error) {
	a.epochs = append(a.epochs, u.Epoch)
	return nil, false, nil
}

func (a *asked) mustBe(t *testing.T, want ...int64) {
	t.Helper()
	if len(a.epochs) != len(want) {
		t.Fatalf("asked about epochs %d, want %d", a.epochs, want)
	}
	for i := range want {
		if a.epochs[i] != want[i] {
			t.Fatalf("asked about epochs %d, want %d", a.epochs, want)
		}
	}
}

// The first attempt may still have had an effect: it is asked about before each
// that follows.
func TestReconcileIsAskedAgainAfterATakeOverThatFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := new(function)
		declined := errors.New("declined")
		f.handle = func(_ context.Context, run int64) ([]byte, error) {
			switch run {
			case 1:
				panic("stopped")
			case 2, 3:
				return nil, declined
			default:
				return []byte(`{"statusCode":201}`), nil
			}
		}
		var a asked
		h := protect(f, idempotency.NewMemoryStore(), idempotency.Reconcile(a.find))
		crash(t, h)
		time.Sleep(13 * time.Second)
		for range 2 {
			if out, err := ask(t, h, request{key: "k"}); !errors.Is(err, declined) {
				t.Fatalf("answered %s with error %v, want the handler's", out, err)
			}
		}
		mustAnswer(t, h, request{key: "k"})
		a.mustBe(t, 1, 2, 3)
		f.mustHaveRun(t, 4)
		if out := mustAnswer(t, h, request{key: "k"}); !isReplay(out) {
			t.Errorf("not replayed: %s", out)
		}
	})
}

func TestReconcileIsAskedAgainAfterATakeOverWhoseClaimWasLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, f := idempotency.NewMemoryStore(), crashing()
		var a asked
		policy := idempotency.Reconcile(a.find)
		crash(t, protect(f, store, policy))
		time.Sleep(13 * time.Second)
		mustRefuse(t, protect(f, &deaf{Store: store, lose: 1}, policy), request{key: "k"}, guard.Unavailable, "idempotency_store_unavailable")
		a.mustBe(t)
		mustAnswer(t, protect(f, store, policy), request{key: "k"})
		a.mustBe(t, 2)
	})
}

// A first attempt that fails leaves no question.
func TestReconcileIsNotAskedAfterAFirstAttemptThatFailed(t *testing.T) {
	f := first(failingWith(errors.New("declined")))
	var a asked
	h := protect(f, idempotency.NewMemoryStore(), idempotency.Reconcile(a.find))
	if out, err := ask(t, h, request{key: "k"}); err == nil {
		t.Errorf("answered %s", out)
	}
	mustAnswer(t, h, request{key: "k"})
	a.mustBe(t)
}

// It is no news that an attempt which has failed, and is late, has nothing left
// to release.
func TestAReleaseThatComesLateIsNoFailureOfTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := first(func(context.Context) ([]byte, error) {
			time.Sleep(20 * time.Second)
			return nil, errors.New("declined")
		})
		h := protect(f, idempotency.NewMemoryStore(), idempotency.OnStoreError(func(_ context.Context, _ idempotency.Record, err error) {
			t.Errorf("reported %v", err)
		}))
		ended := make(chan error)
		go func() {
			_, err := ask(t, h, request{key: "k"})
			ended <- err
		}()
		time.Sleep(13 * time.Second)
		mustAnswer(t, h, request{key: "k"})
		if err := <-ended; err == nil {
			t.Error("the late attempt has no error")
		}
	})
}
