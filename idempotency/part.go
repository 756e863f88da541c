package idempotency

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"sync"
)

// Keys and fingerprints are hashes of several texts. Each is preceded by its
// length, so that no two lists of texts are the same bytes.

func appendPart[T ~string | ~[]byte](to []byte, part T) []byte {
	return append(binary.AppendUvarint(to, uint64(len(part))), part...)
}

// hash gives the digest of what fill appends to an empty buffer, of which the
// pool has some that are used again.
func hash(buffers *sync.Pool, fill func(b []byte) ([]byte, error)) (string, error) {
	buffer, ok := buffers.Get().(*[]byte)
	if !ok {
		buffer = new([]byte)
	}
	defer buffers.Put(buffer)
	b, err := fill((*buffer)[:0])
	if err != nil {
		return "", err
	}
	if cap(b) <= maxBuffer {
		*buffer = b
	}
	return digest(b), nil
}

const maxBuffer = 64 << 10 // larger ones are not kept

// digest is the SHA-256 of text, 43 characters of base64url.
func digest(text []byte) string {
	sum := sha256.Sum256(text)
	var out [43]byte
	base64.RawURLEncoding.Encode(out[:], sum[:])
	return string(out[:])
}
