package secrets

import (
	"slices"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/clock"
	"github.com/lambdarmor/lambdarmor/internal/flight"
)

// batch is one call of the source.
type batch struct {
	*flight.Flight // nil until it is under way

	calls    []*call
	number   uint64
	began    time.Time // by the wall clock
	started  time.Time // by the monotonic clock
	ends     time.Time // by the wall clock; a batch that takes longer was frozen
	rejected bool      // see demand
	timedOut bool      // it counts in Cache.timeouts; guarded by Cache.mu
}

// call is the part of a batch that fetches one value.
type call struct {
	*batch
	ref Ref

	unwanted []string // versions that were invalidated meanwhile; guarded by Cache.mu
	blamed   bool     // it counts as a failure already; guarded by Cache.mu

	// The outcome of the call, valid once the batch has ended.
	secret Secret
	denied error
	failed error
	// discarded is set if the outcome says nothing about the source: the fetch
	// was cancelled because nobody needed it, or frozen with the process.
	// Callers that still wait ask again.
	discarded bool
}

// usable reports whether a caller may wait for a call. It is false for a call that
// was frozen: its value is old and its connection probably dead.
func (at *call) usable(now time.Time, d demand) bool {
	return at != nil && at.number >= d.fetch && clock.Within(now, at.began, at.ends)
}

// latest returns the last call for ref that is under way, or nil. The caller
// holds c.mu.
func (c *Cache) latest(ref Ref) *call {
	if under := c.calls[ref]; len(under) > 0 {
		return under[len(under)-1]
	}
	return nil
}

// newBatch returns a batch to add calls to. The caller holds c.mu until it is
// started.
func (c *Cache) newBatch(now time.Time, d demand) *batch {
	return &batch{number: c.begun.Add(1), began: now, ends: now.Add(c.fetchTimeout + clock.Slack), rejected: d.rejected}
}

func (c *Cache) add(b *batch, ref Ref) *call {
	// A copy of the name, which may be a substring of an event, does not keep the
	// event alive.
	ref = Ref{strings.Clone(ref.Name), strings.Clone(ref.Version), strings.Clone(ref.Stage), ref.Encrypted}
	at := &call{batch: b, ref: ref, failed: flight.ErrEnded} // unless it ends well
	b.calls = append(b.calls, at)
	c.calls[ref] = append(c.calls[ref], at)
	return at
}

// addDeferred adds the names that could not be fetched before the first invocation.
func (c *Cache) addDeferred(b *batch) {
	for ref := range c.deferred {
		if len(c.calls[ref]) == 0 {
			c.add(b, ref)
		}
	}
	clear(c.deferred)
}

// settle ends a call and reports whether its outcome counts. An answer does not
// if a later call has answered before, or if the value was invalidated. A failure
// does not if a later call is under way either.
func (c *Cache) settle(at *call, answered bool) bool {
	under := c.calls[at.ref]
	i := slices.Index(under, at)
	if i < 0 {
		return false
	}
	last := i == len(under)-1
	if answered {
		under = under[i+1:] // earlier calls are outdated
	} else {
		under = slices.Delete(under, i, i+1)
	}
	if len(under) == 0 {
		delete(c.calls, at.ref)
	} else {
		c.calls[at.ref] = under
	}
	return answered || last
}
