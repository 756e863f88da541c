package batch

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard"
)

// Kafka returns a handler that calls fn for each record of a batch of Amazon MSK or
// of another Kafka cluster. The records of a partition run in order. After the
// first failure no later record of the partition runs, and all of them are reported
// as failed. Other partitions continue. With [Concurrency], partitions run at the
// same time.
//
// The event source mapping needs provisioned mode for partial answers.
//
// https://docs.aws.amazon.com/lambda/latest/dg/kafka-retry-configurations.html
func Kafka(fn func(context.Context, events.KafkaRecord) error, opts ...Option) lambda.Handler {
	return newHandler("batch.Kafka", source[events.KafkaRecord]{trigger: guard.Kafka, read: readKafka, raw: rawKafka}, fn, opts)
}

// kafkaIdentifier is how Lambda names a record of Kafka: by the partition's name
// in the event, like "orders-0", and the offset.
type kafkaIdentifier struct {
	Partition string `json:"partition"`
	Offset    int64  `json:"offset"`
}

// kafkaEvent is an [events.KafkaEvent] that shows whether a record has an offset.
type kafkaEvent struct {
	EventSourceARN string                   `json:"eventSourceArn"`
	Records        map[string][]kafkaRecord `json:"records"`
}

type kafkaRecord struct {
	events.KafkaRecord
	Offset *int64 `json:"offset"`
}

func readKafka(ev *guard.Event) ([]*item[events.KafkaRecord], error) {
	var e kafkaEvent
	if err := ev.Decode(&e); err != nil {
		return nil, err
	}
	if e.Records == nil {
		return nil, noRecords("/records")
	}
	var items []*item[events.KafkaRecord]
	for _, partition := range slices.Sorted(maps.Keys(e.Records)) {
		for i, r := range e.Records[partition] {
			switch {
			case r.Topic == "" || partition != fmt.Sprintf("%s-%d", r.Topic, r.Partition):
				return nil, badKafkaRecord(i, "topic", "A record is not of the partition that it is listed under.")
			case r.Offset == nil || *r.Offset < 0:
				return nil, badKafkaRecord(i, "offset", "A record has no valid offset.")
			}
			r.KafkaRecord.Offset = *r.Offset
			items = append(items, &item[events.KafkaRecord]{
				index: len(items), record: r.KafkaRecord, identifier: kafkaIdentifier{partition, *r.Offset}, lane: partition, shard: partition,
				info: Info{
					ID: fmt.Sprintf("%s:%d", partition, *r.Offset), Source: e.EventSourceARN, Shard: partition,
					FirstSent: r.Timestamp.UTC(),
				},
			})
		}
	}
	return items, nil
}

// badKafkaRecord refuses an event with a record that cannot be reported. The name
// of its partition is not in the place, as it is a value of the event.
func badKafkaRecord(i int, member, detail string) error {
	return &guard.Error{
		Kind: guard.Invalid, Code: "invalid_batch", Detail: detail,
		Violations: []guard.Violation{{Pointer: fmt.Sprintf("/records/*/%d/%s", i, member), Detail: "must be valid"}},
	}
}

// rawKafka returns the records in the order of readKafka.
func rawKafka(ev *guard.Event) ([]json.RawMessage, error) {
	var e struct {
		Records map[string][]json.RawMessage `json:"records"`
	}
	err := ev.Decode(&e)
	var all []json.RawMessage
	for _, partition := range slices.Sorted(maps.Keys(e.Records)) {
		all = append(all, e.Records[partition]...)
	}
	return all, err
}
