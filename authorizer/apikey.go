package authorizer

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
)

// KeySet knows API keys.
type KeySet interface {
	// Find gives the grant of whoever the key belongs to. It is nil without an
	// error where the key is nobody's. Find takes as long for every key, as far
	// as its caller could tell keys apart by that.
	Find(ctx context.Context, key string) (*Grant, error)
}

// APIKey grants to whoever the key in the header belongs to. A header that was
// sent twice is nobody's key.
func APIKey(header string, keys KeySet) Check {
	if header == "" || keys == nil {
		panic("authorizer: APIKey without a header or without keys")
	}
	self := new(byte) // two of them have two addresses
	return func(ctx context.Context, r *Request) (*Grant, error) {
		key := r.Header(header)
		if key == "" {
			return nil, missing("", "An API key is required.")
		}
		if len(key) > maxKey {
			return nil, unknownKey()
		}
		g, err := r.once(self, func() (*Grant, error) { return keys.Find(ctx, key) })
		if err == nil && g == nil {
			err = unknownKey()
		}
		return g, err
	}
}

// maxKey bounds what a key can cost to hash, in bytes.
const maxKey = 1 << 10

func unknownKey() error {
	return guard.Errorf(guard.Unauthenticated, "api_key_unknown", "The API key is not known.")
}

// Key is an API key as it is kept: hashed. It must be random, of 128 bits or
// more, as a fast hash keeps nothing secret that can be guessed.
type Key struct {
	// Hash is the key's hash in hexadecimal: see [HashKey] and [PepperKey].
	Hash string
	// Principal is whom it belongs to.
	Principal string
	// Scopes and Groups are what it was issued for.
	Scopes []string
	Groups []string
	// Context is what else the backend is told.
	Context map[string]any
	// Expires is when the key ends; zero when it does not.
	Expires time.Time
	// UsageKey is the gateway's API key whose usage plan counts the request.
	UsageKey string
}

func (k Key) grant() *Grant {
	return &Grant{
		Principal: k.Principal, Scopes: slices.Clone(k.Scopes), Groups: slices.Clone(k.Groups),
		Context: maps.Clone(k.Context), Expires: k.Expires, UsageKey: k.UsageKey,
	}
}

// HashKey is the SHA-256 of an API key in hexadecimal.
func HashKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// PepperKey is the HMAC-SHA-256 of an API key in hexadecimal, with a secret
// pepper: hashes that become known without it cannot even be compared.
func PepperKey(pepper []byte, key string) string {
	return hex.EncodeToString(mac(pepper, key))
}

func mac(pepper []byte, key string) []byte {
	h := hmac.New(sha256.New, pepper)
	h.Write([]byte(key))
	return h.Sum(nil)
}

// Keys is a set of keys whose hashes are those of [HashKey]. Each look-up
// compares with all of them, in a time that does not depend on which one
// matches. A malformed key, or one that is there twice, panics.
func Keys(keys ...Key) KeySet {
	return newHashed("Keys", keys, func(key string) []byte {
		sum := sha256.Sum256([]byte(key))
		return sum[:]
	})
}

// PepperedKeys is a set of keys whose hashes are those of [PepperKey]. The
// pepper has 16 bytes or more; it is not to be written to any more.
func PepperedKeys(pepper []byte, keys ...Key) KeySet {
	if len(pepper) < 16 {
		panic("authorizer: PepperedKeys with a pepper of less than 16 bytes")
	}
	return newHashed("PepperedKeys", keys, func(key string) []byte { return mac(pepper, key) })
}

// hashed is a set of keys in memory.
type hashed struct {
	hash   func(string) []byte
	sums   [][]byte
	grants []*Grant
}

func newHashed(name string, keys []Key, hash func(string) []byte) *hashed {
	h := &hashed{hash: hash}
	for i, k := range keys {
		sum, err := hex.DecodeString(k.Hash)
		if err != nil || len(sum) != sha256.Size {
			panic(fmt.Sprintf("authorizer: %s: the hash of key %d is not the hexadecimal of 32 bytes", name, i))
		}
		if slices.ContainsFunc(h.sums, func(other []byte) bool { return string(other) == string(sum) }) {
			panic(fmt.Sprintf("authorizer: %s: key %d is there twice", name, i))
		}
		g := k.grant()
		if err := g.Validate(); err != nil {
			panic(fmt.Sprintf("authorizer: %s: key %d: %v", name, i, err))
		}
		h.sums, h.grants = append(h.sums, sum), append(h.grants, g)
	}
	return h
}

func (h *hashed) Find(_ context.Context, key string) (*Grant, error) {
	sum := h.hash(key)
	found := -1
	for i := range h.sums {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(sum, h.sums[i]), i, found)
	}
	if found < 0 {
		return nil, nil
	}
	return h.grants[found], nil
}
