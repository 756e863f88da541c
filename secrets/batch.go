package secrets

import (
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
	// void is what says nothing: the failure of a flight that had less than its
	// time, and whatever one brought that was frozen. Who still waits asks again.
	void bool
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

// latest is the call for ref that began last of those under way, or none. The
// caller holds c.mu.
func (c *Cache) latest(ref Ref) call {
	if under := c.calls[ref]; len(under) > 0 {
		return under[len(under)-1]
	}
	return call{}
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
