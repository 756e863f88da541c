package secrets

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"time"
)

// flight is one call of the source and all that wait for it.
type flight struct {
	seq      uint64
	began    int64 // by the wall clock
	ends     int64 // when it must be over; one that is not was frozen
	rejected bool  // see demand
	refs     []Ref
	got      []outcome // for each ref

	landed atomic.Bool
	done   chan struct{} // closed when got is filled
}

// outcome is what a flight brought for one ref.
type outcome struct {
	unwanted []string // versions that were invalidated meanwhile; guarded by Cache.mu

	secret Secret
	denied error
	failed error
	// cut is a failure of a flight that had less than its time, or was frozen.
	// It says nothing of the source.
	cut bool
}

// call is a ref's place in a flight.
type call struct {
	*flight
	index int
}

func (c call) outcome() *outcome { return &c.got[c.index] }

// usable reports whether a call that is under way may be waited for. One that
// was frozen with the process is left to itself: its answer is as old as it is,
// and its connection is likely gone.
func (c call) usable(now int64, d demand) bool {
	return c.flight != nil && c.seq >= d.seq && within(now, c.began, c.ends)
}

// begin makes a flight. The caller holds c.mu and boards the refs.
func (c *Cache) begin(now int64, d demand) *flight {
	return &flight{
		seq: c.seq.Add(1), began: now, ends: after(now, c.fetchTimeout+time.Duration(slack)),
		rejected: d.rejected, done: make(chan struct{}),
	}
}

// board adds a ref to a flight that has not begun. The caller holds c.mu.
func (c *Cache) board(f *flight, ref Ref) call {
	at := call{f, len(f.refs)}
	f.refs = append(f.refs, ref)
	f.got = append(f.got, outcome{})
	c.calls[ref] = at
	return at
}

// fly calls the source in a goroutine of its own, so that whoever waits for it
// can leave. It is over after the fetch timeout, or at the deadline of ctx if
// that is sooner, also for a source that goes on.
func (c *Cache) fly(ctx context.Context, f *flight) {
	began := time.Now()
	ends := began.Add(c.fetchTimeout)
	deadline, cut := ctx.Deadline()
	if cut = cut && deadline.Before(ends); cut {
		ends = deadline
	}
	ctx = context.WithoutCancel(ctx)
	timed, cancel := context.WithDeadline(ctx, ends)
	stop := context.AfterFunc(timed, func() {
		took := time.Since(began)
		err := fmt.Errorf("no answer in %v: %w", took.Round(time.Millisecond), context.DeadlineExceeded)
		c.land(ctx, f, failing(f.refs, err), took, cut)
	})
	go func() {
		defer cancel()
		values := c.fetch(timed, f.refs)
		stop()
		if !c.land(ctx, f, values, time.Since(began), cut && timed.Err() != nil) {
			drop(values)
		}
	}()
}

// errBroken is what a source that does not keep to its contract gets.
var errBroken = errors.New("the source is broken")

// fetch asks the source, and survives its panics: nobody could recover them in
// this goroutine. A panic is no answer of the source's.
func (c *Cache) fetch(ctx context.Context, refs []Ref) (values []Value) {
	defer func() {
		if r := recover(); r != nil {
			values = failing(refs, panicked("source", r))
		}
	}()
	values, err := c.src.Fetch(ctx, slices.Clone(refs))
	switch {
	case err != nil:
		drop(values)
		return failing(refs, err)
	case len(values) != len(refs):
		drop(values)
		return failing(refs, fmt.Errorf("%w: it gave %d values for %d names", errBroken, len(values), len(refs)))
	}
	return values
}

// failing gives every ref the same error.
func failing(refs []Ref, err error) []Value {
	values := make([]Value, len(refs))
	for i := range values {
		values[i].Err = err
	}
	return values
}

// drop clears values that nobody gets.
func drop(values []Value) {
	for _, v := range values {
		clear(v.Data)
	}
}

// panicked makes an error of a panic. Only the runtime's own text is sure not
// to hold a value.
func panicked(what string, r any) error {
	text := fmt.Sprintf("%T", r)
	if e, ok := r.(runtime.Error); ok {
		text = e.Error()
	}
	return fmt.Errorf("%w: a panic of the %s: %s", ErrUnavailable, what, text)
}

// land takes what a flight brought into the cache and lets those go who wait
// for it. Only the first of two calls does, and returns true.
func (c *Cache) land(ctx context.Context, f *flight, values []Value, took time.Duration, cut bool) bool {
	if !f.landed.CompareAndSwap(false, true) {
		return false
	}
	if err := c.tell(ctx, f, values, took); err != nil {
		drop(values)
		values = failing(f.refs, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	cut = cut || !within(now, f.began, f.ends)
	for i := range f.refs {
		c.settle(call{f, i}, &values[i], now, cut)
	}
	close(f.done)
	return true
}

// tell calls the hook. A panic of its takes the place of what was fetched.
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

// settle makes the outcome of one ref. Where another flight has taken the place
// of this one, or the ref was invalidated, only those who wait get it.
func (c *Cache) settle(at call, v *Value, now int64, cut bool) {
	ref, o := &at.refs[at.index], at.outcome()
	current := c.calls[*ref].flight == at.flight
	if current {
		delete(c.calls, *ref)
	}
	old := c.table.state(ref)
	var next *state
	switch {
	case v.Err == nil:
		next = c.succeeded(old, v, at.flight)
		o.secret = next.secret
		for _, version := range o.unwanted {
			current = current && version != v.Version
		}
	case couldNotAsk(v.Err):
		o.failed = v.Err
		o.cut = cut
		if errors.Is(v.Err, ErrNotYet) {
			o.cut, current = false, false
			c.postpone(*ref)
		}
		current = current && !o.cut
		next = c.failed(old, v.Err, now)
	default:
		o.denied = denial(ref, v.Err)
		next = c.refused(o.denied, at.flight)
	}
	if current {
		c.table.put(*ref, next)
	}
}
