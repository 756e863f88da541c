package otel

import (
	"context"

	"github.com/aws/aws-lambda-go/events"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// The context of a record comes from its sender, who may be anybody. It is read by the
// propagators alone, which refuse what is not of their form, and is only linked to.

// mostTraceContext bounds what is read of one header. A traceparent has 55 characters,
// W3C asks that 512 of a tracestate be kept, and an X-Ray header has fewer.
const mostTraceContext = 512

// remoteOfMessage returns the context that came with a message of SQS. The header that
// SQS itself has stored counts first. OpenTelemetry's page on Lambda knows no other;
// attributes are there for senders that do not use Instrument.
//
// https://github.com/open-telemetry/semantic-conventions/blob/v1.43.0/docs/faas/aws-lambda.md#sqs-message
func remoteOfMessage(m events.SQSMessage) trace.SpanContext {
	stored := propagation.MapCarrier{xrayHeader: bounded(m.Attributes["AWSTraceHeader"])}
	if sc := remoteOf(XRay{}, stored); sc.IsValid() {
		return sc
	}
	attribute := func(name string) string {
		if a, ok := m.MessageAttributes[name]; ok && a.StringValue != nil {
			return bounded(*a.StringValue)
		}
		return ""
	}
	return remoteOf(propagation.TraceContext{}, propagation.MapCarrier{
		"traceparent": attribute("traceparent"), "tracestate": attribute("tracestate"),
	})
}

// remoteOfKafka returns the context that came with a record of Kafka. Of several
// headers of one name the last one counts, as for Kafka's own clients.
func remoteOfKafka(r events.KafkaRecord) trace.SpanContext {
	carrier := propagation.MapCarrier{}
	for _, h := range r.Headers {
		for _, name := range [...]string{"traceparent", "tracestate"} {
			if value, ok := h[name]; ok {
				carrier[name] = bounded(string(value))
			}
		}
	}
	return remoteOf(propagation.TraceContext{}, carrier)
}

func remoteOf(p propagation.TextMapPropagator, carrier propagation.TextMapCarrier) trace.SpanContext {
	return trace.SpanContextFromContext(p.Extract(context.Background(), carrier))
}

// bounded returns a header, or "" if it is too long to be one.
func bounded(header string) string {
	if len(header) > mostTraceContext {
		return ""
	}
	return header
}
