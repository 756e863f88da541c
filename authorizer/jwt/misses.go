package jwt

import "time"

const (
	// missBurst is how many requests for unknown kids may follow on each other
	// after a quiet time.
	missBurst = 2
	// absentFor is for how long a kid is not asked for again that was not there.
	// It is longer than it takes to allow missBurst requests, so a single kid,
	// however often it is sent, leaves a request for another one.
	absentFor = 30 * time.Second
	// maxAbsent is how many kids are remembered.
	maxAbsent = 256
)

// misses decide when an unknown kid is worth a request. They are guarded by the
// lock of whoever has them.
type misses struct {
	every  time.Duration        // in which one more request is allowed
	spent  time.Time            // when all that was taken is allowed again
	absent map[string]time.Time // kid → when it was not there
}

// allowed reports whether kid may be asked for.
func (m *misses) allowed(kid string, now time.Time) bool {
	if at, ok := m.absent[kid]; ok && during(now, at, at.Add(absentFor)) {
		return false
	}
	ahead := m.spent.Sub(now)
	return ahead <= (missBurst-1)*m.every || ahead > missBurst*m.every
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
func (m *misses) note(kid string, now time.Time) {
	if len(m.absent) >= maxAbsent {
		for other, at := range m.absent {
			if !during(now, at, at.Add(absentFor)) {
				delete(m.absent, other)
			}
		}
	}
	if len(m.absent) >= maxAbsent {
		return
	}
	if m.absent == nil {
		m.absent = map[string]time.Time{}
	}
	m.absent[kid] = now
}

// during reports whether now is from start on and before end. What was noted by
// a clock that has since been set back is over.
func during(now, start, end time.Time) bool {
	return !now.Before(start) && now.Before(end)
}
