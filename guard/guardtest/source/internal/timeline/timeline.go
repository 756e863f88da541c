// Package timeline is the time of the event sources of package source. Tests get the
// [source.Clock] of it, which they can read and advance.
package timeline

import (
	"context"
	"sync"
	"time"
)

// A Timeline is a time that stands still until a test moves it, or until every poller that
// runs on it waits for a later time: then it moves there.
type Timeline struct {
	real bool // it is the real time, and now is not used

	mu      sync.Mutex
	now     time.Time
	busy    int // pollers that do something; they hold the time
	waiters map[*Waiter]struct{}
}

// New returns a timeline at a time.
func New(now time.Time) *Timeline {
	return &Timeline{now: now.Round(0), waiters: map[*Waiter]struct{}{}}
}

// Real returns the real time.
func Real() *Timeline { return &Timeline{real: true, waiters: map[*Waiter]struct{}{}} }

// Now returns the time.
func (t *Timeline) Now() time.Time {
	if t.real {
		return time.Now().Round(0)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.now
}

// Advance moves the time on by d, also while functions run. It panics if d is negative.
func (t *Timeline) Advance(d time.Duration) {
	if d < 0 {
		panic("source: a Clock cannot go back")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.now = t.now.Add(d)
	t.wakeDue()
}

// Enter says that a poller begins; until it waits or leaves, the time stands still.
func (t *Timeline) Enter() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.busy++
}

// Leave says that a poller has ended.
func (t *Timeline) Leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.busy--
	t.jump()
}

// An Alarm is when a source has something to do again, and zero for never. The source
// sets it, also while its pollers wait: a time whose reason is gone is not waited for.
type Alarm struct{ at time.Time } // guarded by Timeline.mu

// Set sets an alarm; the zero time switches it off.
func (t *Timeline) Set(a *Alarm, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a.at = at
}

// A Waiter is a poller that has nothing to do until a time, an alarm, or it is woken.
type Waiter struct {
	limit time.Time // zero for none
	alarm *Alarm    // nil for none
	woken chan struct{}
}

// until is the first time, zero for none. The caller holds Timeline.mu.
func (w *Waiter) until() time.Time {
	if w.alarm == nil || w.alarm.at.IsZero() || (!w.limit.IsZero() && w.limit.Before(w.alarm.at)) {
		return w.limit
	}
	return w.alarm.at
}

// Waiter makes the calling poller one that waits, at most until limit, and until the alarm
// if that is not nil. The zero time is no limit. The poller then calls Await.
func (t *Timeline) Waiter(limit time.Time, alarm *Alarm) *Waiter {
	w := &Waiter{limit: limit, alarm: alarm, woken: make(chan struct{})}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.busy--
	t.waiters[w] = struct{}{}
	t.jump()
	return w
}

// Await returns when w is woken, its time has come, or ctx ends.
func (t *Timeline) Await(ctx context.Context, w *Waiter) {
	t.mu.Lock()
	until := w.until()
	t.mu.Unlock()
	var due <-chan time.Time
	if t.real && !until.IsZero() {
		timer := time.NewTimer(time.Until(until))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-w.woken:
	case <-due:
	case <-ctx.Done():
	}
	t.Wake(w)
}

// Sleep waits for d, or until ctx ends.
func (t *Timeline) Sleep(ctx context.Context, d time.Duration) {
	t.Await(ctx, t.Waiter(t.Now().Add(d), nil))
}

// Wake ends the wait of w, if it waits.
func (t *Timeline) Wake(w *Waiter) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wakeLocked(w)
}

func (t *Timeline) wakeLocked(w *Waiter) {
	if _, waits := t.waiters[w]; waits {
		delete(t.waiters, w)
		t.busy++
		close(w.woken)
	}
}

// jump moves the time to the first that a waiter waits for, if all wait.
func (t *Timeline) jump() {
	if t.real || t.busy > 0 {
		return
	}
	var first time.Time
	for w := range t.waiters {
		if until := w.until(); !until.IsZero() && (first.IsZero() || until.Before(first)) {
			first = until
		}
	}
	if first.After(t.now) {
		t.now = first
	}
	t.wakeDue()
}

func (t *Timeline) wakeDue() {
	for w := range t.waiters {
		if until := w.until(); !until.IsZero() && !until.After(t.now) {
			t.wakeLocked(w)
		}
	}
}
