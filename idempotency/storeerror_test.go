package idempotency_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

var errDown = errors.New("the store is down")

// small is a store that takes results of up to 10 bytes.
type small struct{ idempotency.Store }

func (s small) Complete(ctx context.Context, r idempotency.Record) error {
	if len(r.Result) > 10 {
		return idempotency.ErrTooLarge
	}
	return s.Store.Complete(ctx, r)
}

func TestRule12AResultThatIsTooLargeIsNeverASecondRun(t *testing.T) {
	var log bytes.Buffer
	var unsaved []error
	f := new(function)
	h := guard.Wrap(f, guard.Log(logging.New(&log)), idempotency.Once(small{
		Store: idempotency.NewMemoryStore(),
	}, idempotency.Header("Idempotency-Key"),
		idempotency.LocalReplays(1),
		idempotency.OnStoreError(func(_ context.Context, _ idempotency.Record, err error) { unsaved = append(unsaved, err) })))
	if out := mustAnswer(t, h, request{key: "k"}); read(t, out).Body != "order 1" {
		t.Errorf("the first caller gets %s", out)
	}
	for range 2 {
		e := mustRefuse(t, h, request{key: "k"}, guard.Unprocessable, "idempotency_result_unavailable")
		if e.Kind.Retryable() {
			t.Error("a retry cannot help, and one after the TTL would run again")
		}
	}
	mustRefuse(t, h, request{key: "k", body: `{"x":1}`}, guard.Unprocessable, "idempotency_key_reused")
	f.mustHaveRun(t, 1)
	if len(unsaved) != 1 || !errors.Is(unsaved[0], idempotency.ErrTooLarge) || !strings.Contains(log.String(), `"idempotencyError":`) {
		t.Errorf("reported %v, logged %s", unsaved, log.String())
	}
}

func TestRule12AStoreThatIsDownAtCompletionDoesNotTakeTheSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var unsaved []error
		store := &faulty{Store: idempotency.NewMemoryStore(), complete: errDown}
		f := new(function)
		h := guard.Wrap(f, guard.Log(logging.New(&log)), idempotency.Once(store, idempotency.Header("Idempotency-Key"),
			idempotency.OnStoreError(func(_ context.Context, r idempotency.Record, err error) {
				if r.Key == "" {
					t.Error("the record is not told")
				}
				unsaved = append(unsaved, err)
			})))
		if out := mustAnswer(t, h, request{key: "k"}); read(t, out).Body != "order 1" {
			t.Errorf("the caller gets %s", out)
		}
		if len(unsaved) != 1 || !errors.Is(unsaved[0], errDown) || !strings.Contains(log.String(), `"idempotencyError":"idempotency: complete: *errors.errorString"`) {
			t.Errorf("reported %v, logged %s", unsaved, log.String())
		}
		mustRefuse(t, h, request{key: "k"}, guard.Conflict, "idempotency_in_progress") // the lease stays
		f.mustHaveRun(t, 1)
	})
}

// hanging is a store that does not answer.
type hanging struct{ idempotency.Store }

func (h hanging) Complete(ctx context.Context, _ idempotency.Record) error {
	<-ctx.Done()
	return ctx.Err()
}

func (h hanging) Release(ctx context.Context, _ idempotency.Record) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestRule12AStoreThatHangsAtCompletionLeavesTimeToAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := new(function)
		h := guard.Wrap(f, guard.Deadline(300*time.Millisecond), idempotency.Once(hanging{
			Store: idempotency.NewMemoryStore(),
		}, idempotency.Header("Idempotency-Key")))
		for total, most := range map[time.Duration]time.Duration{time.Minute: 2 * time.Second, time.Second: 350 * time.Millisecond} {
			ctx, cancel := context.WithTimeout(t.Context(), total)
			start := time.Now()
			out, err := h.Invoke(ctx, request{key: total.String()}.event())
			if took := time.Since(start); err != nil || took > most {
				t.Errorf("of %v, after %v: %s, %v", total, took, out, err)
			}
			cancel()
		}
		start := time.Now()
		if out, err := h.Invoke(t.Context(), request{key: "no deadline"}.event()); err != nil || time.Since(start) != 2*time.Second {
			t.Errorf("after %v: %s, %v", time.Since(start), out, err)
		}
	})
}

// A handler whose time is over has still done something, or can be released.
func TestAnAttemptIsSettledAfterItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := new(function)
		f.handle = func(ctx context.Context, run int64) ([]byte, error) {
			if run == 1 {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			time.Sleep(11 * time.Second)
			return []byte(`{"statusCode":201}`), nil
		}
		h := protect(f, idempotency.NewMemoryStore())
		if out, err := ask(t, h, request{key: "k"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s, %v", out, err)
		}
		mustAnswer(t, h, request{key: "k"})
		if out := mustAnswer(t, h, request{key: "k"}); !isReplay(out) {
			t.Errorf("not replayed: %s", out)
		}
		f.mustHaveRun(t, 2)
	})
}

// slow is a store whose steps take a second, and stop when their context is over.
type slow struct{ idempotency.Store }

func (s slow) Complete(ctx context.Context, r idempotency.Record) error {
	return s.after(ctx, func() error { return s.Store.Complete(ctx, r) })
}

func (s slow) Release(ctx context.Context, r idempotency.Record) error {
	return s.after(ctx, func() error { return s.Store.Release(ctx, r) })
}

func (s slow) after(ctx context.Context, step func() error) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Second):
		return step()
	}
}

// It makes no difference to a step that is under way that the handler's context
// is cancelled.
func TestAnAttemptIsSettledInTimeOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		for name, fails := range map[string]error{"completed": nil, "released": broken} {
			op := idempotency.NewOperation(name, slow{Store: idempotency.NewMemoryStore()})
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			runs := 0
			run := func(context.Context) (int, error) {
				defer cancel()
				if runs++; runs == 1 {
					return runs, fails
				}
				return runs, nil
			}
			if got, err := idempotency.Do(ctx, op, "k", nil, run); got != 1 || !errors.Is(err, fails) {
				t.Errorf("%s: %d, %v", name, got, err)
			}
			want := 1
			if fails != nil {
				want = 2
			}
			if got, err := idempotency.Do(t.Context(), op, "k", nil, run); got != want || err != nil {
				t.Errorf("%s: then %d, %v, want %d", name, got, err, want)
			}
		}
	})
}

func TestAReleaseThatFailsLeavesTheError(t *testing.T) {
	broken := errors.New("broken")
	told := 0
	h := protect(failing(broken), &faulty{Store: idempotency.NewMemoryStore(), release: errDown},
		idempotency.OnStoreError(func(context.Context, idempotency.Record, error) { told++ }))
	if out, err := ask(t, h, request{key: "k"}); !errors.Is(err, broken) || told != 1 {
		t.Errorf("%s, %v, called %d times", out, err, told)
	}
}

// SECURITY: Closed when broken.
func TestRule13AStoreThatIsDownAtTheClaimStopsTheRequest(t *testing.T) {
	f := new(function)
	for name, opts := range map[string][]idempotency.Option{"": nil, "waiting": {idempotency.Wait(time.Second)}, "missing": {idempotency.AllowMissingKey()}} {
		h := protect(f, &faulty{Store: idempotency.NewMemoryStore(), claim: errDown}, opts...)
		if e := mustRefuse(t, h, request{key: "k"}, guard.Unavailable, "idempotency_store_unavailable"); !errors.Is(e, errDown) {
			t.Errorf("%s: the cause is lost: %v", name, e)
		}
	}
	f.mustHaveRun(t, 0)
}
