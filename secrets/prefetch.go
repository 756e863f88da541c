package secrets

import (
	"context"
	"errors"
	"maps"
)

// Prefetch fetches the named secrets that are missing or expired, all in one call
// of the source. The error joins those of [Cache.Get] for each name that there is
// no value for; the others are there all the same.
//
// A source that answers only within an invocation, see [ErrOutsideInvocation], is asked
// in the first one, together with what is wanted then. That is no error here.
func (c *Cache) Prefetch(ctx context.Context, names ...string) error {
	var failed []error
	for _, got := range c.collect(ctx, refsOf(names), demand{}) {
		if got.err != nil && !errors.Is(got.err, ErrOutsideInvocation) {
			failed = append(failed, got.err)
		}
	}
	return errors.Join(failed...)
}

func refsOf(names []string) []Ref {
	refs := make([]Ref, len(names))
	for i, name := range names {
		refs[i].Name = name
	}
	return refs
}

// Invalidate drops what is kept of name, in every stage, if it has that version:
// a late report about an old version does not drop the new one. With "" it drops
// whatever there is, errors and backoff included; what is just being fetched then
// serves those who wait for it and is not kept.
//
// The next Get asks the source, and has nothing to serve when that fails.
func (c *Cache) Invalidate(name, version string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.table.entries, func(ref Ref, e *entry) bool {
		return ref.Name == name && (version == "" || !e.secret.IsZero() && e.secret.Version() == version)
	})
	for ref, under := range c.calls {
		if ref.Name != name {
			continue
		}
		if version == "" {
			delete(c.calls, ref)
			continue
		}
		for _, at := range under {
			o := at.outcome()
			o.unwanted = append(o.unwanted, version)
		}
	}
}
