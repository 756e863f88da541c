package secrets

import (
	"context"
	"errors"
	"slices"
	"time"
)

// land takes what a flight brought into the cache and tells the hook, in this
// order: a hook that asks the cache would otherwise wait for itself.
func (c *Cache) land(ctx context.Context, f *flight, values []Value, took time.Duration, cut bool) {
	c.learn(f, values, cut)
	if err := c.tell(ctx, f, values, took); err != nil {
		for i := range f.refs {
			f.got[i] = outcome{denied: denial(&f.refs[i], err)}
		}
	}
}

func (c *Cache) learn(f *flight, values []Value, cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	frozen := !within(now, f.began, f.ends)
	for i := range f.refs {
		at, v := call{f, i}, &values[i]
		if v.Err != nil && couldNotAsk(v.Err) {
			c.learnFailure(at, v.Err, now, cut || frozen)
			continue
		}
		c.learnAnswer(at, v)
		at.outcome().void = frozen
	}
}

// learnAnswer takes in a value or a denial.
func (c *Cache) learnAnswer(at call, v *Value) {
	ref, o := &at.refs[at.index], at.outcome()
	var next *state
	if v.Err == nil {
		next = c.succeeded(c.table.state(ref), v, at.flight)
		o.secret = next.secret
	} else {
		o.denied = denial(ref, v.Err)
		next = c.refused(o.denied, at.flight)
	}
	if v.Err == nil && slices.Contains(o.unwanted, v.Version) {
		next = unknown // what was there before has been replaced at the source
	}
	if c.leave(at, true) {
		c.table.put(*ref, next)
	}
}

// learnFailure takes in that a source could not be asked.
func (c *Cache) learnFailure(at call, err error, now int64, void bool) {
	ref, o := &at.refs[at.index], at.outcome()
	o.failed, o.void = err, void
	counts := c.leave(at, false)
	switch {
	case errors.Is(err, ErrNotYet):
		o.void = false
		c.postpone(*ref)
	case counts && !void:
		c.table.put(*ref, c.failed(c.table.state(ref), err, now))
	}
}

// tell calls the hook, and gives the error of its panic.
func (c *Cache) tell(ctx context.Context, f *flight, values []Value, took time.Duration) (err error) {
	if c.onFetch == nil {
		return nil
	}
	defer func() {
		if r := recover(); r != nil {
			err = panicked("function of OnFetch", r)
		}
	}()
	for i, ref := range f.refs {
		c.onFetch(ctx, Fetch{
			Ref: ref, Version: values[i].Version, Began: time.Unix(0, f.began), Took: took, Err: values[i].Err,
		})
	}
	return nil
}
