package otel_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/guard/otel"
)

const (
	senderTrace = "5759e988bd862e3fe1be46a994272793"
	senderSpan  = "53995c3f42cd8ad8"
	xrayHeader  = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
	traceparent = "00-" + senderTrace + "-" + senderSpan + "-01"
	otherParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
)

func tracedSQS(tp trace.TracerProvider, fn func(context.Context, events.SQSMessage) error, opts ...batch.Option) lambda.Handler {
	return guard.Wrap(batch.SQS(batch.Chain(fn, otel.Records[events.SQSMessage](tp)), opts...), around(tp))
}

func fine[R batch.Record](context.Context, R) error { return nil }

// numbers is how an event of Kafka has a header.
func numbers(text string) []int8 {
	all := make([]int8, len(text))
	for i := range text {
		all[i] = int8(text[i])
	}
	return all
}

// A record of each source has a span with what OpenTelemetry calls its destination, and
// nothing of its keys and values.
func TestARecordHasASpanWithALinkToItsSender(t *testing.T) {
	tp, spans := recorded(t)
	type object = map[string]any
	message := func(attributes, own object) object {
		return object{"Records": []any{object{
			"messageId": "m-1", "body": "secret", "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:orders",
			"attributes": attributes, "messageAttributes": own,
		}}}
	}
	text := func(value string) object {
		return object{"dataType": "String", "stringValue": value}
	}
	kafka := func(headers ...object) object {
		return object{"eventSource": "aws:kafka", "eventSourceArn": "arn:aws:kafka:x:1:cluster/c/1", "records": object{"orders-3": []any{object{
			"topic": "orders", "partition": 3, "offset": 15, "key": "c2VjcmV0", "value": "c2VjcmV0", "headers": headers,
		}}}}
	}
	sqs := guard.Wrap(batch.SQS(batch.Chain(fine[events.SQSMessage], otel.Records[events.SQSMessage](tp))), around(tp))
	kafkas := guard.Wrap(batch.Kafka(batch.Chain(fine[events.KafkaRecord], otel.Records[events.KafkaRecord](tp))), around(tp))
	const ofSQS = `{"faas.trigger":"pubsub","messaging.destination.name":"orders","messaging.message.id":"m-1",` +
		`"messaging.operation.name":"process","messaging.operation.type":"process","messaging.system":"aws_sqs"}`
	const ofKafka = `{"faas.trigger":"pubsub","messaging.destination.name":"orders","messaging.destination.partition.id":"3","messaging.kafka.offset":15,` +
		`"messaging.operation.name":"process","messaging.operation.type":"process","messaging.system":"kafka"}`
	for _, c := range []struct {
		name    string
		handler lambda.Handler
		event   object
		attrs   string
		link    string
	}{
		{name: "SQS without a context", handler: sqs, event: message(object{}, object{}), attrs: ofSQS},
		{
			name: "SQS with its own header", handler: sqs, attrs: ofSQS, link: traceparent,
			event: message(object{"AWSTraceHeader": xrayHeader}, object{"traceparent": text(otherParent)}),
		},
		{
			name: "SQS with a header as an SDK sends it", handler: sqs, attrs: ofSQS, link: traceparent,
			event: message(object{"AWSTraceHeader": xrayHeader + ";Lineage=a87bd80c:1%7C68fd508a:5"}, object{}),
		},
		{
			name: "SQS with a W3C header", handler: sqs, attrs: ofSQS, link: traceparent + " a=b",
			event: message(object{}, object{"traceparent": text(traceparent), "tracestate": text("a=b")}),
		},
		{
			name: "SQS with junk and a W3C header", handler: sqs, attrs: ofSQS, link: traceparent,
			event: message(object{"AWSTraceHeader": "Root=1-2-3"}, object{"traceparent": text(traceparent)}),
		},
		{
			name:    "Kinesis",
			handler: guard.Wrap(batch.Kinesis(batch.Chain(fine[events.KinesisEventRecord], otel.Records[events.KinesisEventRecord](tp))), around(tp)),
			event: object{"Records": []any{object{
				"eventID": "shardId-000000000006:7", "eventSource": "aws:kinesis", "eventSourceARN": "arn:aws:kinesis:eu-central-1:123456789012:stream/orders",
				"kinesis": object{"partitionKey": "secret", "sequenceNumber": "7", "data": []byte("secret"), "approximateArrivalTimestamp": 1584040590.39},
			}}},
			attrs: `{"aws.kinesis.stream_name":"orders","faas.trigger":"pubsub","messaging.destination.name":"orders",` +
				`"messaging.destination.partition.id":"shardId-000000000006","messaging.message.id":"7",` +
				`"messaging.operation.name":"process","messaging.operation.type":"process","messaging.system":"aws_kinesis"}`,
		},
		{
			name:    "DynamoDB",
			handler: guard.Wrap(batch.DynamoDB(batch.Chain(fine[events.DynamoDBEventRecord], otel.Records[events.DynamoDBEventRecord](tp))), around(tp)),
			event: object{"Records": []any{object{
				"eventID": "1", "eventName": "MODIFY", "eventSource": "aws:dynamodb",
				"eventSourceARN": "arn:aws:dynamodb:eu-central-1:123456789012:table/orders/stream/2026-11-01T00:00:00.000",
				"dynamodb":       object{"SequenceNumber": "9", "Keys": object{"id": object{"S": "secret"}}, "StreamViewType": "KEYS_ONLY"},
			}}},
			attrs: `{"aws.dynamodb.table_names":["orders"],"faas.document.collection":"orders","faas.document.operation":"edit","faas.trigger":"datasource"}`,
		},
		{name: "Kafka", handler: kafkas, event: kafka(), attrs: ofKafka},
		{
			name: "Kafka with two headers, of which the last counts", handler: kafkas, attrs: ofKafka, link: traceparent + " a=b",
			event: kafka(object{"traceparent": numbers(otherParent)}, object{"tracestate": numbers("a=b")}, object{"traceparent": numbers(traceparent)}),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			spans.Reset()
			if _, err := c.handler.Invoke(t.Context(), []byte(asJSON(t, c.event))); err != nil {
				t.Fatal(err)
			}
			got := spans.Ended()
			if len(got) != 2 || got[0].Name() != "process orders" || got[0].SpanKind() != trace.SpanKindConsumer {
				t.Fatalf("got %d spans, want the invocation's and the consumer's process orders", len(got))
			}
			record, invocation := got[0], got[1]
			if record.Parent().SpanID() != invocation.SpanContext().SpanID() || record.SpanContext().TraceID() != invocation.SpanContext().TraceID() {
				t.Errorf("got the parent %v, want the span of the invocation", record.Parent())
			}
			if attrs := asJSON(t, values(record.Attributes())); attrs != c.attrs {
				t.Errorf("got  %s\nwant %s", attrs, c.attrs)
			}
			link := ""
			for _, l := range record.Links() {
				sc := l.SpanContext
				link = strings.TrimSpace(fmt.Sprintf("%s00-%s-%s-%s %s", link, sc.TraceID(), sc.SpanID(), sc.TraceFlags(), sc.TraceState()))
			}
			if link != c.link {
				t.Errorf("got the links %q, want %q", link, c.link)
			}
		})
	}
}

func manyMessages(t testing.TB, n int, more func(i int, m map[string]any)) []byte {
	t.Helper()
	records := make([]any, n)
	for i := range records {
		m := map[string]any{
			"messageId": fmt.Sprint("m", i), "body": fmt.Sprint(i), "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:orders",
			"attributes": map[string]any{"AWSTraceHeader": xrayHeader},
		}
		if more != nil {
			more(i, m)
		}
		records[i] = m
	}
	return []byte(asJSON(t, map[string]any{"Records": records}))
}

func TestTheSpansOfABatchAreBounded(t *testing.T) {
	for _, c := range []struct {
		name string
		opts []otel.RecordsOption
		want int
	}{
		{name: "by default", want: 100},
		{name: "by the option", opts: []otel.RecordsOption{otel.MostRecords(7)}, want: 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			tp, spans := recorded(t)
			var ran atomic.Int64
			h := guard.Wrap(batch.SQS(batch.Chain(func(context.Context, events.SQSMessage) error {
				ran.Add(1)
				return nil
			}, otel.Records[events.SQSMessage](tp, c.opts...)), batch.Concurrency(8)), around(tp))
			for range 2 { // each batch is bounded by itself
				spans.Reset()
				ran.Store(0)
				if _, err := h.Invoke(t.Context(), manyMessages(t, 10_000, nil)); err != nil {
					t.Fatal(err)
				}
				got := but("invocation", spans.Ended())
				ids := map[any]bool{}
				for _, s := range got {
					ids[values(s.Attributes())["messaging.message.id"]] = true
				}
				if len(got) != c.want || len(ids) != c.want || !ids["m0"] || ran.Load() != 10_000 {
					t.Errorf("got %d spans of %d records, want those of the first %d of 10 000", len(got), ran.Load(), c.want)
				}
			}
		})
	}
}

// A record that fails has its code, one that panics ends its span, and one that is
// skipped has none.
func TestASpanSaysHowItsRecordFailed(t *testing.T) {
	tp, spans := recorded(t)
	fail := map[string]func() error{
		"0": func() error { return nil },
		"1": func() error { return guard.Errorf(guard.Invalid, "bad_order", "secret") },
		"2": func() error { return guard.Reason("secret") },
		"3": func() error { panic("secret") },
		"5": func() error { return context.DeadlineExceeded },
	}
	h := tracedSQS(tp, func(_ context.Context, m events.SQSMessage) error { return fail[m.Body]() })
	event := manyMessages(t, 6, func(i int, m map[string]any) {
		m["eventSourceARN"] = "arn:aws:sqs:eu-central-1:123456789012:orders.fifo"
		group := fmt.Sprint("g", i)
		if i == 4 {
			group = "g3" // follows the one that panics
		}
		m["attributes"] = map[string]any{"MessageGroupId": group}
	})
	if _, err := h.Invoke(t.Context(), event); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range but("invocation", spans.Ended()) {
		all := values(s.Attributes())
		got = append(got, fmt.Sprint(all["messaging.message.id"], " ", all["error.type"], " ", s.Status().Code, s.Status().Description))
		if strings.Contains(asJSON(t, all), "secret") || len(s.Events()) > 0 {
			t.Errorf("got %v with %d events, want nothing of the error", all, len(s.Events()))
		}
	}
	slices.Sort(got)
	want := []string{"m0 <nil> Unset", "m1 bad_order Error", "m2 internal Error", "m3 panic Error", "m5 timeout Error"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// badly is an error that panics when it is looked at.
type badly struct{}

func (*badly) Error() string { return "bad" }
func (*badly) Unwrap() error { panic("bad") }

func TestASpanEndsHoweverItsRecordDoes(t *testing.T) {
	tp, spans := recorded(t)
	traced := otel.Records[events.SQSMessage](tp)
	for _, c := range []struct {
		name string
		fn   func() error
	}{
		{name: "by an error that panics", fn: func() error { return &badly{} }},
		{name: "by runtime.Goexit", fn: func() error { runtime.Goexit(); return nil }},
	} {
		spans.Reset()
		done := make(chan bool)
		go func() {
			defer close(done)
			defer func() { _ = recover() }()
			_ = traced(func(context.Context, events.SQSMessage) error { return c.fn() })(t.Context(), events.SQSMessage{})
		}()
		<-done
		ended := spans.Ended()
		if len(ended) != 1 || values(ended[0].Attributes())["error.type"] != "panic" || ended[0].Status().Code != codes.Error {
			t.Errorf("%s: got %d spans, want one with the error panic", c.name, len(ended))
		}
	}
}

// What is logged for a record has the id of its span; past the bound, that of the
// invocation's.
func TestLogLinesHaveTheSpanOfTheirRecord(t *testing.T) {
	tp, spans := recorded(t)
	var out bytes.Buffer
	log := logging.New(&out)
	h := guard.Wrap(batch.SQS(batch.Chain(func(ctx context.Context, _ events.SQSMessage) error {
		log.InfoContext(ctx, "booked")
		return guard.Reason("x")
	}, otel.Records[events.SQSMessage](tp, otel.MostRecords(2)))), around(tp), guard.Default(log))
	if _, err := h.Invoke(t.Context(), manyMessages(t, 3, nil)); err != nil {
		t.Fatal(err)
	}
	spanOf := map[string]string{}
	for _, s := range spans.Ended() {
		id, _ := values(s.Attributes())["messaging.message.id"].(string)
		spanOf[id] = s.SpanContext().SpanID().String() // "" is the invocation's
	}
	spanOf["m2"] = spanOf[""]
	lines := 0
	for line := range strings.Lines(out.String()) {
		var r struct {
			Message, RecordID string
			SpanID            string `json:"span_id"`
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		lines++
		if want := spanOf[r.RecordID]; r.SpanID != want || want == "" {
			t.Errorf("got span_id %s for %q of %q, want %s", r.SpanID, r.Message, r.RecordID, want)
		}
	}
	if lines != 7 {
		t.Errorf("got %d lines, want two of each record and one of the invocation", lines)
	}
}

// A sender chooses neither the trace of a record nor whether it is sampled.
func TestASenderDoesNotDecideWhatIsSampled(t *testing.T) {
	spans := new(keptSpans)
	tp := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.NeverSample())), sdktrace.WithSyncer(spans))
	h := tracedSQS(tp, func(ctx context.Context, _ events.SQSMessage) error {
		if sc := trace.SpanContextFromContext(ctx); sc.IsSampled() || sc.TraceID().String() == senderTrace {
			t.Errorf("got %v, want a trace of the invocation's own, not sampled", sc)
		}
		return nil
	})
	if _, err := h.Invoke(t.Context(), manyMessages(t, 1, nil)); err != nil {
		t.Fatal(err)
	}
	if spans.n.Load() != 0 {
		t.Errorf("got %d spans, want none", spans.n.Load())
	}
}

type keptSpans struct{ n atomic.Int64 }

func (k *keptSpans) ExportSpans(_ context.Context, s []sdktrace.ReadOnlySpan) error {
	k.n.Add(int64(len(s)))
	return nil
}
func (k *keptSpans) Shutdown(context.Context) error { return nil }

func TestMisconfiguredRecordsPanic(t *testing.T) {
	for name, build := range map[string]func(){
		"no provider":    func() { otel.Records[events.SQSMessage](nil) },
		"no records":     func() { otel.MostRecords(0) },
		"no config":      func() { otel.Instrument(nil, noop.NewTracerProvider()) },
		"nothing traced": func() { otel.Instrument(new(aws.Config), nil) },
	} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "otel: ") {
					t.Errorf("%s: got %q, want a panic of the package", name, text)
				}
			}()
			build()
		}()
	}
}
