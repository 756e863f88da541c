package secrets

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/clock"
	"github.com/lambdarmor/lambdarmor/internal/flight"
)

// land takes what a batch brought into the cache and calls the hook, in this
// order: a hook that asks the cache would otherwise wait for itself.
func (c *Cache) land(ctx context.Context, b *batch, values []Value, took time.Duration, givenUp bool) {
	c.learn(b, values, givenUp)
	if err := c.tell(ctx, b, values, took); err != nil {
		for i := range b.refs {
			b.got[i] = outcome{denied: denial(&b.refs[i], err)}
		}
	}
}

func (c *Cache) learn(b *batch, values []Value, givenUp bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.clock.Now()
	frozen := !clock.Within(now, b.began, b.ends)
	for i := range b.refs {
		at, v := call{b, i}, &values[i]
		if v.Err != nil && couldNotAsk(v.Err) {
			c.learnFailure(at, v.Err, now, givenUp || frozen)
			continue
		}
		c.learnAnswer(at, v)
		at.outcome().void = frozen
	}
}

// learnAnswer takes in a value or a denial.
func (c *Cache) learnAnswer(at call, v *Value) {
	ref, o := &at.refs[at.index], at.outcome()
	c.silences = flight.Failures{}
	var next *state
	if v.Err == nil {
		next = c.succeeded(c.table.state(ref), v, at)
		o.secret = next.secret
	} else {
		o.denied = denial(ref, v.Err)
		next = c.refused(o.denied, at)
	}
	if v.Err == nil && slices.Contains(o.unwanted, v.Version) {
		next = unknown // what was there before has been replaced at the source
	}
	if c.leave(at, true) {
		c.table.put(*ref, next)
	}
	o.failed = nil // from the time it was added on
}

// learnFailure takes in that a source could not be asked.
func (c *Cache) learnFailure(at call, err error, now time.Time, void bool) {
	ref, o := &at.refs[at.index], at.outcome()
	o.failed, o.void = err, void
	counts := c.leave(at, false)
	switch {
	case errors.Is(err, ErrOutsideInvocation):
		o.void = false
		c.postpone(*ref)
	case counts && !void && !o.blamed:
		if errors.Is(err, context.DeadlineExceeded) {
			c.noteSilence(at.batch, err, now)
		}
		c.table.put(*ref, c.failed(c.table.state(ref), err, now))
	}
}

// blame counts a call that takes too long as a failure, before it ends. It
// reports false if there is nothing to count: the call has ended, or the ref was
// invalidated.
func (c *Cache) blame(at call) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	ref, o := at.refs[at.index], at.outcome()
	if c.latest(ref) != at {
		return false
	}
	if !o.blamed {
		o.blamed = true
		err, now := noAnswer(time.Since(at.started)), c.clock.Now()
		c.noteSilence(at.batch, err, now)
		c.table.put(ref, c.failed(c.table.state(&ref), err, now))
	}
	return true
}

// noteSilence counts a batch that the source does not answer. Another one would
// be waited for in vain as well, so stale values are served without a wait, until
// the backoff is over or the source answers. The caller holds c.mu.
func (c *Cache) noteSilence(b *batch, err error, now time.Time) {
	if !b.silent {
		b.silent = true
		c.silences = c.silences.And(err, now, c.backoff())
	}
}

// silence is why the source did not answer in time; nil if it last did.
func (c *Cache) silence() error {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.silences.Err
}

// tell calls the hook, and returns the error of its panic.
func (c *Cache) tell(ctx context.Context, b *batch, values []Value, took time.Duration) (err error) {
	if c.onFetch == nil {
		return nil
	}
	defer func() {
		if r := recover(); r != nil {
			err = panicked("function of OnFetch", r)
		}
	}()
	for i, ref := range b.refs {
		c.onFetch(ctx, FetchReport{
			Ref: ref, Version: values[i].Version, Began: b.began, Took: took, Err: values[i].Err,
		})
	}
	return nil
}
