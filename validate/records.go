package validate

import (
	"context"

	"github.com/aws/aws-lambda-go/events"
	"github.com/lambdarmor/lambdarmor/guard"
)

// Record is a record of a batch that carries JSON: the body of an SQS message, the
// data of a Kinesis or Firehose record, or the message of SNS.
type Record interface {
	events.SQSMessage | events.SNSEventRecord | events.KinesisEventRecord | events.KinesisFirehoseEventRecord
}

// Records wraps a function that handles one record of a batch. The function is
// called only with records whose text is strict JSON that s accepts. Any other
// record fails alone, with the errors of [Body]: their kind says that a retry
// cannot help.
//
//	place := validate.Records(orderSchema, placeOrder)
//	for _, message := range event.Records { // of an events.SQSEvent
//		if err := place(ctx, message); err != nil {
//			failed = append(failed, events.SQSBatchItemFailure{ItemIdentifier: message.MessageId})
//		}
//	}
func Records[R Record](s *Schema, fn func(context.Context, R) error, opts ...Option) func(context.Context, R) error {
	c := newChecker("Records", s, opts)
	if fn == nil {
		panic("validate: Records of a nil function")
	}
	return func(ctx context.Context, record R) error {
		tree, err := guard.EventOf(context.Background(), textOf(record)).Tree()
		if err != nil {
			return err
		}
		if err := c.check(tree); err != nil {
			return err
		}
		return fn(ctx, record)
	}
}

func textOf[R Record](record R) []byte {
	switch r := any(record).(type) {
	case events.SQSMessage:
		return []byte(r.Body)
	case events.SNSEventRecord:
		return []byte(r.SNS.Message)
	case events.KinesisEventRecord:
		return r.Kinesis.Data
	case events.KinesisFirehoseEventRecord:
		return r.Data
	default:
		panic("validate: a record of a type that is not listed")
	}
}
