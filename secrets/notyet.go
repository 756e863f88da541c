package secrets

import "time"

// ErrOutsideInvocation is what a source says before the first invocation when it answers
// only within one, as the extension for parameters and secrets does. It matches
// [ErrUnavailable], and triggers no backoff: the first fetch of an invocation
// asks at once.
var ErrOutsideInvocation error = notYet{}

type notYet struct{}

func (notYet) Error() string { return "answers only within an invocation: " + ErrUnavailable.Error() }

func (notYet) Unwrap() error { return ErrUnavailable }

// postpone keeps in mind what was asked for before its source can answer. The
// caller holds c.mu.
func (c *Cache) postpone(ref Ref) {
	if len(c.postponed) < c.maxEntries {
		c.postponed[ref] = struct{}{}
	}
}

// addPostponed puts it into a batch. The caller holds c.mu.
func (c *Cache) addPostponed(b *batch, now time.Time) {
	for ref := range c.postponed {
		if len(c.calls[ref]) == 0 && c.table.state(&ref).judge(now, demand{}) == mustAsk {
			c.add(b, ref)
		}
	}
	clear(c.postponed)
}
