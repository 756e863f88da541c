package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
)

// bucket is a sink in S3.
type bucket struct {
	client *s3.Client
	name   string
	owner  *string // account, nil for any
}

func openBucket(ctx context.Context, s settings) (*bucket, error) {
	cfg, err := config.LoadDefaultConfig(ctx,
		// The shipper tries again itself.
		config.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} }),
		// A connection does not outlive a freeze, and this side does not see that it is
		// dead. There is about one request a minute.
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) { t.DisableKeepAlives = true })),
	)
	if err != nil {
		return nil, err
	}
	b := &bucket{client: s3.NewFromConfig(cfg), name: s.bucket}
	if s.owner != "" {
		b.owner = &s.owner
	}
	return b, nil
}

func (b *bucket) put(ctx context.Context, key string, body []byte) error {
	_, err := b.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &b.name, ExpectedBucketOwner: b.owner, Key: &key, Body: bytes.NewReader(body),
		ContentType: aws.String("application/gzip"),
		// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
		IfNoneMatch: aws.String("*"),
	})
	var failure smithy.APIError
	if errors.As(err, &failure) && failure.ErrorCode() == "PreconditionFailed" {
		return nil // an attempt before has stored it, and nobody heard of it
	}
	return err
}
