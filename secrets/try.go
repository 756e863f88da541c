package secrets

import (
	"context"
	"errors"
	"fmt"

	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// A function that [Try] calls returns ErrRejected, wrapped or not, if its secret
// was not accepted.
var ErrRejected = reason.New("secret rejected")

// TryOption configures [Try].
type TryOption struct{ rejects func(error) bool }

// RejectedWhen sets which errors mean that the secret was not accepted, besides
// [ErrRejected]. It is for the errors of clients.
func RejectedWhen(matches func(err error) bool) TryOption {
	checkFunc("RejectedWhen", matches == nil)
	return TryOption{matches}
}

func isRejection(err error, opts []TryOption) bool {
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

// Try calls fn with the secret of name. If fn reports that it was rejected, Try
// fetches the secret past the cache and calls fn once more if the value changed.
// Effects of fn before the rejection then happen twice. To read the secret as JSON,
// fn calls [Decode]; [JSON] would get the secret again.
//
// If the value did not change, Try returns fn's error. If the fetch fails, the
// error matches the error of [Cache.Get] and fn's. Calls that find the same value
// rejected share one fetch. If the value did not change, it is not fetched again
// for a second, so that repeated rejections do not overload the source.
func Try[T any](ctx context.Context, c *Cache, name string, fn func(context.Context, Secret) (T, error), opts ...TryOption) (T, error) {
	secret, err := c.Get(ctx, name)
	if err != nil {
		var zero T
		return zero, err
	}
	out, err := fn(ctx, secret)
	if !isRejection(err, opts) {
		return out, err
	}
	next, failure := c.replacement(ctx, name, secret)
	switch {
	case failure != nil:
		return out, fmt.Errorf("%w, after it was rejected: %w", failure, err)
	case next.sameValue(secret):
		return out, err
	}
	return fn(ctx, next)
}

// replacement fetches the value after one that was rejected. It may be the same.
func (c *Cache) replacement(ctx context.Context, name string, old Secret) (Secret, error) {
	ref := Ref{Name: name}
	from := c.begun.Load() + 1 // a fetch from here on reads after the rejection
	// Another caller may have fetched a new value since, or may be fetching it.
	next, err := c.get(ctx, ref, demand{fetch: old.fetch + 1, rejected: true})
	if err == nil && next.sameValue(old) {
		next, err = c.get(ctx, ref, demand{fetch: from, rejected: true})
	}
	return next, err
}
