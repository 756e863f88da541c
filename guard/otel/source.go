package otel

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/lambdarmor/lambdarmor/guard"
)

// mostLinks is how many links a span has: as many as the SDK keeps of itself.
const mostLinks = 128

// source is where the records of an event come from.
type source struct {
	names   map[string]bool // of queues, topics, streams, tables, buckets; "" if not valid
	records int
	links   []trace.Link // one to each span that has sent records
}

// sourceOf reads the records of an event. Of one that cannot be read it knows
// nothing, which the handler will say.
func sourceOf(ev *guard.Event) (s source) {
	switch t := ev.Trigger(); t {
	case guard.SQS, guard.Kinesis, guard.DynamoDB, guard.S3:
		var e struct {
			Records []struct {
				EventSourceARN    string                                `json:"eventSourceARN"`
				Attributes        map[string]string                     `json:"attributes"`
				MessageAttributes map[string]events.SQSMessageAttribute `json:"messageAttributes"`
				S3                struct {
					Bucket struct {
						Name string `json:"name"`
					} `json:"bucket"`
				} `json:"s3"`
			}
		}
		if ev.Decode(&e) != nil {
			return source{}
		}
		for _, r := range e.Records {
			switch t {
			case guard.SQS:
				s.add(queueOf(r.EventSourceARN), remoteOfMessage(events.SQSMessage{Attributes: r.Attributes, MessageAttributes: r.MessageAttributes}))
			case guard.S3:
				s.add(plain(r.S3.Bucket.Name, ".-", 63), trace.SpanContext{})
			default:
				s.add(streamOf(r.EventSourceARN), trace.SpanContext{})
			}
		}
	case guard.SNS:
		for _, n := range notifications(ev) {
			s.add(queueOf(n.TopicArn), remoteOf(propagation.TraceContext{}, carrier(n.attribute)))
		}
	case guard.Kafka:
		var e struct {
			Records map[string][]struct {
				Topic   string                              `json:"topic"`
				Headers []map[string]events.JSONNumberBytes `json:"headers"`
			} `json:"records"`
		}
		if ev.Decode(&e) != nil {
			return source{}
		}
		for _, partition := range slices.Sorted(maps.Keys(e.Records)) {
			for _, r := range e.Records[partition] {
				s.add(topicOf(r.Topic), remoteOfKafka(events.KafkaRecord{Headers: r.Headers}))
			}
		}
	}
	return s
}

func (s *source) add(name string, sender trace.SpanContext) {
	if s.names == nil {
		s.names = make(map[string]bool, 1)
	}
	if len(s.names) < 2 { // to know that it is not one
		s.names[name] = true
	}
	s.records++
	known := func(l trace.Link) bool {
		return l.SpanContext.SpanID() == sender.SpanID() && l.SpanContext.TraceID() == sender.TraceID()
	}
	if sender.IsValid() && len(s.links) < mostLinks && !slices.ContainsFunc(s.links, known) {
		s.links = append(s.links, trace.Link{SpanContext: sender})
	}
}

// name returns the name of the source if all records have the same one.
func (s source) name() (name string) {
	if len(s.names) == 1 {
		for name = range s.names {
		}
	}
	return name
}

// attributes returns what is known of the source of a span of this trigger.
func (s source) attributes(t triggered) (attrs []attribute.KeyValue) {
	name := s.name()
	switch {
	case t.system != "":
		if name != "" {
			attrs = append(attrs, semconv.MessagingDestinationName(name))
		}
		if s.records > 0 && t.system != semconv.MessagingSystemAWSSNS.Value.AsString() { // which sends one alone
			attrs = append(attrs, semconv.MessagingBatchMessageCount(s.records))
		}
	case name != "":
		attrs = append(attrs, semconv.FaaSDocumentCollection(name))
	}
	return attrs
}

// notification is a message of SNS.
type notification struct {
	TopicArn          string
	MessageAttributes map[string]struct{ Value string }
}

// attribute returns the value of an attribute, "" without one.
func (n notification) attribute(name string) string { return n.MessageAttributes[name].Value }

func notifications(ev *guard.Event) (all []notification) {
	var e struct {
		Records []struct{ Sns notification }
	}
	if ev.Decode(&e) != nil {
		return nil
	}
	for _, r := range e.Records {
		all = append(all, r.Sns)
	}
	return all
}

// queueOf returns the name in the ARN of a queue or a topic.
func queueOf(arn string) string {
	name := resourceOf(arn)
	if plain(strings.TrimSuffix(name, ".fifo"), "_-", 256) == "" {
		return ""
	}
	return name
}

// idOf returns the id of a message, or of a shard.
func idOf(id string) string { return plain(id, "._:-", 256) }

// topicOf returns the name of a topic of Kafka.
func topicOf(name string) string { return plain(name, "._-", 249) }

// streamOf returns the name in the ARN of a stream of Kinesis, or of a table:
// "stream/orders", "stream/orders/consumer/shop:1", "table/orders/stream/2020-03-12".
func streamOf(arn string) string {
	_, rest, _ := strings.Cut(resourceOf(arn), "/")
	name, _, _ := strings.Cut(rest, "/")
	return plain(name, "._-", 255)
}

// resourceOf returns the last part of an ARN:
// arn:partition:service:region:account:resource.
func resourceOf(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" {
		return ""
	}
	return parts[5]
}

// plain returns a name if it has letters, digits and marks alone, "" otherwise.
func plain(name, marks string, longest int) string {
	if len(name) > longest || strings.Trim(name, letters+digits+marks) != "" {
		return ""
	}
	return name
}

const (
	letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	digits  = "0123456789"
)
