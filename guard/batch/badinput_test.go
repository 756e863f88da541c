package batch_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

// eventSource is one of the four handlers, for a function that needs no type.
type eventSource struct {
	name    string
	trigger guard.Trigger
	list    string // the member that has the records
	handler func(fn func(context.Context) error, opts ...batch.Option) lambda.Handler
}

var eventSources = []eventSource{
	{
		name: "SQS", trigger: guard.SQS, list: "Records",
		handler: func(fn func(context.Context) error, opts ...batch.Option) lambda.Handler {
			return batch.SQS(func(ctx context.Context, _ events.SQSMessage) error { return fn(ctx) }, opts...)
		},
	},
	{
		name: "Kinesis", trigger: guard.Kinesis, list: "Records",
		handler: func(fn func(context.Context) error, opts ...batch.Option) lambda.Handler {
			return batch.Kinesis(func(ctx context.Context, _ events.KinesisEventRecord) error { return fn(ctx) }, opts...)
		},
	},
	{
		name: "DynamoDB", trigger: guard.DynamoDB, list: "Records",
		handler: func(fn func(context.Context) error, opts ...batch.Option) lambda.Handler {
			return batch.DynamoDB(func(ctx context.Context, _ events.DynamoDBEventRecord) error { return fn(ctx) }, opts...)
		},
	},
	{
		name: "Kafka", trigger: guard.Kafka, list: "records",
		handler: func(fn func(context.Context) error, opts ...batch.Option) lambda.Handler {
			return batch.Kafka(func(ctx context.Context, _ events.KafkaRecord) error { return fn(ctx) }, opts...)
		},
	},
}

func sourceNamed(name string) eventSource {
	return eventSources[slices.IndexFunc(eventSources, func(s eventSource) bool { return s.name == name })]
}

// private is in the values of bad events, and in no error and no record of the log.
const private = "s3cr3t"

// badInput is an event that its source never sends, or hardly ever.
type badInput struct {
	source string
	name   string
	event  string

	// Either the function runs so often, and fails for the ids that it is to fail for …
	fail   []string // ids as RecordFrom has them
	ran    int
	answer string // the identifiers in the answer; "none" if the list is empty
	// … or the whole batch fails, and nothing has run.
	code    string
	kind    guard.Kind // guard.Invalid unless it is set
	pointer string
}

// badOfEverySource are inputs that all sources refuse alike.
func badOfEverySource(s eventSource) []badInput {
	one, list := sample.Of(s.trigger), "/"+s.list
	record := list + "/0"
	if s.name == "Kafka" {
		record = list + "/orders-0/0"
	}
	deep := func(levels int) string {
		nested := strings.Repeat(`{"a":`, levels-3) + `"` + private + `"` + strings.Repeat("}", levels-3) // the record is the third level
		if s.name == "Kafka" {
			nested = nested[len(`{"a":`) : len(nested)-1] // or the fourth
		}
		return strings.Replace(one.Set(record+"/more", "HERE").String(), `"HERE"`, nested, 1)
	}
	rows := []badInput{
		{name: "nothing", event: "", code: "malformed_json"},
		{name: "no JSON", event: `{"` + private, code: "malformed_json"},
		{name: "two texts", event: one.String() + `"` + private + `"`, code: "trailing_data"},
		{name: "null", event: `null`, code: "wrong_type"},
		{name: "a string", event: `"` + private + `"`, code: "wrong_type"},
		{name: "a list", event: `["` + private + `"]`, code: "wrong_type"},
		{name: "no members", event: `{}`, code: "invalid_batch", pointer: list},
		{name: "other members", event: `{"detail":"` + private + `"}`, code: "invalid_batch", pointer: list},
		{name: "no list of records", event: one.Delete(list).String(), code: "invalid_batch", pointer: list},
		{name: "a null list", event: one.Set(list, nil).String(), code: "invalid_batch", pointer: list},
		{name: "a string for a list", event: one.Set(list, private).String(), code: "wrong_type", pointer: list},
		{name: "a number for a list", event: one.Set(list, 1).String(), code: "wrong_type", pointer: list},
		{name: "a string for a record", event: one.Set(record, private).String(), code: "wrong_type", pointer: record},
		{name: "a list for a record", event: one.Set(record, []any{private}).String(), code: "wrong_type", pointer: record},
		{name: "an event of HTTP", event: sample.HTTP("POST", "/"+private).JSON(`{"a":"` + private + `"}`).String(), code: "invalid_batch", pointer: list},
		{name: "an event of EventBridge", event: sample.Of(guard.EventBridge).String(), code: "invalid_batch", pointer: list},
		{
			name: "a list under a case variant", event: strings.Replace(one.String(), `"`+s.list+`"`, `"rECORDS"`, 1),
			code: "case_variant_member", pointer: "/rECORDS",
		},
		{
			name: "two lists", event: strings.Replace(one.String(), `{`, `{"`+s.list+`":null,`, 1),
			code: "duplicate_member", pointer: list,
		},
		{
			name: "invalid UTF-8", event: strings.Replace(one.Set(record+"/more", "HERE").String(), "HERE", private+"\xff", 1),
			code: "invalid_utf8", pointer: record + "/more",
		},
		{name: "128 levels", event: deep(128), ran: 1, answer: "none"},
		{name: "129 levels", event: deep(129), code: "json_too_deep"},
		{name: "6 MiB of records", event: s.filled(6 << 20), ran: 20, answer: "none"},
		{name: "a byte more than 6 MiB of records", event: s.filled(6<<20 + 1), code: "payload_too_large", kind: guard.TooLarge},
		{name: "10 000 records", event: s.minimal(10_000), ran: 10_000, answer: "none"},
	}
	for _, other := range []guard.Trigger{guard.SQS, guard.SNS, guard.S3, guard.Kinesis, guard.DynamoDB} {
		if other == s.trigger {
			continue
		}
		row := badInput{name: "an event of " + string(other), event: sample.Of(other).String(), code: "invalid_batch"}
		switch {
		case s.name == "Kafka":
			row.code, row.pointer = "case_variant_member", "/Records"
		case other == guard.SNS: // which says EventSource
			row.code, row.pointer = "case_variant_member", "/Records/0/EventSource"
		case s.name == "SQS":
			row.pointer = "/Records/0/messageId"
		case s.name == "Kinesis":
			row.pointer = "/Records/0/kinesis/sequenceNumber"
		default:
			row.pointer = "/Records/0/dynamodb/SequenceNumber"
		}
		rows = append(rows, row)
	}
	if s.name != "Kafka" {
		rows = append(rows,
			badInput{name: "an event of Kafka", event: sample.Of(guard.Kafka).String(), code: "case_variant_member", pointer: "/records"},
			badInput{name: "an object for a list", event: one.Set(list, map[string]any{"a": private}).String(), code: "wrong_type", pointer: list},
			badInput{name: "an empty list", event: one.Set(list, []any{}).String(), answer: "none"},
		)
		for name, arn := range map[string]any{
			"no ARN":                      nil,
			"an empty ARN":                "",
			"an ARN of three letters":     "arn",
			"an ARN of nothing":           "arn:aws:" + strings.ToLower(s.name) + ":us-east-1:123456789012:",
			"an ARN of five parts":        "arn:aws:" + strings.ToLower(s.name) + ":us-east-1:" + private,
			"an ARN of another service":   "arn:aws:lambda:us-east-1:123456789012:function:" + private,
			"a URL for an ARN":            "https://" + strings.ToLower(s.name) + ".us-east-1.amazonaws.com/" + private,
			"an ARN behind a blank":       " arn:aws:" + strings.ToLower(s.name) + ":us-east-1:123456789012:" + private,
			"an ARN of a variant service": "arn:aws:" + strings.ToUpper(s.name) + ":us-east-1:123456789012:" + private,
		} {
			rows = append(rows, badInput{name: name, event: one.Set(record+"/eventSourceARN", arn).String(), code: "invalid_batch", pointer: record + "/eventSourceARN"})
		}
		rows = append(rows, badInput{
			name: "a number for an ARN", event: one.Set(record+"/eventSourceARN", 7).String(), code: "wrong_type", pointer: record + "/eventSourceARN",
		})
	}
	for i := range rows {
		rows[i].source = s.name
	}
	return rows
}

// badOfOneSource are inputs that are bad in a way of their source.
func badOfOneSource() []badInput {
	sqs, fifo := sample.Of(guard.SQS), sample.Of(guard.SQS, "fifo")
	kinesis, dynamo, kafka := sample.Of(guard.Kinesis), sample.Of(guard.DynamoDB), sample.Of(guard.Kafka)
	const kinesisRecord, change, kafkaRecord = "/Records/0/kinesis", "/Records/0/dynamodb", "/records/orders-0/0"
	const fifoARN = "arn:aws:sqs:us-east-1:123456789012:orders.fifo"

	three := func(e sample.Event) sample.Event { // m0, m1, m2
		e = e.Repeat(3)
		for i := range 3 {
			e = e.Set(fmt.Sprintf("/Records/%d/messageId", i), fmt.Sprint("m", i))
		}
		return e
	}
	sequence := func(e sample.Event, pointer string, numbers ...string) sample.Event {
		e = e.Repeat(len(numbers))
		for i, n := range numbers {
			e = e.Set(fmt.Sprintf("/Records/%d/%s", i, pointer), n)
		}
		return e
	}
	const kinesisNumber, changeNumber = "kinesis/sequenceNumber", "dynamodb/SequenceNumber"
	return []badInput{
		// SQS: ids.
		{source: "SQS", name: "no id", event: sqs.Delete("/Records/0/messageId").String(), code: "invalid_batch", pointer: "/Records/0/messageId"},
		{source: "SQS", name: "an empty id", event: sqs.Set("/Records/0/messageId", "").String(), code: "invalid_batch", pointer: "/Records/0/messageId"},
		{source: "SQS", name: "a null id", event: sqs.Set("/Records/0/messageId", nil).String(), code: "invalid_batch", pointer: "/Records/0/messageId"},
		{source: "SQS", name: "a number for an id", event: sqs.Set("/Records/0/messageId", 7).String(), code: "wrong_type", pointer: "/Records/0/messageId"},
		{source: "SQS", name: "a null record", event: sqs.Set("/Records/0", nil).String(), code: "invalid_batch", pointer: "/Records/0/messageId"},
		{
			source: "SQS", name: "an id under a case variant", event: strings.Replace(sqs.String(), `"messageId"`, `"MessageId"`, 1),
			code: "case_variant_member", pointer: "/Records/0/MessageId",
		},
		{source: "SQS", name: "the last record has no id", event: three(sqs).Set("/Records/2/messageId", "").String(), code: "invalid_batch", pointer: "/Records/2/messageId"},
		{source: "SQS", name: "an id twice, done", event: three(sqs).Set("/Records/1/messageId", "m0").String(), ran: 3, answer: "none"},
		{source: "SQS", name: "an id twice, failed", event: three(sqs).Set("/Records/1/messageId", "m0").String(), fail: []string{"m0"}, ran: 3, answer: "m0"},
		{source: "SQS", name: "an id twice in a group, failed", event: three(fifo).Set("/Records/1/messageId", "m0").String(), fail: []string{"m0"}, ran: 1, answer: "m0 m2"},
		// SQS: several queues in one event. Each record keeps the rules of its queue.
		{
			source: "SQS", name: "a standard and a FIFO queue", event: three(sqs).Set("/Records/0/eventSourceARN", fifoARN).Set("/Records/2/eventSourceARN", fifoARN).String(),
			fail: []string{"m0"}, ran: 2, answer: "m0 m2",
		},
		{
			source: "SQS", name: "two FIFO queues with one group", event: three(fifo).Set("/Records/1/eventSourceARN", "arn:aws:sqs:us-east-1:123456789012:other.fifo").String(),
			fail: []string{"m0"}, ran: 2, answer: "m0 m2",
		},
		{source: "SQS", name: "two standard queues", event: three(sqs).Set("/Records/1/eventSourceARN", "arn:aws:sqs:eu-west-1:123456789012:other").String(), fail: []string{"m1"}, ran: 3, answer: "m1"},
		{source: "SQS", name: "a FIFO queue without groups is one group", event: func() string {
			e := three(fifo)
			for i := range 3 {
				e = e.Delete(fmt.Sprintf("/Records/%d/attributes/MessageGroupId", i))
			}
			return e.String()
		}(), fail: []string{"m0"}, ran: 1, answer: "m0 m1 m2"},
		// SQS: the rest of a message.
		{source: "SQS", name: "no attributes", event: sqs.Delete("/Records/0/attributes").String(), ran: 1, answer: "none"},
		{source: "SQS", name: "null attributes", event: sqs.Set("/Records/0/attributes", nil).String(), ran: 1, answer: "none"},
		{source: "SQS", name: "no body", event: sqs.Delete("/Records/0/body").String(), ran: 1, answer: "none"},
		{source: "SQS", name: "an object for a body", event: sqs.Set("/Records/0/body", map[string]any{"a": private}).String(), code: "wrong_type", pointer: "/Records/0/body"},
		{
			source: "SQS", name: "a number for a receive count", event: sqs.Set("/Records/0/attributes/ApproximateReceiveCount", 3).String(),
			code: "wrong_type", pointer: "/Records/0/attributes/ApproximateReceiveCount",
		},
		{
			source: "SQS", name: "binary that is not base64", event: sqs.Set("/Records/0/messageAttributes/type/binaryValue", private+"!").String(),
			code: "wrong_type", pointer: "/Records/0/messageAttributes/type/binaryValue",
		},
		{source: "SQS", name: "a surrogate alone", event: strings.Replace(sqs.Set("/Records/0/body", "HERE").String(), "HERE", private+`\ud800`, 1), code: "malformed_json", pointer: "/Records/0/body"},

		// Kinesis.
		{source: "Kinesis", name: "no sequence number", event: kinesis.Delete(kinesisRecord + "/sequenceNumber").String(), code: "invalid_batch", pointer: kinesisRecord + "/sequenceNumber"},
		{source: "Kinesis", name: "no data member", event: kinesis.Delete(kinesisRecord).String(), code: "invalid_batch", pointer: kinesisRecord + "/sequenceNumber"},
		{source: "Kinesis", name: "a null record", event: kinesis.Set("/Records/0", nil).String(), code: "invalid_batch", pointer: kinesisRecord + "/sequenceNumber"},
		{source: "Kinesis", name: "a number for a sequence number", event: kinesis.Set(kinesisRecord+"/sequenceNumber", 7).String(), code: "wrong_type", pointer: kinesisRecord + "/sequenceNumber"},
		{source: "Kinesis", name: "data that is not base64", event: kinesis.Set(kinesisRecord+"/data", private+"!").String(), code: "wrong_type", pointer: kinesisRecord + "/data"},
		{
			source: "Kinesis", name: "a tumbling window", event: kinesis.Set("/window", map[string]any{"start": "2026-03-01T10:00:00Z", "end": "2026-03-01T10:02:00Z"}).Set("/state", map[string]any{}).String(),
			code: "invalid_batch", pointer: "/window",
		},
		{
			source: "Kinesis", name: "the end of a tumbling window", event: kinesis.Set("/Records", []any{}).Set("/window", map[string]any{"start": "2026-03-01T10:00:00Z", "end": "2026-03-01T10:02:00Z"}).
				Set("/isFinalInvokeForWindow", true).String(),
			code: "invalid_batch", pointer: "/window",
		},
		{source: "Kinesis", name: "no data", event: kinesis.Delete(kinesisRecord + "/data").String(), ran: 1, answer: "none"},
		{source: "Kinesis", name: "no partition key is one key", event: sequence(kinesis, kinesisNumber, "1", "2").Delete("/Records/0/kinesis/partitionKey").String(), ran: 2, answer: "none"},
		{
			source: "Kinesis", name: "a text for a time", event: kinesis.Set(kinesisRecord+"/approximateArrivalTimestamp", private).String(),
			code: "wrong_type", pointer: kinesisRecord + "/approximateArrivalTimestamp",
		},
		{source: "Kinesis", name: "a time before all", event: kinesis.Set(kinesisRecord+"/approximateArrivalTimestamp", -1e300).String(), ran: 1, answer: "none"},
		{source: "Kinesis", name: "a number twice, failed", event: sequence(kinesis, kinesisNumber, "1", "1", "2").String(), fail: []string{"1"}, ran: 1, answer: "1"},
		{source: "Kinesis", name: "a number twice, not first", event: sequence(kinesis, kinesisNumber, "1", "2", "2").String(), fail: []string{"2"}, ran: 2, answer: "2"},
		{
			source: "Kinesis", name: "two shards are one", event: sequence(kinesis, kinesisNumber, "1", "2", "3").Set("/Records/1/eventID", "shardId-000000000007:2").
				Set("/Records/1/kinesis/partitionKey", "c-43").String(),
			fail: []string{"1"}, ran: 1, answer: "1",
		},
		{source: "Kinesis", name: "no shards are one shard", event: sequence(kinesis, kinesisNumber, "1", "2", "3").Delete("/Records/0/eventID").Delete("/Records/1/eventID").Delete("/Records/2/eventID").String(), fail: []string{"2", "3"}, ran: 2, answer: "2"},
		{source: "Kinesis", name: "event ids without a shard are of one shard", event: func() string {
			e := sequence(kinesis, kinesisNumber, "1", "2", "3")
			for i := range 3 {
				e = e.Set(fmt.Sprintf("/Records/%d/eventID", i), fmt.Sprint("event-", i)).Set(fmt.Sprintf("/Records/%d/kinesis/partitionKey", i), fmt.Sprint("c-", i))
			}
			return e.String()
		}(), fail: []string{"1", "3"}, ran: 1, answer: "1"},

		// DynamoDB.
		{source: "DynamoDB", name: "no sequence number", event: dynamo.Delete(change + "/SequenceNumber").String(), code: "invalid_batch", pointer: change + "/SequenceNumber"},
		{
			source: "DynamoDB", name: "a tumbling window", event: dynamo.Set("/window", map[string]any{"start": "2026-03-01T10:00:00Z", "end": "2026-03-01T10:02:00Z"}).Set("/state", map[string]any{}).String(),
			code: "invalid_batch", pointer: "/window",
		},
		{source: "DynamoDB", name: "no change", event: dynamo.Delete(change).String(), code: "invalid_batch", pointer: change + "/SequenceNumber"},
		{source: "DynamoDB", name: "a null record", event: dynamo.Set("/Records/0", nil).String(), code: "invalid_batch", pointer: change + "/SequenceNumber"},
		{source: "DynamoDB", name: "no keys are one item", event: sequence(dynamo, changeNumber, "1", "2").Delete("/Records/0/dynamodb/Keys").Delete("/Records/1/dynamodb/Keys").String(), fail: []string{"1"}, ran: 1, answer: "1"},
		{source: "DynamoDB", name: "a null key", event: dynamo.Set(change+"/Keys/id", nil).String(), code: "wrong_type", pointer: change + "/Keys/id"},
		{source: "DynamoDB", name: "a key without a type", event: dynamo.Set(change+"/Keys/id", map[string]any{}).String(), code: "wrong_type", pointer: change + "/Keys/id"},
		{source: "DynamoDB", name: "a key of two types", event: dynamo.Set(change+"/Keys/id", map[string]any{"S": private, "N": "1"}).String(), code: "wrong_type", pointer: change + "/Keys/id"},
		{source: "DynamoDB", name: "a key of an unknown type", event: dynamo.Set(change+"/Keys/id", map[string]any{"X": private}).String(), code: "wrong_type", pointer: change + "/Keys/id"},
		{source: "DynamoDB", name: "binary that is not base64", event: dynamo.Set(change+"/NewImage/id", map[string]any{"B": private + "!"}).String(), code: "wrong_type", pointer: change + "/NewImage/id"},
		{source: "DynamoDB", name: "a number in a set of binaries", event: dynamo.Set(change+"/NewImage/id", map[string]any{"BS": []any{7, private}}).String(), code: "invalid_batch", pointer: "/Records"},
		{source: "DynamoDB", name: "a set of numbers that are none", event: dynamo.Set(change+"/NewImage/id", map[string]any{"NS": []any{7}}).String(), code: "wrong_type", pointer: change + "/NewImage/id"},
		{source: "DynamoDB", name: "a text for a time", event: dynamo.Set(change+"/ApproximateCreationDateTime", private).String(), code: "wrong_type", pointer: change + "/ApproximateCreationDateTime"},
		{source: "DynamoDB", name: "a number twice, failed", event: sequence(dynamo, changeNumber, "1", "1", "2").String(), fail: []string{"1"}, ran: 1, answer: "1"},

		// Kafka.
		{source: "Kafka", name: "no partitions", event: kafka.Set("/records", map[string]any{}).String(), answer: "none"},
		{source: "Kafka", name: "a list for partitions", event: kafka.Set("/records", []any{private}).String(), code: "wrong_type", pointer: "/records"},
		{source: "Kafka", name: "a partition without records", event: kafka.Set("/records/orders-0", []any{}).String(), answer: "none"},
		{source: "Kafka", name: "a null partition", event: kafka.Set("/records/orders-0", nil).String(), answer: "none"},
		{source: "Kafka", name: "an object for a partition", event: kafka.Set("/records/orders-0", map[string]any{"a": private}).String(), code: "wrong_type", pointer: "/records/orders-0"},
		{source: "Kafka", name: "a null record", event: kafka.Set(kafkaRecord, nil).String(), code: "wrong_type", pointer: kafkaRecord},
		{source: "Kafka", name: "no offset", event: kafka.Delete(kafkaRecord + "/offset").String(), code: "invalid_batch", pointer: "/records/*/0/offset"},
		{source: "Kafka", name: "a null offset", event: kafka.Set(kafkaRecord+"/offset", nil).String(), code: "invalid_batch", pointer: "/records/*/0/offset"},
		{source: "Kafka", name: "a negative offset", event: kafka.Set(kafkaRecord+"/offset", -1).String(), code: "invalid_batch", pointer: "/records/*/0/offset"},
		{source: "Kafka", name: "a text for an offset", event: kafka.Set(kafkaRecord+"/offset", "15").String(), code: "wrong_type", pointer: kafkaRecord + "/offset"},
		{source: "Kafka", name: "half an offset", event: kafka.Set(kafkaRecord+"/offset", 1.5).String(), code: "wrong_type", pointer: kafkaRecord + "/offset"},
		{source: "Kafka", name: "no topic", event: kafka.Delete(kafkaRecord + "/topic").String(), code: "invalid_batch", pointer: "/records/*/0/topic"},
		{source: "Kafka", name: "another topic", event: kafka.Set(kafkaRecord+"/topic", private).String(), code: "invalid_batch", pointer: "/records/*/0/topic"},
		{source: "Kafka", name: "another partition", event: kafka.Set(kafkaRecord+"/partition", 1).String(), code: "invalid_batch", pointer: "/records/*/0/topic"},
		{source: "Kafka", name: "a name without a partition", event: strings.Replace(kafka.String(), `"orders-0"`, `"`+private+`"`, 1), code: "invalid_batch", pointer: "/records/*/0/topic"},
		{source: "Kafka", name: "a name with a zero in front", event: strings.Replace(kafka.String(), `"orders-0"`, `"orders-00"`, 1), code: "invalid_batch", pointer: "/records/*/0/topic"},
		{source: "Kafka", name: "a name without a topic", event: strings.Replace(kafka.Set(kafkaRecord+"/topic", "").String(), `"orders-0"`, `"-0"`, 1), code: "invalid_batch", pointer: "/records/*/0/topic"},
		{source: "Kafka", name: "an empty name", event: strings.Replace(kafka.String(), `"orders-0"`, `""`, 1), code: "invalid_batch", pointer: "/records/*/0/topic"},
		{source: "Kafka", name: "a text for a time", event: kafka.Set(kafkaRecord+"/timestamp", private).String(), code: "wrong_type", pointer: kafkaRecord + "/timestamp"},
		{source: "Kafka", name: "an offset under a case variant", event: strings.Replace(kafka.String(), `"offset"`, `"Offset"`, 1), code: "case_variant_member", pointer: kafkaRecord + "/Offset"},
		{source: "Kafka", name: "a header that is no list", event: kafka.Set(kafkaRecord+"/headers/0/type", private).String(), code: "wrong_type", pointer: kafkaRecord + "/headers/0/type"},
		{source: "Kafka", name: "an offset twice, failed", event: kafka.Repeat(2).Set("/records/orders-0/1/offset", 15).String(), fail: []string{"orders-0:15"}, ran: 1, answer: "orders-0:15"},
		{source: "Kafka", name: "a value that is not base64", event: kafka.Set(kafkaRecord+"/value", private+"!").String(), ran: 1, answer: "none"}, // JSON refuses it
	}
}

// minimal is an event of n records that have nothing but what they need.
func (s eventSource) minimal(n int) string {
	records := make([]string, n)
	for i := range records {
		form := map[string]string{
			"SQS":      `{"messageId":"%d","eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:::q"}`,
			"Kinesis":  `{"kinesis":{"sequenceNumber":"%d"},"eventSource":"aws:kinesis","eventSourceARN":"arn:aws:kinesis:::s"}`,
			"DynamoDB": `{"dynamodb":{"SequenceNumber":"%d"},"eventSource":"aws:dynamodb","eventSourceARN":"arn:aws:dynamodb:::t"}`,
			"Kafka":    `{"topic":"t","offset":%d}`,
		}[s.name]
		records[i] = fmt.Sprintf(form, i)
	}
	if s.name == "Kafka" {
		return `{"eventSource":"aws:kafka","records":{"t-0":[` + strings.Join(records, ",") + `]}}`
	}
	return `{"Records":[` + strings.Join(records, ",") + `]}`
}

// filled is an event of 20 records that is exactly n bytes long.
func (s eventSource) filled(n int) string {
	e := sample.Of(s.trigger).Repeat(20)
	first := "/Records"
	if s.name == "Kafka" {
		first = "/records/orders-0"
	}
	for i := range 20 {
		e = e.Set(fmt.Sprintf("%s/%d/more", first, i), "HERE")
	}
	text := e.String()
	share := (n - len(text)) / 20
	text = strings.ReplaceAll(text, `"HERE"`, `"HERE`+strings.Repeat("a", share)+`"`)
	return strings.Replace(text, "HERE", "HERE"+strings.Repeat("b", n-len(text)), 1)
}

// Each bad input has one defined outcome: an answer, or an error of the whole batch
// with its kind, its code and its place. It never panics, and shows no value.
//
// SECURITY: The process lives.
// SECURITY: Nothing leaks.
func TestBadInput(t *testing.T) {
	rows := badOfOneSource()
	for _, s := range eventSources {
		rows = append(rows, badOfEverySource(s)...)
	}
	for _, row := range rows {
		t.Run(row.source+"/"+row.name, func(t *testing.T) {
			var ran atomic.Int64
			h := sourceNamed(row.source).handler(func(ctx context.Context) error {
				ran.Add(1)
				if info, _ := batch.RecordFrom(ctx); slices.Contains(row.fail, info.ID) {
					return guard.Reason("no database")
				}
				return nil
			})
			out, err := h.Invoke(t.Context(), []byte(row.event))
			row.check(t, out, err, ran.Swap(0))

			var log bytes.Buffer
			out, err = guard.Wrap(h, guard.Default(logging.New(&log))).Invoke(t.Context(), []byte(row.event))
			row.checkDefended(t, out, err, ran.Load())
			if strings.Contains(log.String(), private) {
				t.Errorf("got a value of the event in the log, want none:\n%s", log.String())
			}
		})
	}
}

// check checks the outcome of a handler alone.
func (row badInput) check(t *testing.T, out []byte, err error, ran int64) {
	t.Helper()
	if int(ran) != row.ran {
		t.Errorf("got %d calls of the function, want %d", ran, row.ran)
	}
	if row.code == "" {
		if got := listed(out); err != nil || got != row.answer {
			t.Errorf("got %.200q and error %v, want the identifiers %s", out, err, row.answer)
		}
		return
	}
	var e *guard.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %.200q and error %v, want the code %s", out, err, row.code)
	}
	kind, pointer := row.kind, ""
	if kind == guard.Internal {
		kind = guard.Invalid
	}
	if len(e.Violations) > 0 {
		pointer = e.Violations[0].Pointer
	}
	if e.Kind != kind || e.Code != row.code || out != nil {
		t.Errorf("got %v %s and %q, want %v %s and no answer", e.Kind, e.Code, out, kind, row.code)
	}
	if row.code == "json_too_deep" { // the place is long
		pointer = ""
	}
	if pointer != row.pointer {
		t.Errorf("got the place %q, want %q", pointer, row.pointer)
	}
	if text := fmt.Sprintf("%v %+v %v", err, e, e.Violations); strings.Contains(text, private) {
		t.Errorf("got a value of the event in %q, want none", text)
	}
}

// checkDefended checks the outcome behind guard.Default, as Lambda reads it.
func (row badInput) checkDefended(t *testing.T, out []byte, err error, ran int64) {
	t.Helper()
	if row.code == "" {
		row.check(t, out, err, ran)
		return
	}
	own, ok := err.(messages.InvokeResponse_Error)
	if !ok || own.Type != row.code || ran != 0 || out != nil {
		t.Errorf("got %T %v after %d calls, want the error type %s and no call", err, err, ran, row.code)
	}
	if strings.Contains(own.Message, private) {
		t.Errorf("got a value of the event in %q, want none", own.Message)
	}
}

// A record whose document is not JSON is a record that can never succeed: it alone
// fails, or is with the sink.
func TestADocumentThatIsNoJSONFailsAlone(t *testing.T) {
	tests := []struct {
		name, text, code string
	}{
		{name: "nothing", text: "", code: "malformed_json"},
		{name: "a word", text: private, code: "malformed_json"},
		{name: "half", text: `{"customer":"` + private, code: "malformed_json"},
		{name: "two", text: `{"customer":"c-1"}"` + private + `"`, code: "trailing_data"},
		{name: "a number for an object", text: `7`, code: "wrong_type"},
		{name: "a number for a string", text: `{"customer":7}`, code: "wrong_type"},
		{name: "a member twice", text: `{"customer":"c-1","customer":"` + private + `"}`, code: "duplicate_member"},
		{name: "a case variant", text: `{"Customer":"` + private + `"}`, code: "case_variant_member"},
		{name: "invalid UTF-8", text: `{"customer":"` + private + "\xff" + `"}`, code: "invalid_utf8"},
		{name: "129 levels", text: strings.Repeat("[", 129) + strings.Repeat("]", 129), code: "json_too_deep"},
		{name: "a byte order mark", text: "\ufeff" + `{"customer":"c-1"}`, code: "malformed_json"},
	}
	type order struct {
		Customer string `json:"customer"`
	}
	book := func(context.Context, order) error { return nil }
	sources := []struct {
		name    string
		handler func(opts ...batch.Option) lambda.Handler
		event   sample.Event
		answer  string // if the first record fails
		binary  bool   // whether a record can carry invalid UTF-8
	}{
		{
			name: "SQS", event: sample.Of(guard.SQS).Messages("", `{"customer":"c-1"}`).Set("/Records/0/messageId", "first"), answer: "first",
			handler: func(opts ...batch.Option) lambda.Handler {
				return batch.SQS(batch.JSON[events.SQSMessage](book), opts...)
			},
		},
		{
			name: "Kinesis", event: sample.Of(guard.Kinesis).Messages("", `{"customer":"c-1"}`).Set("/Records/0/kinesis/sequenceNumber", "1"), answer: "1", binary: true,
			handler: func(opts ...batch.Option) lambda.Handler {
				return batch.Kinesis(batch.JSON[events.KinesisEventRecord](book), opts...)
			},
		},
		{
			name: "Kafka", event: sample.Of(guard.Kafka).Messages("", `{"customer":"c-1"}`), answer: "orders-0:15 orders-0:16", binary: true,
			handler: func(opts ...batch.Option) lambda.Handler {
				return batch.Kafka(batch.JSON[events.KafkaRecord](book), opts...)
			},
		},
	}
	for _, s := range sources {
		for _, test := range tests {
			if test.code == "invalid_utf8" && !s.binary {
				continue // the event itself is refused
			}
			t.Run(s.name+"/"+test.name, func(t *testing.T) {
				event := s.event
				switch s.name {
				case "SQS":
					event = event.Set("/Records/0/body", test.text)
				case "Kinesis":
					event = event.Set("/Records/0/kinesis/data", base64.StdEncoding.EncodeToString([]byte(test.text)))
				default:
					event = event.Set("/records/orders-0/0/value", base64.StdEncoding.EncodeToString([]byte(test.text)))
				}
				out, err := s.handler().Invoke(t.Context(), event.Bytes())
				if got := listed(out); err != nil || got != s.answer {
					t.Errorf("without a sink: got %s and error %v, want %s", out, err, s.answer)
				}

				var letters []batch.DeadLetter
				keep := batch.SinkFunc(func(_ context.Context, l batch.DeadLetter) error {
					letters = append(letters, l)
					return nil
				})
				var log bytes.Buffer
				h := guard.Wrap(s.handler(batch.DeadLetters(keep)), guard.Default(logging.New(&log)))
				out, err = h.Invoke(t.Context(), event.Bytes())
				if got := listed(out); err != nil || got != "none" {
					t.Errorf("with a sink: got %s and error %v, want no failure", out, err)
				}
				if len(letters) != 1 || letters[0].Code != test.code || !json.Valid(letters[0].Record) {
					t.Fatalf("got the letters %+v, want one with code %s", letters, test.code)
				}
				if strings.Contains(letters[0].Detail, private) || strings.Contains(log.String(), private) {
					t.Errorf("got a value of the document in %q or in the log, want none:\n%s", letters[0].Detail, log.String())
				}
			})
		}
	}
}

// What a message's attributes do not say in numbers is unknown, and a letter about
// it can be written.
func TestUnreadableAttributesAreUnknown(t *testing.T) {
	tests := []struct {
		name, attribute, value string
		attempt                int
		known                  bool // the time
	}{
		{name: "a count", attribute: "ApproximateReceiveCount", value: "3", attempt: 3},
		{name: "no count", attribute: "ApproximateReceiveCount", value: ""},
		{name: "a word for a count", attribute: "ApproximateReceiveCount", value: private},
		{name: "a count below 0", attribute: "ApproximateReceiveCount", value: "-1"},
		{name: "a count of a half", attribute: "ApproximateReceiveCount", value: "1.5"},
		{name: "a count beyond all numbers", attribute: "ApproximateReceiveCount", value: strings.Repeat("9", 40)},
		{name: "a time", attribute: "ApproximateFirstReceiveTimestamp", value: "1584040590401", known: true},
		{name: "no time", attribute: "ApproximateFirstReceiveTimestamp", value: ""},
		{name: "a word for a time", attribute: "ApproximateFirstReceiveTimestamp", value: private},
		{name: "a time before 1970", attribute: "ApproximateFirstReceiveTimestamp", value: "-1"},
		{name: "a time beyond all numbers", attribute: "ApproximateFirstReceiveTimestamp", value: strings.Repeat("9", 40)},
		{name: "a time beyond all calendars", attribute: "ApproximateFirstReceiveTimestamp", value: "9223372036854775807"},
		{name: "a time in the year 10000", attribute: "ApproximateFirstReceiveTimestamp", value: "253402300800000"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			event := sample.Of(guard.SQS).Delete("/Records/0/attributes/ApproximateReceiveCount").Delete("/Records/0/attributes/ApproximateFirstReceiveTimestamp").
				Set("/Records/0/attributes/"+test.attribute, test.value)
			var got batch.Info
			var letters []batch.DeadLetter
			h := batch.SQS(func(ctx context.Context, _ events.SQSMessage) error {
				got, _ = batch.RecordFrom(ctx)
				return guard.Errorf(guard.Invalid, "bad_order", "The order is wrong.")
			}, batch.MaxReceives(5), batch.DeadLetters(batch.SinkFunc(func(_ context.Context, l batch.DeadLetter) error {
				letters = append(letters, l)
				return nil
			})))
			if _, err := h.Invoke(t.Context(), event.Bytes()); err != nil {
				t.Fatal(err)
			}
			if got.Attempt != test.attempt || !got.FirstReceived.IsZero() != test.known {
				t.Errorf("got attempt %d, received at %v, want %d, and a time: %t", got.Attempt, got.FirstReceived, test.attempt, test.known)
			}
			if len(letters) != 1 || letters[0].Code != "bad_order" {
				t.Fatalf("got %d letters, %.200v, want one about the error", len(letters), letters)
			}
			if _, err := json.Marshal(letters[0]); err != nil {
				t.Errorf("got %v, want a letter that can be written", err)
			}
			if first, last := letters[0].FirstFailure, letters[0].LastFailure; first.Equal(last) == test.known {
				t.Errorf("got a first failure at %v, and the last at %v; want them equal: %t", first, last, !test.known)
			}
		})
	}
}

// The handler decides the trigger of a letter, and with it the form of its record,
// also if the event does not say what it is of.
func TestALetterIsOfTheTriggerOfItsHandler(t *testing.T) {
	for _, s := range eventSources {
		event := sample.Of(s.trigger)
		if s.name == "Kafka" {
			event = event.Delete("/eventSource")
		} else {
			event = event.Delete("/Records/0/eventSource")
		}
		var letters []batch.DeadLetter
		h := s.handler(func(context.Context) error { return guard.Errorf(guard.Invalid, "bad_order", "The order is wrong.") },
			batch.DeadLetters(batch.SinkFunc(func(_ context.Context, l batch.DeadLetter) error {
				letters = append(letters, l)
				return nil
			})))
		if _, err := h.Invoke(t.Context(), event.Bytes()); err != nil {
			t.Fatal(err)
		}
		if len(letters) != 1 || letters[0].Trigger != s.trigger {
			t.Errorf("%s: got %d letters, %.100v, want one of trigger %s", s.name, len(letters), letters, s.trigger)
		}
	}
}
