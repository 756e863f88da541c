package queue

import (
	"bytes"
	"strings"
)

// A record is a message in the event.
// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event
type record struct {
	MessageID              string                     `json:"messageId"`
	ReceiptHandle          string                     `json:"receiptHandle"`
	Body                   string                     `json:"body"`
	Attributes             map[string]string          `json:"attributes"`
	MessageAttributes      map[string]recordAttribute `json:"messageAttributes"`
	MD5OfMessageAttributes string                     `json:"md5OfMessageAttributes,omitempty"`
	MD5OfBody              string                     `json:"md5OfBody"`
	EventSource            string                     `json:"eventSource"`
	EventSourceARN         string                     `json:"eventSourceARN"`
	AWSRegion              string                     `json:"awsRegion"`
}

type recordAttribute struct {
	StringValue      *string  `json:"stringValue,omitempty"`
	BinaryValue      []byte   `json:"binaryValue,omitempty"`
	StringListValues []string `json:"stringListValues"`
	BinaryListValues [][]byte `json:"binaryListValues"`
	DataType         string   `json:"dataType"`
}

func newRecord(m Received, arn string) record {
	r := record{
		MessageID:              m.ID,
		ReceiptHandle:          m.ReceiptHandle,
		Body:                   m.Body,
		Attributes:             m.Attributes,
		MessageAttributes:      map[string]recordAttribute{},
		MD5OfMessageAttributes: m.MD5OfMessageAttributes,
		MD5OfBody:              m.MD5OfBody,
		EventSource:            "aws:sqs",
		EventSourceARN:         arn,
		AWSRegion:              regionOf(arn),
	}
	for name, a := range m.MessageAttributes {
		attribute := recordAttribute{StringListValues: []string{}, BinaryListValues: [][]byte{}, DataType: dataType(a)}
		if isBinary(a) {
			attribute.BinaryValue = a.Binary
		} else {
			attribute.StringValue = &a.String
		}
		r.MessageAttributes[name] = attribute
	}
	return r
}

func regionOf(arn string) string {
	parts := strings.SplitN(arn, ":", 5)
	if len(parts) < 5 {
		return ""
	}
	return parts[3]
}

const (
	eventBegin = `{"Records":[`
	eventEnd   = `]}`
)

// event is the payload for the records.
func event(records [][]byte) []byte {
	var text bytes.Buffer
	text.WriteString(eventBegin)
	text.Write(bytes.Join(records, []byte(",")))
	text.WriteString(eventEnd)
	return text.Bytes()
}
