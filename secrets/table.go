package secrets

import (
	"strings"
	"sync/atomic"
)

// table holds what a cache knows. It is guarded by the cache's mu: what only
// reads may run at the same time.
//
// When there are too many entries, the one goes that was not used for longest.
// Entries that were used since the last one was added count as equally recent,
// so that those who read the same again and again write nothing.
type table struct {
	entries map[Ref]*entry
	limit   int
	added   uint64 // how many entries have been, ever
}

type entry struct {
	*state
	used atomic.Uint64 // table.added when it was last used
}

func newTable(limit int) *table {
	return &table{entries: map[Ref]*entry{}, limit: limit}
}

// state returns what is known of ref: nothing, where it has no entry.
func (t *table) state(ref *Ref) *state {
	e := t.entries[*ref]
	if e == nil {
		return unknown
	}
	if e.used.Load() != t.added {
		e.used.Store(t.added)
	}
	return e.state
}

// put sets what is known of ref.
func (t *table) put(ref Ref, s *state) {
	if e := t.entries[ref]; e != nil {
		e.state = s
		return
	}
	if len(t.entries) >= t.limit {
		t.evict()
	}
	t.added++
	e := &entry{state: s}
	e.used.Store(t.added)
	t.entries[ref.clone()] = e
}

// evict removes the entry that was not used for longest.
func (t *table) evict() {
	var oldest Ref
	least := t.added + 1
	for ref, e := range t.entries {
		if used := e.used.Load(); used < least {
			oldest, least = ref, used
		}
	}
	delete(t.entries, oldest)
}

// clone keeps alive no event that a name was cut out of.
func (r Ref) clone() Ref {
	r.Name, r.Version, r.Stage = strings.Clone(r.Name), strings.Clone(r.Version), strings.Clone(r.Stage)
	return r
}
