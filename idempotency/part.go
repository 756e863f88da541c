package idempotency

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
)

// Keys and fingerprints are hashes of several texts. Each is preceded by its
// length, so that no two lists of texts are the same bytes.

func appendPart[T ~string | ~[]byte](to []byte, part T) []byte {
	return append(binary.AppendUvarint(to, uint64(len(part))), part...)
}

// digest is the SHA-256 of text, 43 characters of base64url.
func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
