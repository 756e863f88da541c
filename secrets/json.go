package secrets

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"sync"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// JSON gets the secret of name and returns it decoded, see [Decode]. The error
// is that of [Cache.Get] or of Decode.
func JSON[T any](ctx context.Context, c *Cache, name string, opts ...guard.DecodeOption) (T, error) {
	secret, err := c.Get(ctx, name)
	if err != nil {
		var zero T
		return zero, err
	}
	return Decode[T](secret, opts...)
}

// Decode returns a secret decoded from JSON into a T: the very version that [Try],
// [From] or [Cache.Pair] has handed out. A secret is decoded once for each version
// and type, and strictly, as [guard.Func] decodes an event. A member that T has
// no field for is ignored, except with [guard.RejectUnknownMembers].
//
// What T refers to, like maps and slices, is shared by all callers and must not
// be changed. T shows what is in it: it is no Secret.
//
// The error is a [*guard.Error] of kind Internal with code secret_malformed. It
// says what is wrong and not where: the names of members may be as secret as
// their values. The zero Secret is such an error, and so is a T that encoding/json
// could not decode, or not as it is decoded here.
func Decode[T any](secret Secret, opts ...guard.DecodeOption) (T, error) {
	var zero T
	if secret.IsZero() {
		return zero, malformed("no secret", guard.Reason("there is none"))
	}
	c := secret.fetched().content
	d := decodedOf[T](c, opts)
	d.once.Do(d.decode)
	if d.err != nil {
		return zero, malformed(strconv.Quote(c.name), d.err)
	}
	return d.value, nil
}

// decoded is a content as a T, from its first use on.
type decoded[T any] struct {
	once    sync.Once
	content *content
	options strictjson.Options
	value   T
	err     error
}

// The keys of content.decoded: all that two readings of a text differ by. Both
// cost no memory to look for.
type (
	asKnown[T any] struct{}
	lax[T any]     struct{}
)

func decodedOf[T any](c *content, opts []guard.DecodeOption) *decoded[T] {
	var key any = lax[T]{}
	options := strictjson.Options{RejectUnknown: slices.Contains(opts, guard.RejectUnknownMembers())}
	if options.RejectUnknown {
		key = asKnown[T]{}
	}
	made, ok := c.decoded.Load(key)
	if !ok {
		made, _ = c.decoded.LoadOrStore(key, &decoded[T]{content: c, options: options})
	}
	return made.(*decoded[T])
}

func (d *decoded[T]) decode() {
	if d.err = strictjson.CheckType(reflect.TypeFor[T]()); d.err != nil {
		return
	}
	d.err = guard.Reason("its decoding panicked") // what stays if it does
	text := []byte(d.content.text)
	defer clear(text)
	d.err = strictjson.Unmarshal(text, &d.value, d.options)
}

// malformed is the error of a secret that cannot be decoded. It repeats nothing
// of it: of errors that may, it does not take the text.
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
