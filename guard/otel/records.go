package otel

import (
	"context"
	"strconv"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/layer"
)

// Records returns a layer that makes a span of each record of a batch, named
// "process orders" for a queue, stream, table or topic orders. List it first, so that
// it sees what becomes of a record in the layers inside:
//
//	batch.SQS(batch.Chain(batch.JSON[events.SQSMessage](book), otel.Records[events.SQSMessage](tp)))
//
// The span is a child of the span of the invocation. It has a link to the context
// that came with the record, if there is a valid one: the AWSTraceHeader of an SQS
// message, or else its attributes traceparent and tracestate, or these headers of a
// Kafka record. Records of Kinesis and DynamoDB have none. The context of a record is
// never its parent: whoever sends records would choose the trace and whether it is
// sampled, and OpenTelemetry's [messaging spans] ask for the link where there is
// another span around. error.type is the code of [guard.Public], and "panic".
//
// What is logged in the context of the record has the span's id as span_id.
//
// Of an event only the first 100 records have spans; see [MostRecords]. The others
// run in the span of the invocation, and nothing counts them but its metrics. It
// panics if tp is nil.
//
// [messaging spans]: https://github.com/open-telemetry/semantic-conventions/blob/v1.43.0/docs/messaging/messaging-spans.md#consumer-spans
func Records[R batch.Record](tp trace.TracerProvider, opts ...RecordsOption) batch.Layer[R] {
	tracer := tracerOf("Records", tp)
	c := recordsConfig{most: 100}
	for _, opt := range opts {
		opt.set(&c)
	}
	return func(next func(context.Context, R) error) func(context.Context, R) error {
		return func(ctx context.Context, record R) error {
			info, _ := batch.RecordFrom(ctx)
			if info.Index >= c.most {
				return next(ctx, record)
			}
			d := describe(record, info)
			ctx, span := tracer.Start(ctx, d.name(), trace.WithSpanKind(trace.SpanKindConsumer),
				trace.WithAttributes(d.attrs...), trace.WithLinks(d.links()...))
			code := "panic" // or runtime.Goexit, unless next returns
			defer func() {  // not span.End itself: the SDK would put the value of a panic into the span
				if code != "" {
					span.SetAttributes(semconv.ErrorTypeKey.String(clipped(code)))
					span.SetStatus(codes.Error, "")
				}
				span.End()
			}()
			sc := span.SpanContext()
			layer.SetTrace(ctx, sc.TraceID().String(), sc.SpanID().String(), sc.IsSampled())
			err := next(ctx, record)
			code = codeOf(err)
			return err
		}
	}
}

// RecordsOption changes what [Records] does.
type RecordsOption struct{ set func(*recordsConfig) }

type recordsConfig struct{ most int }

// MostRecords sets how many records of an event have spans, 100 by default. An event
// has up to 10 000. It panics if n is less than 1.
func MostRecords(n int) RecordsOption {
	if n < 1 {
		panic("otel: MostRecords of less than 1")
	}
	return RecordsOption{func(c *recordsConfig) { c.most = n }}
}

// codeOf returns the error.type of an error, "" for none.
func codeOf(err error) string {
	if err == nil {
		return ""
	}
	return guard.Public(err).Code
}

// description is what the span of a record shows.
type description struct {
	destination string
	attrs       []attribute.KeyValue
	remote      trace.SpanContext // that came with the record
}

func (d *description) name() string {
	if d.destination == "" {
		return "process"
	}
	return "process " + d.destination
}

func (d *description) links() []trace.Link {
	if !d.remote.IsValid() {
		return nil
	}
	return []trace.Link{{SpanContext: d.remote}}
}

// describe returns the description of a record. It has no key and no value, as these
// are data of the users.
func describe[R batch.Record](record R, info batch.Info) *description {
	switch r := any(record).(type) {
	case events.SQSMessage:
		d := about(semconv.MessagingSystemAWSSQS, semconv.FaaSTriggerPubSub, after(r.EventSourceARN, ":"))
		d.add(semconv.MessagingMessageID(clipped(r.MessageId)))
		d.remote = remoteOfMessage(r)
		return d
	case events.KinesisEventRecord:
		d := about(attribute.String("messaging.system", "aws_kinesis"), semconv.FaaSTriggerPubSub, after(r.EventSourceArn, "/"))
		d.add(semconv.AWSKinesisStreamName(d.destination), semconv.MessagingMessageID(clipped(r.Kinesis.SequenceNumber)),
			semconv.MessagingDestinationPartitionID(clipped(info.Shard)))
		return d
	case events.DynamoDBEventRecord:
		d := about(attribute.String("messaging.system", "aws_dynamodb"), semconv.FaaSTriggerDatasource, tableOf(r.EventSourceArn))
		d.add(semconv.AWSDynamoDBTableNames(d.destination), semconv.MessagingMessageID(clipped(r.Change.SequenceNumber)),
			semconv.FaaSDocumentCollection(d.destination))
		switch r.EventName {
		case "INSERT":
			d.add(semconv.FaaSDocumentOperationInsert)
		case "MODIFY":
			d.add(semconv.FaaSDocumentOperationEdit)
		case "REMOVE":
			d.add(semconv.FaaSDocumentOperationDelete)
		}
		return d
	case events.KafkaRecord:
		d := about(semconv.MessagingSystemKafka, semconv.FaaSTriggerPubSub, r.Topic)
		d.add(semconv.MessagingDestinationPartitionID(strconv.FormatInt(r.Partition, 10)), semconv.MessagingKafkaOffset(int(r.Offset)))
		if r.Value == "" {
			d.add(semconv.MessagingKafkaMessageTombstone(true))
		}
		d.remote = remoteOfKafka(r)
		return d
	default:
		panic("otel: a batch has no such record") // batch.Record has no other
	}
}

// about returns what all records have. The systems that OpenTelemetry has no name for
// are named as SQS is.
func about(system, trigger attribute.KeyValue, destination string) *description {
	destination = clipped(destination)
	return &description{destination: destination, attrs: []attribute.KeyValue{
		system, trigger, semconv.MessagingOperationName("process"), semconv.MessagingOperationTypeProcess,
		semconv.MessagingDestinationName(destination),
	}}
}

func (d *description) add(attrs ...attribute.KeyValue) { d.attrs = append(d.attrs, attrs...) }

// tableOf returns the table of the ARN of a stream: …:table/orders/stream/2026-…
func tableOf(arn string) string {
	_, name, _ := strings.Cut(arn, ":table/")
	name, _, _ = strings.Cut(name, "/")
	return name
}

// clipped returns a text as an attribute may have it: valid UTF-8, as an exporter
// refuses a whole batch of spans for one that is not, and at most 1 kB.
func clipped(text string) string {
	const most = 1 << 10
	return strings.ToValidUTF8(text[:min(len(text), most)], "")
}
