package storetest

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/idempotency"
)

func noResult(t *testing.T, s *suite) {
	r := s.attempt(1)
	s.mustClaim(r)
	r.Status, r.NoResult = idempotency.Completed, true
	s.mustComplete(r)
	if held := s.mustStand(r, idempotency.Completed); !held.NoResult || len(held.Result) > 0 {
		t.Errorf("got %+v, want no result", held)
	}
}

// random returns n bytes that cannot be compressed.
func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}

// randomText returns n bytes of JSON text that can be compressed by a quarter.
func randomText(n int) []byte {
	text := base64.StdEncoding.EncodeToString(random(n))
	return []byte(`"` + text[:n-2] + `"`)
}

func results(t *testing.T, s *suite) {
	const kB = 1 << 10
	key := s.key
	for name, result := range map[string][]byte{
		"empty":                  {},
		"a byte":                 {'1'},
		"JSON":                   []byte(`{"statusCode":200,"body":"{\"ä\":\"😀\\u0000\"}"}`),
		"space and line ends":    []byte(" \r\n\t{ }\n"),
		"zeros":                  make([]byte, 100),
		"not UTF-8":              {0xff, 0, 0xfe},
		"not UTF-8, long":        append(bytes.Repeat([]byte("a"), 100*kB), 0xff),
		"10 kB of one character": bytes.Repeat([]byte("a"), 10*kB),
		"4 MB that get small":    []byte(`"` + strings.Repeat("lorem ipsum ", 4*kB*kB/12) + `"`),
		"100 kB of random text":  randomText(100 * kB),
		"100 kB of random bytes": random(100 * kB),
		"399 kB of random bytes": random(399 * kB),
		"400 kB of random bytes": random(400 * kB),
		"400 kB of random text":  randomText(400 * kB),
		"4 MB of random bytes":   random(4 * kB * kB),
	} {
		t.Run(name, func(t *testing.T) {
			s := &suite{t: t, store: s.store, key: fmt.Sprintf("%s-%s", key, name)}
			r := s.attempt(1)
			s.mustClaim(r)
			r.Status, r.Result = idempotency.Completed, result
			err := s.store.Complete(t.Context(), r)
			switch {
			case err == nil:
				if held := s.mustStand(r, idempotency.Completed); held.NoResult {
					t.Error("got no result, want the one that was completed")
				}
			case errors.Is(err, idempotency.ErrTooLarge) && len(result) > 100*kB:
				r.Result = nil
				s.mustStand(r, idempotency.InProgress) // nothing has changed
				r.NoResult = true
				s.mustComplete(r)
				if held := s.mustStand(r, idempotency.Completed); !held.NoResult {
					t.Error("got a result, want none, as it was too large")
				}
			default:
				t.Fatal(err)
			}
		})
	}
}

func ownSlices(_ *testing.T, s *suite) {
	r := s.attempt(1)
	s.mustClaim(r)
	mine := done(r, "result")
	s.mustComplete(mine)
	copy(mine.Result, "spoilt")
	held := s.mustStand(done(r, "result"), idempotency.Completed)
	copy(held.Result, "spoilt")
	s.mustStand(done(r, "result"), idempotency.Completed)
}
