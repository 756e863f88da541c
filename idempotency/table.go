package idempotency

import "hash/maphash"

// table is a hash table that never rehashes all at once: it grows by splitting
// one bucket for each entry that is added (linear hashing, Litwin 1980). A map
// of the language stalls for as long as it takes to split a table of a thousand
// entries, and cannot be walked a few entries at a time.
type table struct {
	seed     maphash.Seed
	segments []*segment // of the buckets there are, and room in the last
	buckets  int
	mask     uint64 // buckets rounded up to a power of two, less one
	entries  int
	hand     int // the bucket that is swept next
}

const segmentSize = 512

type segment [segmentSize]*entry

type entry struct {
	next *entry
	kept
}

func newTable() *table {
	return &table{seed: maphash.MakeSeed(), segments: []*segment{new(segment)}, buckets: 1}
}

func (t *table) bucket(i int) **entry {
	return &t.segments[i/segmentSize][i%segmentSize]
}

// place is the bucket of a hash: the buckets beyond the last are not split off
// yet from those that have one bit less.
func (t *table) place(hash uint64) int {
	i := int(hash & t.mask)
	if i >= t.buckets {
		i = int(hash & (t.mask >> 1))
	}
	return i
}

// find gives the place that points to the entry of a key, or to nil where it
// would be.
func (t *table) find(key string) **entry {
	at := t.bucket(t.place(maphash.String(t.seed, key)))
	for *at != nil && (*at).key != key {
		at = &(*at).next
	}
	return at
}

// add puts e where find has pointed to nil.
func (t *table) add(at **entry, e *entry) {
	*at = e
	t.entries++
	if t.entries > t.buckets {
		t.split()
	}
}

// remove takes out the entry that at points to.
func (t *table) remove(at **entry) {
	*at = (*at).next
	t.entries--
}

// split adds a bucket and moves to it what belongs there, all of it from one
// other bucket.
func (t *table) split() {
	added := t.buckets
	t.buckets++
	if added%segmentSize == 0 {
		t.segments = append(t.segments, new(segment))
	}
	if uint64(added) > t.mask {
		t.mask = t.mask<<1 | 1
	}
	to := t.bucket(added)
	for at := t.bucket(added & int(t.mask>>1)); *at != nil; {
		e := *at
		if t.place(maphash.String(t.seed, e.key)) != added {
			at = &e.next
			continue
		}
		*at, e.next, *to = e.next, *to, e
	}
}

// sweep goes on to the next two buckets and takes out what has expired.
func (t *table) sweep(now int64) {
	const perOperation = 2
	for range min(perOperation, t.buckets) {
		if t.hand >= t.buckets {
			t.hand = 0
		}
		for at := t.bucket(t.hand); *at != nil; {
			if (*at).expired(now) {
				t.remove(at)
			} else {
				at = &(*at).next
			}
		}
		t.hand++
	}
}
