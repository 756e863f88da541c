package secrets

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// JSON gets the secret of name and decodes it. It returns the errors of [Cache.Get]
// and [Decode].
func JSON[T any](ctx context.Context, c *Cache, name string, opts ...guard.DecodeOption) (T, error) {
	secret, err := c.Get(ctx, name)
	if err != nil {
		var zero T
		return zero, err
	}
	return Decode[T](secret, opts...)
}

// Decode decodes a secret from JSON, as strictly as [guard.Func] decodes an event.
// It decodes once for each version and type. A member without a field in T is
// ignored, except with [guard.RejectUnknownMembers].
//
// Maps, slices and pointers in the result are shared by all callers and must not
// be changed. The result is not redacted.
//
// The error is a [*guard.Error] of kind Internal with code secret_malformed. It
// describes the fault, without names and values of members, as both may be secret.
// The zero Secret is such an error, and so is a T that cannot be decoded.
func Decode[T any](secret Secret, opts ...guard.DecodeOption) (T, error) {
	if secret.IsZero() {
		var zero T
		return zero, malformed("no secret", guard.Reason("there is none"))
	}
	c, strict := secret.content(), slices.Contains(opts, guard.RejectUnknownMembers())
	var key any = lenient[T]{}
	if strict {
		key = noUnknown[T]{}
	}
	decode, ok := c.decoded.Load(key)
	if !ok {
		decode, _ = c.decoded.LoadOrStore(key, sync.OnceValues(func() (T, error) { return decodeOnce[T](c, strict) }))
	}
	return decode.(func() (T, error))()
}

// The keys of content.decoded.
type (
	lenient[T any]   struct{}
	noUnknown[T any] struct{}
)

func decodeOnce[T any](c *content, strict bool) (T, error) {
	var value, none T
	text := []byte(c.text)
	defer clear(text)
	if err := strictjson.Unmarshal(text, &value, strictjson.Options{RejectUnknown: strict}); err != nil {
		return none, malformed(strconv.Quote(c.name), err)
	}
	return value, nil
}

// malformed returns the error for a secret that cannot be decoded, without text
// that may quote the secret.
func malformed(what string, err error) error {
	reason := guard.Reason("not what it should be")
	var bad *strictjson.Error
	var badType strictjson.TypeError
	switch {
	case errors.As(err, &bad):
		reason = guard.Reason(bad.Reason)
	case errors.As(err, &badType):
		reason = guard.Reason(badType)
	default:
		_ = errors.As(err, &reason)
	}
	return &guard.Error{
		Kind: guard.Internal, Code: "secret_malformed",
		Err: fmt.Errorf("secrets: decode %s: %w", what, reason),
	}
}
