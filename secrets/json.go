package secrets

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// JSON gives the secret of name decoded: once for each version, and strictly,
// as [guard.Func] decodes an event. A member that T has no field for is
// ignored, but for [guard.RejectUnknownMembers].
//
// What T refers to, like maps and slices, is shared by all callers and must not
// be changed. T shows what is in it: it is no Secret.
//
// The error is that of [Cache.Get], or a [*guard.Error] of kind Internal with
// code secret_malformed, which says what is wrong and not where: the names of
// members may be as secret as their values.
func JSON[T any](ctx context.Context, c *Cache, name string, opts ...guard.DecodeOption) (T, error) {
	var zero T
	secret, err := c.Get(ctx, name)
	if err != nil {
		return zero, err
	}
	d := decodedOf[T](secret.fetched().content, opts)
	d.once.Do(d.decode)
	if d.err != nil {
		return zero, malformed(name, d.err)
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

// The keys of content.decoded: all that two readings of a text differ by.
type (
	plainly[T any]  struct{} // with no options; costs no memory to look for
	decoding[T any] struct{ strictjson.Options }
)

func decodedOf[T any](c *content, opts []guard.DecodeOption) *decoded[T] {
	var key any = plainly[T]{}
	var options strictjson.Options
	if len(opts) > 0 {
		options = optionsOf(opts)
		key = decoding[T]{options}
	}
	made, ok := c.decoded.Load(key)
	if !ok {
		made, _ = c.decoded.LoadOrStore(key, &decoded[T]{content: c, options: options})
	}
	return made.(*decoded[T])
}

func optionsOf(opts []guard.DecodeOption) strictjson.Options {
	var o strictjson.Options
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

func (d *decoded[T]) decode() {
	d.err = errors.New("its decoding panicked") // what stays if it does
	text := []byte(d.content.text)
	defer clear(text)
	d.err = strictjson.Unmarshal(text, &d.value, d.options)
}

func malformed(name string, err error) error {
	reason := "not what it should be"
	var bad *strictjson.Error
	if errors.As(err, &bad) {
		reason = bad.Reason
	}
	return &guard.Error{
		Kind: guard.Internal, Code: "secret_malformed",
		Err: fmt.Errorf("secrets: decode %q: %s", name, reason),
	}
}
