package authorizer

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/reason"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
	"github.com/lambdarmor/lambdarmor/secrets"
)

// JSONKeys is a set of keys that are all in one secret, as JSON:
//
//	{"keys": [
//		{"key": "…", "principal": "shop", "scopes": ["orders:write"]},
//		{"key": "…", "principal": "till", "groups": ["stores"], "context": {"plan": "free"},
//			"expires": "2027-01-31T00:00:00Z", "usageKey": "…"}
//	]}
//
// The members are the fields of [Key]; key, of 16 bytes or more, and principal must
// be there, and a member that is none of them is an error, as is a key that is there
// twice. A secret that cannot be read, or is not this, is an error: nobody is let
// in, and nobody denied.
//
// As with [SecretKeys], the current and the previous value of the secret are
// accepted, and for a key that is not known the secret is fetched past the cache,
// within the same limits. Where both values have a key, the current one counts. So a
// key that was taken out works until the secret is changed again; one that is to
// end at once stays in, with expires in the past.
func JSONKeys(cache *secrets.Cache, name string) KeySet {
	if cache == nil || name == "" {
		panic("authorizer: JSONKeys without a cache or a name")
	}
	return newSecretKeys(cache, []string{name}, func(_, text string) ([]issued, error) { return readJSONKeys(text) })
}

// jsonKeys is what the secret holds.
type jsonKeys struct {
	Keys []jsonKey `json:"keys"`
}

type jsonKey struct {
	Key       string         `json:"key"`
	Principal string         `json:"principal"`
	Scopes    []string       `json:"scopes"`
	Groups    []string       `json:"groups"`
	Context   map[string]any `json:"context"`
	Expires   time.Time      `json:"expires"`
	UsageKey  string         `json:"usageKey"`
}

// readJSONKeys tells what is wrong and not what stands there, which is secret.
func readJSONKeys(text string) ([]issued, error) {
	var doc jsonKeys
	if err := strictjson.Unmarshal([]byte(text), &doc, strictjson.Options{RejectUnknown: true}); err != nil {
		var bad *strictjson.Error
		if errors.As(err, &bad) {
			return nil, reason.New(bad.Reason)
		}
		return nil, reason.New("not what it should be")
	}
	if doc.Keys == nil {
		return nil, reason.New("the member keys is missing")
	}
	var keys []issued
	seen := make(map[[sha256.Size]byte]bool, len(doc.Keys))
	for i, entry := range doc.Keys {
		k, err := entry.issue()
		switch {
		case err != nil:
			return nil, fmt.Errorf("key %d: %w", i, err)
		case seen[k.sum]:
			return nil, fmt.Errorf("key %d is there twice", i)
		}
		seen[k.sum] = true
		keys = append(keys, k)
	}
	return keys, nil
}

func (k *jsonKey) issue() (issued, error) {
	for name, value := range k.Context {
		if n, ok := value.(float64); ok && math.Abs(n) >= 1<<53 {
			return issued{}, fmt.Errorf("the context's %q: a number of 2^53 or more, which was rounded: make it a string", name)
		}
	}
	g := Key{Principal: k.Principal, Scopes: k.Scopes, Groups: k.Groups, Context: k.Context, Expires: k.Expires, UsageKey: k.UsageKey}.grant()
	if err := g.Validate(); err != nil {
		return issued{}, err
	}
	return issue(k.Key, g)
}
