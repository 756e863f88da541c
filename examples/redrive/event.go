package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
)

// eventOf returns the event of a letter's record, with that record alone. partial
// reports whether the answer may list it as failed.
func eventOf(letter batch.DeadLetter) (event json.RawMessage, partial bool, err error) {
	switch letter.Trigger {
	case guard.SQS, guard.Kinesis, guard.DynamoDB:
		return records(letter.Record), true, nil
	case guard.Kafka:
		event, err := kafkaEvent(letter)
		return event, true, err
	default: // the record is the whole event
		return letter.Record, false, nil
	}
}

func records(record json.RawMessage) json.RawMessage {
	return json.RawMessage(`{"Records":[` + string(record) + `]}`)
}

// kafkaEvent returns the event of a record of Kafka. The addresses of the brokers
// are not known any more.
func kafkaEvent(letter batch.DeadLetter) (json.RawMessage, error) {
	var record struct {
		Topic     string `json:"topic"`
		Partition int64  `json:"partition"`
	}
	if json.Unmarshal(letter.Record, &record) != nil || record.Topic == "" {
		return nil, errors.New("the record is not one of Kafka")
	}
	event := map[string]any{
		"eventSource": "SelfManagedKafka",
		"records":     map[string][]json.RawMessage{fmt.Sprintf("%s-%d", record.Topic, record.Partition): {letter.Record}},
	}
	if letter.Source != "" {
		event["eventSource"], event["eventSourceArn"] = "aws:kafka", letter.Source
	}
	return json.Marshal(event)
}
