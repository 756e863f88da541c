package secrets

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
)

// Inject is a layer that fetches the secrets of names before the handler runs,
// which gets them by [From]. What is missing is fetched in one call of the
// source. Without one of them the handler does not run, and the error is that
// of [Cache.Prefetch]. Inject panics without names, with an empty one, and with
// more than the cache keeps.
func (c *Cache) Inject(names ...string) guard.Middleware {
	if len(names) == 0 || slices.Contains(names, "") {
		panic("secrets: Inject without a name")
	}
	mustBe("Inject", len(names) <= c.maxEntries, "no more names than MaxEntries", len(names))
	names = slices.Clone(names)
	return layer.Named("secrets.Inject", func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			in, err := c.inject(ctx, names)
			if err != nil {
				return nil, err
			}
			return next.Invoke(context.WithValue(ctx, injectedKey{}, in), payload)
		})
	})
}

type injectedKey struct{}

// injected are the secrets of one layer.
type injected struct {
	outer   *injected
	names   []string
	secrets []Secret
}

func (c *Cache) inject(ctx context.Context, names []string) (*injected, error) {
	outer, _ := ctx.Value(injectedKey{}).(*injected)
	in := &injected{outer, names, make([]Secret, len(names))}
	for i, name := range names {
		s := c.fresh(&Ref{Name: name})
		if s == nil {
			return in, c.fetchInto(ctx, in)
		}
		in.secrets[i] = s.secret
	}
	return in, nil
}

func (c *Cache) fetchInto(ctx context.Context, in *injected) error {
	var failed []error
	for i, got := range c.collect(ctx, refsOf(in.names), demand{}) {
		in.secrets[i] = got.Secret
		failed = append(failed, got.err)
	}
	return errors.Join(failed...)
}

// From returns a secret that [Cache.Inject] has put into the context of the
// invocation, by its name. It panics when there is none of that name: an empty
// secret in its place would open what it is to lock.
func From(ctx context.Context, name string) Secret {
	in, _ := ctx.Value(injectedKey{}).(*injected)
	for ; in != nil; in = in.outer {
		if i := slices.Index(in.names, name); i >= 0 {
			return in.secrets[i]
		}
	}
	panic(fmt.Sprintf("secrets: From of %q, which no Inject has", name))
}
