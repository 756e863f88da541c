package source

import (
	"context"
	"sync"
	"time"
)

// A Clock is a time that stands still until a test moves it, or until every source that
// runs on it waits for a later time: then it moves there. Several sources may share one.
type Clock struct {
	real bool // it is the real time, and now is not used

	mu      sync.Mutex
	now     time.Time
	busy    int // pollers that do something; they hold the time
	waiters map[*waiter]struct{}
}

// NewClock returns a clock at a time.
func NewClock(now time.Time) *Clock {
	return &Clock{now: now.Round(0), waiters: map[*waiter]struct{}{}}
}

func realClock() *Clock { return &Clock{real: true, waiters: map[*waiter]struct{}{}} }

// Now returns the time.
func (c *Clock) Now() time.Time {
	if c.real {
		return time.Now().Round(0)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the time on by d, also while functions run. It panics if d is negative.
func (c *Clock) Advance(d time.Duration) {
	if d < 0 {
		panic("source: a Clock cannot go back")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.wakeDue()
}

// enter says that a poller begins; until it waits or leaves, the time stands still.
func (c *Clock) enter() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy++
}

func (c *Clock) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy--
	c.jump()
}

// An alarm is when a source has something to do again, and zero for never. The source
// sets it, also while its pollers wait: a time whose reason is gone is not waited for.
type alarm struct{ at time.Time } // guarded by Clock.mu

func (c *Clock) set(a *alarm, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a.at = at
}

// A waiter is a poller that has nothing to do until a time, an alarm, or it is woken.
type waiter struct {
	limit time.Time // zero for none
	alarm *alarm    // nil for none
	woken chan struct{}
}

// until is the first time, zero for none. The caller holds Clock.mu.
func (w *waiter) until() time.Time {
	if w.alarm == nil || w.alarm.at.IsZero() || (!w.limit.IsZero() && w.limit.Before(w.alarm.at)) {
		return w.limit
	}
	return w.alarm.at
}

// waiter makes the calling poller one that waits. It then calls await.
func (c *Clock) waiter(limit time.Time) *waiter { return c.waiterFor(limit, nil) }

func (c *Clock) waiterFor(limit time.Time, alarm *alarm) *waiter {
	w := &waiter{limit: limit, alarm: alarm, woken: make(chan struct{})}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy--
	c.waiters[w] = struct{}{}
	c.jump()
	return w
}

// await returns when w is woken, its time has come, or ctx ends.
func (c *Clock) await(ctx context.Context, w *waiter) {
	c.mu.Lock()
	until := w.until()
	c.mu.Unlock()
	var due <-chan time.Time
	if c.real && !until.IsZero() {
		timer := time.NewTimer(time.Until(until))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-w.woken:
	case <-due:
	case <-ctx.Done():
	}
	c.wake(w)
}

// sleep waits for d, or until ctx ends.
func (c *Clock) sleep(ctx context.Context, d time.Duration) {
	c.await(ctx, c.waiter(c.Now().Add(d)))
}

func (c *Clock) wake(w *waiter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wakeLocked(w)
}

func (c *Clock) wakeLocked(w *waiter) {
	if _, waits := c.waiters[w]; waits {
		delete(c.waiters, w)
		c.busy++
		close(w.woken)
	}
}

// jump moves the time to the first that a waiter waits for, if all wait.
func (c *Clock) jump() {
	if c.real || c.busy > 0 {
		return
	}
	var first time.Time
	for w := range c.waiters {
		if until := w.until(); !until.IsZero() && (first.IsZero() || until.Before(first)) {
			first = until
		}
	}
	if first.After(c.now) {
		c.now = first
	}
	c.wakeDue()
}

func (c *Clock) wakeDue() {
	for w := range c.waiters {
		if until := w.until(); !until.IsZero() && !until.After(c.now) {
			c.wakeLocked(w)
		}
	}
}
