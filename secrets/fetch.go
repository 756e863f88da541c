package secrets

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/flight"
	"github.com/lambdarmor/lambdarmor/internal/invocation"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// grace is how long a source has to come back when its time is over: it may
// have values of others than the one that took so long. It is less than
// [clock.Slack], so that nothing is taken for frozen.
const grace = 250 * time.Millisecond

// fly calls the source for a batch. The call lasts as long as an invocation
// that wants it, and no longer than the fetch timeout. The caller holds c.mu.
func (c *Cache) fly(ctx context.Context, b *batch) {
	b.started = time.Now()
	hook := context.WithoutCancel(ctx)
	b.Flight = flight.Start(ctx, invocation.Lifetime(ctx), c.fetchTimeout, func(ctx context.Context) error {
		values := c.fetchInTime(ctx, b.refs)
		defer drop(values)
		took, cause := time.Since(b.started), context.Cause(ctx)
		if errors.Is(cause, context.DeadlineExceeded) {
			sayOutOfTime(values, took)
		}
		c.land(hook, b, values, took, errors.Is(cause, context.Canceled))
		return nil
	})
}

// fetchInTime fetches, and takes what the source has when ctx ends. A source that
// goes on is left alone.
func (c *Cache) fetchInTime(ctx context.Context, refs []Ref) []Value {
	answer, left := make(chan []Value), make(chan struct{})
	go func() {
		values := failing(refs, fmt.Errorf("%w: the source has ended its goroutine", ErrUnavailable))
		defer func() {
			select {
			case answer <- values:
			case <-left:
				drop(values) // too late
			}
		}()
		values = c.fetch(ctx, refs)
	}()
	select {
	case values := <-answer:
		return values
	case <-ctx.Done():
	}
	patience := time.NewTimer(grace)
	defer patience.Stop()
	select {
	case values := <-answer:
		return values
	case <-patience.C:
		close(left)
		return failing(refs, fmt.Errorf("the source goes on: %w", ctx.Err()))
	}
}

// sayOutOfTime adds why a source was called off, which knows only that it was: the
// time of an invocation was over.
func sayOutOfTime(values []Value, took time.Duration) {
	for i := range values {
		if err := values[i].Err; errors.Is(err, context.Canceled) {
			values[i].Err = fmt.Errorf("%w: %w", noAnswer(took), err)
		}
	}
}

func noAnswer(took time.Duration) error {
	return fmt.Errorf("no answer in %v: %w", took.Round(time.Millisecond), context.DeadlineExceeded)
}

// errBroken is what a source that does not keep to its contract gets.
var errBroken = reason.New("the source is broken")

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

// failing returns the same error for every ref.
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
