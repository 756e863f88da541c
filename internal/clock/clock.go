// Package clock judges age and expiry by the wall clock: Lambda freezes the
// process between invocations, and the monotonic clock may stop meanwhile.
package clock

import "time"

// A Clock tells the time. The zero value is the wall clock; a test sets another
// function.
type Clock func() time.Time

// Now returns the time without a monotonic reading.
func (c Clock) Now() time.Time {
	if c == nil {
		return time.Now().Round(0)
	}
	return c().Round(0)
}

// Slack is by how much a clock may go back without being said to have done so:
// clocks are set, and a goroutine that has read one may run later than another
// that has read it after.
const Slack = time.Second

// Within reports whether now is at or after from, less [Slack], and before
// until. A clock that has gone back by more does not tell how long ago from was:
// what was kept for a time would otherwise be kept for as long as the clock has
// gone back.
func Within(now, from, until time.Time) bool {
	return !now.Before(from.Add(-Slack)) && now.Before(until)
}
