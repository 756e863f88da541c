package s3dead

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

var errRecord = reason.New("the record is not JSON")

// Client has the method of an [s3.Client] that a [Sink] and [Payloads] need.
type Client interface {
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
}

// Option changes a [Sink] or [Payloads].
type Option struct{ set func(*place) }

// Prefix begins each key: "orders/". The default is none.
func Prefix(prefix string) Option { return Option{func(p *place) { p.prefix = prefix }} }

// BucketOwner is the account that must own the bucket. A bucket of another account
// is an error, and nothing is stored there. It panics unless account has 12 digits.
func BucketOwner(account string) Option {
	if len(account) != 12 || strings.Trim(account, "0123456789") != "" {
		panic(fmt.Sprintf("s3dead: BucketOwner(%q), want the 12 digits of an account", account))
	}
	return Option{func(p *place) { p.owner = &account }}
}

// place is where objects go.
type place struct {
	client Client
	bucket string
	prefix string
	owner  *string // nil for any
}

func newPlace(client Client, bucket string, opts []Option) place {
	p := place{client: client, bucket: bucket}
	for _, opt := range opts {
		opt.set(&p)
	}
	return p
}

func (p *place) put(ctx context.Context, key, contentType string, body []byte) error {
	_, err := p.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &p.bucket, Key: &key, Body: bytes.NewReader(body), ContentType: &contentType, ExpectedBucketOwner: p.owner,
	})
	if err != nil {
		return fmt.Errorf("s3dead: %w", err)
	}
	return nil
}

// Sink stores dead letters in a bucket. It is safe for concurrent use.
type Sink struct{ place place }

var _ batch.Sink = (*Sink)(nil)

// New returns a sink for a bucket. It panics if client is nil or the bucket has no
// name.
func New(client Client, bucket string, opts ...Option) *Sink {
	if client == nil {
		panic("s3dead: New of a nil Client")
	}
	if bucket == "" {
		panic("s3dead: New without the name of a bucket")
	}
	return &Sink{newPlace(client, bucket, opts)}
}

// Send implements [batch.Sink]. It stores one object, and returns an error if S3
// does not, or if the record is no JSON.
func (s *Sink) Send(ctx context.Context, letter batch.DeadLetter) error {
	body, err := json.Marshal(letter)
	if err != nil || !json.Valid(letter.Record) {
		return fmt.Errorf("s3dead: %w", errRecord)
	}
	return s.place.put(ctx, s.place.prefix+keyOf(letter), "application/json", body)
}
