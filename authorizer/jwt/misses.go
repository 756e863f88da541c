package jwt

import "time"

// missBurst is how many requests for unknown kids may follow on each other after
// a quiet time: one that is made up leaves one for the kid of a new key.
const missBurst = 2

// misses bound the requests for unknown kids, which anybody can make up. They are
// guarded by the lock of whoever has them.
type misses struct {
	every time.Duration // in which one more request is allowed
	spent time.Time     // when all that was taken is allowed again
	// absent is the kid that was asked for last and not there, and at when that
	// was. However often it is sent, it leaves requests for others.
	absent string
	at     time.Time
}

// wait is for how long kid is not to be asked for; 0 or less is not at all. What
// was used up by a clock that has since been set back is there again.
func (m *misses) wait(kid string, now time.Time) time.Duration {
	wait := m.spent.Sub(now) - (missBurst-1)*m.every
	if wait > m.every {
		wait = 0
	}
	if again := m.at.Add(m.every); kid == m.absent && during(now, m.at, again) {
		wait = max(wait, again.Sub(now))
	}
	return wait
}

// take counts a request.
func (m *misses) take(now time.Time) {
	ahead := m.spent.Sub(now)
	if ahead < 0 || ahead > missBurst*m.every { // or the clock was set back
		m.spent = now
	}
	m.spent = m.spent.Add(m.every)
}

// note remembers that kid was not there.
func (m *misses) note(kid string, now time.Time) { m.absent, m.at = kid, now }

// during reports whether now is from start on and before end. What was noted by
// a clock that has since been set back is over.
func during(now, start, end time.Time) bool {
	return !now.Before(start) && now.Before(end)
}
