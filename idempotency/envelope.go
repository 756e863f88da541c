package idempotency

import (
	"encoding/base64"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/canonicaljson"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

type object = map[string]any

// contentOf returns what an event says, without its envelope: what differs from
// one delivery to the next, and from one publication to the next. Members that
// are not known count.
func contentOf(t guard.Trigger, event object) any {
	switch t {
	case guard.EventBridge:
		return busEvent(event)
	case guard.SQS:
		return each(event["Records"], func(r object) any {
			return []any{textContent(r["body"]), r["messageAttributes"]}
		})
	case guard.SNS:
		return each(event["Records"], inside("Sns", notification))
	case guard.Kinesis:
		return each(event["Records"], inside("kinesis", func(k object) any {
			return decoded(without(k, "partitionKey", "sequenceNumber", "approximateArrivalTimestamp"), "data")
		}, "eventID"))
	case guard.DynamoDB:
		return each(event["Records"], inside("dynamodb", func(change object) any {
			return without(change, "ApproximateCreationDateTime", "SequenceNumber", "SizeBytes")
		}, "eventID"))
	case guard.Kafka: // by topic and partition, and a topic is named in each record
		return each(flat(event["records"]), func(r object) any {
			return decoded(without(r, "partition", "offset", "timestamp", "timestampType"), "value")
		})
	case guard.AppSync: // the rest is of the one HTTP request
		info, _ := event["info"].(object)
		return []any{info["parentTypeName"], info["fieldName"], event["arguments"], event["source"]}
	case guard.MQ:
		return []any{
			each(event["messages"], func(m object) any {
				return decoded(without(m, "messageID", "timestamp", "redelivered", "brokerInTime", "brokerOutTime"), "data")
			}),
			rabbitMessages(event["rmqMessagesByQueue"]),
		}
	default:
		return event
	}
}

// hasEnvelope reports whether contentOf knows the envelope of an event.
func hasEnvelope(t guard.Trigger) bool {
	switch t {
	case guard.EventBridge, guard.SQS, guard.SNS, guard.Kinesis, guard.DynamoDB, guard.Kafka, guard.MQ, guard.AppSync:
		return true
	default:
		return false
	}
}

func busEvent(event object) any {
	return without(event, "id", "time", "replay-name")
}

func notification(n object) any {
	n = without(n, "MessageId", "Timestamp", "SequenceNumber", "Signature", "SignatureVersion",
		"SigningCertUrl", "SigningCertURL", "UnsubscribeUrl", "UnsubscribeURL")
	n["Message"] = textContent(n["Message"])
	return n
}

// rabbitMessages are the messages of RabbitMQ, by queue.
func rabbitMessages(queues any) any {
	byQueue, _ := queues.(object)
	content := make(object, len(byQueue))
	for queue, messages := range byQueue {
		content[queue] = each(messages, inside("basicProperties", func(p object) any {
			return without(p, "messageId", "timestamp")
		}, "redelivered"))
	}
	return content
}

// textContent is the content of a text: JSON in its canonical form, or what is in an
// envelope that a topic or a bus has put around it.
func textContent(v any) any {
	text, _ := v.(string)
	canonical, err := canonicaljson.Append(nil, []byte(text))
	if err != nil {
		return text
	}
	tree, err := strictjson.Tree(canonical)
	if envelope, ok := tree.(object); err == nil && ok {
		switch {
		case has(envelope, "MessageId", "TopicArn", "Message", "Timestamp"):
			return []any{"sns", notification(envelope)}
		case has(envelope, "id", "time", "source", "detail-type", "detail"):
			return []any{"eventbridge", busEvent(envelope)}
		}
	}
	return []any{"json", string(canonical)}
}

// decoded replaces a member of an object, base64, by what it says.
func decoded(o object, member string) any {
	text, _ := o[member].(string)
	if data, err := base64.StdEncoding.DecodeString(text); err == nil && utf8.Valid(data) {
		o[member] = []any{"text", textContent(string(data))}
	}
	return o
}

// inside is the content of a record that has what it says in one of its members.
func inside(member string, content func(object) any, others ...string) func(object) any {
	return func(r object) any {
		r = without(r, others...)
		inner, _ := r[member].(object)
		r[member] = content(inner)
		return r
	}
}

func each(list any, content func(object) any) []any {
	records, _ := list.([]any)
	contents := make([]any, len(records))
	for i, r := range records {
		record, _ := r.(object)
		contents[i] = content(record)
	}
	return contents
}

// flat is what the lists of an object have, in the order of their names.
func flat(lists any) any {
	byName, _ := lists.(object)
	var all []any
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		list, _ := byName[name].([]any)
		all = append(all, list...)
	}
	return all
}

// without returns a copy: what an event has read is shared.
func without(o object, members ...string) object {
	o = maps.Clone(o)
	if o == nil {
		return object{}
	}
	for _, name := range members {
		delete(o, name)
	}
	return o
}

func has(o object, members ...string) bool {
	for _, name := range members {
		if _, ok := o[name]; !ok {
			return false
		}
	}
	return true
}
