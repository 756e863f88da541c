package storetest

import (
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/idempotency"
)

// One attempt is abandoned and another has taken the key over. Whatever the
// late one does then, the record is the new owner's.

func lateCompletion(t *testing.T, s *suite) {
	late, current := s.abandoned(1), s.attempt(2)
	s.mustClaim(late)
	s.mustClaim(current)
	s.mustLose("completing late, before", s.store.Complete(t.Context(), done(late, "late")))
	s.mustStand(current, idempotency.InProgress)
	s.mustComplete(done(current, "current"))
	s.mustLose("completing late, after", s.store.Complete(t.Context(), done(late, "late")))
	s.mustStand(done(current, "current"), idempotency.Completed)

	s.key += "-released"
	late, current = s.abandoned(1), s.attempt(2)
	s.mustClaim(late)
	s.mustClaim(current)
	s.mustRelease(current)
	s.mustLose("completing late, released", s.store.Complete(t.Context(), done(late, "late")))
	s.mustClaim(s.attempt(3)) // it has not come back
}

func lateRelease(t *testing.T, s *suite) {
	late, current := s.abandoned(1), s.attempt(2)
	s.mustClaim(late)
	s.mustClaim(current)
	s.mustLose("releasing late, before", s.store.Release(t.Context(), late))
	s.mustStand(current, idempotency.InProgress)
	s.mustComplete(done(current, "current"))
	s.mustLose("releasing late, after", s.store.Release(t.Context(), late))
	s.mustStand(done(current, "current"), idempotency.Completed)
}

// An attempt that is late but was not replaced still settles.
func completeTwice(t *testing.T, s *suite) {
	r := s.abandoned(1)
	s.mustClaim(r)
	s.mustComplete(done(r, "result"))
	s.mustComplete(done(r, "result"))
	s.mustStand(done(r, "result"), idempotency.Completed)
	s.mustBeHeld(s.attempt(2)) // completed is not abandoned

	s.key += "-none"
	s.mustLose("completing what was not claimed", s.store.Complete(t.Context(), done(s.attempt(1), "x")))
	s.mustClaim(s.attempt(1))
}

func releaseAfterCompletion(t *testing.T, s *suite) {
	r := s.attempt(1)
	s.mustClaim(r)
	s.mustComplete(done(r, "result"))
	s.mustLose("releasing what is completed", s.store.Release(t.Context(), r))
	s.mustStand(done(r, "result"), idempotency.Completed)
}

func strangers(t *testing.T, s *suite) {
	r := s.attempt(2)
	s.mustClaim(r)
	owner, epoch := r, r
	owner.Owner = "another"
	epoch.Epoch = 1
	empty := r
	empty.Owner = ""
	for name, stranger := range map[string]idempotency.Record{"another owner": owner, "another epoch": epoch, "no owner": empty} {
		s.mustLose(name+" completing", s.store.Complete(t.Context(), done(stranger, "strange")))
		s.mustLose(name+" releasing", s.store.Release(t.Context(), stranger))
	}
	s.mustStand(r, idempotency.InProgress)
}

func completeAndReplay(t *testing.T, s *suite) {
	r := s.attempt(1)
	s.mustClaim(r)
	r = done(r, `{"statusCode":201}`)
	r.Expires = r.Expires.Add(24 * time.Hour)
	s.mustComplete(r)
	held := s.mustStand(r, idempotency.Completed)
	if held.Fingerprint != r.Fingerprint || held.NoResult {
		t.Errorf("got %+v, want the completed record", held)
	}
	if d := held.Expires.Sub(r.Expires); d < -time.Second || d > time.Second {
		t.Errorf("the expiry of the holder: got one that is %v off, want at most a second", d)
	}
	for _, claim := range []idempotency.Record{s.attempt(1), s.attempt(2), s.attempt(3), r} { // also its own, sent again
		if held := s.mustBeHeld(claim); held.Status != idempotency.Completed {
			t.Errorf("claim of epoch %d: got %s, want COMPLETED", claim.Epoch, held.Status)
		}
	}
}
