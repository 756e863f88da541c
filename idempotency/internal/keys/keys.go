// Package keys has the errors and helpers of all functions that make idempotency
// keys.
package keys

import (
	"context"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// ErrMissing is idempotency.ErrNoKey.
var ErrMissing = reason.New("idempotency: no key")

// Missing is the error for a request without a key, or with a part of one.
func Missing(detail string) error {
	return &guard.Error{Kind: guard.Invalid, Code: "idempotency_key_missing", Detail: detail, Err: ErrMissing}
}

// Malformed is the error for a request whose key cannot be read.
func Malformed(detail string) error {
	return &guard.Error{Kind: guard.Invalid, Code: "idempotency_key_malformed", Detail: detail}
}

// Complete reports whether no part of a key is null or empty.
func Complete(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case string:
		return v != ""
	case []any:
		for _, part := range v {
			if !Complete(part) {
				return false
			}
		}
		return len(v) > 0
	case map[string]any:
		for _, part := range v {
			if !Complete(part) {
				return false
			}
		}
		return len(v) > 0
	default:
		return true
	}
}

// Record is a stored record that a key function has chosen itself, to share records
// with another library.
type Record struct {
	Key         string // "" if none was chosen
	Fingerprint string // "" for none
}

type recordKey struct{}

// WithRecord returns a context in which a key function can call [Choose].
func WithRecord(ctx context.Context) (context.Context, *Record) {
	r := new(Record)
	return context.WithValue(ctx, recordKey{}, r), r
}

// Choose sets the stored record. It has no effect outside of [WithRecord].
func Choose(ctx context.Context, chosen Record) {
	if r, ok := ctx.Value(recordKey{}).(*Record); ok {
		*r = chosen
	}
}
