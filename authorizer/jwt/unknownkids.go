package jwt

import (
	"time"

	"github.com/lambdarmor/lambdarmor/internal/clock"
	"github.com/lambdarmor/lambdarmor/internal/flight"
)

// unknownKids limit the fetches for unknown kids, which anybody can make up. The
// lock of their owner guards them.
type unknownKids struct {
	flight.Budget

	absent string // the kid that was last fetched for and not there
	at     time.Time
}

func newUnknownKids(every time.Duration) unknownKids {
	// One made-up kid leaves a fetch for a new key.
	return unknownKids{Budget: flight.Budget{Every: every, Burst: 2}}
}

// tooEarly returns an error if kid may not be fetched for yet. The kid that was
// absent waits for a whole period, even if it comes often, so that other kids get
// fetches too. failure is why the last fetch failed, or nil.
func (u *unknownKids) tooEarly(kid string, now time.Time, failure error) error {
	wait := u.Wait(now)
	if again := u.at.Add(u.Every); kid == u.absent && clock.Within(now, u.at, again) {
		wait = max(wait, again.Sub(now))
	}
	switch {
	case wait == 0:
		return nil
	case failure == nil:
		failure = errTooManyKids
	}
	return unavailable(failure, wait)
}

func (u *unknownKids) noteAbsent(kid string, now time.Time) { u.absent, u.at = kid, now }
