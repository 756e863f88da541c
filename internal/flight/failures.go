package flight

import (
	"time"

	"github.com/lambdarmor/lambdarmor/internal/clock"
)

// Failures are the failed calls for one thing, in a row. The zero value is none.
type Failures struct {
	Err   error     // of the last one; nil if there is none
	At    time.Time // when the last one failed, by the wall clock
	Retry time.Time // when the next call is due

	count int
}

// Backoff is the pause after failures: First after one, twice as long after each
// further one, and Longest at most.
type Backoff struct {
	First, Longest time.Duration
	// Vary changes each pause a little, so that not all callers come back at once.
	// Nil changes nothing.
	Vary func(time.Duration) time.Duration
}

// And returns the failures with one more.
func (f Failures) And(err error, now time.Time, b Backoff) Failures {
	wait := b.First
	for i := 0; i < f.count && wait < b.Longest; i++ {
		wait *= 2
	}
	wait = min(wait, b.Longest)
	if b.Vary != nil {
		wait = b.Vary(wait)
	}
	return Failures{Err: err, At: now, Retry: now.Add(wait), count: f.count + 1}
}

// Hold reports whether the next call is not due yet. After the clock was set back
// it is due at once.
func (f Failures) Hold(now time.Time) bool {
	return f.Err != nil && clock.Within(now, f.At, f.Retry)
}
