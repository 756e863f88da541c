package jwt

import (
	"context"
	"errors"
	"time"
)

// source gives the keys of c, which has no problem.
func (c *Config) source(f *fetcher, now func() time.Time) keySource {
	switch {
	case c.loadBalancer != nil:
		return newBalancerKeys(f, c.loadBalancer.keys, now)
	case c.Keys.set != nil:
		return fixed{c.Keys.set}
	case c.Keys.uri != "":
		return newRemote(f.load(c.Keys.uri), now)
	default:
		return newRemote(f.discover(c.Issuer), now)
	}
}

// fixed are keys that never change.
type fixed struct{ *keySet }

func (f fixed) find(_ context.Context, t *token, _ time.Time) (*key, error) {
	k, err := f.pick(t.header)
	if errors.Is(err, errNoKey) {
		return nil, unknownKey()
	}
	return k, err
}

func (f fixed) trusts(k *key, _ time.Time) bool { return f.has(k) }

func unknownKey() error {
	return refuse(codeUnknownKey, "The token's key is not one of its issuer.")
}
