package valkey_test

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/valkey"
	"github.com/lambdarmor/lambdarmor/internal/testserver"
	"github.com/lambdarmor/lambdarmor/internal/valkeyproxy"
)

// behind returns a store behind a proxy, whose scripts the server knows, and one
// that sees the server as it is.
func behind(t *testing.T) (p *valkeyproxy.Proxy, store, direct *valkey.Store) {
	t.Helper()
	addr := servers.Valkey(t).Addr()
	p = valkeyproxy.New(t, addr)
	store, direct = valkey.New(connect(t, p.Addr())), valkey.New(connect(t, addr))
	r := attempt(time.Now())
	mustClaim(t, direct, r)
	if err := errors.Join(direct.Release(t.Context(), r), direct.Complete(t.Context(), r)); !errors.Is(err, idempotency.ErrLost) {
		t.Fatal(err)
	}
	return p, store, direct
}

func mustHaveLost(t *testing.T, lost func() int, want int) {
	t.Helper()
	if got := lost(); got != want {
		t.Fatalf("%d answers were lost, want %d", got, want)
	}
}

func TestRule08AnAnswerThatIsLostIsMetAgain(t *testing.T) {
	t.Run("claim", func(t *testing.T) {
		p, store, direct := behind(t)
		r := attempt(time.Now())
		lost := p.Lose(1)
		mustClaim(t, store, r)
		mustHaveLost(t, lost, 1)
		mustBeHeld(t, direct, another(r, 1), r, idempotency.InProgress)
	})
	t.Run("take-over", func(t *testing.T) {
		p, store, direct := behind(t)
		old := attempt(time.Now())
		old.Lease = old.Lease.Add(-2 * time.Minute)
		mustClaim(t, direct, old)
		next := another(attempt(time.Now()), 2)
		next.Key = old.Key
		lost := p.Lose(2)
		mustClaim(t, store, next)
		mustHaveLost(t, lost, 2)
		mustBeHeld(t, direct, another(old, 3), next, idempotency.InProgress)
	})
	t.Run("complete", func(t *testing.T) {
		p, store, direct := behind(t)
		r := attempt(time.Now())
		mustClaim(t, store, r)
		lost := p.Lose(1)
		if err := store.Complete(t.Context(), done(r, "result")); err != nil {
			t.Fatal(err)
		}
		mustHaveLost(t, lost, 1)
		mustBeHeld(t, direct, another(r, 1), done(r, "result"), idempotency.Completed)
	})
	t.Run("release", func(t *testing.T) {
		p, store, direct := behind(t)
		r := attempt(time.Now())
		mustClaim(t, store, r)
		lost := p.Lose(1)
		if err := store.Release(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		mustHaveLost(t, lost, 1)
		mustClaim(t, direct, another(r, 1))
	})
}

func TestAnswersThatAreLostAgainAndAgainLeaveItUnknown(t *testing.T) {
	p, store, direct := behind(t)
	r := attempt(time.Now())
	lost := p.Lose(3)
	_, err := store.Claim(t.Context(), r)
	mustBeUnknown(t, err)
	mustHaveLost(t, lost, 3)
	mustBeHeld(t, direct, another(r, 1), r, idempotency.InProgress)
	mustClaim(t, store, r) // the same attempt may still ask
}

func mustBeUnknown(t *testing.T, err error) {
	t.Helper()
	if err == nil || errors.Is(err, idempotency.ErrHeld) || errors.Is(err, idempotency.ErrLost) || errors.Is(err, idempotency.ErrTooLarge) {
		t.Fatalf("%v, want an error without the key", err)
	}
}

func TestServerThatIsGone(t *testing.T) {
	server := testserver.Valkey(t)
	store := valkey.New(connect(t, server.Addr()))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var unsaved []error
	op := idempotency.NewOperation("charge", store, idempotency.OnStoreError(func(_ context.Context, _ idempotency.Record, err error) {
		unsaved = append(unsaved, err)
	}))
	runs := 0
	run := func(err error) func(context.Context) (string, error) {
		return func(context.Context) (string, error) {
			runs++
			server.Stop()
			return "receipt", err
		}
	}

	if got, err := idempotency.Do(ctx, op, "completion", nil, run(nil)); err != nil || got != "receipt" || len(unsaved) != 1 {
		t.Errorf("at the completion: %q, %v, reported %v", got, err, unsaved)
	}
	_, err := idempotency.Do(ctx, op, "claim", nil, run(nil))
	var e *guard.Error
	if !errors.As(err, &e) || e.Kind != guard.Unavailable || e.Code != "idempotency_store_unavailable" || runs != 1 {
		t.Errorf("at the claim: %v, after %d runs", err, runs)
	}
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	if _, err := idempotency.Do(ctx, op, "release", nil, run(broken)); !errors.Is(err, broken) || len(unsaved) != 2 || runs != 2 {
		t.Errorf("at the release: %v, reported %v, after %d runs", err, unsaved, runs)
	}
	for _, err := range unsaved {
		mustBeUnknown(t, err)
	}

	// A server that comes back with nothing knows neither scripts nor records.
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	r := attempt(time.Now())
	if err := store.Complete(ctx, done(r, "late")); !errors.Is(err, idempotency.ErrLost) {
		t.Errorf("completing what the server has forgotten: %v", err)
	}
	mustClaim(t, store, r)
}

func TestServerThatIsGoneIsNotWaitedForLong(t *testing.T) {
	server := testserver.Valkey(t)
	store := valkey.New(connect(t, server.Addr()))
	server.Stop()
	start := time.Now()
	_, err := store.Claim(t.Context(), attempt(start)) // without a deadline
	mustBeUnknown(t, err)
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("after %v", took)
	}
}

func TestClosedClientIsAnError(t *testing.T) {
	client := connect(t, servers.Valkey(t).Addr())
	client.Close()
	_, err := valkey.New(client).Claim(t.Context(), attempt(time.Now()))
	mustBeUnknown(t, err)
}

func TestResultBeyondTheServersLimitIsTooLarge(t *testing.T) {
	store := valkey.New(connect(t, servers.Valkey(t).Addr()))
	r := attempt(time.Now())
	mustClaim(t, store, r)
	large := r
	large.Status, large.Result = idempotency.Completed, make([]byte, 512<<20+1)
	if err := store.Complete(t.Context(), large); !errors.Is(err, idempotency.ErrTooLarge) {
		t.Errorf("%v, want ErrTooLarge", err)
	}
	mustBeHeld(t, store, another(r, 1), r, idempotency.InProgress)
}

func TestNewWithoutAClientPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	valkey.New(nil, valkey.Prefix(rand.Text()))
}
