package sqsdead

import (
	"crypto/md5" // the sum of a message's body, as SQS has it
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/internal/reason"
	"github.com/lambdarmor/lambdarmor/internal/s3pointer"
)

var errPointer = reason.New("the body is a pointer to the record: resolve it first")

// Letter returns the letter of a message that a [Sink] has sent. It is false for any
// other message. The message has to be received with all its message attributes and
// the system attribute MessageGroupId.
//
// The record of a message of a queue is made anew, as an event has it. It has
// everything but the receipt handle, the sender, the sequence number and the
// deduplication id. FunctionARN is empty. An error reports a message that is not as
// a Sink sends it, or a record that is in a bucket.
func Letter(message types.Message) (letter batch.DeadLetter, ok bool, err error) {
	if message.MessageAttributes[idName].StringValue == nil {
		return letter, false, nil
	}
	letter = batch.DeadLetter{
		Source: value(message, sourceName), ID: value(message, idName), Code: value(message, codeName),
		Detail: value(message, detailName), RequestID: value(message, requestName),
	}
	if letter.FirstFailure, err = instant(message, firstName); err != nil {
		return letter, true, err
	}
	if letter.LastFailure, err = instant(message, lastName); err != nil {
		return letter, true, err
	}
	if n := value(message, attemptsName); n != "" {
		if letter.Attempts, err = strconv.Atoi(n); err != nil {
			return letter, true, malformed(attemptsName)
		}
	}
	if trigger := value(message, recordName); trigger != "" {
		if _, away := message.MessageAttributes[s3pointer.Attribute]; away {
			return letter, true, fmt.Errorf("sqsdead: %w", errPointer)
		}
		letter.Trigger, letter.Record = guard.Trigger(trigger), json.RawMessage(body(message))
		if !json.Valid(letter.Record) {
			return letter, true, malformed("the body")
		}
		return letter, true, nil
	}
	letter.Trigger = guard.SQS
	letter.Group, letter.Record, err = recordOf(message, letter)
	return letter, true, err
}

func value(message types.Message, name string) string {
	if a := message.MessageAttributes[name]; a.StringValue != nil {
		return *a.StringValue
	}
	return ""
}

func body(message types.Message) string {
	if message.Body == nil {
		return ""
	}
	return *message.Body
}

func malformed(what string) error {
	return fmt.Errorf("sqsdead: %w", guard.Reason(what+" of the message is not as it was sent"))
}

func instant(message types.Message, name string) (time.Time, error) {
	text := value(message, name)
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, malformed(name)
	}
	return t, nil
}

// recordOf returns the record of an event for a message that was sent as it was.
func recordOf(message types.Message, letter batch.DeadLetter) (group string, record json.RawMessage, err error) {
	original := events.SQSMessage{
		MessageId: letter.ID, Body: body(message), EventSource: "aws:sqs", EventSourceARN: letter.Source,
		Attributes: map[string]string{}, MessageAttributes: map[string]events.SQSMessageAttribute{},
	}
	sum := md5.Sum([]byte(original.Body))
	original.Md5OfBody = hex.EncodeToString(sum[:])
	if parts := strings.Split(letter.Source, ":"); len(parts) == 6 {
		original.AWSRegion = parts[3]
	}
	for name, a := range message.MessageAttributes {
		original.MessageAttributes[name] = received(a)
	}
	if packed := value(message, messageName); packed != "" && !json.Valid([]byte(packed)) {
		return "", nil, malformed(messageName)
	}
	r := restOf(original)
	if r.Attributes != nil {
		original.MessageAttributes = r.Attributes
	} else {
		original.MessageAttributes = map[string]events.SQSMessageAttribute{}
	}
	if own := message.Attributes["MessageGroupId"]; r.Group == "" && own != groupOf(batch.DeadLetter{Source: letter.Source}) {
		r.Group = own
	}
	if r.Group != "" {
		original.Attributes["MessageGroupId"] = r.Group
	}
	if letter.Attempts > 0 {
		original.Attributes["ApproximateReceiveCount"] = strconv.Itoa(letter.Attempts)
	}
	if !letter.FirstFailure.IsZero() {
		original.Attributes["ApproximateFirstReceiveTimestamp"] = strconv.FormatInt(letter.FirstFailure.UnixMilli(), 10)
	}
	if sent := message.Attributes["SentTimestamp"]; sent != "" {
		original.Attributes["SentTimestamp"] = sent
	}
	record, err = json.Marshal(original)
	return r.Group, record, err
}

// received returns an attribute as an event has it.
func received(a types.MessageAttributeValue) events.SQSMessageAttribute {
	attribute := events.SQSMessageAttribute{
		StringValue: a.StringValue, BinaryValue: a.BinaryValue, StringListValues: []string{}, BinaryListValues: [][]byte{},
	}
	if a.DataType != nil {
		attribute.DataType = *a.DataType
	}
	return attribute
}
