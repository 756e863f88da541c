package webhook

import (
	"context"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer/internal/renewal"
	"github.com/lambdarmor/lambdarmor/secrets"
)

// Keys are the signing keys that are accepted, as the sender's console shows them.
// There are several while a key is changed.
type Keys struct {
	get func(ctx context.Context) ([]string, error)
	// renew fetches newer keys if none of these has signed; nil if there is no way
	// to.
	renew func(ctx context.Context, now func() time.Time)
	// forget drops them after a restore from a snapshot; nil if nothing is kept.
	forget func()
}

// KeysFunc returns keys that get returns for each request. An error of get is
// returned to the sender, which retries if the kind is Unavailable. KeysFunc panics
// if get is nil.
func KeysFunc(get func(ctx context.Context) ([]string, error)) Keys {
	if get == nil {
		panic("webhook: KeysFunc of nil")
	}
	return Keys{get: get}
}

// Secret returns two keys: the current and the previous value of a secret. If
// neither has signed a request, the secret is fetched past the cache, at most every
// 10 seconds. So a new key works at once, and forged requests cannot overload the
// source.
//
// The previous value stays accepted until the secret is changed again, so a leaked
// key is refused only after two changes. After a restore from a snapshot the layer
// calls [secrets.Cache.Forget]. Secret panics without a cache or a name.
func Secret(c *secrets.Cache, name string) Keys {
	if c == nil || name == "" {
		panic("webhook: Secret without a cache or a name")
	}
	again := renewal.New(c, 1, name)
	return Keys{
		get: func(ctx context.Context) ([]string, error) {
			current, previous, err := c.Pair(ctx, name)
			if err != nil {
				return nil, err
			}
			texts := []string{current.Text()}
			if !previous.IsZero() {
				texts = append(texts, previous.Text())
			}
			return texts, nil
		},
		// If the secret cannot be renewed, the known keys are used.
		renew:  func(ctx context.Context, now func() time.Time) { _, _ = again.Renew(ctx, now) },
		forget: c.Forget,
	}
}
