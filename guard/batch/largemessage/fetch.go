package largemessage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/internal/s3pointer"
)

// Client has the method of an [s3.Client] that [Fetch] needs.
type Client interface {
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
}

// Option changes how payloads are fetched.
type Option struct{ set func(*fetcher) }

// Bucket adds one more bucket that pointers may lead to. It panics if name is empty.
func Bucket(name string) Option {
	if name == "" {
		panic("largemessage: Bucket without a name")
	}
	return Option{func(f *fetcher) { f.buckets = append(f.buckets, name) }}
}

// BucketOwner is the account that must own the buckets. A bucket of another account
// is an error, and nothing of it is read. It panics unless account has 12 digits.
func BucketOwner(account string) Option {
	if len(account) != 12 || strings.Trim(account, "0123456789") != "" {
		panic(fmt.Sprintf("largemessage: BucketOwner(%q), want the 12 digits of an account", account))
	}
	return Option{func(f *fetcher) { f.owner = &account }}
}

// MaxBytes sets how large a payload may be, 16 MiB by default. It is held in memory
// as a whole. It panics if n is less than 1.
func MaxBytes(n int64) Option {
	if n < 1 {
		panic(fmt.Sprintf("largemessage: MaxBytes(%d), want at least 1", n))
	}
	return Option{func(f *fetcher) { f.max = n }}
}

// RetryMissing takes a missing object for one that is still to come: the kind is
// Unavailable in place of NotFound. It is for a bucket that is filled by
// replication.
func RetryMissing() Option { return Option{func(f *fetcher) { f.missing = guard.Unavailable }} }

type fetcher struct {
	client  Client
	buckets []string
	owner   *string // nil for any
	max     int64
	missing guard.Kind
}

// Fetch returns a [batch.Layer] that replaces a pointer to an object in the bucket
// by the object. It panics if client is nil or the bucket has no name.
func Fetch(client Client, bucket string, opts ...Option) batch.Layer[events.SQSMessage] {
	if client == nil {
		panic("largemessage: Fetch of a nil Client")
	}
	if bucket == "" {
		panic("largemessage: Fetch without the name of a bucket")
	}
	f := &fetcher{client: client, buckets: []string{bucket}, max: 16 << 20, missing: guard.NotFound}
	for _, opt := range opts {
		opt.set(f)
	}
	return func(next func(context.Context, events.SQSMessage) error) func(context.Context, events.SQSMessage) error {
		return func(ctx context.Context, message events.SQSMessage) error {
			resolved, err := f.resolve(ctx, message)
			if err != nil {
				return err
			}
			return next(ctx, resolved)
		}
	}
}

func (f *fetcher) resolve(ctx context.Context, message events.SQSMessage) (events.SQSMessage, error) {
	_, present := message.MessageAttributes[s3pointer.Attribute]
	_, old := message.MessageAttributes[s3pointer.OldAttribute]
	if !present && !old {
		return message, nil
	}
	pointer, err := s3pointer.Parse(message.Body)
	if err != nil {
		return message, guard.Errorf(guard.Invalid, "malformed_pointer", "The body is not a pointer to a payload.", err)
	}
	if !slices.Contains(f.buckets, pointer.Bucket) {
		return message, guard.Errorf(guard.Invalid, "foreign_bucket", "The payload is in a bucket that is not allowed.")
	}
	body, err := f.get(ctx, pointer)
	if err != nil {
		return message, err
	}
	message.Body = string(body)
	message.MessageAttributes = maps.Clone(message.MessageAttributes)
	delete(message.MessageAttributes, s3pointer.Attribute)
	delete(message.MessageAttributes, s3pointer.OldAttribute)
	return message, nil
}

func (f *fetcher) get(ctx context.Context, p s3pointer.Pointer) ([]byte, error) {
	out, err := f.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &p.Bucket, Key: &p.Key, ExpectedBucketOwner: f.owner})
	if err != nil {
		return nil, f.explain(err)
	}
	body, err := io.ReadAll(io.LimitReader(out.Body, f.max+1))
	err = errors.Join(err, out.Body.Close())
	switch {
	case int64(len(body)) > f.max:
		return nil, guard.Errorf(guard.TooLarge, "payload_too_large", "The payload has more than %d bytes.", f.max)
	case err != nil:
		return nil, guard.Errorf(guard.Unavailable, "payload_unavailable", "The payload could not be read.", err)
	}
	return body, nil
}
