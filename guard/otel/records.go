package otel

import (
	"context"
	"strconv"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
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
// Kafka record. SNS passes its publisher's header on to a queue; for attributes of a
// notification, list [batch.Unwrap] before Records. Records of Kinesis and DynamoDB
// have none. error.type is the code of [guard.Public], and "panic".
//
// The context of a record is never the parent of its span: whoever sends records
// would choose the trace and whether it is sampled. OpenTelemetry's [messaging spans]
// ask for a link, too, where another span is around.
//
// What is logged in the context of the record has the span's id as span_id.
//
// Of an event only the first 100 records have spans; see [MostRecords]. The others
// run in the span of the invocation, whose messaging.batch.message_count counts all. A
// record that is skipped has none. Records panics if tp is nil.
//
// [messaging spans]: https://github.com/open-telemetry/semantic-conventions/blob/v1.43.0/docs/messaging/messaging-spans.md#consumer-spans
func Records[R batch.Record](tp trace.TracerProvider, opts ...RecordsOption) batch.Layer[R] {
	tracer := tracerOf("Records", tp)
	c := recordsConfig{most: 100}
	for _, opt := range opts {
		opt.set(&c)
	}
	if _, idle := tracer.(noop.Tracer); idle {
		return func(next func(context.Context, R) error) func(context.Context, R) error { return next }
	}
	return func(next func(context.Context, R) error) func(context.Context, R) error {
		return func(ctx context.Context, record R) error {
			info, _ := batch.RecordFrom(ctx)
			if info.Index >= c.most {
				return next(ctx, record)
			}
			d := describeRecord(record, info)
			ctx, span := tracer.Start(ctx, processOf(d.destination), trace.WithSpanKind(trace.SpanKindConsumer),
				trace.WithAttributes(d.attrs...), trace.WithLinks(d.links()...))
			finished := false
			defer func() { end(span, finished) }()
			setTrace(ctx, span.SpanContext())
			err := next(ctx, record)
			if err != nil {
				fail(span, guard.Public(err).Code)
			}
			finished = true
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

// description is what the span of a record shows.
type description struct {
	destination string // "" if it has no valid name
	attrs       []attribute.KeyValue
	sender      trace.SpanContext // that came with the record
}

func (d *description) links() []trace.Link {
	if !d.sender.IsValid() {
		return nil
	}
	return []trace.Link{{SpanContext: d.sender}}
}

func (d *description) add(attrs ...attribute.KeyValue) { d.attrs = append(d.attrs, attrs...) }

// describeRecord has no key and no value of a record, as these are data of users.
func describeRecord[R batch.Record](record R, info batch.Info) *description {
	switch r := any(record).(type) {
	case events.SQSMessage:
		d := delivered(consumer(semconv.MessagingSystemAWSSQS.Value.AsString()), queueOf(r.EventSourceARN), r.MessageId)
		if d.sender = remoteOfMessage(r); !d.sender.IsValid() {
			d.sender = remoteOfEnvelopes(info.Envelopes)
		}
		return d
	case events.KinesisEventRecord:
		d := delivered(consumer(kinesis), streamOf(r.EventSourceArn), r.Kinesis.SequenceNumber)
		d.add(optional(semconv.AWSKinesisStreamNameKey, d.destination)...)
		d.add(optional(semconv.MessagingDestinationPartitionIDKey, idOf(info.Shard))...)
		return d
	case events.KafkaRecord:
		d := delivered(consumer(semconv.MessagingSystemKafka.Value.AsString()), topicOf(r.Topic), "")
		d.add(semconv.MessagingDestinationPartitionID(strconv.FormatInt(r.Partition, 10)), semconv.MessagingKafkaOffset(int(r.Offset)))
		if r.Value == "" {
			d.add(semconv.MessagingKafkaMessageTombstone(true))
		}
		d.sender = remoteOfKafka(r)
		return d
	case events.DynamoDBEventRecord:
		return changed(streamOf(r.EventSourceArn), r.EventName)
	default:
		panic("otel: a batch has no such record") // batch.Record has no other
	}
}

// delivered describes a record of a messaging system.
func delivered(by triggered, destination, id string) *description {
	d := &description{destination: destination, attrs: []attribute.KeyValue{
		by.faas, semconv.MessagingSystemKey.String(by.system),
		semconv.MessagingOperationName(process), semconv.MessagingOperationTypeProcess,
	}}
	d.add(optional(semconv.MessagingDestinationNameKey, destination)...)
	d.add(optional(semconv.MessagingMessageIDKey, idOf(id))...)
	return d
}

// changed describes a change in a table, which is no message to OpenTelemetry.
//
// https://github.com/open-telemetry/semantic-conventions/blob/v1.43.0/docs/faas/faas-spans.md#datasource
func changed(table, event string) *description {
	d := &description{destination: table, attrs: []attribute.KeyValue{semconv.FaaSTriggerDatasource}}
	if table != "" {
		d.add(semconv.AWSDynamoDBTableNames(table), semconv.FaaSDocumentCollection(table))
	}
	switch event {
	case "INSERT":
		d.add(semconv.FaaSDocumentOperationInsert)
	case "MODIFY":
		d.add(semconv.FaaSDocumentOperationEdit)
	case "REMOVE":
		d.add(semconv.FaaSDocumentOperationDelete)
	}
	return d
}

// clipped returns a text as an attribute may have it: valid UTF-8, as an exporter
// refuses a whole batch of spans for one that is not, and at most 1 kB.
func clipped(text string) string {
	const most = 1 << 10
	return strings.ToValidUTF8(text[:min(len(text), most)], "")
}
