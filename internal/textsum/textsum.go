// Package textsum makes keys of stores from texts that a caller chose.
package textsum

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
)

// Of returns the SHA-256 of a list of texts, 43 characters of base64url. Each text
// is preceded by its length, so that no two lists are the same bytes.
func Of(parts ...string) string {
	b := make([]byte, 0, 512) // enough for most
	for _, part := range parts {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	sum := sha256.Sum256(b)
	return string(base64.RawURLEncoding.AppendEncode(b[:0], sum[:]))
}
