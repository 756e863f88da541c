package dynamo_test

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
)

// One process believes that it is minutes later than another does.
func TestClocksThatAreMinutesApart(t *testing.T) {
	b := setUp(t)
	ahead := dynamo.New(connect(b.URL, hasty), b.table)
	ahead.SetClock(func() time.Time { return time.Now().Add(5 * time.Minute) })
	behind := dynamo.New(connect(b.URL, hasty), b.table)
	behind.SetClock(func() time.Time { return time.Now().Add(-5 * time.Minute) })

	first := record(b.key, 1, 30*time.Second)
	if _, err := b.store.Claim(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	// To one that is behind the lease goes on: it waits too long, and no harm.
	if held, err := behind.Claim(t.Context(), record(b.key, 2, time.Minute)); !errors.Is(err, idempotency.ErrHeld) || held.Status != idempotency.InProgress {
		t.Errorf("behind: %v, %+v", err, held)
	}
	// To one that is ahead it is over: both run, and the result is of one.
	held, err := ahead.Claim(t.Context(), record(b.key, 1, time.Minute))
	if !errors.Is(err, idempotency.ErrHeld) || held.Status != idempotency.Abandoned {
		t.Fatalf("ahead: %v, %+v", err, held)
	}
	second := record(b.key, 2, 10*time.Minute)
	if _, err := ahead.Claim(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	if err := b.store.Complete(t.Context(), first); !errors.Is(err, idempotency.ErrLost) {
		t.Errorf("the first completes: %v, want ErrLost", err)
	}
	second.Result = []byte(`"second"`)
	if err := ahead.Complete(t.Context(), second); err != nil {
		t.Error(err)
	}
	if err := b.store.Release(t.Context(), first); !errors.Is(err, idempotency.ErrLost) {
		t.Errorf("the first releases: %v, want ErrLost", err)
	}
	for name, store := range map[string]*dynamo.Store{"behind": behind, "ahead": ahead, "here": b.store} {
		held, err := store.Claim(t.Context(), record(b.key, 3, time.Minute))
		if !errors.Is(err, idempotency.ErrHeld) || held.Status != idempotency.Completed || string(held.Result) != `"second"` {
			t.Errorf("%s: %v, %+v", name, err, held)
		}
	}
}

// A lease ends while the handler is at work, and another takes the key over.
func TestALeaseThatEndsMidFlight(t *testing.T) {
	for name, fails := range map[string]bool{"and the late one succeeds": false, "and the late one fails": true} {
		t.Run(name, func(t *testing.T) {
			b := setUp(t)
			broken := errors.New("broken")
			late := dynamo.New(connect(b.URL, hasty), b.table)
			slow := idempotency.NewOperation("charge", late, idempotency.Lease(time.Minute))
			fast := idempotency.NewOperation("charge", b.store)
			b.store.SetClock(func() time.Time { return time.Now().Add(2 * time.Minute) })
			_, err := idempotency.Do(t.Context(), slow, b.key, nil, func(context.Context) (string, error) {
				got, err := idempotency.Do(t.Context(), fast, b.key, nil, func(context.Context) (string, error) { return "fast", nil })
				if got != "fast" || err != nil {
					t.Errorf("%q, %v", got, err)
				}
				if fails {
					return "", broken
				}
				return "slow", nil
			})
			if fails && !errors.Is(err, broken) {
				t.Errorf("%v, want the handler's error", err)
			} else if !fails {
				mustBe(t, err, guard.Conflict, "idempotency_lease_lost")
			}
			got, err := idempotency.Do(t.Context(), fast, b.key, nil, func(context.Context) (string, error) { return "again", nil })
			if got != "fast" || err != nil {
				t.Errorf("then %q, %v, want the result that counted", got, err)
			}
		})
	}
}

// record makes a claim whose lease ends after d.
func record(key string, epoch int64, d time.Duration) idempotency.Record {
	now := time.Now()
	return idempotency.Record{
		Key: key, Owner: rand.Text(), Epoch: epoch, Status: idempotency.InProgress, Fingerprint: "f",
		Lease: now.Add(d), Expires: now.Add(time.Hour),
	}
}

// A claim is taken as of one moment: it is never told that a lease is over which
// it was there to take over.
func TestLeaseThatEndsDuringAClaimIsTakenOver(t *testing.T) {
	client := connect(servers.DynamoDB(t).URL())
	store := dynamo.New(client, table(t, client, ""))
	now := time.Now()
	first, second := record("k", 1, time.Minute), record("k", 2, time.Hour)
	if _, err := store.Claim(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	store.SetClock(func() time.Time { // a minute later each time
		defer func() { now = now.Add(time.Minute) }()
		return now.Add(30 * time.Second)
	})
	if held, err := store.Claim(t.Context(), second); err != nil {
		t.Errorf("%v, held by %+v", err, held)
	}
}

// A record that expires while its key is claimed is no holder.
func TestRecordThatExpiresDuringAClaimIsFree(t *testing.T) {
	client := connect(servers.DynamoDB(t).URL())
	store := dynamo.New(client, table(t, client, ""))
	now := time.Now()
	first, second := record("k", 1, 2*time.Hour), record("k", 1, 3*time.Hour)
	first.Expires = now.Add(time.Hour)
	if _, err := store.Claim(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	store.SetClock(func() time.Time { // an hour later each time
		defer func() { now = now.Add(time.Hour) }()
		return now.Add(30 * time.Minute)
	})
	if held, err := store.Claim(t.Context(), second); err != nil {
		t.Errorf("got %v, held by %+v; want a claim", err, held)
	}
}
