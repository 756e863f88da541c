package idempotency_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// scripted is a store of which each claim is answered as the script says, and
// taken when the script is over.
type scripted struct {
	idempotency.Store
	script []func(ctx context.Context, r idempotency.Record) (idempotency.Record, error)
	epochs []int64 // of the claims
}

func (s *scripted) Claim(ctx context.Context, r idempotency.Record) (idempotency.Record, error) {
	s.epochs = append(s.epochs, r.Epoch)
	if len(s.script) == 0 {
		return s.Store.Claim(ctx, r)
	}
	next := s.script[0]
	s.script = s.script[1:]
	return next(ctx, r)
}

// holding answers that another has the key.
func holding(status idempotency.Status, epoch int64) func(context.Context, idempotency.Record) (idempotency.Record, error) {
	return func(context.Context, idempotency.Record) (idempotency.Record, error) {
		return idempotency.Record{Owner: "another", Status: status, Epoch: epoch, Lease: time.Now()}, idempotency.ErrHeld
	}
}

// A store may say that a claim is abandoned and not give it away, as its lease
// has just ended: that is asked no more often than any key that is held.
func TestAnAbandonedKeyThatIsNotGivenAwayIsHeld(t *testing.T) {
	s := &scripted{Store: idempotency.NewMemoryStore(), script: slices.Repeat(
		[]func(context.Context, idempotency.Record) (idempotency.Record, error){holding(idempotency.Abandoned, 1)}, 10,
	)}
	f := new(function)
	mustRefuse(t, protect(f, s), request{key: "k"}, guard.Conflict, "idempotency_in_progress")
	if !slices.Equal(s.epochs, []int64{1, 2}) {
		t.Errorf("claimed with epochs %d", s.epochs)
	}
	f.mustHaveRun(t, 0)
}

// Who loses the race for an abandoned key, and waits for the winner, makes a
// first attempt when the key is free: there is nothing left to find out.
func TestTheLoserOfATakeOverBeginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{Store: idempotency.NewMemoryStore()}
		s.script = append(s.script, holding(idempotency.Abandoned, 1), holding(idempotency.InProgress, 2))
		f := new(function)
		h := protect(f, s, idempotency.Wait(time.Second), idempotency.Reconcile(
			func(context.Context, idempotency.Unfinished) (json.RawMessage, bool, error) {
				t.Error("asked about an attempt that has ended")
				return nil, false, nil
			}))
		mustAnswer(t, h, request{key: "k"})
		if !slices.Equal(s.epochs, []int64{1, 2, 1}) {
			t.Errorf("claimed with epochs %d", s.epochs)
		}
		f.mustHaveRun(t, 1)
	})
}

// A request whose time ends while it waits gets an error about the holder, and not
// that the store is down.
func TestRule05WaitThatEndsDuringALookIsAConflict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{Store: idempotency.NewMemoryStore()}
		s.script = append(s.script, holding(idempotency.InProgress, 1), func(ctx context.Context, _ idempotency.Record) (idempotency.Record, error) {
			<-ctx.Done()
			return idempotency.Record{}, ctx.Err()
		})
		f := new(function)
		mustRefuse(t, protect(f, s, idempotency.Wait(time.Minute)), request{key: "k"}, guard.Conflict, "idempotency_in_progress")
		f.mustHaveRun(t, 0)
	})
	// A store that fails while there is time is down.
	s := &scripted{Store: idempotency.NewMemoryStore()}
	s.script = append(s.script, holding(idempotency.InProgress, 1), func(context.Context, idempotency.Record) (idempotency.Record, error) {
		return idempotency.Record{}, errors.New("down")
	})
	mustRefuse(t, protect(new(function), s, idempotency.Wait(time.Minute)), request{key: "k"}, guard.Unavailable, "idempotency_store_unavailable")
}

// Copies of a snapshot share all randomness of the process, but not that of the
// kernel, which the test replaces.
//
// SECURITY: A snapshot's secrets end with it.
func TestAnOwnerIsDrawnFromTheKernelForEachAttempt(t *testing.T) {
	s := &spy{Store: idempotency.NewMemoryStore()}
	h := protect(new(function), s)
	for i, seed := range []uint64{1, 1, 2} {
		cryptotest.SetGlobalRandom(t, seed)
		mustAnswer(t, h, request{key: fmt.Sprint("k-", i)})
	}
	if first, same, other := s.claims[0].Owner, s.claims[1].Owner, s.claims[2].Owner; first != same || first == other {
		t.Errorf("got %s, %s and %s, want the first two alike and the third different", first, same, other)
	}
}
