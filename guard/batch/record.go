package batch

import (
	"context"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// Record is a record of a queue or a stream.
type Record interface {
	events.SQSMessage | events.KinesisEventRecord | events.DynamoDBEventRecord | events.KafkaRecord
}

// Info describes the record that a context belongs to. Fields that the source does
// not have are empty.
type Info struct {
	// Index is the place of the record in the event, from 0.
	Index int
	// ID identifies the record in its source: the message id of SQS, the sequence
	// number of Kinesis and DynamoDB, "orders-0:15" for offset 15 of partition 0 of
	// a Kafka topic.
	ID string
	// Source is the ARN of the queue or the stream, and of an MSK cluster.
	Source string
	// Attempt is how often the record was received, this time included. Only SQS
	// counts; 0 means unknown.
	Attempt int
	// FirstSent is when the record was put into its source.
	FirstSent time.Time
	// FirstReceived is when a consumer first received it. Only SQS has it.
	FirstReceived time.Time
	// Group is the message group of SQS, and the partition key of Kinesis.
	Group string
	// Shard is the shard of Kinesis, and the partition of Kafka: "orders-0".
	Shard string
	// Envelopes are what [Unwrap] took off, outermost first.
	Envelopes []Envelope
}

// Age returns the time since the record was put into its source, 0 if that is
// unknown.
func (i Info) Age() time.Duration {
	if i.FirstSent.IsZero() {
		return 0
	}
	return max(0, time.Since(i.FirstSent.Round(0)))
}

type infoKey struct{}

// RecordFrom returns the record that ctx belongs to. ok is false outside the
// function of a batch.
func RecordFrom(ctx context.Context) (info Info, ok bool) {
	if i, ok := ctx.Value(infoKey{}).(*Info); ok {
		return *i, true
	}
	return Info{}, false
}
