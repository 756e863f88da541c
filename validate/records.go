package validate

import (
	"context"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/recorddata"
)

// Record is a record of a batch that carries JSON: the body of an SQS message, the
// data of a Kinesis or Firehose record, the message of SNS, the value of a Kafka
// record.
type Record interface {
	events.SQSMessage | events.SNSEventRecord | events.KinesisEventRecord | events.KinesisFirehoseEventRecord | events.KafkaRecord
}

// Records returns a layer for functions that handle one record, see batch.Chain of
// package guard/batch. The function is called only with records whose text is
// strict JSON that s accepts. Any other record fails alone, with the errors of
// [Body]: their kind says that a retry cannot help.
//
//	batch.SQS(batch.Chain(placeOrder, validate.Records[events.SQSMessage](orderSchema)))
func Records[R Record](s *Schema, opts ...Option) func(next func(context.Context, R) error) func(context.Context, R) error {
	c := newChecker("Records", s, opts)
	return func(next func(context.Context, R) error) func(context.Context, R) error {
		if next == nil {
			panic("validate: Records around a nil function")
		}
		return func(ctx context.Context, record R) error {
			text, err := recorddata.Of(record)
			if err != nil {
				return err
			}
			tree, err := guard.EventOf(ctx, text).Tree()
			if err != nil {
				return err
			}
			if err := c.check(tree); err != nil {
				return err
			}
			return next(ctx, record)
		}
	}
}
