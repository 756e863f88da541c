package secrets

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/clock"
	"github.com/lambdarmor/lambdarmor/internal/flight"
	"github.com/lambdarmor/lambdarmor/internal/invocation"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// grace is how long a source may take to return after its context has ended: it may
// have some of the values. It is shorter than [clock.Slack], which marks a fetch as
// frozen.
const grace = 250 * time.Millisecond

// start calls the source for a batch. The call lasts no longer than the fetch
// timeout and the invocations that want it.
func (c *Cache) start(ctx context.Context, b *batch) {
	b.started = time.Now()
	hookCtx := context.WithoutCancel(ctx)
	b.Flight, _ = flight.Start(ctx, invocation.Lifetime(ctx), c.fetchTimeout, func(ctx context.Context) error {
		values := c.ask(ctx, b)
		defer zero(values)
		took := time.Since(b.started)
		c.takeIn(b, values, context.Cause(ctx))
		if c.onFetch != nil { // after takeIn, so that it may use the cache
			for i, at := range b.calls {
				v := &values[i]
				c.onFetch(hookCtx, FetchReport{Ref: at.ref, Version: v.Version, Began: b.began, Took: took, Err: v.Err})
			}
		}
		return nil
	})
}

var errBroken = reason.New("the source is broken")

// ask returns a value or an error for each call. The source has a goroutine of
// its own, because it may ignore the end of its context.
func (c *Cache) ask(ctx context.Context, b *batch) []Value {
	refs := make([]Ref, len(b.calls))
	for i, at := range b.calls {
		refs[i] = at.ref
	}
	var values []Value
	var late atomic.Bool
	// The flight's own context would end with another error.
	asking, _ := flight.Start(ctx, ctx, c.fetchTimeout, func(context.Context) (err error) {
		values, err = c.src.Fetch(ctx, refs)
		if late.Load() {
			zero(values)
		}
		return err
	})
	if !asking.Wait(ctx) {
		patient, stop := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer stop()
		if !asking.Wait(patient) {
			late.Store(true)
			return failAll(b, fmt.Errorf("the source goes on: %w", ctx.Err()))
		}
	}
	err := asking.Err()
	switch {
	case errors.Is(err, flight.ErrEnded):
		err = fmt.Errorf("%w: the source: %w", ErrUnavailable, err)
	case err == nil && len(values) != len(b.calls):
		err = fmt.Errorf("%w: it returned %d values for %d names", errBroken, len(values), len(b.calls))
	}
	if err != nil {
		zero(values)
		return failAll(b, err)
	}
	for i := range values {
		if v := &values[i]; v.Data == nil && v.Err == nil {
			v.Err = fmt.Errorf("%w: it returned neither a value nor an error", errBroken)
		}
	}
	return values
}

func failAll(b *batch, err error) []Value {
	return slices.Repeat([]Value{{Err: err}}, len(b.calls))
}

func zero(values []Value) {
	for _, v := range values {
		clear(v.Data)
	}
}

// takeIn stores the outcomes of a batch in the cache. cause is why its context has
// ended, if it has: it took too long, or no caller needs it any more.
func (c *Cache) takeIn(b *batch, values []Value, cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.clock.Now()
	frozen := !clock.Within(now, b.began, b.ends)
	for i, at := range b.calls {
		v := &values[i]
		// The source knows only that it was cancelled.
		if errors.Is(cause, context.DeadlineExceeded) && errors.Is(v.Err, context.Canceled) {
			v.Err = fmt.Errorf("%w: %w", noAnswer(b), v.Err)
		}
		if v.Err != nil && couldNotAsk(v.Err) {
			c.takeFailure(at, v.Err, now, frozen || errors.Is(cause, context.Canceled))
			continue
		}
		c.takeAnswer(at, v)
		at.discarded = frozen
	}
}

func noAnswer(b *batch) error {
	return fmt.Errorf("no answer in %v: %w", time.Since(b.started).Round(time.Millisecond), context.DeadlineExceeded)
}

// takeAnswer stores a value or a denial.
func (c *Cache) takeAnswer(at *call, v *Value) {
	c.timeouts = flight.Failures{}
	var next *entry
	if v.Err == nil {
		next = c.withValue(c.lookUp(&at.ref), v, at)
		at.secret = next.secret
	} else {
		at.denied = denial(&at.ref, v.Err)
		next = c.withDenial(at.denied, at)
	}
	switch {
	case !c.settle(at, true):
	case v.Err == nil && slices.Contains(at.unwanted, v.Version):
		delete(c.slots, at.ref) // the value before was replaced at the source
	default:
		c.keep(at, next)
	}
	at.failed = nil
}

// takeFailure stores that the source could not be asked.
func (c *Cache) takeFailure(at *call, err error, now time.Time, discarded bool) {
	at.failed, at.discarded = err, discarded
	counts := c.settle(at, false)
	switch {
	case errors.Is(err, ErrOutsideInvocation):
		if len(c.deferred) < c.maxEntries {
			c.deferred[at.ref] = struct{}{}
		}
	case counts && !discarded && !at.blamed:
		c.countFailure(at, err, now)
	}
}

// blame counts a call as a failure because it takes too long. It reports false
// if the call has ended or its value was invalidated.
func (c *Cache) blame(at *call) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.latest(at.ref) != at {
		return false
	}
	if !at.blamed {
		at.blamed = true
		c.countFailure(at, noAnswer(at.batch), c.clock.Now())
	}
	return true
}

// countFailure begins a backoff for the value. After a timeout, stale values of
// other names are also served without a wait, until the source answers or the
// backoff is over. Waiting for each would leave the handler no time.
func (c *Cache) countFailure(at *call, err error, now time.Time) {
	if errors.Is(err, context.DeadlineExceeded) && !at.timedOut {
		at.timedOut = true
		c.timeouts = c.timeouts.And(err, now, c.backoff())
	}
	c.keep(at, c.withFailure(c.lookUp(&at.ref), err, now))
}

// lastTimeout returns why the source did not answer in time, or nil if it did.
func (c *Cache) lastTimeout() error {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.timeouts.Err
}
