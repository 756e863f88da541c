package main

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/batch/sqsdead"
)

// replay is what can be run again.
type replay struct {
	what    string             // the trigger of the event
	code    string             // why it was given up, as far as that is known
	event   json.RawMessage    // as the function got it, with one record
	partial bool               // the answer may list the record as failed
	message *events.SQSMessage // for a queue; nil if it came from none
}

// forms reads the forms in which events are given up.
type forms struct {
	payloads batch.Layer[events.SQSMessage] // resolves pointers to payloads of ours; nil if there are none
}

// ofMessage reads a message of a dead-letter queue. What SQS has moved there is a
// message of the source, even if it looks otherwise: its sender chose body and
// attributes.
func (f *forms) ofMessage(ctx context.Context, m types.Message) (replay, error) {
	m, err := f.resolve(ctx, m)
	if err != nil {
		return replay{}, err
	}
	if m.Attributes["DeadLetterQueueSourceArn"] == "" {
		letter, ok, err := sqsdead.Letter(m)
		if ok {
			return ofLetter(letter, err)
		}
		if r, ok, err := ofNotification(*m.Body); ok {
			return r, err
		}
		if m.MessageAttributes["RequestID"].StringValue != nil && m.MessageAttributes["ErrorCode"].StringValue != nil {
			return ofDeadEvent(*m.Body, *m.MessageAttributes["ErrorCode"].StringValue)
		}
		if r, ok, err := ofDestination([]byte(*m.Body)); ok {
			return r, err
		}
	}
	return ofOriginal(sqsdead.Original(m), "")
}

// resolve replaces a pointer to a payload of ours. One to another bucket is a
// producer's, and stays: the function knows what to do with it.
func (f *forms) resolve(ctx context.Context, m types.Message) (types.Message, error) {
	if f.payloads == nil {
		return m, nil
	}
	err := f.payloads(func(_ context.Context, resolved events.SQSMessage) error {
		m = messageOf(resolved)
		return nil
	})(ctx, saved(m))
	if guard.Public(err).Code == "foreign_bucket" {
		return m, nil
	}
	return m, err
}

// ofObject reads an object of a bucket: a letter of package s3dead, a message that
// was saved before, or a record of Lambda's own.
func (f *forms) ofObject(ctx context.Context, data []byte) (replay, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return replay{}, errors.New("the object is not JSON")
	}
	switch {
	case members["trigger"] != nil && members["record"] != nil:
		var letter batch.DeadLetter
		if json.Unmarshal(data, &letter) != nil {
			return replay{}, errors.New("the object is not a dead letter")
		}
		return ofLetter(letter, nil)
	case members["messageId"] != nil && members["body"] != nil:
		var s events.SQSMessage
		if json.Unmarshal(data, &s) != nil {
			return replay{}, errors.New("the object is not a saved message")
		}
		return f.ofMessage(ctx, messageOf(s))
	}
	if r, ok, err := ofDestination(data); ok {
		return r, err
	}
	return replay{}, errors.New("the form of the object is not known")
}

// ofDeadEvent reads what Lambda sends to the dead-letter queue of a function that is
// invoked asynchronously: the event, and attributes.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
func ofDeadEvent(body, code string) (replay, error) {
	if !json.Valid([]byte(body)) {
		return replay{}, errors.New("the body is not an event")
	}
	return replay{what: "async", code: code, event: json.RawMessage(body)}, nil
}

// ofDestination reads the record of an invocation that Lambda sends to an on-failure
// destination. It is false for anything else. The record of a batch of a stream has
// no records of the stream, unless the destination is a bucket.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
// https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
func ofDestination(data []byte) (r replay, ok bool, err error) {
	var record struct {
		RequestContext *struct {
			Condition string `json:"condition"`
		} `json:"requestContext"`
		Version        string          `json:"version"`
		RequestPayload json.RawMessage `json:"requestPayload"`
		Payload        json.RawMessage `json:"payload"`
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(data, &record) != nil || json.Unmarshal(data, &members) != nil ||
		record.RequestContext == nil || record.RequestContext.Condition == "" || record.Version == "" {
		return replay{}, false, nil
	}
	if record.RequestContext.Condition == "Success" {
		return replay{}, true, errors.New("it has succeeded: this is the record of an on-success destination")
	}
	r = replay{what: "async", code: record.RequestContext.Condition, event: record.RequestPayload}
	for name := range members {
		if strings.HasSuffix(name, "BatchInfo") {
			r.what, r.partial, r.event = strings.ToLower(strings.TrimSuffix(name, "BatchInfo")), true, unquoted(record.Payload)
			if len(r.event) == 0 {
				return r, true, errors.New("it only says where in the stream the records are")
			}
		}
	}
	if len(r.event) == 0 {
		// Lambda leaves out what is too large for a topic, says the API reference
		// (OnFailure); its developer guide says that the delivery fails.
		return r, true, errors.New("it has no requestPayload, so that there is no event to run")
	}
	return r, true, nil
}

// unquoted returns JSON that may be in a string.
func unquoted(payload json.RawMessage) json.RawMessage {
	var text string
	if json.Unmarshal(payload, &text) == nil {
		payload = json.RawMessage(text)
	}
	if !json.Valid(payload) {
		return nil
	}
	return payload
}

// ofLetter reads a letter of packages sqsdead and s3dead.
func ofLetter(letter batch.DeadLetter, err error) (replay, error) {
	if err != nil {
		return replay{}, err
	}
	if letter.Trigger == guard.SQS {
		var m events.SQSMessage
		if json.Unmarshal(letter.Record, &m) != nil {
			return replay{}, errors.New("the record is not a message")
		}
		return ofOriginal(m, letter.Code)
	}
	event, partial, err := eventOf(letter)
	return replay{what: string(letter.Trigger), code: letter.Code, event: event, partial: partial}, err
}

// ofOriginal reads a message as an event has it. It is as if it came for the first
// time, so that a function which counts does not give it up at once.
func ofOriginal(m events.SQSMessage, code string) (replay, error) {
	r := replay{what: string(guard.SQS), code: code, partial: true, message: &m}
	again := m
	again.Attributes = maps.Clone(m.Attributes)
	if again.Attributes == nil {
		again.Attributes = map[string]string{}
	}
	again.Attributes["ApproximateReceiveCount"] = "1"
	delete(again.Attributes, "ApproximateFirstReceiveTimestamp")
	record, err := json.Marshal(again)
	if err != nil {
		return r, err
	}
	r.event = records(record)
	return r, nil
}
