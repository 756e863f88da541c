package content

import (
	"encoding/base64"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/canonicaljson"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// envelope is where the content of a record is. Members that it does not name
// are content.
type envelope struct {
	ignore []string  // members that differ between deliveries or publications
	text   string    // the member with the message
	base64 string    // the member with the message, encoded
	member string    // the member that has an envelope of its own
	inner  *envelope // of that member
}

var (
	busEvent     = envelope{ignore: []string{"id", "time", "replay-name"}}
	notification = envelope{text: "Message", ignore: []string{
		"MessageId", "Timestamp", "SequenceNumber", "Signature", "SignatureVersion",
		"SigningCertUrl", "SigningCertURL", "UnsubscribeUrl", "UnsubscribeURL",
	}}
	snsRecord     = envelope{member: "Sns", inner: &notification}
	kinesisRecord = envelope{ignore: []string{"eventID"}, member: "kinesis", inner: &envelope{
		ignore: []string{"partitionKey", "sequenceNumber", "approximateArrivalTimestamp"}, base64: "data",
	}}
	rowChange = envelope{ignore: []string{"eventID"}, member: "dynamodb", inner: &envelope{
		ignore: []string{"ApproximateCreationDateTime", "SequenceNumber", "SizeBytes"},
	}}
	kafkaRecord  = envelope{ignore: []string{"partition", "offset", "timestamp", "timestampType"}, base64: "value"}
	activeRecord = envelope{ignore: []string{"messageID", "timestamp", "redelivered", "brokerInTime", "brokerOutTime"}, base64: "data"}
	rabbitRecord = envelope{ignore: []string{"redelivered"}, member: "basicProperties", inner: &envelope{
		ignore: []string{"messageId", "timestamp"},
	}}
)

// hasEnvelope reports whether contentOf knows the events of t.
func hasEnvelope(t guard.Trigger) bool {
	switch t {
	case guard.EventBridge, guard.SQS, guard.SNS, guard.Kinesis, guard.DynamoDB, guard.Kafka, guard.MQ, guard.AppSync:
		return true
	default:
		return false
	}
}

// contentOf returns the content of an event.
func contentOf(t guard.Trigger, event Object) any {
	switch t {
	case guard.EventBridge:
		return busEvent.content(event)
	case guard.SQS:
		return each(event["Records"], func(r Object) any { return []any{textContent(r["body"]), r["messageAttributes"]} })
	case guard.SNS:
		return each(event["Records"], snsRecord.content)
	case guard.Kinesis:
		return each(event["Records"], kinesisRecord.content)
	case guard.DynamoDB:
		return each(event["Records"], rowChange.content)
	case guard.Kafka: // has a list for each topic and partition, and records name their topic
		lists, _ := event["records"].(Object)
		var all []any
		for _, name := range slices.Sorted(maps.Keys(lists)) {
			list, _ := lists[name].([]any)
			all = append(all, list...)
		}
		return each(all, kafkaRecord.content)
	case guard.MQ:
		queues, _ := event["rmqMessagesByQueue"].(Object)
		rabbit := make(Object, len(queues))
		for name, messages := range queues {
			rabbit[name] = each(messages, rabbitRecord.content)
		}
		return []any{each(event["messages"], activeRecord.content), rabbit}
	default: // AppSync, whose other members are about the HTTP request
		info, _ := event["info"].(Object)
		return []any{info["parentTypeName"], info["fieldName"], event["arguments"], event["source"]}
	}
}

func each(list any, content func(Object) any) []any {
	records, _ := list.([]any)
	contents := make([]any, len(records))
	for i, r := range records {
		record, _ := r.(Object)
		contents[i] = content(record)
	}
	return contents
}

// content returns a copy of o, which the layers share, without its envelope.
func (e *envelope) content(o Object) any {
	content := make(Object, len(o))
	for name, value := range o {
		if !slices.Contains(e.ignore, name) {
			content[name] = value
		}
	}
	if e.text != "" {
		content[e.text] = textContent(o[e.text])
	}
	if text, _ := o[e.base64].(string); e.base64 != "" {
		if data, err := base64.StdEncoding.DecodeString(text); err == nil && utf8.Valid(data) {
			content[e.base64] = []any{"text", textContent(string(data))}
		}
	}
	if e.inner != nil {
		inner, _ := o[e.member].(Object)
		content[e.member] = e.inner.content(inner)
	}
	return content
}

// textContent returns the content of a message: JSON in its canonical form, or
// what a topic or a bus has put into its envelope.
func textContent(v any) any {
	text, _ := v.(string)
	canonical, err := canonicaljson.Append(nil, []byte(text))
	if err != nil {
		return text
	}
	tree, err := strictjson.Tree(canonical)
	if o, ok := tree.(Object); err == nil && ok {
		switch {
		case has(o, "MessageId", "TopicArn", "Message", "Timestamp"):
			return []any{"sns", notification.content(o)}
		case has(o, "id", "time", "source", "detail-type", "detail"):
			return []any{"eventbridge", busEvent.content(o)}
		}
	}
	return []any{"json", string(canonical)}
}

func has(o Object, members ...string) bool {
	for _, name := range members {
		if _, ok := o[name]; !ok {
			return false
		}
	}
	return true
}
