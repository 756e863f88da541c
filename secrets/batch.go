package secrets

import (
	"slices"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/clock"
	"github.com/lambdarmor/lambdarmor/internal/flight"
)

// batch is one call of the source, for several refs.
type batch struct {
	*flight.Flight           // nil until it is under way
	started        time.Time // by the monotonic clock; zero until then

	seq      uint64
	began    time.Time // by the wall clock
	ends     time.Time // when it must be over; one that is not was frozen
	rejected bool      // see demand
	refs     []Ref
	got      []outcome // for each ref, once the flight has ended
	silent   bool      // it takes too long, see Cache.silences; guarded by Cache.mu
}

// outcome is what a batch brought for one ref.
type outcome struct {
	unwanted []string // versions that were invalidated meanwhile; guarded by Cache.mu
	blamed   bool     // it takes too long, and counts as a failure already; guarded by Cache.mu

	secret Secret
	denied error
	failed error
	// void is what says nothing: the failure of a fetch that was given up as
	// nobody needed it, and whatever one brought that was frozen. Who still waits
	// asks again.
	void bool
}

// call is a ref's place in a batch.
type call struct {
	*batch
	index int
}

func (c call) outcome() *outcome { return &c.got[c.index] }

// usable reports whether a call that is under way may be waited for. One that
// was frozen with the process is left to itself: its answer is as old as it is,
// and its connection is likely gone.
func (c call) usable(now time.Time, d demand) bool {
	return c.batch != nil && c.seq >= d.seq && clock.Within(now, c.began, c.ends)
}

// latest is the call for ref that began last of those under way, or none. The
// caller holds c.mu.
func (c *Cache) latest(ref Ref) call {
	if under := c.calls[ref]; len(under) > 0 {
		return under[len(under)-1]
	}
	return call{}
}

// begin makes a batch. The caller holds c.mu and adds the refs.
func (c *Cache) begin(now time.Time, d demand) *batch {
	return &batch{
		seq: c.seq.Add(1), began: now, ends: now.Add(c.fetchTimeout + clock.Slack), rejected: d.rejected,
	}
}

// add puts a ref into a batch that is not under way. The caller holds c.mu.
func (c *Cache) add(b *batch, ref Ref) call {
	at := call{b, len(b.refs)}
	b.refs = append(b.refs, ref)
	b.got = append(b.got, outcome{failed: flight.ErrEnded}) // until it has landed
	c.calls[ref] = append(c.calls[ref], at)
	return at
}

// leave ends a call and reports whether what it brought counts: an answer does
// unless a later call has answered before or the ref was invalidated, and a
// failure if besides no later call is under way. The caller holds c.mu.
func (c *Cache) leave(at call, answered bool) bool {
	ref := at.refs[at.index]
	under := c.calls[ref]
	i := slices.Index(under, at)
	if i < 0 {
		return false
	}
	last := i == len(under)-1
	if answered {
		under = under[i+1:] // those before have been overtaken
	} else {
		under = slices.Delete(under, i, i+1)
	}
	if len(under) == 0 {
		delete(c.calls, ref)
	} else {
		c.calls[ref] = under
	}
	return answered || last
}
