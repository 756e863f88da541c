package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// saver keeps a copy of each dead letter, before it is run again. A copy that is
// kept again replaces the one before.
type saver interface {
	save(ctx context.Context, id string, data []byte) error
}

// fileName returns a name for an id, which may be the key of an object and longer
// than the name of a file can be.
func fileName(id string) string {
	name := strings.NewReplacer("%", "%25", "/", "%2F", `\`, "%5C", ":", "%3A").Replace(id)
	if len(name) > 200 {
		name = fmt.Sprintf("%x", sha256.Sum256([]byte(id)))
	}
	return name + ".json"
}

// folder is a folder of this machine.
type folder string

func (f folder) save(_ context.Context, id string, data []byte) error {
	if err := os.MkdirAll(string(f), 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(string(f), fileName(id)), data, 0o600)
}

// bucket is a part of a bucket.
type bucket struct {
	client *s3.Client
	name   string
	prefix string
}

func (b *bucket) save(ctx context.Context, id string, data []byte) error {
	key, kind := b.prefix+fileName(id), "application/json"
	_, err := b.client.PutObject(ctx, &s3.PutObjectInput{Bucket: &b.name, Key: &key, Body: bytes.NewReader(data), ContentType: &kind})
	return err
}
