package s3dead

import "context"

// Payloads stores what is too large for a message of a queue. It is a store for
// package sqsdead. It is safe for concurrent use.
type Payloads struct{ place place }

// NewPayloads returns a store in a bucket. It panics if client is nil or the bucket
// has no name.
func NewPayloads(client Client, bucket string, opts ...Option) *Payloads {
	if client == nil {
		panic("s3dead: NewPayloads of a nil Client")
	}
	if bucket == "" {
		panic("s3dead: NewPayloads without the name of a bucket")
	}
	return &Payloads{newPlace(client, bucket, opts)}
}

// Store stores a payload and returns where. Equal payloads are one object. It
// returns an error if S3 does not store it.
func (p *Payloads) Store(ctx context.Context, payload []byte) (bucket, key string, err error) {
	key = p.place.prefix + digest(string(payload))
	if err := p.place.put(ctx, key, "application/octet-stream", payload); err != nil {
		return "", "", err
	}
	return p.place.bucket, key, nil
}
