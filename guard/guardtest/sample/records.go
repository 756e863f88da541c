package sample

import (
	"bytes"
	"compress/gzip"
	"crypto/md5" // SQS sends a body's MD5
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// A batch describes where an event has its records. Pointers other than the first
// start at a record.
type batch struct {
	records string
	ids     []string // what no two records share; digits or a number at the end
	message string   // "" when the records carry none
	base64  bool
}

// batchOf knows the samples that have records. CloudWatch Logs packs them, see
// [Event.onRecords].
func batchOf(name string) (batch, bool) {
	batches := map[string]batch{
		"sqs":              {"/Records", []string{"/messageId", "/receiptHandle"}, "/body", false},
		"sqs/fifo":         {"/Records", []string{"/messageId", "/receiptHandle", "/attributes/SequenceNumber", "/attributes/MessageDeduplicationId"}, "/body", false},
		"sns":              {"/Records", []string{"/Sns/MessageId"}, "/Sns/Message", false},
		"s3":               {"/Records", []string{"/responseElements/x-amz-request-id", "/s3/object/sequencer"}, "", false},
		"ses":              {"/Records", []string{"/ses/mail/messageId"}, "", false},
		"kinesis":          {"/Records", []string{"/eventID", "/kinesis/sequenceNumber"}, "/kinesis/data", true},
		"dynamodb":         {"/Records", []string{"/eventID", "/dynamodb/SequenceNumber"}, "", false},
		"codecommit":       {"/Records", []string{"/eventId"}, "", false},
		"firehose":         {"/records", []string{"/recordId"}, "/data", true},
		"firehose/kinesis": {"/records", []string{"/recordId", "/kinesisRecordMetadata/sequenceNumber"}, "/data", true},
		"cloudwatch-logs":  {"/logEvents", []string{"/id"}, "/message", false},
		"kafka":            {"/records/orders-0", []string{"/offset"}, "/value", true},
		"mq":               {"/messages", []string{"/messageID"}, "/data", true},
		"mq/rabbitmq":      {"/rmqMessagesByQueue/orders::~1", nil, "/data", true},
	}
	b, ok := batches[name]
	if trigger, _, isVariant := strings.Cut(name, "/"); !ok && isVariant {
		b, ok = batches[trigger]
	}
	return b, ok
}

// Repeat makes n records of the first one, each with ids of its own, in place
// of the records that there are; none when n is 0. It panics for an event that
// has no records.
func (e Event) Repeat(n int) Event {
	if n < 0 {
		panic("sample: Repeat of a negative number")
	}
	return e.onRecords("Repeat", n, func(batch, int, any) {})
}

// Messages makes a record of each message, with ids of its own, in place of the
// records that there are. The message is set in the place and the encoding of the
// trigger. That is the body of SQS, the Message of SNS, the base64 data of Kinesis,
// Firehose, Kafka and MQ, and the compressed log events of CloudWatch Logs. It
// panics for other events.
func (e Event) Messages(messages ...string) Event {
	return e.onRecords("Messages", len(messages), func(b batch, i int, record any) {
		text := messages[i]
		if b.base64 {
			text = base64.StdEncoding.EncodeToString([]byte(text))
		}
		set(record, b.message, text)
		sum := md5.Sum([]byte(messages[i]))
		set(record, "/md5OfBody", hex.EncodeToString(sum[:]))      // of SQS
		set(record, "/basicProperties/bodySize", len(messages[i])) // of RabbitMQ
	})
}

// onRecords puts n copies of the first record, each changed.
func (e Event) onRecords(method string, n int, change func(b batch, i int, record any)) Event {
	b, ok := batchOf(e.name)
	if !ok {
		panic(fmt.Sprintf("sample: event %q has no records", e.name))
	}
	if method == "Messages" && b.message == "" {
		panic(fmt.Sprintf("sample: event %q carries no messages", e.name))
	}
	packed := e.name == "cloudwatch-logs"
	root := e.root()
	holder := root
	if packed {
		holder = unpack(root)
	}
	found, err := find(holder, b.records)
	e.check(method, b.records, err)
	records, _ := found.([]any)
	if len(records) == 0 {
		panic(fmt.Sprintf("sample: %s: event %q has no first record", method, e.name))
	}
	first, _ := marshal(records[0]) // it came from JSON
	records = make([]any, n)
	for i := range records {
		records[i], _ = parse(first)
		for _, id := range b.ids {
			advance(records[i], id, i)
		}
		change(b, i, records[i])
	}
	set(holder, b.records, records)
	if packed {
		set(root, "/awslogs/data", pack(holder))
	}
	return e.with(root)
}

// set sets a value at a place. It does nothing if a test has removed the place.
func set(record any, pointer string, value any) {
	if _, err := find(record, pointer); err == nil {
		tokens, _ := split(pointer)
		_, _ = edit(record, tokens, func(holder any, token string) (any, error) { return put(holder, token, value) })
	}
}

// advance adds to the number at the end of an id.
func advance(record any, pointer string, by int) {
	found, _ := find(record, pointer)
	number, isNumber := found.(json.Number)
	id, isText := found.(string)
	if isNumber {
		id = number.String()
	} else if !isText {
		return
	}
	const most = 9 // digits, so that the number fits everywhere
	start := max(len(strings.TrimRight(id, "0123456789")), len(id)-most)
	if by == 0 {
		return
	}
	last, _ := strconv.Atoi(id[start:]) // 0 where the test has set another id
	next := id[:start] + fmt.Sprintf("%0*d", len(id)-start, last+by)
	if isNumber {
		set(record, pointer, json.Number(next))
	} else {
		set(record, pointer, next)
	}
}

// unpack reads the data of CloudWatch Logs: JSON in gzip in base64.
func unpack(root any) any {
	data, err := find(root, "/awslogs/data")
	text, _ := data.(string)
	var r io.Reader
	if err == nil {
		r, err = gzip.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(text)))
	}
	var plain []byte
	if err == nil {
		plain, err = io.ReadAll(r)
	}
	var logs any
	if err == nil {
		logs, err = parse(plain)
	}
	if err != nil {
		panic(fmt.Sprintf("sample: log events: %v", err))
	}
	return logs
}

func pack(logs any) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	text, _ := marshal(logs) // it came from JSON
	_, _ = w.Write(text)     // a buffer takes everything
	_ = w.Close()
	return base64.StdEncoding.EncodeToString(b.Bytes())
}
