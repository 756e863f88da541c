package apikey

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard"
)

// Hash returns the SHA-256 of an API key in hexadecimal.
func Hash(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// PepperedHash returns the HMAC-SHA-256 of an API key in hexadecimal, with the secret
// pepper as its key. Without the pepper nobody can find the key of a hash by
// guessing.
func PepperedHash(pepper []byte, key string) string {
	sum := peppered(pepper, key)
	return hex.EncodeToString(sum[:])
}

func peppered(pepper []byte, key string) (sum [sha256.Size]byte) {
	h := hmac.New(sha256.New, pepper)
	h.Write([]byte(key))
	h.Sum(sum[:0])
	return sum
}

// Hashed verifies keys by their [Hash], in any case. It panics if a hash is malformed
// or there twice, and if a grant is invalid.
func Hashed(keys map[string]authorizer.Grant) authorizer.Verifier {
	return newHashed("Hashed", keys, func(key string) [sha256.Size]byte { return sha256.Sum256([]byte(key)) })
}

// Peppered verifies keys by their [PepperedHash]. It panics as [Hashed] does, and if
// the pepper has less than 16 bytes.
func Peppered(pepper []byte, keys map[string]authorizer.Grant) authorizer.Verifier {
	if len(pepper) < 16 {
		panic("apikey: Peppered with a pepper of less than 16 bytes")
	}
	pepper = slices.Clone(pepper)
	return newHashed("Peppered", keys, func(key string) [sha256.Size]byte { return peppered(pepper, key) })
}

// entry is a known key. It has the hash, as comparing keys would take a time that
// depends on their length.
type entry struct {
	sum   [sha256.Size]byte
	grant *authorizer.Grant
}

// find returns the grant of the last entry with a sum, nil if there is none.
func find(entries []entry, sum [sha256.Size]byte) *authorizer.Grant {
	found := -1
	for i := range entries {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(sum[:], entries[i].sum[:]), i, found)
	}
	if found < 0 {
		return nil
	}
	return entries[found].grant
}

var errUnknown = guard.Errorf(guard.Unauthenticated, "api_key_unknown", "The API key is not known.")

type hashed struct {
	hash    func(string) [sha256.Size]byte
	entries []entry
}

func newHashed(name string, keys map[string]authorizer.Grant, hash func(string) [sha256.Size]byte) *hashed {
	h := &hashed{hash: hash}
	for _, text := range slices.Sorted(maps.Keys(keys)) {
		sum, err := hex.DecodeString(text)
		if err != nil || len(sum) != sha256.Size {
			panic(fmt.Sprintf("apikey: %s: the hash for %q is not the hexadecimal of 32 bytes", name, keys[text].Principal))
		}
		e := entry{[sha256.Size]byte(sum), copied(name, keys[text].Principal, keys[text])}
		if find(h.entries, e.sum) != nil {
			panic(fmt.Sprintf("apikey: %s: the hash for %q is there twice", name, keys[text].Principal))
		}
		h.entries = append(h.entries, e)
	}
	return h
}

// copied returns a copy of a grant, and panics if the grant is invalid.
func copied(verifier, of string, g authorizer.Grant) *authorizer.Grant {
	g.Scopes, g.Groups, g.Context = slices.Clone(g.Scopes), slices.Clone(g.Groups), maps.Clone(g.Context)
	if err := g.Validate(); err != nil {
		panic(fmt.Sprintf("apikey: %s: %q: %v", verifier, of, err))
	}
	return &g
}

func (h *hashed) Verify(_ context.Context, key string) (*authorizer.Grant, error) {
	if g := find(h.entries, h.hash(key)); g != nil {
		return g, nil
	}
	return nil, errUnknown
}
