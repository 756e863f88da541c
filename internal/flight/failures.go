package flight

import (
	"time"

	"github.com/lambdarmor/lambdarmor/internal/clock"
)

// Failures are those of one thing, in a row. The zero value is none.
type Failures struct {
	Err   error     // of the last one; nil if there is none
	At    time.Time // when that was, by the wall clock
	Retry time.Time // when another try is due

	count int
}

// Backoff is how long to leave alone what has failed: First after one failure,
// twice as long after each that follows, and never longer than Longest.
type Backoff struct {
	First, Longest time.Duration
	// Vary changes each wait a little, so that not all come back at once. Nil
	// does not.
	Vary func(time.Duration) time.Duration
}

// And returns the failures with another one.
func (f Failures) And(err error, now time.Time, b Backoff) Failures {
	wait := b.First
	for range f.count {
		if wait >= b.Longest {
			break
		}
		wait *= 2
	}
	wait = min(wait, b.Longest)
	if b.Vary != nil {
		wait = b.Vary(wait)
	}
	return Failures{Err: err, At: now, Retry: now.Add(wait), count: f.count + 1}
}

// Hold reports whether another try is too early. After a clock was set back
// none is.
func (f Failures) Hold(now time.Time) bool {
	return f.Err != nil && clock.Within(now, f.At, f.Retry)
}
