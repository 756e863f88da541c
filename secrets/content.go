package secrets

import "sync"

// content is a value and what was made of it. It never changes.
type content struct {
	name    string
	text    string
	version string
	brought uint64   // the number of the fetch that first brought it
	begun   uint64   // the number of the last fetch that had begun when it did
	decoded sync.Map // plainly[T] or decoding[T] → *decoded[T], see JSON
}

// same reports whether a source sees no difference.
func (c *content) same(other *content) bool {
	return c == other || c.version == other.version && c.text == other.text
}

// predates reports whether a fetch read what it did when c was there: in the
// same call of the source, or after c was known. One that was under way at the
// same time may have read before.
func (c *content) predates(fetch uint64) bool { return fetch == c.brought || fetch > c.begun }
