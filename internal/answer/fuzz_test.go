package answer_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/lambdarmor/lambdarmor/internal/answer"
)

// What can be read can be written, and reads as the same again. What cannot has
// no status.
func FuzzAnswer(f *testing.F) {
	forms := []answer.Form{answer.Format2, answer.Format1, answer.Lattice, answer.Single, answer.Lists}
	for seed := range uint64(100) {
		f.Add(drawn(rand.New(rand.NewPCG(seed, 1)), forms[seed%5]))
	}
	f.Fuzz(func(t *testing.T, out []byte) {
		for _, form := range forms {
			status, ok := answer.Status(out, form)
			a, err := answer.Read(bytes.Clone(out), form)
			if ok != (err == nil) || ok && status != a.Status {
				t.Fatalf("form %d: got status %d, %t, and the error %v", form, status, ok, err)
			}
			if err != nil {
				continue
			}
			first, err := a.Encode(form)
			if errors.Is(err, answer.ErrTooLarge) {
				continue
			}
			if err != nil {
				t.Fatalf("form %d: got the error %v", form, err)
			}
			b, err := answer.Read(first, form)
			if err != nil || b.Status != a.Status || !bytes.Equal(b.Body, a.Body) || len(b.Cookies) != len(a.Cookies) {
				t.Fatalf("form %d: got %+v of %s, %v, want %+v", form, b, first, err, a)
			}
			if again, err := b.Encode(form); err != nil || !bytes.Equal(again, first) {
				t.Fatalf("form %d: got %s, %v, want %s", form, again, err, first)
			}
		}
	})
}
