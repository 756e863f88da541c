package visibility

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/lambdarmor/lambdarmor/guard/batch"
)

// longest is 12 hours without the time that a message may have been received before:
// the largest batch window of a mapping, and the largest timeout of a function.
const longest = 12*time.Hour - 5*time.Minute - 15*time.Minute

// Client has the method of an [sqs.Client] that a [Delayer] needs.
type Client interface {
	ChangeMessageVisibility(context.Context, *sqs.ChangeMessageVisibilityInput, ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityOutput, error)
}

// Delayer changes when messages are visible again. It is safe for concurrent use.
type Delayer struct {
	client Client
	url    string // of every message; empty for that of its source
}

var _ batch.Delayer = (*Delayer)(nil)

// Option changes a [Delayer].
type Option struct{ set func(*Delayer) }

// QueueURL names the queue of all messages. By default it is that of the message's
// source. It panics if the URL is empty.
func QueueURL(url string) Option {
	if url == "" {
		panic("visibility: QueueURL without a URL")
	}
	return Option{func(d *Delayer) { d.url = url }}
}

// New returns a Delayer. It panics if client is nil.
func New(client Client, opts ...Option) *Delayer {
	if client == nil {
		panic("visibility: New of a nil Client")
	}
	d := &Delayer{client: client}
	for _, opt := range opts {
		opt.set(d)
	}
	return d
}

// Delay makes a message visible again after a time, counted from now. The time is
// rounded up to seconds, and is 11 hours and 40 minutes at most. 0, or less, makes it
// visible at once. An error reports a message without a queue or a receipt handle, or
// that SQS has not done it.
func (d *Delayer) Delay(ctx context.Context, message events.SQSMessage, after time.Duration) error {
	url, err := d.url, error(nil)
	if url == "" {
		url, err = queueURL(message.EventSourceARN)
	}
	if err == nil && message.ReceiptHandle == "" {
		err = errReceipt
	}
	if err == nil {
		_, err = d.client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
			QueueUrl: &url, ReceiptHandle: &message.ReceiptHandle, VisibilityTimeout: seconds(after),
		})
	}
	if err != nil {
		return fmt.Errorf("visibility: %w", err)
	}
	return nil
}

func seconds(d time.Duration) int32 {
	d = min(max(d, 0), longest)
	return int32((d + time.Second - 1) / time.Second)
}
