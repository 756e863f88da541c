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

// An Attribute is a message attribute of SQS.
type Attribute struct {
	// DataType is String, Number or Binary, with an optional label behind a dot. It is
	// Binary when it is empty and Binary is set, and otherwise String.
	DataType string

	// String is the value, except of a Binary attribute.
	String string
	Binary []byte
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
	"sqs":    1 << 20,
	"sns":    256 << 10,
	"lambda": 1 << 20,
	"events": 1 << 20,
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

// ARN returns the ARN, which is empty for the zero Target.
func (t Target) ARN() string { return t.arn }

// Service returns the service of the ARN, such as "sqs", and "" for the zero Target.
func (t Target) Service() string { return t.service }

func serviceOf(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || slices.Contains(parts[1:3], "") || parts[5] == "" {
		return ""
	}
	return parts[2]
}

// Send has the target keep a letter. It returns the error of the function that takes it, or
// that the letter is over the service's limit.
func (t Target) Send(l Letter) error {
	size := len(l.Body)
	for name, a := range l.Attributes {
		size += len(name) + len(a.DataType) + len(a.String)
	}
	if limit := most[t.service]; limit > 0 && size > limit {
		return fmt.Errorf("%d bytes are over the limit of %d", size, limit)
	}
	return t.take(l)
}
