package otel

import (
	"context"
	"slices"

	"github.com/aws/aws-lambda-go/events"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/lambdarmor/lambdarmor/guard/batch"
)

// The context of a record comes from its sender, who may be anybody. It is read by the
// propagators alone, which refuse what is not of their form, and is only linked to.

// remoteOfMessage returns the span that has sent a message of SQS. The header that
// SQS itself has stored counts first. OpenTelemetry's page on Lambda knows no other;
// attributes are there for senders that do not use Instrument. Who may send a message
// may set both, so one is trusted as little as the other.
//
// https://github.com/open-telemetry/semantic-conventions/blob/v1.43.0/docs/faas/aws-lambda.md#sqs-message
func remoteOfMessage(m events.SQSMessage) trace.SpanContext {
	stored := carrier(func(string) string { return m.Attributes["AWSTraceHeader"] })
	if sc := remoteOf(XRay{}, stored); sc.IsValid() {
		return sc
	}
	return remoteOf(propagation.TraceContext{}, carrier(func(name string) string {
		if value := m.MessageAttributes[name].StringValue; value != nil {
			return *value
		}
		return ""
	}))
}

// remoteOfEnvelopes returns the span that has published what a queue got by SNS.
func remoteOfEnvelopes(taken []batch.Envelope) trace.SpanContext {
	for _, e := range slices.Backward(taken) {
		sent := carrier(func(name string) string { return e.Attributes[name] })
		if sc := remoteOf(propagation.TraceContext{}, sent); sc.IsValid() {
			return sc
		}
	}
	return trace.SpanContext{}
}

// remoteOfKafka returns the span that has sent a record of Kafka. Of several headers
// of one name the last one counts, as for Kafka's own clients.
func remoteOfKafka(r events.KafkaRecord) trace.SpanContext {
	return remoteOf(propagation.TraceContext{}, carrier(func(name string) string {
		for _, h := range slices.Backward(r.Headers) {
			if value, ok := h[name]; ok {
				return string(value)
			}
		}
		return ""
	}))
}

func remoteOf(p propagation.TextMapPropagator, sent propagation.TextMapCarrier) trace.SpanContext {
	return trace.SpanContextFromContext(p.Extract(context.Background(), sent))
}

// mostTraceContext bounds what is read of one header. A traceparent has 55 characters,
// W3C asks that 512 of a tracestate be kept, and an X-Ray header has fewer.
const mostTraceContext = 512
