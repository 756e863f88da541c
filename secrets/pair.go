package secrets

import (
	"context"
	"errors"
)

// Pair returns the current value of name and the one before it, for what was
// signed or issued before the last rotation and still has to verify. Where
// there is none before it, previous is the zero Secret, see [Secret.IsZero].
// [Previous] says where it is found, the stage AWSPREVIOUS when it is not set.
//
// Both are fetched in one call of the source, and a value between them is not
// lost: when a rotation has been seen of one, the other is fetched anew. That
// there is no previous value stands for as long as the current one does.
func (c *Cache) Pair(ctx context.Context, name string) (current, previous Secret, err error) {
	refs := []Ref{{Name: name}, c.previous(name)}
	if s := c.fresh(&refs[0]); s != nil && c.isFirst(s.secret, &refs[1]) {
		return s.secret, Secret{}, nil
	}
	var d demand
	if s := c.state(&refs[0]); !s.secret.IsZero() {
		d.current = s.secret.fetched().content
	}
	got := c.collect(ctx, refs, d)
	for d.seq = rotated(got); d.seq > 0; d.seq = rotated(got) {
		got = c.collect(ctx, refs, d)
	}
	switch {
	case got[0].err != nil:
		return Secret{}, Secret{}, got[0].err
	case got[1].err == nil:
		return got[0].Secret, got[1].Secret, nil
	case errors.Is(got[1].err, ErrNotFound), c.isFirst(got[0].Secret, &refs[1]):
		return got[0].Secret, Secret{}, nil
	default:
		return Secret{}, Secret{}, got[1].err
	}
}

// isFirst reports whether there is none before the current value.
func (c *Cache) isFirst(current Secret, previous *Ref) bool {
	return c.state(previous).isNoneBefore(current.fetched().content)
}

// rotated is the number of the fetch that both values have to be of at least,
// as one of them tells that the other may be of before a rotation; 0 if neither
// does.
func rotated(got []answer) uint64 {
	now, before := got[0].fetched(), got[1].fetched()
	switch {
	case got[0].err != nil || got[1].err != nil && !errors.Is(got[1].err, ErrNotFound):
		return 0 // there is nothing to compare
	case got[1].err == nil && got[1].seq > got[0].seq && before.same(now.content):
		return got[1].seq + 1 // what was current when we last looked has become the previous one
	case !now.predates(got[1].seq):
		return now.begun + 1
	default:
		return 0
	}
}
