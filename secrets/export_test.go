package secrets

// SetRandom replaces what varies TTL and backoff: at least 0, less than 1.
func (c *Cache) SetRandom(random func() float64) { c.random = random }

// Entries is how many values and errors are kept.
func (c *Cache) Entries() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.slots)
}
