package sqsdead

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/lambdarmor/lambdarmor/guard/batch"
)

// maxBytes is the most that SQS takes, attributes included:
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
// Until August 2025 it was 256 KiB, which older pages still have.
const maxBytes = 1 << 20

// Client has the method of an [sqs.Client] that a [Sink] needs.
type Client interface {
	SendMessage(context.Context, *sqs.SendMessageInput, ...func(*sqs.Options)) (*sqs.SendMessageOutput, error)
}

// A Store keeps payloads that are too large for a message, and reports where. It
// returns only after the payload is stored for good. Equal payloads may share a
// place.
type Store interface {
	Store(ctx context.Context, payload []byte) (bucket, key string, err error)
}

// Sink sends dead letters to a queue. It is safe for concurrent use.
type Sink struct {
	client Client
	url    string
	fifo   bool
	max    int
	large  Store // nil if there is none
}

var _ batch.Sink = (*Sink)(nil)

// Option changes a [Sink].
type Option struct{ set func(*Sink) }

// Large has letters that are too large for the queue stored, and sent as a pointer.
// Package s3dead has a store. It panics if store is nil.
func Large(store Store) Option {
	if store == nil {
		panic("sqsdead: Large of a nil Store")
	}
	return Option{func(s *Sink) { s.large = store }}
}

// MaxBytes sets how large a message may be, attributes included, for a queue whose
// MaximumMessageSize is below 1 MiB. It panics unless n is between 1 KiB and 1 MiB.
func MaxBytes(n int) Option {
	if n < 1<<10 || n > maxBytes {
		panic(fmt.Sprintf("sqsdead: MaxBytes(%d), want 1024 to %d", n, maxBytes))
	}
	return Option{func(s *Sink) { s.max = n }}
}

// New returns a sink for the queue at a URL. It panics if client is nil or the URL
// is empty.
func New(client Client, queueURL string, opts ...Option) *Sink {
	if client == nil {
		panic("sqsdead: New of a nil Client")
	}
	if queueURL == "" {
		panic("sqsdead: New without the URL of a queue")
	}
	s := &Sink{client: client, url: queueURL, fifo: strings.HasSuffix(queueURL, ".fifo"), max: maxBytes}
	for _, opt := range opts {
		opt.set(s)
	}
	return s
}

// Send implements [batch.Sink]. It sends one message, and returns an error if the
// letter is too large or is no JSON, or if SQS or the store does not answer.
func (s *Sink) Send(ctx context.Context, letter batch.DeadLetter) error {
	in, err := s.input(ctx, letter)
	if err == nil {
		_, err = s.client.SendMessage(ctx, in)
	}
	if err != nil {
		return fmt.Errorf("sqsdead: %w", err)
	}
	return nil
}
