// Package clock judges age and expiry by the wall clock. Lambda freezes the
// process between invocations, and the monotonic clock may stop meanwhile.
package clock

import "time"

// A Clock returns the time. The zero value is the wall clock; tests set another
// function.
type Clock func() time.Time

// Now returns the time without a monotonic reading.
func (c Clock) Now() time.Time {
	if c == nil {
		return time.Now().Round(0)
	}
	return c().Round(0)
}

// Slack is how far a clock may go back unnoticed. Clocks are corrected, and a
// goroutine that has read the clock may act later than one that read it after.
const Slack = time.Second

// Within reports whether now is before until, and not before from by more than
// [Slack]. If the clock has gone back further, the age of a kept value is unknown,
// so it is expired.
func Within(now, from, until time.Time) bool {
	return !now.Before(from.Add(-Slack)) && now.Before(until)
}
