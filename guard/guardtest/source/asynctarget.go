package source

import (
	"fmt"
	"slices"
	"strings"
)

// A Letter is what Lambda sends to a dead-letter queue or to a destination.
type Letter struct {
	// Body is the message. A dead-letter queue gets the event itself, an event bus the
	// whole event with the record as its detail, and any other destination the record.
	Body string

	// Attributes of a dead letter are RequestID, ErrorCode and ErrorMessage.
	Attributes map[string]Attribute

	// Key is the name of the object in a bucket.
	Key string
}

// A Target is a dead-letter queue or a destination, of asynchronous invocations or of the
// mapping of a stream.
type Target struct {
	arn, service string
	take         func(Letter) error
}

// most is how much each service takes in one message, in bytes.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
var most = map[string]int{
	"sqs":    maxMessage,
	"sns":    256 << 10,
	"lambda": maxAsyncPayload,
	"events": maxAsyncPayload,
	"s3":     0, // no limit that a record reaches
}

// To returns the Target with an ARN, a queue, a topic, a function, an event bus or a
// bucket, for which take keeps what Lambda sends. Lambda does not send what is over the
// service's limit. After an error of take it does not try again. To panics if Lambda has
// no such destination: FIFO queues and topics are none.
func To(arn string, take func(Letter) error) Target {
	service := serviceOf(arn)
	_, known := most[service]
	switch {
	case !known:
		panic("source: To needs the ARN of a queue, a topic, a function, an event bus or a bucket")
	case strings.HasSuffix(arn, ".fifo"):
		panic("source: Lambda sends nothing to FIFO queues and topics")
	case take == nil:
		panic("source: To needs a function that takes letters")
	}
	return Target{arn: arn, service: service, take: take}
}

// ToQueue returns a queue as a Target. Its own function, if it has one, gets the messages
// when the queue runs.
func ToQueue(q *Queue) Target {
	return To(q.ARN(), func(l Letter) error {
		_, err := q.Send(Message{Body: l.Body, Attributes: l.Attributes})
		return err
	})
}

// ToFunction returns a function as a Target: the record is its event.
func ToFunction(a *Async) Target {
	return To(a.ARN(), func(l Letter) error {
		_, err := a.Invoke([]byte(l.Body))
		return err
	})
}

func serviceOf(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || slices.Contains(parts[1:3], "") || parts[5] == "" {
		return ""
	}
	return parts[2]
}

func (t Target) send(l Letter) error {
	size := len(l.Body)
	for name, a := range l.Attributes {
		size += len(name) + len(a.dataType()) + len(a.String)
	}
	if limit := most[t.service]; limit > 0 && size > limit {
		return fmt.Errorf("%d bytes are over the limit of %d", size, limit)
	}
	return t.take(l)
}
