package recursion

import (
	"context"

	"github.com/aws/aws-lambda-go/events"
)

// Record is a record of a batch.
type Record interface {
	events.SQSMessage | events.KinesisEventRecord | events.DynamoDBEventRecord | events.KafkaRecord
}

// Records is [Limit] for the records of a batch, each by itself: a layer for batch.Chain.
// What the function sends for a record, with the record's context, has the counter of
// that record. The errors are those of Limit.
//
// List Records before batch.Unwrap, which takes off the notification with the counter.
//
// Records panics if n is not from 1 to 9999.
func Records[R Record](n int) func(next func(context.Context, R) error) func(context.Context, R) error {
	checkLimit("Records", n)
	return func(next func(context.Context, R) error) func(context.Context, R) error {
		return func(ctx context.Context, record R) error {
			var c counter
			switch r := any(&record).(type) {
			case *events.SQSMessage:
				c.sqs(r)
			case *events.KinesisEventRecord:
				c.kinesis(r)
			case *events.DynamoDBEventRecord:
				c.dynamoDB(r)
			case *events.KafkaRecord:
				c.kafka(r)
			}
			inner, err := c.enter(ctx, n)
			if err != nil {
				return err
			}
			return next(inner, record)
		}
	}
}

func (c *counter) sqs(m *events.SQSMessage) {
	if a, ok := m.MessageAttributes[Attribute]; ok {
		if a.StringValue == nil {
			c.malformed = true
		} else {
			c.add(*a.StringValue)
		}
	}
	c.document([]byte(m.Body), deepest)
}

func (c *counter) sns(r *events.SNSEventRecord) {
	if a, ok := r.SNS.MessageAttributes[Attribute]; ok {
		fields, _ := a.(map[string]any)
		value, _ := fields["Value"].(string)
		c.add(value)
	}
	c.document([]byte(r.SNS.Message), deepest)
}

func (c *counter) kinesis(r *events.KinesisEventRecord) { c.document(r.Kinesis.Data, deepest) }

func (c *counter) dynamoDB(r *events.DynamoDBEventRecord) {
	v, ok := r.Change.NewImage[Member]
	switch {
	case !ok:
	case v.DataType() == events.DataTypeNumber:
		c.add(v.Number())
	default:
		c.malformed = true
	}
}

func (c *counter) kafka(r *events.KafkaRecord) {
	for _, header := range r.Headers {
		if value, ok := header[Attribute]; ok {
			c.add(string(value))
		}
	}
}
