package batch

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard"
)

// SQS returns a handler that calls fn for each message of a batch. A message has
// failed if fn returns an error or panics, and comes again.
//
// Messages of a standard queue run in the order of the event, several at a time
// with [Concurrency]. In a FIFO queue, whose ARN ends in ".fifo", a message of a
// group runs after the one before it. After a failure the rest of the group is
// reported as failed without running, and other groups continue.
//
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
func SQS(fn func(context.Context, events.SQSMessage) error, opts ...Option) lambda.Handler {
	return newHandler("batch.SQS", source[events.SQSMessage]{trigger: guard.SQS, read: readSQS, raw: rawRecords}, fn, opts)
}

func readSQS(ev *guard.Event) ([]*item[events.SQSMessage], error) {
	var e events.SQSEvent
	if err := ev.Decode(&e); err != nil {
		return nil, err
	}
	if e.Records == nil {
		return nil, noRecords("/Records")
	}
	items := make([]*item[events.SQSMessage], len(e.Records))
	for i, m := range e.Records {
		switch {
		case m.MessageId == "":
			return nil, badRecord(i, "messageId")
		case !isARN(m.EventSourceARN, "sqs"):
			return nil, badRecord(i, "eventSourceARN")
		}
		attempt, err := strconv.Atoi(m.Attributes["ApproximateReceiveCount"])
		if err != nil || attempt < 0 {
			attempt = 0 // unknown
		}
		it := &item[events.SQSMessage]{
			index: i, record: m, identifier: m.MessageId,
			info: Info{
				ID: m.MessageId, Source: m.EventSourceARN, Attempt: attempt,
				FirstSent:     milliseconds(m.Attributes["SentTimestamp"]),
				FirstReceived: milliseconds(m.Attributes["ApproximateFirstReceiveTimestamp"]),
				Group:         m.Attributes["MessageGroupId"], // also of fair queues, which are not FIFO
			},
		}
		if strings.HasSuffix(m.EventSourceARN, ".fifo") {
			it.lane = m.EventSourceARN + " " + it.info.Group
		} else {
			it.lane = "record " + strconv.Itoa(i)
		}
		items[i] = it
	}
	return items, nil
}

// lastYear is the last year that RFC 3339 can write, as a dead letter has to be.
const lastYear = 9999

// milliseconds returns the time of a text of milliseconds since 1970, the zero
// time if it is none.
func milliseconds(text string) time.Time {
	n, err := strconv.ParseInt(text, 10, 64)
	at := time.UnixMilli(n).UTC()
	if err != nil || n <= 0 || at.Year() > lastYear {
		return time.Time{}
	}
	return at
}

// isARN reports whether arn names a resource of a service.
func isARN(arn, service string) bool {
	parts := strings.SplitN(arn, ":", 6)
	return len(parts) == 6 && parts[0] == "arn" && parts[2] == service && parts[5] != ""
}

// noRecords refuses an event that is not one of a batch. The whole invocation
// fails, because an answer would count as success.
func noRecords(pointer string) error {
	return &guard.Error{
		Kind: guard.Invalid, Code: "invalid_batch", Detail: "The event has no list of records.",
		Violations: []guard.Violation{{Pointer: pointer, Detail: "must be there"}},
	}
}

// badRecord refuses an event with a record that cannot be reported or ordered.
// Lambda takes an empty id for a failure of the whole batch, so this error is one.
func badRecord(i int, member string) error {
	return &guard.Error{
		Kind: guard.Invalid, Code: "invalid_batch", Detail: fmt.Sprintf("Record %d has no valid %s.", i, member),
		Violations: []guard.Violation{{Pointer: fmt.Sprintf("/Records/%d/%s", i, strings.ReplaceAll(member, ".", "/")), Detail: "must be valid"}},
	}
}
