package apikey

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/internal/reason"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
	"github.com/lambdarmor/lambdarmor/secrets"
)

// JSON verifies keys that are all in one secret, as JSON:
//
//	{"keys": [
//		{"key": "…", "principal": "shop", "scopes": ["orders:write"]},
//		{"key": "…", "principal": "till", "groups": ["stores"], "context": {"plan": "free"},
//			"expires": "2027-01-31T00:00:00Z", "usageKey": "…"}
//	]}
//
// The members are the key, of 16 bytes or more, and the fields of
// [authorizer.Grant]. Key and principal are required. An unknown member, a
// duplicate key and an invalid grant are errors, and so is a secret that cannot be
// read. Such an error neither grants nor denies.
//
// The current and the previous value are accepted, and an unknown key causes a fetch,
// as with [Secrets]. If both values have a key, the current one counts. A key that
// was removed therefore works until the secret is changed again. To end one at once,
// keep it with an expires in the past.
//
// JSON panics if cache is nil or name is empty.
func JSON(cache *secrets.Cache, name string) authorizer.Verifier {
	if cache == nil || name == "" {
		panic("apikey: JSON without a cache or a name")
	}
	return newStored(cache, []string{name}, func(_, text string) ([]entry, error) { return parseKeys(text) })
}

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

// parseKeys parses the secret text. Its errors quote nothing of it.
func parseKeys(text string) ([]entry, error) {
	var doc jsonKeys
	if err := strictjson.Unmarshal([]byte(text), &doc, strictjson.Options{RejectUnknown: true}); err != nil {
		var bad *strictjson.Error
		if errors.As(err, &bad) {
			return nil, reason.New(bad.Reason)
		}
		return nil, reason.New("not JSON with the member keys")
	}
	if doc.Keys == nil {
		return nil, reason.New("the member keys is missing")
	}
	entries := make([]entry, 0, len(doc.Keys))
	seen := make(map[[sha256.Size]byte]bool, len(doc.Keys))
	for i, k := range doc.Keys {
		e, err := k.entry()
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", i, err)
		}
		if seen[e.sum] {
			return nil, fmt.Errorf("key %d is there twice", i)
		}
		seen[e.sum] = true
		entries = append(entries, e)
	}
	return entries, nil
}

func (k jsonKey) entry() (entry, error) {
	for name, value := range k.Context {
		if n, ok := value.(float64); ok && math.Abs(n) >= 1<<53 {
			return entry{}, fmt.Errorf("the context's %q: a number of 2^53 or more, which was rounded: make it a string", name)
		}
	}
	g := &authorizer.Grant{Principal: k.Principal, Scopes: k.Scopes, Groups: k.Groups, Context: k.Context, Expires: k.Expires, UsageKey: k.UsageKey}
	if err := g.Validate(); err != nil {
		return entry{}, err
	}
	return newEntry(k.Key, g)
}
