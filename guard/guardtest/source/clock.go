package source

import (
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/internal/timeline"
)

// A Clock is a time that stands still until a test moves it, or until every source that
// runs on it waits for a later time: then it moves there. Several sources may share one.
type Clock timeline.Timeline

// NewClock returns a clock at a time.
func NewClock(now time.Time) *Clock { return (*Clock)(timeline.New(now)) }

// Now returns the time.
func (c *Clock) Now() time.Time { return (*timeline.Timeline)(c).Now() }

// Advance moves the time on by d, also while functions run. It panics if d is negative.
func (c *Clock) Advance(d time.Duration) { (*timeline.Timeline)(c).Advance(d) }
