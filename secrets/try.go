package secrets

import (
	"context"
	"errors"
	"fmt"

	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// ErrRejected is what a function returns to [Try], wrapped or not, when the
// secret was not accepted where it was used.
var ErrRejected = reason.New("secret rejected")

// TryOption changes [Try].
type TryOption struct{ rejects func(error) bool }

// RejectedWhen says which errors mean that the secret was not accepted, besides
// [ErrRejected]: those of a client that knows nothing of this package.
func RejectedWhen(matches func(err error) bool) TryOption {
	mustNotBeNil("RejectedWhen", matches == nil)
	return TryOption{matches}
}

func rejected(err error, opts []TryOption) bool {
	if err == nil || errors.Is(err, ErrRejected) {
		return err != nil
	}
	for _, opt := range opts {
		if opt.rejects(err) {
			return true
		}
	}
	return false
}

// Try calls fn with the secret of name. When fn says that it was rejected, the
// secret is fetched past the cache, and fn is called once more if that brought
// another one: so a rotation between fetch and use costs a try and no failure.
// What fn does before it finds out is done twice. To read the secret as JSON, fn
// calls [Decode]: [JSON] would get the secret anew.
//
// If the secret is still the same, fn's error is returned. If it could not be
// fetched, the error is that of [Cache.Get] and matches fn's as well. Of many
// calls that find the same version rejected, one fetches. A secret that was
// fetched so and has not changed is taken for right for a second, so that a
// caller who is always rejected does not wear out the source.
func Try[T any](ctx context.Context, c *Cache, name string, fn func(context.Context, Secret) (T, error), opts ...TryOption) (T, error) {
	secret, err := c.Get(ctx, name)
	if err != nil {
		var zero T
		return zero, err
	}
	out, err := fn(ctx, secret)
	if !rejected(err, opts) {
		return out, err
	}
	other, changed, again := c.replacement(ctx, name, secret)
	switch {
	case again != nil:
		return out, fmt.Errorf("%w, after it was rejected: %w", again, err)
	case !changed:
		return out, err
	}
	return fn(ctx, other)
}

// replacement returns a secret other than the one that was rejected, if there is
// one.
func (c *Cache) replacement(ctx context.Context, name string, rejected Secret) (Secret, bool, error) {
	from := c.seq.Load() + 1 // what begins from now on has seen what fn has
	old := rejected.fetched()
	// What another call has fetched since will do, or is just fetching.
	secret, err := c.get(ctx, Ref{Name: name}, demand{seq: old.seq + 1, rejected: true})
	if err == nil && secret.fetched().same(old.content) && secret.fetched().seq < from {
		secret, err = c.get(ctx, Ref{Name: name}, demand{seq: from, rejected: true})
	}
	if err != nil {
		return Secret{}, false, err
	}
	return secret, !secret.fetched().same(old.content), nil
}
