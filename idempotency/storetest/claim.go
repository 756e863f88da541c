package storetest

import (
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/idempotency"
)

func claimAndHold(t *testing.T, s *suite) {
	first := s.attempt(1)
	s.mustClaim(first)
	held := s.mustStand(first, idempotency.InProgress)
	if held.Key != s.key || held.Fingerprint != first.Fingerprint {
		t.Errorf("got key %q and fingerprint %q, want the claim's", held.Key, held.Fingerprint)
	}
	if d := held.Lease.Sub(first.Lease); d < -time.Millisecond || d > time.Millisecond {
		t.Errorf("the lease of the holder: got one that is %v off, want at most a millisecond", d)
	}
	if d := held.Expires.Sub(first.Expires); d < -time.Second || d > time.Second {
		t.Errorf("the expiry of the holder: got one that is %v off, want at most a second", d)
	}
	other := s.attempt(1)
	other.Key += "-other"
	s.mustClaim(other)
}

func claimMeetsItself(t *testing.T, s *suite) {
	r := s.attempt(1)
	s.mustClaim(r)
	s.mustClaim(r)
	s.mustStand(r, idempotency.InProgress)
	for name, other := range map[string]idempotency.Record{
		"the owner with another epoch": {Key: s.key, Owner: r.Owner, Epoch: 2, Lease: r.Lease, Expires: r.Expires},
		"another owner":                s.attempt(1),
	} {
		if _, err := s.store.Claim(t.Context(), other); err == nil {
			t.Errorf("%s: got the key, want ErrHeld", name)
		}
	}

	s.key += "-taken-over"
	s.mustClaim(s.abandoned(1))
	second := s.attempt(2)
	s.mustClaim(second)
	s.mustClaim(second)
	s.mustStand(second, idempotency.InProgress)

	// An attempt that claims again after its own lease has ended still has the key.
	s.key += "-late"
	late := s.abandoned(1)
	s.mustClaim(late)
	s.mustClaim(late)
}

func releaseFrees(t *testing.T, s *suite) {
	r := s.attempt(1)
	s.mustClaim(r)
	s.mustRelease(r)
	if err := s.store.Release(t.Context(), r); err != nil { // there is nothing, as is wanted
		s.mustLose("releasing nothing", err)
	}
	second := s.attempt(1)
	s.mustClaim(second)
	s.mustComplete(done(second, "second"))
	s.mustStand(done(second, "second"), idempotency.Completed)
}

// The outcome of the first attempt stays unknown, although the second failed
// cleanly. So the epoch is kept, and no attempt has the key.
func releaseOfATakeOver(t *testing.T, s *suite) {
	s.mustClaim(s.abandoned(1))
	second := s.attempt(2)
	s.mustClaim(second)
	s.mustRelease(second)
	s.mustLose("the released attempt completing", s.store.Complete(t.Context(), done(second, "late")))
	nobody := second
	nobody.Owner = ""
	s.mustLose("nobody completing", s.store.Complete(t.Context(), done(nobody, "nobody's")))
	if err := s.store.Release(t.Context(), second); err != nil { // it has been
		s.mustLose("releasing again", err)
	}
	for _, epoch := range []int64{1, 2, 4} {
		held := s.mustBeHeld(s.attempt(epoch))
		if held.Status != idempotency.Abandoned || held.Epoch != 2 || held.Fingerprint != second.Fingerprint {
			t.Fatalf("claim of epoch %d: got %+v, want an abandoned claim of epoch 2", epoch, held)
		}
		if d := held.Expires.Sub(second.Expires); d < -time.Second || d > time.Second {
			t.Errorf("the expiry of the holder: got one that is %v off, want at most a second", d)
		}
	}
	third := s.attempt(3)
	s.mustClaim(third)
	s.mustStand(third, idempotency.InProgress)
	s.mustComplete(done(third, "third"))
	s.mustStand(done(third, "third"), idempotency.Completed)
}

func takeOver(t *testing.T, s *suite) {
	s.mustClaim(s.attempt(1))
	s.mustBeHeld(s.attempt(2)) // its lease goes on

	s.key += "-abandoned"
	first := s.abandoned(1)
	s.mustClaim(first)
	for _, epoch := range []int64{1, 3} {
		if held := s.mustBeHeld(s.attempt(epoch)); held.Status != idempotency.Abandoned || held.Epoch != 1 || held.Owner != first.Owner {
			t.Fatalf("claim of epoch %d: got %+v, want the abandoned claim", epoch, held)
		}
	}
	second := s.abandoned(2)
	s.mustClaim(second)
	s.mustStand(second, idempotency.Abandoned)
	s.mustBeHeld(s.attempt(2))
	third := s.attempt(3)
	s.mustClaim(third)
	s.mustStand(third, idempotency.InProgress)
	s.mustBeHeld(s.attempt(4))

	s.key += "-free" // at any epoch
	fourth := s.attempt(4)
	s.mustClaim(fourth)
	s.mustStand(fourth, idempotency.InProgress)
}

// After an attempt has compared its fingerprint with a claim, that claim may be
// released, and the key claimed for another request.
func takeOverOfAnotherRequest(t *testing.T, s *suite) {
	key := s.key
	for name, c := range map[string]struct {
		first, second string // fingerprints
		taken         bool
	}{
		"another":         {first: "another", second: "fingerprint"},
		"the same":        {first: "fingerprint", second: "fingerprint", taken: true},
		"none in the old": {second: "fingerprint", taken: true},
		"none in the new": {first: "fingerprint", taken: true},
		"none in either":  {taken: true},
	} {
		s.key = key + "-" + name
		first, second := s.abandoned(1), s.attempt(2)
		first.Fingerprint, second.Fingerprint = c.first, c.second
		s.mustClaim(first)
		if c.taken {
			s.mustClaim(second)
			s.mustStand(second, idempotency.InProgress)
			continue
		}
		held := s.mustBeHeld(second)
		if held.Owner != first.Owner || held.Epoch != 1 || held.Status != idempotency.Abandoned || held.Fingerprint != c.first {
			t.Errorf("%s: got %+v, want the abandoned claim", name, held)
		}
	}
}

func expiredIsFree(t *testing.T, s *suite) {
	for name, status := range map[string]idempotency.Status{"in progress": idempotency.InProgress, "completed": idempotency.Completed} {
		old := s.abandoned(3)
		old.Key += name
		old.Expires = time.Now().Add(-time.Minute)
		s.mustClaim(old)
		if status == idempotency.Completed {
			// The store may have removed the record by itself.
			if err := s.store.Complete(t.Context(), done(old, "old")); err != nil {
				s.mustLose("complete", err)
			}
		}
		fresh := s.attempt(1)
		fresh.Key = old.Key
		s.mustClaim(fresh)
		s.mustLose("the old attempt completing", s.store.Complete(t.Context(), done(old, "old")))
		another := fresh
		another.Owner = "another"
		held := s.mustBeHeld(another)
		if held.Owner != fresh.Owner || held.Status != idempotency.InProgress || len(held.Result) > 0 {
			t.Errorf("%s: got %+v, want the fresh claim", name, held)
		}
	}
}
