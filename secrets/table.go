package secrets

import (
	"hash/maphash"
	"strings"
	"sync/atomic"
)

// table holds the entries of a cache. Reading takes no lock: chains are never
// changed, only replaced. What is written, is written under the cache's mutex.
//
// What goes when there are too many is told by a clock hand: an entry that was
// used since the hand last passed it stays, the next one that was not goes.
// That is the least recently used one but for the order within a round, and
// takes no write of those who read.
type table struct {
	seed    maphash.Seed
	buckets atomic.Pointer[[]bucket] // as many as a power of two

	limit int
	ring  []*entry // all entries
	hand  int      // index into ring
}

type bucket = atomic.Pointer[link]

type link struct {
	*entry
	next *link
}

type entry struct {
	ref   Ref
	place int // index into ring
	used  atomic.Bool
	state atomic.Pointer[state] // never nil
}

func newTable(limit int) *table {
	t := &table{seed: maphash.MakeSeed(), limit: limit}
	buckets := make([]bucket, 8)
	t.buckets.Store(&buckets)
	return t
}

func (t *table) bucket(name string) *bucket {
	buckets := *t.buckets.Load()
	return &buckets[maphash.String(t.seed, name)&uint64(len(buckets)-1)]
}

// find gives the entry of ref, or nil. All refs of a name are in one bucket.
func (t *table) find(ref *Ref) *entry {
	for l := t.bucket(ref.Name).Load(); l != nil; l = l.next {
		if l.ref == *ref {
			return l.entry
		}
	}
	return nil
}

// state gives what is known of ref: nothing, where it has no entry.
func (t *table) state(ref *Ref) *state {
	if e := t.find(ref); e != nil {
		e.touch()
		return e.state.Load()
	}
	return unknown
}

func (t *table) put(ref Ref, s *state) {
	if e := t.find(&ref); e != nil {
		e.state.Store(s)
		return
	}
	if len(t.ring) >= t.limit {
		t.evict()
	}
	e := &entry{ref: ref.clone(), place: len(t.ring)}
	e.state.Store(s)
	t.ring = append(t.ring, e)
	if len(t.ring) > len(*t.buckets.Load()) {
		t.grow()
		return
	}
	b := t.bucket(ref.Name)
	b.Store(&link{e, b.Load()})
}

// clone keeps alive no event that a name was cut out of.
func (r Ref) clone() Ref {
	r.Name, r.Version, r.Stage = strings.Clone(r.Name), strings.Clone(r.Version), strings.Clone(r.Stage)
	return r
}

func (t *table) grow() {
	buckets := make([]bucket, 2*len(*t.buckets.Load()))
	for _, e := range t.ring {
		b := &buckets[maphash.String(t.seed, e.ref.Name)&uint64(len(buckets)-1)]
		b.Store(&link{e, b.Load()})
	}
	t.buckets.Store(&buckets)
}

func (t *table) evict() {
	for {
		t.hand %= len(t.ring)
		e := t.ring[t.hand]
		if !e.used.Swap(false) {
			t.remove(e)
			return
		}
		t.hand++
	}
}

func (t *table) remove(e *entry) {
	last := t.ring[len(t.ring)-1]
	t.ring[e.place], last.place = last, e.place
	t.ring[len(t.ring)-1] = nil
	t.ring = t.ring[:len(t.ring)-1]
	b := t.bucket(e.ref.Name)
	b.Store(without(b.Load(), e))
}

// without is the chain from l on less the entry e, which is in it.
func without(l *link, e *entry) *link {
	if l.entry == e {
		return l.next
	}
	return &link{l.entry, without(l.next, e)}
}
