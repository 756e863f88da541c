package webhook

import (
	"context"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/reason"
	"github.com/lambdarmor/lambdarmor/internal/renewal"
	"github.com/lambdarmor/lambdarmor/secrets"
)

// Keys are the signing keys that are accepted at this moment, as the sender's
// console shows them: more than one while they change.
type Keys struct {
	get func(ctx context.Context) ([]string, error)
	// renew is called when none of them has signed; nil where nothing more can
	// be done. It goes by the clock that requests are judged by.
	renew func(ctx context.Context, now func() time.Time)
}

// KeysFunc takes keys from get. Its error is passed on: the sender tries again
// when its kind is Unavailable.
func KeysFunc(get func(ctx context.Context) ([]string, error)) Keys {
	if get == nil {
		panic("webhook: KeysFunc of nil")
	}
	return Keys{get: get}
}

// Secret takes the keys from a cache: the current and the previous value of a
// secret, each one key. When neither has signed a request, the secret is
// fetched past the cache, at most every 10 seconds, so that a key which the
// sender uses at once is known at once, and forged requests wear nothing out.
//
// The previous value stays accepted until the secret is changed again: a key that
// has leaked is refused only after two changes.
func Secret(c *secrets.Cache, name string) Keys {
	if c == nil || name == "" {
		panic("webhook: Secret without a cache or a name")
	}
	k := Keys{get: func(ctx context.Context) ([]string, error) {
		current, previous, err := c.Pair(ctx, name)
		if err != nil {
			return nil, err
		}
		texts := []string{current.Text()}
		if !previous.IsZero() {
			texts = append(texts, previous.Text())
		}
		return texts, nil
	}}
	anew := renewal.New(c, 1, name)
	k.renew = func(ctx context.Context, clock func() time.Time) { _, _ = anew.Renew(ctx, clock) }
	return k
}

func (r *receiver) accepted(ctx context.Context) ([]key, error) {
	texts, err := r.keys.get(ctx)
	if err != nil {
		return nil, err
	}
	if len(texts) == 0 {
		return nil, badKey(r.name, 1, reason.New("there is none"))
	}
	// All are read before any is used, so that one that cannot be read is not
	// found out only when it is needed.
	keys := make([]key, len(texts))
	for i, text := range texts {
		if keys[i], err = r.parse(text); err != nil {
			return nil, badKey(r.name, i+1, err)
		}
	}
	return keys, nil
}
