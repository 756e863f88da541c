package queue

import (
	"crypto/md5" // SQS has the MD5 of bodies and attributes
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
)

// A Message is what a client sends to a queue.
type Message struct {
	// Body is at least one character that XML 1.0 allows, and at most 1 MiB together
	// with the attributes.
	Body string

	// Attributes are the message attributes, at most ten.
	Attributes map[string]source.Attribute

	// Group is the message group id: needed on a FIFO queue, optional on another.
	Group string

	// Deduplication is the message deduplication id, for FIFO queues alone. It may be
	// empty on a queue with ContentBasedDeduplication.
	Deduplication string

	// Delay is until the message can be received, at most 15 minutes; the queue's own
	// when 0. A FIFO queue refuses it.
	Delay time.Duration

	// TraceHeader is the X-Ray header, the attribute AWSTraceHeader.
	TraceHeader string
}

// dataType returns the type of an attribute, or its default.
func dataType(a source.Attribute) string {
	switch {
	case a.DataType != "":
		return a.DataType
	case a.Binary != nil:
		return "Binary"
	}
	return "String"
}

func isBinary(a source.Attribute) bool {
	kind, _, _ := strings.Cut(dataType(a), ".")
	return kind == "Binary"
}

// A Received is a message as a poller receives it.
type Received struct {
	ID            string
	ReceiptHandle string
	Body          string

	// Attributes are the system attributes: ApproximateReceiveCount, SentTimestamp,
	// MessageGroupId and more.
	Attributes        map[string]string
	MessageAttributes map[string]source.Attribute

	MD5OfBody              string
	MD5OfMessageAttributes string // empty without message attributes
}

func refuse(code, format string, args ...any) *source.Refusal {
	return &source.Refusal{Code: code, Text: fmt.Sprintf(format, args...)}
}

// Limits of a message.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
const (
	maxMessage    = 1 << 20
	maxAttributes = 10
	maxName       = 256
	maxID         = 128
	maxDelay      = 15 * time.Minute
	maxVisibility = 12 * time.Hour
)

// check returns why SQS refuses the message, or nil.
//
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
func (m Message) check(fifo, contentBased bool) *source.Refusal {
	const parameter = "InvalidParameterValue"
	if m.Body == "" {
		return refuse("MissingParameter", "the message has no body")
	}
	if !allowed(m.Body) {
		return refuse("InvalidMessageContents", "the body has characters that SQS does not take")
	}
	if len(m.Attributes) > maxAttributes {
		return refuse(parameter, "the message has %d attributes, more than %d", len(m.Attributes), maxAttributes)
	}
	size := len(m.Body)
	for name, a := range m.Attributes {
		if r := checkAttribute(name, a); r != nil {
			return r
		}
		size += len(name) + len(dataType(a)) + len(a.String) + len(a.Binary)
	}
	if size > maxMessage {
		return refuse(parameter, "the message has %d bytes, more than %d", size, maxMessage)
	}
	if m.Delay < 0 || m.Delay > maxDelay {
		return refuse(parameter, "the delay %s is not between 0 and %s", m.Delay, maxDelay)
	}
	if (m.Group != "" && !isID(m.Group)) || (m.Deduplication != "" && !isID(m.Deduplication)) {
		return refuse(parameter, "a group or deduplication id is not 1 to %d letters, digits and punctuation", maxID)
	}
	switch {
	case fifo && m.Group == "":
		return refuse("MissingParameter", "a message of a FIFO queue needs a group")
	case fifo && m.Deduplication == "" && !contentBased:
		return refuse(parameter, "a message of a FIFO queue without ContentBasedDeduplication needs a deduplication id")
	case fifo && m.Delay != 0:
		return refuse(parameter, "a message of a FIFO queue has the delay of its queue, not one of its own")
	case !fifo && m.Deduplication != "":
		return refuse(parameter, "a deduplication id is for FIFO queues alone")
	}
	return nil
}

// checkAttribute follows
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
func checkAttribute(name string, a source.Attribute) *source.Refusal {
	const parameter = "InvalidParameterValue"
	lower := strings.ToLower(name)
	switch {
	case name == "" || len(name) > maxName || strings.ContainsFunc(lower, notInName):
		return refuse(parameter, "the name of an attribute is not 1 to %d of A-Z a-z 0-9 _ - .", maxName)
	case strings.HasPrefix(lower, "aws.") || strings.HasPrefix(lower, "amazon.") || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.Contains(name, ".."):
		return refuse(parameter, "the name of an attribute begins with AWS. or Amazon., or has a dot at its begin or end or beside another")
	}
	switch kind, _, _ := strings.Cut(dataType(a), "."); {
	case kind != "String" && kind != "Number" && kind != "Binary":
		return refuse(parameter, "an attribute's type is not String, Number or Binary")
	case len(dataType(a)) > maxName:
		return refuse(parameter, "an attribute's type has more than %d characters", maxName)
	case kind == "Binary" && (len(a.Binary) == 0 || a.String != ""), kind != "Binary" && (a.String == "" || len(a.Binary) > 0):
		return refuse(parameter, "an attribute has no value, or not one of its type")
	case !allowed(a.String):
		return refuse(parameter, "an attribute has characters that SQS does not take")
	}
	return nil
}

func notInName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' && r != '-' && r != '.'
}

// allowed reports whether a text has only the characters of XML 1.0.
func allowed(text string) bool {
	if !utf8.ValidString(text) {
		return false
	}
	return !strings.ContainsFunc(text, func(r rune) bool {
		return (r < 0x20 && r != '\t' && r != '\n' && r != '\r') || r == 0xFFFE || r == 0xFFFF
	})
}

// isID reports whether a text is 1 to 128 printable characters of ASCII but space.
func isID(text string) bool {
	return text != "" && len(text) <= maxID && !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}

func md5Hex(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

func sha256Hex(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// md5OfAttributes follows
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation
func md5OfAttributes(attributes map[string]source.Attribute) string {
	if len(attributes) == 0 {
		return ""
	}
	var text []byte
	add := func(s string) {
		text = binary.BigEndian.AppendUint32(text, uint32(len(s)))
		text = append(text, s...)
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		add(name)
		add(dataType(a))
		if isBinary(a) {
			text = append(text, 2)
			add(string(a.Binary))
		} else {
			text = append(text, 1)
			add(a.String)
		}
	}
	return md5Hex(string(text))
}
