package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// open returns the bucket that KEPT_BUCKET names. Only a local run may leave it out: it
// keeps files in the folder for temporary ones.
func open(ctx context.Context) (store, error) {
	name := os.Getenv("KEPT_BUCKET")
	if name == "" && os.Getenv("AWS_SAM_LOCAL") == "true" {
		dir := filepath.Join(os.TempDir(), "ingest")
		fmt.Fprintln(os.Stderr, "dead letters are kept in", dir)
		return folder(dir), nil
	}
	if name == "" {
		return nil, errors.New("KEPT_BUCKET is not set")
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the AWS configuration: %w", err)
	}
	return &bucket{client: s3.NewFromConfig(cfg), name: name}, nil
}

type bucket struct {
	client *s3.Client
	name   string
}

func (b *bucket) put(ctx context.Context, name string, data []byte) error {
	_, err := b.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &b.name, Key: &name, Body: bytes.NewReader(data), ContentType: aws.String("application/json"),
	})
	return err
}

// folder is one of this machine.
type folder string

func (f folder) put(_ context.Context, name string, data []byte) error {
	file := filepath.Join(string(f), filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o600)
}
