package sqsdead

import (
	"cmp"
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
// other message, also for one that SQS itself has moved from another queue: its
// sender may have set such attributes. The message has to be received with all its
// attributes, those of the system included.
//
// The record of a message of a queue is that of [Original]. FunctionARN is empty, and
// Group but for a message of a queue. An error reports a message that is not as a Sink
// sends it, or a record that is in a bucket.
func Letter(message types.Message) (letter batch.DeadLetter, ok bool, err error) {
	if message.MessageAttributes[idName].StringValue == nil || message.Attributes[sourceARN] != "" {
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
	trigger := value(message, recordName)
	if trigger == "" {
		letter.Trigger = guard.SQS
		err = setMessage(&letter, message)
		return letter, true, err
	}
	letter.Trigger, letter.Record = guard.Trigger(trigger), json.RawMessage(body(message))
	if _, away := message.MessageAttributes[s3pointer.Attribute]; away {
		return letter, true, fmt.Errorf("sqsdead: %w", errPointer)
	}
	if !json.Valid(letter.Record) {
		return letter, true, malformed("the body")
	}
	return letter, true, nil
}

// setMessage sets what is of the message that the record was.
func setMessage(letter *batch.DeadLetter, message types.Message) (err error) {
	if packed := value(message, messageName); packed != "" && !json.Valid([]byte(packed)) {
		return malformed(messageName)
	}
	original := Original(message)
	original.MessageId = letter.ID
	original.EventSourceARN, original.AWSRegion = letter.Source, regionOf(letter.Source)
	if original.Attributes["MessageGroupId"] == groupOf(batch.DeadLetter{Source: letter.Source}) {
		delete(original.Attributes, "MessageGroupId") // it had none
	}
	letter.Group = original.Attributes["MessageGroupId"]
	if letter.Attempts > 0 {
		original.Attributes["ApproximateReceiveCount"] = strconv.Itoa(letter.Attempts)
	}
	if !letter.FirstFailure.IsZero() {
		original.Attributes["ApproximateFirstReceiveTimestamp"] = strconv.FormatInt(letter.FirstFailure.UnixMilli(), 10)
	}
	letter.Record, err = json.Marshal(original)
	return err
}

// Original returns a message as an event has it, without the attributes that a
// [Sink] has added, and with those that it has packed. It has everything but the
// receipt handle, the sender, the sequence number and the deduplication id. The
// source is the queue that SQS has moved the message from, empty if it has not.
func Original(message types.Message) events.SQSMessage {
	source := message.Attributes[sourceARN]
	original := events.SQSMessage{
		Body: body(message), EventSource: "aws:sqs", EventSourceARN: source, AWSRegion: regionOf(source),
		Attributes: map[string]string{}, MessageAttributes: map[string]events.SQSMessageAttribute{},
	}
	if message.MessageId != nil {
		original.MessageId = *message.MessageId
	}
	sum := md5.Sum([]byte(original.Body))
	original.Md5OfBody = hex.EncodeToString(sum[:])
	for name, a := range message.MessageAttributes {
		original.MessageAttributes[name] = received(a)
	}
	r := restOf(original)
	original.MessageAttributes = r.Attributes
	for name, value := range map[string]string{
		"MessageGroupId": cmp.Or(r.Group, message.Attributes["MessageGroupId"]),
		"SentTimestamp":  message.Attributes["SentTimestamp"],
	} {
		if value != "" {
			original.Attributes[name] = value
		}
	}
	return original
}

// sourceARN is the system attribute of a message that SQS has moved by a redrive
// policy: the queue that it was in. ReceiveMessage returns it, but its page does not
// list it; see MessageSystemAttributeName in the SDK.
const sourceARN = "DeadLetterQueueSourceArn"

func regionOf(arn string) string {
	if parts := strings.Split(arn, ":"); len(parts) == 6 {
		return parts[3]
	}
	return ""
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
