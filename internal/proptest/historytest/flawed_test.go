package historytest

import (
	"bytes"
	"context"
	"os"
	"runtime"
	"strings"
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
	claimOfAnotherRequest
	claimInTwoSteps
	claimThatMeetsItselfIsRefused
	claimAgainRenewsLease
	staleRead
	forgottenCompletion
	expiredIsHeld
	abandonedIsForgotten
	resultOfAnother
	releaseForgetsEpochs
	releaseLeavesOwner
)

// simple is a store that is made for its flaws: easy to see through, and with
// one of them wrong in one place. It is the view of one process.
type simple struct {
	*records
	flaw flaw
	skew time.Duration // of the clock that judges
}

type records struct {
	mu   sync.Mutex                    // guards what follows
	kept map[string]idempotency.Record // by key
	told map[string]idempotency.Record // the holders that claims have met
}

func (s *simple) Claim(_ context.Context, r idempotency.Record) (idempotency.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, there := s.kept[r.Key]
	if s.flaw == claimInTwoSteps {
		s.mu.Unlock()
		runtime.Gosched()
		s.mu.Lock()
	}
	now := time.Now().Round(0).Add(s.skew)
	if there && !old.Expires.After(now) && s.flaw != expiredIsHeld {
		there = false
	}
	abandoned := old.Status == idempotency.InProgress && !old.Lease.After(now)
	next := r.Epoch == old.Epoch+1 && (r.Fingerprint == old.Fingerprint || s.flaw == claimOfAnotherRequest)
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
	s.kept[r.Key] = r
	return idempotency.Record{}, nil
}

func (s *simple) Complete(_ context.Context, r idempotency.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, there := s.kept[r.Key]
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
	s.kept[r.Key] = old
	return nil
}

func (s *simple) Release(_ context.Context, r idempotency.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, there := s.kept[r.Key]
	ours := old.Owner == r.Owner && old.Epoch == r.Epoch || s.flaw == releaseWithoutFence
	if there && (!ours || old.Status == idempotency.Completed && s.flaw != releaseOfCompleted) {
		return idempotency.ErrLost
	}
	if old.Epoch <= 1 || s.flaw == releaseForgetsEpochs {
		delete(s.kept, r.Key)
		return nil
	}
	old.Lease = time.Unix(0, 0)
	if s.flaw != releaseLeavesOwner {
		old.Owner = ""
	}
	s.kept[r.Key] = old
	return nil
}

// simpleSystem has several processes on one store.
func simpleSystem(f flaw, skews ...time.Duration) System {
	shared := &records{kept: make(map[string]idempotency.Record), told: make(map[string]idempotency.Record)}
	var sys System
	for i := range 5 {
		s := &simple{records: shared, flaw: f}
		if i < len(skews) {
			s.skew = skews[i]
		}
		p := Local(s)
		p.Skew = s.skew
		sys.Processes = append(sys.Processes, p)
	}
	return sys
}

func TestHistoriesOfASoundStoreAreExplained(t *testing.T) {
	t.Run("one clock", func(t *testing.T) { Check(t, simpleSystem(none)) })
	t.Run("clocks that are minutes apart", func(t *testing.T) {
		Check(t, simpleSystem(none, 10*time.Minute, -10*time.Minute))
	})
}

func TestHistoriesOfAStoreThatGoesByAnotherClockAreRefuted(t *testing.T) {
	sys := simpleSystem(none, 10*time.Minute, -10*time.Minute)
	sys.ServerClock = true // it says
	mustRefute(t, sys)
}

// Most flaws show in the first history.
func TestHistoriesOfAFlawedStoreAreRefuted(t *testing.T) {
	for name, f := range map[string]flaw{
		"a completion is not fenced":                 completionWithoutFence,
		"a completion is fenced by the owner alone":  completionByOwnerAlone,
		"a release is not fenced":                    releaseWithoutFence,
		"a release takes what is completed":          releaseOfCompleted,
		"a claim ignores a live lease":               claimOfLiveLease,
		"a claim takes over with any epoch":          claimByAnyEpoch,
		"a claim takes over another request":         claimOfAnotherRequest,
		"a claim reads first and writes then":        claimInTwoSteps,
		"a claim does not know itself":               claimThatMeetsItselfIsRefused,
		"a claim that is repeated begins anew":       claimAgainRenewsLease,
		"a claim is told of an earlier holder":       staleRead,
		"a completion is acknowledged and forgotten": forgottenCompletion,
		"an expired record is held":                  expiredIsHeld,
		"an abandoned claim is said to be alive":     abandonedIsForgotten,
		"a result is not the one that was given":     resultOfAnother,
		"a release forgets the count of attempts":    releaseForgetsEpochs,
		"a released attempt can still complete":      releaseLeavesOwner,
	} {
		t.Run(name, func(t *testing.T) {
			mustRefute(t, simpleSystem(f))
		})
	}
}

func mustRefute(t *testing.T, sys System) {
	t.Helper()
	const tries = 1000 // each of a few milliseconds
	for seed := uint64(1); seed <= tries; seed++ {
		if ops := sys.play(t, seed).operations(); !explained(t, ops) {
			t.Logf("refuted by history %d", seed)
			return
		}
	}
	t.Errorf("%d histories are those of a store", tries)
}

func TestFailureIsShown(t *testing.T) {
	sys := simpleSystem(forgottenCompletion)
	for seed := uint64(1); ; seed++ {
		ops := sys.play(t, seed).operations()
		if explained(t, ops) {
			continue
		}
		page := show(t, ops, seed)
		if text, err := os.ReadFile(page); err != nil || !bytes.Contains(text, []byte("<html")) {
			t.Errorf("%s: %v", page, err)
		}
		if err := os.Remove(page); err != nil {
			t.Error(err)
		}
		if text := unexplained(t, ops); !strings.Contains(text, "claim") || !strings.Contains(text, "→ taken") {
			t.Errorf("got %q, want a claim and an arrow to taken", text)
		}
		return
	}
}
