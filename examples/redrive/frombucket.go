package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithy "github.com/aws/smithy-go/middleware"
)

// maxObject is more than an event can have, with the reason around it.
const maxObject = 16 << 20

// deadBucket is a bucket with dead letters, read in the order of their keys.
type deadBucket struct {
	client *s3.Client
	bucket string
	prefix string
	forms  *forms

	page   []types.Object
	answer smithy.Metadata // that had the page
	token  *string
	ended  bool
}

func (b *deadBucket) next(ctx context.Context) (*entry, error) {
	for len(b.page) == 0 {
		if b.ended {
			return nil, nil
		}
		out, err := b.client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &b.bucket, Prefix: &b.prefix, ContinuationToken: b.token})
		if err != nil {
			return nil, err
		}
		b.answer = out.ResultMetadata
		b.page, b.token, b.ended = out.Contents, out.NextContinuationToken, out.NextContinuationToken == nil
	}
	object := b.page[0]
	b.page = b.page[1:]
	e := &entry{id: *object.Key, since: ours(aws.ToTime(object.LastModified), b.answer)}
	data, etag, err := b.get(ctx, *object.Key)
	if err != nil {
		e.read = func(context.Context) (replay, error) { return replay{}, err }
		return e, nil
	}
	e.version, e.saved = *object.Key+" "+aws.ToString(etag), data
	e.read = func(ctx context.Context) (replay, error) { return b.forms.ofObject(ctx, data) }
	// Only the object that was read: the function may have given the record up again.
	e.remove = func(ctx context.Context) error {
		_, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.bucket, Key: object.Key, IfMatch: etag})
		return err
	}
	return e, nil
}

func (b *deadBucket) get(ctx context.Context, key string) (data []byte, etag *string, err error) {
	out, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.bucket, Key: &key})
	if err != nil {
		return nil, nil, err
	}
	data, err = io.ReadAll(io.LimitReader(out.Body, maxObject+1))
	if err = errors.Join(err, out.Body.Close()); err == nil && len(data) > maxObject {
		err = fmt.Errorf("the object has more than %d bytes", maxObject)
	}
	return data, out.ETag, err
}

func (b *deadBucket) release(context.Context) error { return nil }
