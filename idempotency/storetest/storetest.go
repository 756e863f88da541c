// Package storetest is a conformance test for implementations of
// [idempotency.Store]:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) idempotency.Store { return mine.New(…) })
//	}
//
// It does not wait: a lease that has ended is claimed with an end a minute ago. Run
// it under the race detector.
package storetest

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/idempotency"
)

// Run tests a store. Each test calls open, which may return the same store again:
// keys are random. A store may refuse results above some size with
// [idempotency.ErrTooLarge], but must accept 100 kB.
func Run(t *testing.T, open func(t *testing.T) idempotency.Store) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, *suite)
	}{
		{"a free key is claimed and its holder is returned", claimAndHold},
		{"a claim whose answer was lost meets itself", claimMeetsItself},
		{"a completed key returns its result", completeAndReplay},
		{"completing twice is completing once", completeTwice},
		{"a released key is free", releaseFrees},
		{"a released take-over is abandoned", releaseOfATakeOver},
		{"an abandoned claim is taken over by the next epoch alone", takeOver},
		{"an abandoned claim of another request is not taken over", takeOverOfAnotherRequest},
		{"a late completion changes nothing", lateCompletion},
		{"a late release changes nothing", lateRelease},
		{"a completed record is never released", releaseAfterCompletion},
		{"a stranger changes nothing", strangers},
		{"an expired record is free", expiredIsFree},
		{"a result may be missing", noResult},
		{"results come back as they were", results},
		{"nothing is shared with the caller", ownSlices},
		{"a cancelled context is an error and no answer", cancelled},
		{"of racing claims one wins", racingClaims},
		{"of racing take-overs one wins", racingTakeOvers},
		{"a completion and a take-over exclude each other", completionAgainstTakeOver},
		{"a release and a take-over exclude each other", releaseAgainstTakeOver},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.run(t, &suite{t: t, store: open(t), key: "storetest-" + rand.Text()})
		})
	}
}

// suite is one test: a store, and a key of its own.
type suite struct {
	t     *testing.T
	store idempotency.Store
	key   string
}

// attempt returns a record in progress that holds the key for a minute.
func (s *suite) attempt(epoch int64) idempotency.Record {
	now := time.Now().Round(0)
	return idempotency.Record{
		Key: s.key, Owner: rand.Text(), Epoch: epoch, Status: idempotency.InProgress,
		Fingerprint: "fingerprint", Lease: now.Add(time.Minute), Expires: now.Add(time.Hour),
	}
}

// abandoned returns one whose lease ended a minute ago.
func (s *suite) abandoned(epoch int64) idempotency.Record {
	r := s.attempt(epoch)
	r.Lease = r.Lease.Add(-2 * time.Minute)
	return r
}

// done returns r as it is completed.
func done(r idempotency.Record, result string) idempotency.Record {
	r.Status = idempotency.Completed
	r.Result = []byte(result)
	return r
}

func (s *suite) mustClaim(r idempotency.Record) {
	s.t.Helper()
	if held, err := s.store.Claim(s.t.Context(), r); err != nil {
		s.t.Fatalf("claim of epoch %d: got %v, held by %+v; want nil", r.Epoch, err, held)
	}
}

func (s *suite) mustBeHeld(r idempotency.Record) idempotency.Record {
	s.t.Helper()
	held, err := s.store.Claim(s.t.Context(), r)
	if !errors.Is(err, idempotency.ErrHeld) {
		s.t.Fatalf("claim of epoch %d: got %v, want ErrHeld", r.Epoch, err)
	}
	return held
}

func (s *suite) mustComplete(r idempotency.Record) {
	s.t.Helper()
	if err := s.store.Complete(s.t.Context(), r); err != nil {
		s.t.Fatalf("complete: got %v, want nil", err)
	}
}

func (s *suite) mustRelease(r idempotency.Record) {
	s.t.Helper()
	if err := s.store.Release(s.t.Context(), r); err != nil {
		s.t.Fatalf("release: got %v, want nil", err)
	}
}

func (s *suite) mustLose(step string, err error) {
	s.t.Helper()
	if !errors.Is(err, idempotency.ErrLost) {
		s.t.Errorf("%s: got %v, want ErrLost", step, err)
	}
}

// mustStand checks that r holds the key, in that state.
func (s *suite) mustStand(r idempotency.Record, status idempotency.Status) idempotency.Record {
	s.t.Helper()
	held := s.mustBeHeld(s.attempt(1))
	if held.Owner != r.Owner || held.Epoch != r.Epoch || held.Status != status {
		s.t.Fatalf("the holder: got %s, epoch %d, %s; want %s, epoch %d, %s", held.Owner, held.Epoch, held.Status, r.Owner, r.Epoch, status)
	}
	if string(held.Result) != string(r.Result) {
		s.t.Fatalf("result: got %.80q, want %.80q", held.Result, r.Result)
	}
	return held
}

func cancelled(t *testing.T, s *suite) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := s.attempt(1)
	_, err := s.store.Claim(ctx, r)
	for step, err := range map[string]error{"claim": err, "complete": s.store.Complete(ctx, r), "release": s.store.Release(ctx, r)} {
		if err == nil || errors.Is(err, idempotency.ErrHeld) || errors.Is(err, idempotency.ErrLost) {
			t.Errorf("%s with a cancelled context: got %v, want another error", step, err)
		}
	}
}
