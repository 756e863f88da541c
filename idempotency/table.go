package idempotency

import (
	"hash/maphash"
	"math"
)

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

// Buckets are allocated a few at a time as well: what is larger than a few kB is
// fresh memory, which takes as long as twenty claims.
const (
	rowSize     = 64
	segmentSize = 256 * rowSize
)

type (
	row     [rowSize]bucket
	segment [segmentSize / rowSize]*row
)

// bucket is a list of entries. None of them expires before the earliest, so
// that most buckets are swept without a look at their entries.
type bucket struct {
	first    *entry
	earliest int64
}

type entry struct {
	next *entry
	hash uint64
	kept
}

func newTable() *table {
	return &table{seed: maphash.MakeSeed(), segments: []*segment{{new(row)}}, buckets: 1}
}

func (t *table) bucket(i int) *bucket {
	return &t.segments[i/segmentSize][i%segmentSize/rowSize][i%rowSize]
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

// find gives the entry of a key, nil where there is none.
func (t *table) find(key string) *entry {
	hash := maphash.String(t.seed, key)
	for e := t.bucket(t.place(hash)).first; e != nil; e = e.next {
		if e.hash == hash && e.key == key {
			return e
		}
	}
	return nil
}

// add makes an entry of a key that has none.
func (t *table) add(k kept) {
	e := &entry{hash: maphash.String(t.seed, k.key), kept: k}
	t.bucket(t.place(e.hash)).push(e)
	t.entries++
	if t.entries > t.buckets {
		t.split()
	}
}

func (b *bucket) push(e *entry) {
	if b.first == nil {
		b.earliest = math.MaxInt64
	}
	b.first, e.next = e, b.first
	b.earliest = min(b.earliest, e.expires)
}

// replace puts another record into the entry of its key.
func (t *table) replace(e *entry, k kept) {
	e.kept = k
	b := t.bucket(t.place(e.hash))
	b.earliest = min(b.earliest, k.expires)
}

func (t *table) remove(e *entry) {
	at := &t.bucket(t.place(e.hash)).first
	for *at != e {
		at = &(*at).next
	}
	*at = e.next
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
	if added%rowSize == 0 {
		t.segments[added/segmentSize][added%segmentSize/rowSize] = new(row)
	}
	if uint64(added) > t.mask {
		t.mask = t.mask<<1 | 1
	}
	to := t.bucket(added)
	for at := &t.bucket(added & int(t.mask>>1)).first; *at != nil; {
		e := *at
		if t.place(e.hash) != added {
			at = &e.next
			continue
		}
		*at = e.next
		to.push(e)
	}
}

// sweep goes on to the next two buckets and takes out what has expired.
func (t *table) sweep(now int64) {
	const each = 2
	for range min(each, t.buckets) {
		if t.hand >= t.buckets {
			t.hand = 0
		}
		if b := t.bucket(t.hand); b.first != nil && b.earliest <= now {
			t.sweepBucket(b, now)
		}
		t.hand++
	}
}

func (t *table) sweepBucket(b *bucket, now int64) {
	b.earliest = math.MaxInt64
	for at := &b.first; *at != nil; {
		if e := *at; e.expired(now) {
			*at = e.next
			t.entries--
		} else {
			b.earliest = min(b.earliest, e.expires)
			at = &e.next
		}
	}
}
