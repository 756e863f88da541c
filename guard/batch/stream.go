package batch

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard"
)

// Kinesis returns a handler that calls fn for each record of a batch, in order.
// After the first failure no later record runs, because Lambda delivers all that
// follows the failed one again; see [ContinueAfterFailure]. With [Concurrency],
// records of different partition keys run at the same time. Those of one key stay
// in order. Records that are running during a failure finish, and come again.
//
// Records that the Kinesis Producer Library has aggregated are not taken apart. The
// batches of a tumbling window are refused, because their answer has to have a state.
//
// https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
func Kinesis(fn func(context.Context, events.KinesisEventRecord) error, opts ...Option) lambda.Handler {
	return newHandler("batch.Kinesis", source[events.KinesisEventRecord]{trigger: guard.Kinesis, read: readKinesis, raw: rawRecords}, fn, opts)
}

func readKinesis(ev *guard.Event) ([]*item[events.KinesisEventRecord], error) {
	var e struct {
		events.KinesisEvent
		tumbling
	}
	if err := ev.Decode(&e); err != nil {
		return nil, err
	}
	switch {
	case e.Records == nil:
		return nil, noRecords("/Records")
	case e.Window != nil:
		return nil, windowed()
	}
	items := make([]*item[events.KinesisEventRecord], len(e.Records))
	for i, r := range e.Records {
		switch {
		case r.Kinesis.SequenceNumber == "":
			return nil, badRecord(i, "kinesis.sequenceNumber")
		case !isARN(r.EventSourceArn, "kinesis"):
			return nil, badRecord(i, "eventSourceARN")
		}
		shard, _, _ := strings.Cut(r.EventID, ":")
		items[i] = &item[events.KinesisEventRecord]{
			index: i, record: r, identifier: r.Kinesis.SequenceNumber, lane: r.Kinesis.PartitionKey,
			info: Info{
				ID: r.Kinesis.SequenceNumber, Source: r.EventSourceArn, Group: r.Kinesis.PartitionKey, Shard: shard,
				FirstSent: r.Kinesis.ApproximateArrivalTimestamp.UTC(),
			},
		}
	}
	return items, nil
}

// DynamoDB returns a handler that calls fn for each change of a batch, in order. It
// stops after a failure, and refuses a tumbling window, as [Kinesis] does. With
// [Concurrency], changes of different items run at the same time. Those of one item
// stay in order.
//
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
func DynamoDB(fn func(context.Context, events.DynamoDBEventRecord) error, opts ...Option) lambda.Handler {
	return newHandler("batch.DynamoDB", source[events.DynamoDBEventRecord]{trigger: guard.DynamoDB, read: readDynamoDB, raw: rawRecords}, fn, opts)
}

type changes struct {
	events.DynamoDBEvent
	tumbling
}

func readDynamoDB(ev *guard.Event) ([]*item[events.DynamoDBEventRecord], error) {
	var e changes
	if err := decodeChanges(ev, &e); err != nil {
		return nil, err
	}
	switch {
	case e.Records == nil:
		return nil, noRecords("/Records")
	case e.Window != nil:
		return nil, windowed()
	}
	items := make([]*item[events.DynamoDBEventRecord], len(e.Records))
	for i, r := range e.Records {
		switch {
		case r.Change.SequenceNumber == "":
			return nil, badRecord(i, "dynamodb.SequenceNumber")
		case !isARN(r.EventSourceArn, "dynamodb"):
			return nil, badRecord(i, "eventSourceARN")
		}
		key, err := json.Marshal(r.Change.Keys) // in the order of the names
		if err != nil {
			return nil, badRecord(i, "dynamodb.Keys")
		}
		items[i] = &item[events.DynamoDBEventRecord]{
			index: i, record: r, identifier: r.Change.SequenceNumber, lane: string(key),
			info: Info{
				ID: r.Change.SequenceNumber, Source: r.EventSourceArn,
				FirstSent: r.Change.ApproximateCreationDateTime.UTC(),
			},
		}
	}
	return items, nil
}

// decodeChanges refuses what makes aws-lambda-go panic: a set of binaries with a
// member that is no text.
func decodeChanges(ev *guard.Event, e *changes) (err error) {
	defer func() {
		if recover() != nil {
			err = &guard.Error{
				Kind: guard.Invalid, Code: "invalid_batch", Detail: "A record has a value that is not of its type.",
				Violations: []guard.Violation{{Pointer: "/Records", Detail: "must be changes of items"}},
			}
		}
	}()
	return ev.Decode(e)
}

// tumbling is what an event of a tumbling window has.
type tumbling struct {
	Window json.RawMessage `json:"window"`
}

// windowed refuses an event of a tumbling window. Lambda takes an answer without a
// state for a failure of the whole batch, after all of its records have run.
//
// https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-windows.html
func windowed() error {
	return &guard.Error{
		Kind: guard.Invalid, Code: "invalid_batch", Detail: "The event is of a tumbling window, whose state no answer has.",
		Violations: []guard.Violation{{Pointer: "/window", Detail: "must not be there"}},
	}
}

// rawRecords returns the records of an event as they came.
func rawRecords(ev *guard.Event) ([]json.RawMessage, error) {
	var e struct {
		Records []json.RawMessage `json:"Records"`
	}
	err := ev.Decode(&e)
	return e.Records, err
}
