package historytest

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/idempotency"
)

// flaw is what is wrong with a store.
type flaw uint8

const (
	none flaw = iota
	completionWithoutFence
	completionByOwnerAlone
	releaseWithoutFence
	releaseOfCompleted
	claimOfLiveLease
	claimByAnyEpoch
	claimInTwoSteps
	claimThatMeetsItselfIsRefused
	claimAgainRenewsLease
	staleRead
	forgottenCompletion
	expiredIsHeld
	abandonedIsForgotten
	resultOfAnother
)

// simple is a store that is made for its flaws: easy to see through, and with
// one of them wrong in one place.
type simple struct {
	flaw flaw

	mu      sync.Mutex // guards what follows
	records map[string]idempotency.Record
	told    map[string]idempotency.Record // the holders that claims have met
}

func newSimple(f flaw) *simple {
	return &simple{flaw: f, records: make(map[string]idempotency.Record), told: make(map[string]idempotency.Record)}
}

func (s *simple) Claim(_ context.Context, r idempotency.Record) (idempotency.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, there := s.records[r.Key]
	if s.flaw == claimInTwoSteps {
		s.mu.Unlock()
		runtime.Gosched()
		s.mu.Lock()
	}
	now := time.Now().Round(0)
	if there && !old.Expires.After(now) && s.flaw != expiredIsHeld {
		there = false
	}
	abandoned := old.Status == idempotency.InProgress && !old.Lease.After(now)
	next := r.Epoch == old.Epoch+1
	self := old.Owner == r.Owner && old.Epoch == r.Epoch && old.Status == idempotency.InProgress
	switch {
	case !there:
	case abandoned && (next || s.flaw == claimByAnyEpoch && !self):
	case s.flaw == claimOfLiveLease && next && old.Status == idempotency.InProgress:
	case self && s.flaw == claimAgainRenewsLease:
	case self && s.flaw != claimThatMeetsItselfIsRefused:
		return idempotency.Record{}, nil
	default:
		if abandoned && s.flaw != abandonedIsForgotten {
			old.Status = idempotency.Abandoned
		}
		if stale, ok := s.told[r.Key]; ok && s.flaw == staleRead {
			return stale, idempotency.ErrHeld
		}
		s.told[r.Key] = old
		return old, idempotency.ErrHeld
	}
	s.records[r.Key] = r
	return idempotency.Record{}, nil
}

func (s *simple) Complete(_ context.Context, r idempotency.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, there := s.records[r.Key]
	ours := old.Owner == r.Owner && (old.Epoch == r.Epoch || s.flaw == completionByOwnerAlone)
	if !there || !ours && s.flaw != completionWithoutFence {
		return idempotency.ErrLost
	}
	switch s.flaw {
	case forgottenCompletion:
		return nil
	case resultOfAnother:
		r.Result = []byte("result")
	}
	old.Status, old.Result, old.NoResult, old.Expires = idempotency.Completed, r.Result, r.NoResult, r.Expires
	s.records[r.Key] = old
	return nil
}

func (s *simple) Release(_ context.Context, r idempotency.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, there := s.records[r.Key]
	ours := old.Owner == r.Owner && old.Epoch == r.Epoch || s.flaw == releaseWithoutFence
	if there && (!ours || old.Status == idempotency.Completed && s.flaw != releaseOfCompleted) {
		return idempotency.ErrLost
	}
	delete(s.records, r.Key)
	return nil
}

// simpleSystem has several processes on one store, all with the clock of this
// machine.
func simpleSystem(f flaw) System {
	s := newSimple(f)
	var sys System
	for range 5 {
		sys.Processes = append(sys.Processes, Local(s))
	}
	return sys
}

func TestHistoriesOfASoundStoreAreExplained(t *testing.T) { Check(t, simpleSystem(none)) }

// Each flaw shows within the histories that Check makes, most of them in the
// first ones.
func TestHistoriesOfAFlawedStoreAreRefuted(t *testing.T) {
	for name, f := range map[string]flaw{
		"a completion is not fenced":                 completionWithoutFence,
		"a completion is fenced by the owner alone":  completionByOwnerAlone,
		"a release is not fenced":                    releaseWithoutFence,
		"a release takes what is completed":          releaseOfCompleted,
		"a claim ignores a live lease":               claimOfLiveLease,
		"a claim takes over with any epoch":          claimByAnyEpoch,
		"a claim reads first and writes then":        claimInTwoSteps,
		"a claim does not know itself":               claimThatMeetsItselfIsRefused,
		"a claim that is repeated begins anew":       claimAgainRenewsLease,
		"a claim is told of an earlier holder":       staleRead,
		"a completion is acknowledged and forgotten": forgottenCompletion,
		"an expired record is held":                  expiredIsHeld,
		"an abandoned claim is said to be alive":     abandonedIsForgotten,
		"a result is not the one that was given":     resultOfAnother,
	} {
		t.Run(name, func(t *testing.T) {
			const tries = 1000 // each of a few milliseconds
			sys := simpleSystem(f)
			for seed := uint64(1); seed <= tries; seed++ {
				if ops := sys.play(t, seed).operations(); !explained(t, ops) {
					t.Logf("refuted by history %d", seed)
					return
				}
			}
			t.Errorf("%d histories are those of a store", tries)
		})
	}
}
