package batch_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard/batch"
)

// source is one of the four handlers. The data of a record is its index.
type source struct {
	name    string
	isSQS   bool
	handler func(fn func(ctx context.Context, index int) error, opts ...batch.Option) lambda.Handler
	record  func(r record) (member string, value map[string]any) // member is the partition of Kafka
	index   func(raw json.RawMessage) (int, error)
}

// fromFirst reports whether the source continues from the first failure.
func (s source) fromFirst() bool { return s.name == "Kinesis" || s.name == "DynamoDB" }

const queueARN = "arn:aws:sqs:us-east-1:123456789012:orders"

var sources = []source{
	{
		name: "SQS", isSQS: true,
		handler: func(fn func(context.Context, int) error, opts ...batch.Option) lambda.Handler {
			return batch.SQS(func(ctx context.Context, m events.SQSMessage) error { return fn(ctx, number(m.Body)) }, opts...)
		},
		record: func(r record) (string, map[string]any) {
			arn := queueARN
			if r.fifo {
				arn += ".fifo"
			}
			return "", map[string]any{
				"messageId": r.id, "eventSource": "aws:sqs", "eventSourceARN": arn, "body": strconv.Itoa(r.index),
				"attributes": map[string]string{"MessageGroupId": r.group, "ApproximateReceiveCount": strconv.Itoa(r.attempt)},
			}
		},
		index: func(raw json.RawMessage) (int, error) {
			var m events.SQSMessage
			err := json.Unmarshal(raw, &m)
			return number(m.Body), err
		},
	},
	{
		name: "Kinesis",
		handler: func(fn func(context.Context, int) error, opts ...batch.Option) lambda.Handler {
			return batch.Kinesis(func(ctx context.Context, r events.KinesisEventRecord) error {
				return fn(ctx, number(string(r.Kinesis.Data)))
			}, opts...)
		},
		record: func(r record) (string, map[string]any) {
			return "", map[string]any{
				"eventID": "shardId-000000000000:" + r.id, "eventSource": "aws:kinesis", "eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/orders",
				"kinesis": map[string]any{"sequenceNumber": r.id, "partitionKey": r.group, "data": []byte(strconv.Itoa(r.index))},
			}
		},
		index: func(raw json.RawMessage) (int, error) {
			var r events.KinesisEventRecord
			err := json.Unmarshal(raw, &r)
			return number(string(r.Kinesis.Data)), err
		},
	},
	{
		name: "DynamoDB",
		handler: func(fn func(context.Context, int) error, opts ...batch.Option) lambda.Handler {
			return batch.DynamoDB(func(ctx context.Context, r events.DynamoDBEventRecord) error {
				return fn(ctx, number(r.Change.NewImage["n"].Number()))
			}, opts...)
		},
		record: func(r record) (string, map[string]any) {
			return "", map[string]any{
				"eventSource": "aws:dynamodb", "eventSourceARN": "arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/2020",
				"dynamodb": map[string]any{
					"SequenceNumber": r.id, "Keys": map[string]any{"id": map[string]any{"S": r.group}},
					"NewImage": map[string]any{"n": map[string]any{"N": strconv.Itoa(r.index)}},
				},
			}
		},
		index: func(raw json.RawMessage) (int, error) {
			var r events.DynamoDBEventRecord
			err := json.Unmarshal(raw, &r)
			return number(r.Change.NewImage["n"].Number()), err
		},
	},
	{
		name: "Kafka",
		handler: func(fn func(context.Context, int) error, opts ...batch.Option) lambda.Handler {
			return batch.Kafka(func(ctx context.Context, r events.KafkaRecord) error {
				value, _ := base64.StdEncoding.DecodeString(r.Value)
				return fn(ctx, number(string(value)))
			}, opts...)
		},
		record: func(r record) (string, map[string]any) {
			partition := number(r.group)
			return fmt.Sprintf("orders-%d", partition), map[string]any{
				"topic": "orders", "partition": partition, "offset": number(r.id), "value": []byte(strconv.Itoa(r.index)),
			}
		},
		index: func(raw json.RawMessage) (int, error) {
			var r events.KafkaRecord
			if err := json.Unmarshal(raw, &r); err != nil {
				return 0, err
			}
			value, err := base64.StdEncoding.DecodeString(r.Value)
			return number(string(value)), err
		},
	},
}

// number is the number that a text is, -1 if it is none.
func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return -1
	}
	return n
}

// payload is the event of the records.
func (s source) payload(records []record) []byte {
	list := []any{}
	partitions := map[string][]any{}
	for _, r := range records {
		partition, value := s.record(r)
		list = append(list, value)
		partitions[partition] = append(partitions[partition], value)
	}
	event := map[string]any{"Records": list}
	if s.name == "Kafka" {
		event = map[string]any{"eventSource": "aws:kafka", "records": partitions}
	}
	text, err := json.Marshal(event)
	if err != nil {
		panic(err)
	}
	return text
}

// identifier is how the answer names a record.
func (s source) identifier(r record) string {
	if s.name == "Kafka" {
		return fmt.Sprintf(`{"partition":"orders-%s","offset":%s}`, r.group, r.id)
	}
	return strconv.Quote(r.id)
}
