package secrets

import (
	"context"
	"errors"
)

// Pair gives the current value of name and the one before it, for what was
// signed or issued before the last rotation and still has to verify. Where
// there is none before it, previous is the zero Secret, see [Secret.IsZero].
// [Previous] says where it is found, the stage AWSPREVIOUS when it is not set.
//
// Both are fetched in one call of the source, and a value between them is not
// lost: when a rotation has been seen of one, the other is fetched anew.
func (c *Cache) Pair(ctx context.Context, name string) (current, previous Secret, err error) {
	refs := []Ref{{Name: name}, c.previous(name)}
	got := c.collect(ctx, refs, demand{})
	if got[0].err != nil {
		return Secret{}, Secret{}, got[0].err
	}
	now, before := got[0].fetched(), got[1].fetched()
	switch {
	case got[1].err == nil && before.version == now.version && before.text == now.text && before.seq > now.seq:
		// What was current when we last looked is now the previous one.
		got[0].Secret, got[0].err = c.get(ctx, refs[0], demand{seq: before.seq})
	case c.answered(&refs[1]) < now.since:
		got[1].Secret, got[1].err = c.get(ctx, refs[1], demand{seq: now.since})
	}
	if got[0].err != nil {
		return Secret{}, Secret{}, got[0].err
	}
	if errors.Is(got[1].err, ErrNotFound) {
		return got[0].Secret, Secret{}, nil
	}
	if got[1].err != nil {
		return Secret{}, Secret{}, got[1].err
	}
	return got[0].Secret, got[1].Secret, nil
}

// answered is the number of the fetch that the last answer for ref is of.
func (c *Cache) answered(ref *Ref) uint64 { return c.table.state(ref).seq }
