package jwt

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// load gives the loader of a set of keys that is at uri.
func (f *fetcher) load(uri string) loader {
	return func(ctx context.Context) (*keySet, time.Duration, error) {
		doc, err := f.get(ctx, uri)
		if err != nil {
			return nil, 0, err
		}
		set, err := parseKeySet(doc.body)
		if err != nil {
			return nil, 0, fmt.Errorf("get %s: %w", uri, err)
		}
		return set, doc.age, nil
	}
}

// discover gives the loader of the keys of an issuer, which are where its
// metadata say (OpenID Connect Discovery 1.0, section 4). The metadata are read
// anew each time: where the keys are can change as the keys do.
func (f *fetcher) discover(issuer string) loader {
	return func(ctx context.Context) (*keySet, time.Duration, error) {
		at := strings.TrimSuffix(issuer, "/") + "/.well-known/openid-configuration"
		doc, err := f.get(ctx, at)
		if err != nil {
			return nil, 0, err
		}
		var metadata struct {
			Issuer  string `json:"issuer"`
			JWKSURI string `json:"jwks_uri"`
		}
		if err := decodeBounded(doc.body, &metadata); err != nil {
			return nil, 0, fmt.Errorf("get %s: %w", at, err)
		}
		if metadata.Issuer != issuer {
			return nil, 0, fmt.Errorf("get %s: %w", at, reason.New("its issuer is another one"))
		}
		if err := checkURI(metadata.JWKSURI); err != nil {
			return nil, 0, fmt.Errorf("get %s: jwks_uri: %w", at, err)
		}
		return f.load(metadata.JWKSURI)(ctx)
	}
}
