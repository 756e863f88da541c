package otel

import (
	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/lambdarmor/lambdarmor/guard"
)

// triggered is what a trigger makes of a span.
type triggered struct {
	kind   trace.SpanKind
	faas   attribute.KeyValue // faas.trigger
	system string             // messaging.system of a consumer, "" if there is none
}

// Kinesis and EventBridge are not among the systems that the conventions name.
const (
	kinesis     = "aws_kinesis"
	eventBridge = "aws_eventbridge"
)

// triggeredBy returns what an event is by
// https://opentelemetry.io/docs/specs/semconv/faas/faas-spans/#function-trigger-type
func triggeredBy(ev *guard.Event) triggered {
	switch t := ev.Trigger(); t {
	case guard.SQS:
		return consumer(semconv.MessagingSystemAWSSQS.Value.AsString())
	case guard.SNS:
		return consumer(semconv.MessagingSystemAWSSNS.Value.AsString())
	case guard.Kafka:
		return consumer(semconv.MessagingSystemKafka.Value.AsString())
	case guard.Kinesis:
		return consumer(kinesis)
	case guard.MQ:
		return consumer(broker(ev))
	case guard.EventBridge:
		if isScheduled(ev) {
			return triggered{kind: trace.SpanKindServer, faas: semconv.FaaSTriggerTimer}
		}
		return consumer(eventBridge)
	case guard.S3, guard.DynamoDB, guard.DocumentDB:
		return triggered{kind: trace.SpanKindServer, faas: semconv.FaaSTriggerDatasource}
	default:
		if t.IsHTTP() {
			return triggered{kind: trace.SpanKindServer, faas: semconv.FaaSTriggerHTTP}
		}
		return triggered{kind: trace.SpanKindServer, faas: semconv.FaaSTriggerOther}
	}
}

func consumer(system string) triggered {
	return triggered{kind: trace.SpanKindConsumer, faas: semconv.FaaSTriggerPubSub, system: system}
}

// isScheduled reports whether a rule of EventBridge or its scheduler has sent an
// event at its time.
func isScheduled(ev *guard.Event) bool {
	var e struct {
		DetailType string `json:"detail-type"`
		Source     string `json:"source"`
	}
	return ev.Decode(&e) == nil && e.DetailType == "Scheduled Event" && (e.Source == "aws.events" || e.Source == "aws.scheduler")
}

// broker returns which broker of Amazon MQ an event is from.
func broker(ev *guard.Event) string {
	var e struct {
		EventSource string `json:"eventSource"`
	}
	if ev.Decode(&e) == nil && e.EventSource == "aws:rmq" {
		return semconv.MessagingSystemRabbitMQ.Value.AsString()
	}
	return semconv.MessagingSystemActiveMQ.Value.AsString()
}
