package idempotency_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// late runs a first attempt that ignores its deadline and goes on for 20 s, to
// end with err, and a second that takes the key over after 13 s, when the lease
// of 12 s is over, and succeeds at once. It gives the handler and what came of
// the late one.
func late(t *testing.T, store idempotency.Store, err error) (h lambda.Handler, lateErr error) {
	t.Helper()
	f := &function{handle: func(_ context.Context, run int64) ([]byte, error) {
		if run == 1 {
			time.Sleep(20 * time.Second)
			if err != nil {
				return nil, err
			}
		}
		return fmt.Appendf(nil, `{"statusCode":201,"body":"order %d"}`, run), nil
	}}
	h = protect(f, store)
	ended := make(chan error)
	go func() {
		_, err := ask(t, h, request{key: "k"})
		ended <- err
	}()
	synctest.Wait()
	time.Sleep(11 * time.Second)
	mustRefuse(t, h, request{key: "k"}, guard.Conflict, "idempotency_in_progress")
	time.Sleep(2 * time.Second)
	if out := mustAnswer(t, h, request{key: "k"}); read(t, out).Body != "order 2" || isReplay(out) {
		t.Errorf("the second attempt answers %s", out)
	}
	lateErr = <-ended
	f.mustHaveRun(t, 2)
	return h, lateErr
}

func TestRule07FenceALateSuccessDoesNotOverwriteTheNewOwnersResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, err := late(t, idempotency.NewMemoryStore(), nil)
		e := mustBe(t, "the late attempt", err, guard.Conflict, "idempotency_lease_lost")
		if !errors.Is(e, idempotency.ErrLost) {
			t.Errorf("the late attempt got %v, want ErrLost", err)
		}
		if out := mustAnswer(t, h, request{key: "k"}); !isReplay(out) || read(t, out).Body != "order 2" {
			t.Errorf("then %s, want the replay of order 2", out)
		}
	})
}

func TestRule07FenceALateFailureDoesNotDeleteTheNewOwnersRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		h, err := late(t, idempotency.NewMemoryStore(), broken)
		if !errors.Is(err, broken) {
			t.Errorf("the late attempt got %v, want its own error", err)
		}
		if out := mustAnswer(t, h, request{key: "k"}); !isReplay(out) || read(t, out).Body != "order 2" {
			t.Errorf("then %s, want the replay of order 2", out)
		}
	})
}

// A late attempt that nobody has replaced has done what was asked.
func TestALateSuccessWithoutASuccessorCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &function{handle: func(context.Context, int64) ([]byte, error) {
			time.Sleep(time.Minute)
			return []byte(`{"statusCode":201}`), nil
		}}
		h := protect(f, idempotency.NewMemoryStore())
		mustAnswer(t, h, request{key: "k"})
		if out := mustAnswer(t, h, request{key: "k"}); !isReplay(out) {
			t.Errorf("not replayed: %s", out)
		}
		f.mustHaveRun(t, 1)
	})
}
