package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/lambdarmor/lambdarmor/idempotency"
)

const (
	rounds = 50
	racers = 32
)

// race calls fn from n goroutines at once and waits for them.
func race(n int, fn func(i int)) {
	var ready, finished sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		ready.Add(1)
		finished.Go(func() {
			ready.Done()
			<-start
			fn(i)
		})
	}
	ready.Wait()
	close(start)
	finished.Wait()
}

// play calls fn for each round with a key of its own.
func (s *suite) play(fn func(round int)) {
	key := s.key
	for round := range rounds {
		s.key = fmt.Sprintf("%s-%d", key, round)
		fn(round)
	}
}

// mustHaveOneWinner has racers claim, and returns the record of the one that won.
func (s *suite) mustHaveOneWinner(epoch int64) idempotency.Record {
	s.t.Helper()
	var won atomic.Pointer[idempotency.Record]
	var wins atomic.Int64
	held := make([]idempotency.Record, racers)
	race(racers, func(i int) {
		r := s.attempt(epoch)
		var err error
		switch held[i], err = s.store.Claim(s.t.Context(), r); {
		case err == nil:
			wins.Add(1)
			won.Store(&r)
		case !errors.Is(err, idempotency.ErrHeld):
			s.t.Errorf("claim: %v", err)
		}
	})
	if wins.Load() != 1 {
		s.t.Fatalf("%d of the racing claims won, want 1", wins.Load())
	}
	for _, h := range held {
		if h.Owner != "" && (h.Owner != won.Load().Owner || h.Epoch != epoch || h.Status != idempotency.InProgress) {
			s.t.Fatalf("a losing claim got %+v, want the record of %s", h, won.Load().Owner)
		}
	}
	return *won.Load()
}

func racingClaims(_ *testing.T, s *suite) {
	s.play(func(int) {
		s.mustStand(s.mustHaveOneWinner(1), idempotency.InProgress)
	})
}

func racingTakeOvers(_ *testing.T, s *suite) {
	s.play(func(round int) {
		late := s.abandoned(1)
		s.mustClaim(late)
		winner := s.mustHaveOneWinner(2)
		s.mustLose("the late attempt completing", s.store.Complete(s.t.Context(), done(late, "late")))
		s.mustStand(winner, idempotency.InProgress)
	})
}

func completionAgainstTakeOver(t *testing.T, s *suite) {
	s.play(func(round int) {
		late, next := s.abandoned(1), s.attempt(2)
		s.mustClaim(late)
		var completed, claimed error
		var held idempotency.Record
		race(2, func(i int) {
			if i == 0 {
				completed = s.store.Complete(t.Context(), done(late, "late"))
			} else {
				held, claimed = s.store.Claim(t.Context(), next)
			}
		})
		switch {
		case completed == nil && errors.Is(claimed, idempotency.ErrHeld):
			if held.Status != idempotency.Completed || string(held.Result) != "late" {
				t.Fatalf("the claim got %+v, want the completed record", held)
			}
			s.mustStand(done(late, "late"), idempotency.Completed)
		case errors.Is(completed, idempotency.ErrLost) && claimed == nil:
			s.mustStand(next, idempotency.InProgress)
		default:
			t.Fatalf("got %v from the completion and %v from the take-over, want one success", completed, claimed)
		}
	})
}

func releaseAgainstTakeOver(t *testing.T, s *suite) {
	s.play(func(round int) {
		late, next := s.abandoned(1), s.attempt(2)
		s.mustClaim(late)
		if round%2 == 1 { // one that has taken over itself
			late, next = s.abandoned(2), s.attempt(3)
			s.mustClaim(late)
		}
		var released, claimed error
		race(2, func(i int) {
			if i == 0 {
				released = s.store.Release(t.Context(), late)
			} else {
				_, claimed = s.store.Claim(t.Context(), next)
			}
		})
		if released != nil {
			s.mustLose("releasing", released)
		}
		if claimed != nil { // the key is free or abandoned
			t.Fatalf("got %v from the take-over and %v from the release, want the take-over to succeed", claimed, released)
		}
		s.mustStand(next, idempotency.InProgress)
	})
}
