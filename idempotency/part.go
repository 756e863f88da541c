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
func hash(scratches *sync.Pool, fill func(b []byte) ([]byte, error)) (string, error) {
	s, ok := scratches.Get().(*scratch)
	if !ok {
		s = new(scratch)
	}
	b, err := fill(s.buffer[:0])
	if err != nil {
		return "", err
	}
	sum := digest(b)
	if cap(b) <= maxScratch {
		s.buffer = b
		scratches.Put(s)
	}
	return sum, nil
}

const maxScratch = 64 << 10 // larger ones are not kept

type scratch struct{ buffer []byte }

// digest is the SHA-256 of text, 43 characters of base64url.
func digest(text []byte) string {
	sum := sha256.Sum256(text)
	var out [43]byte
	base64.RawURLEncoding.Encode(out[:], sum[:])
	return string(out[:])
}
