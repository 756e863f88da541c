package valkey_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/idempotency"
)

// A request is a round trip: the next one waits for its answer.
func TestRequestsOfACall(t *testing.T) {
	p, store, direct := behind(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	runs := 0
	charge := func(context.Context) (string, error) {
		runs++
		return fmt.Sprint("receipt ", runs), nil
	}
	broken := errors.New("broken")
	fail := func(context.Context) (string, error) { return "", broken }
	mustTake := func(t *testing.T, op idempotency.Operation, key string, fn func(context.Context) (string, error), want map[string]int) {
		t.Helper()
		p.Taken()
		if _, err := idempotency.Do(ctx, op, key, nil, fn); err != nil && !errors.Is(err, broken) {
			t.Fatal(err)
		}
		if got := p.Taken(); !maps.Equal(got, want) {
			t.Errorf("requests %v, want %v", got, want)
		}
	}
	scripts := func(n int) map[string]int { return map[string]int{"EVALSHA": n} }

	op, key := idempotency.NewOperation("charge", store), rand.Text()
	t.Run("a first call is two", func(t *testing.T) { mustTake(t, op, key, charge, scripts(2)) })
	t.Run("a replay is one", func(t *testing.T) { mustTake(t, op, key, charge, scripts(1)) })
	t.Run("a failure is two", func(t *testing.T) { mustTake(t, op, rand.Text(), fail, scripts(2)) })
	t.Run("an abandoned key is one more", func(t *testing.T) {
		key := rand.Text()
		var r idempotency.Record // as another process has stored it
		crash := idempotency.NewOperation("charge", spy{Store: direct, claimed: &r})
		if _, err := idempotency.Do(ctx, crash, key, nil, fail); !errors.Is(err, broken) {
			t.Fatal(err)
		}
		r.Lease = r.Lease.Add(-2 * time.Hour)
		mustClaim(t, direct, r)
		mustTake(t, op, key, charge, scripts(3))
	})
	t.Run("a local replay is none", func(t *testing.T) {
		op, key := idempotency.NewOperation("charge", store, idempotency.LocalReplays(1)), rand.Text()
		mustTake(t, op, key, charge, scripts(2))
		mustTake(t, op, key, charge, map[string]int{})
	})
	t.Run("a script that the server does not know is sent in full", func(t *testing.T) {
		client := connect(t, servers.Valkey(t).Addr())
		if err := client.Do(ctx, client.B().ScriptFlush().Build()).Error(); err != nil {
			t.Fatal(err)
		}
		mustTake(t, op, rand.Text(), charge, map[string]int{"EVALSHA": 2, "EVAL": 2})
	})
	if runs != 4 {
		t.Errorf("%d runs", runs)
	}
}

// spy reports the claims.
type spy struct {
	idempotency.Store
	claimed *idempotency.Record
}

func (s spy) Claim(ctx context.Context, r idempotency.Record) (idempotency.Record, error) {
	*s.claimed = r
	return s.Store.Claim(ctx, r)
}
