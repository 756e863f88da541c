package secrets

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"
)

// grace is how long a source has to come back when its time is over: it may
// have values of others than the one that took so long. It is less than slack,
// so that nothing is taken for frozen.
const grace = 250 * time.Millisecond

// fly calls the source in a goroutine of its own, so that whoever waits for it
// can leave. Its time is over after the fetch timeout, or at the deadline of ctx
// if that is sooner, and what it has then is taken. A source that goes on is
// left alone.
func (c *Cache) fly(ctx context.Context, f *flight) {
	began := time.Now()
	ends := began.Add(c.fetchTimeout)
	deadline, cut := ctx.Deadline()
	if cut = cut && deadline.Before(ends); cut {
		ends = deadline
	}
	ctx = context.WithoutCancel(ctx)
	timed, cancel := context.WithDeadline(ctx, ends)
	land := func(values []Value) {
		if !f.landed.CompareAndSwap(false, true) {
			drop(values) // too late
			return
		}
		defer close(f.done) // also when the hook ends the goroutine
		defer drop(values)
		c.land(ctx, f, values, time.Since(began), cut && errors.Is(timed.Err(), context.DeadlineExceeded))
	}
	leave := time.AfterFunc(time.Until(ends)+grace, func() {
		took := time.Since(began).Round(time.Millisecond)
		land(failing(f.refs, fmt.Errorf("no answer in %v: %w", took, context.DeadlineExceeded)))
	})
	go func() {
		defer cancel()
		var values []Value
		defer func() {
			leave.Stop()
			if values == nil {
				values = failing(f.refs, fmt.Errorf("%w: the source has ended its goroutine", ErrUnavailable))
			}
			land(values)
		}()
		values = c.fetch(timed, f.refs)
	}()
}

// errBroken is what a source that does not keep to its contract gets.
var errBroken = errors.New("the source is broken")

// fetch asks the source, and survives its panics: nobody could recover them in
// this goroutine. A panic is no answer of the source's.
func (c *Cache) fetch(ctx context.Context, refs []Ref) (values []Value) {
	defer func() {
		if r := recover(); r != nil {
			values = failing(refs, fmt.Errorf("%w: %w", ErrUnavailable, panicked("source", r)))
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
	for i := range values {
		if v := &values[i]; v.Data == nil && v.Err == nil {
			v.Err = fmt.Errorf("%w: it gave neither a value nor an error", errBroken)
		}
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

// drop clears what a source gave.
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
	return fmt.Errorf("a panic of the %s: %s", what, text)
}
