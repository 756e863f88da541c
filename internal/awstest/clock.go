package awstest

import (
	"sync/atomic"
	"time"
)

// A Clock is a wall clock that a test moves.
type Clock struct{ ns atomic.Int64 }

// NewClock gives one that is right.
func NewClock() *Clock {
	c := new(Clock)
	c.ns.Store(time.Now().UnixNano())
	return c
}

// Now is for secrets.Clock.
func (c *Clock) Now() time.Time { return time.Unix(0, c.ns.Load()) }

// Advance moves it on.
func (c *Clock) Advance(d time.Duration) { c.ns.Add(int64(d)) }
