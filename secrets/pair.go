package secrets

import (
	"context"
	"errors"
)

// Pair returns the current and the previous value of name, to verify what was
// signed or issued before the last rotation. If there is no previous value,
// previous is the zero Secret, see [Secret.IsZero]. [Previous] sets where it is
// found; the default is the stage AWSPREVIOUS.
//
// Both are fetched in one call of the source. The two are consecutive values: if
// one was rotated in between, Pair fetches the other again. A missing previous
// value is cached for as long as the current value.
func (c *Cache) Pair(ctx context.Context, name string) (current, previous Secret, err error) {
	refs := []Ref{{Name: name}, c.previous(name)}
	if s, ok := c.fresh(&refs[0]); ok && c.isFirst(s, &refs[1]) {
		return s, Secret{}, nil
	}
	var d demand
	if s := c.entry(&refs[0]).secret; !s.IsZero() {
		d.current = s.content()
	}
	got := c.getAll(ctx, refs, d)
	for from := afterRotation(got); from > 0; from = afterRotation(got) {
		got = c.getAll(ctx, refs, demand{fetch: from})
	}
	switch {
	case got[0].err != nil:
		return Secret{}, Secret{}, got[0].err
	case got[1].err == nil:
		return got[0].secret, got[1].secret, nil
	case errors.Is(got[1].err, ErrNotFound), c.isFirst(got[0].secret, &refs[1]):
		return got[0].secret, Secret{}, nil
	default:
		return Secret{}, Secret{}, got[1].err
	}
}

// isFirst reports whether there is no value before the current one.
func (c *Cache) isFirst(current Secret, previous *Ref) bool {
	return c.entry(previous).isNoneBefore(current.content())
}

// afterRotation returns the number of the first fetch that can bring both values,
// if there may have been a rotation between their fetches, otherwise 0.
func afterRotation(got []answer) uint64 {
	now, before := got[0], got[1]
	switch {
	case now.err != nil || before.err != nil && !errors.Is(before.err, ErrNotFound):
		return 0 // there is nothing to compare
	case before.err == nil && before.fetch > now.fetch && before.secret.sameValue(now.secret):
		return before.fetch + 1 // the value that was current has become the previous one
	case !now.secret.content().predates(before.fetch):
		return now.secret.content().begun + 1
	default:
		return 0
	}
}
