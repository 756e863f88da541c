package secrets

import "sync/atomic"

// slot is an entry's place in the cache.
type slot struct {
	*entry
	used atomic.Uint64 // number of the last fetch that had begun when it was used
}

// entry returns the cached state of ref.
func (c *Cache) entry(ref *Ref) *entry {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.lookUp(ref)
}

// lookUp returns the cached state of ref. The caller holds c.mu.
func (c *Cache) lookUp(ref *Ref) *entry {
	s := c.slots[*ref]
	if s == nil {
		return noEntry
	}
	if now := c.begun.Load(); s.used.Load() != now { // readers of a warm cache write nothing
		s.used.Store(now)
	}
	return s.entry
}

// keep stores the outcome of a call. If the cache is full, it drops the least
// recently used entry. The caller holds c.mu.
func (c *Cache) keep(at *call, e *entry) {
	if s := c.slots[at.ref]; s != nil {
		s.entry = e
		return
	}
	if len(c.slots) >= c.maxEntries {
		var oldest Ref
		least := c.begun.Load() + 1
		for ref, s := range c.slots {
			if used := s.used.Load(); used < least {
				oldest, least = ref, used
			}
		}
		delete(c.slots, oldest)
	}
	s := &slot{entry: e}
	s.used.Store(c.begun.Load())
	c.slots[at.ref] = s
}
