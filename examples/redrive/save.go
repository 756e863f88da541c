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
type saver func(ctx context.Context, id string, data []byte) error

func toFolder(name string) saver {
	return func(_ context.Context, id string, data []byte) error {
		if err := os.MkdirAll(name, 0o700); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(name, fileName(id)), data, 0o600)
	}
}

func toBucket(client *s3.Client, name, prefix string) saver {
	return func(ctx context.Context, id string, data []byte) error {
		key, kind := prefix+fileName(id), "application/json"
		_, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: &name, Key: &key, Body: bytes.NewReader(data), ContentType: &kind})
		return err
	}
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
