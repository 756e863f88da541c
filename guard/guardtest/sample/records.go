package sample

import (
	"bytes"
	"compress/gzip"
	"crypto/md5" // SQS tells a body's MD5
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// A batch says where an event has its records. Pointers other than the first
// start at a record.
type batch struct {
	records string
	ids     []string                           // what no two records share; digits or a number at the end
	carry   func(record *node, message string) // nil: the records carry none
}

// batchOf knows the samples that have records. CloudWatch Logs packs them, see
// [Event.onRecords].
func batchOf(name string) (batch, bool) {
	switch trigger, variant, _ := strings.Cut(name, "/"); trigger {
	case "sqs":
		ids := []string{"/messageId", "/receiptHandle"}
		if variant == "fifo" {
			ids = append(ids, "/attributes/SequenceNumber", "/attributes/MessageDeduplicationId")
		}
		return batch{"/Records", ids, func(record *node, message string) {
			sum := md5.Sum([]byte(message))
			record.set("/body", message)
			record.set("/md5OfBody", hex.EncodeToString(sum[:]))
		}}, true
	case "sns":
		return batch{"/Records", []string{"/Sns/MessageId"}, plainAt("/Sns/Message")}, true
	case "s3":
		return batch{"/Records", []string{"/responseElements/x-amz-request-id", "/s3/object/sequencer"}, nil}, true
	case "ses":
		return batch{"/Records", []string{"/ses/mail/messageId"}, nil}, true
	case "kinesis":
		return batch{"/Records", []string{"/eventID", "/kinesis/sequenceNumber"}, base64At("/kinesis/data")}, true
	case "dynamodb":
		return batch{"/Records", []string{"/eventID", "/dynamodb/SequenceNumber"}, nil}, true
	case "codecommit":
		return batch{"/Records", []string{"/eventId"}, nil}, true
	case "firehose":
		ids := []string{"/recordId"}
		if variant == "kinesis" {
			ids = append(ids, "/kinesisRecordMetadata/sequenceNumber")
		}
		return batch{"/records", ids, base64At("/data")}, true
	case "cloudwatch-logs":
		return batch{"/logEvents", []string{"/id"}, plainAt("/message")}, true
	case "kafka":
		return batch{"/records/orders-0", []string{"/offset"}, base64At("/value")}, true
	case "mq":
		if variant == "rabbitmq" {
			return batch{"/rmqMessagesByQueue/orders::~1", nil, func(record *node, message string) {
				base64At("/data")(record, message)
				record.set("/basicProperties/bodySize", len(message))
			}}, true
		}
		return batch{"/messages", []string{"/messageID"}, base64At("/data")}, true
	default:
		return batch{}, false
	}
}

func plainAt(pointer string) func(*node, string) {
	return func(record *node, message string) { record.set(pointer, message) }
}

func base64At(pointer string) func(*node, string) {
	return func(record *node, message string) {
		record.set(pointer, base64.StdEncoding.EncodeToString([]byte(message)))
	}
}

// Repeat makes n records of the first one, each with ids of its own, in place
// of the records that there are; none when n is 0. It panics for an event that
// has no records.
func (e Event) Repeat(n int) Event {
	if n < 0 {
		panic("sample: Repeat of a negative number")
	}
	return e.onRecords("Repeat", func(batch) []func(*node) { return make([]func(*node), n) })
}

// Messages makes a record of each message, with ids of its own, in place of the
// records that there are. The message goes where the trigger has it and in its
// encoding: the body of SQS, the Message of SNS, the base64 data of Kinesis,
// Firehose, Kafka and MQ, the compressed log events of CloudWatch Logs. It
// panics for other events.
func (e Event) Messages(messages ...string) Event {
	return e.onRecords("Messages", func(b batch) []func(*node) {
		if b.carry == nil {
			panic(fmt.Sprintf("sample: event %q carries no messages", e.name))
		}
		var changes []func(*node)
		for _, message := range messages {
			changes = append(changes, func(record *node) { b.carry(record, message) })
		}
		return changes
	})
}

// onRecords puts a copy of the first record for each change.
func (e Event) onRecords(method string, changes func(batch) []func(*node)) Event {
	b, ok := batchOf(e.name)
	if !ok {
		panic(fmt.Sprintf("sample: event %q has no records", e.name))
	}
	root := e.root()
	holder := root
	if e.name == "cloudwatch-logs" {
		holder = unpack(root)
	}
	records, err := holder.find(b.records)
	e.check(method, b.records, err)
	if records.kind != '[' || len(records.items) == 0 {
		panic(fmt.Sprintf("sample: %s: event %q has no first record", method, e.name))
	}
	first := records.items[0]
	records.items = nil
	for i, change := range changes(b) {
		record := first.clone()
		for _, id := range b.ids {
			record.advance(id, i)
		}
		if change != nil {
			change(record)
		}
		records.items = append(records.items, record)
	}
	if holder != root {
		root.set("/awslogs/data", pack(holder))
	}
	return e.with(root)
}

// set is for places that the samples have; where a test has taken them out,
// there is nothing to be kept right.
func (n *node) set(pointer string, value any) {
	if _, err := n.find(pointer); err == nil {
		v, _ := nodeOf(value) // a string or a number
		_ = n.put(pointer, v)
	}
}

// advance adds to the number at the end of an id.
func (n *node) advance(pointer string, by int) {
	found, err := n.find(pointer)
	if err != nil || found.kind != 0 || by == 0 {
		return
	}
	id, isText := found.text()
	if !isText {
		id = string(found.scalar)
	}
	const most = 9 // digits, so that the number fits everywhere
	start := len(strings.TrimRight(id, "0123456789"))
	start = max(start, len(id)-most)
	number, _ := strconv.Atoi(id[start:]) // 0 where the test has set another id
	next := id[:start] + fmt.Sprintf("%0*d", len(id)-start, number+by)
	if isText {
		n.set(pointer, next)
	} else {
		n.set(pointer, json.Number(next))
	}
}

// unpack reads what CloudWatch Logs sends: JSON in gzip in base64.
func unpack(root *node) *node {
	data, err := root.find("/awslogs/data")
	if err != nil {
		panic(fmt.Sprintf("sample: %v", err))
	}
	text, _ := data.text()
	r, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(text)))
	if err != nil {
		panic(fmt.Sprintf("sample: log events: %v", err))
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		panic(fmt.Sprintf("sample: log events: %v", err))
	}
	logs, err := parseNode(plain)
	if err != nil {
		panic(fmt.Sprintf("sample: log events: %v", err))
	}
	return logs
}

func pack(logs *node) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(logs.appendTo(nil)) // a buffer takes everything
	_ = w.Close()
	return base64.StdEncoding.EncodeToString(b.Bytes())
}
