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

// Inject returns a layer that fetches the named secrets before the handler runs.
// The handler gets them by [From]. Missing ones are fetched in one call of the
// source. If one has no value, the handler does not run, and the error joins the
// errors of [Cache.Get]. After a restore from a snapshot the layer calls [Cache.Forget].
// Inject panics without names, with an empty name, and with
// more names than the cache keeps.
func (c *Cache) Inject(names ...string) guard.Middleware {
	if len(names) == 0 || slices.Contains(names, "") {
		panic("secrets: Inject without a name")
	}
	check("Inject", len(names) <= c.maxEntries, "no more names than MaxEntries", len(names))
	names = slices.Clone(names)
	return guard.Chain(guard.OnRestore(c.Forget), layer.Named("secrets.Inject", func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			in := &injected{names: names, secrets: make([]Secret, len(names))}
			in.outer, _ = ctx.Value(injectedKey{}).(*injected)
			var failed []error
			for i, got := range c.getAll(ctx, refsOf(names), demand{}) {
				in.secrets[i] = got.secret
				failed = append(failed, got.err)
			}
			if err := errors.Join(failed...); err != nil {
				return nil, err
			}
			return next.Invoke(context.WithValue(ctx, injectedKey{}, in), payload)
		})
	}))
}

type injectedKey struct{}

// injected are the secrets of one layer.
type injected struct {
	outer   *injected
	names   []string
	secrets []Secret
}

// From returns a secret that [Cache.Inject] has fetched for this invocation. It
// panics if no Inject has that name: an empty secret could disable a check.
func From(ctx context.Context, name string) Secret {
	in, _ := ctx.Value(injectedKey{}).(*injected)
	for ; in != nil; in = in.outer {
		if i := slices.Index(in.names, name); i >= 0 {
			return in.secrets[i]
		}
	}
	panic(fmt.Sprintf("secrets: From(%q): no Inject has this name", name))
}
