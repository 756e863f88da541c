package otel_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/otel"
)

// textAttribute is an attribute of a message as SQS delivers it.
func textAttribute(value string) events.SQSMessageAttribute {
	return events.SQSMessageAttribute{DataType: "String", StringValue: &value}
}

func sqsMessage(header, parent, state string) events.SQSMessage {
	return events.SQSMessage{
		MessageId: "m", EventSourceARN: "arn:aws:sqs:eu-central-1:123456789012:orders", Attributes: map[string]string{"AWSTraceHeader": header},
		MessageAttributes: map[string]events.SQSMessageAttribute{"traceparent": textAttribute(parent), "tracestate": textAttribute(state)},
	}
}

func kafkaRecord(headers ...map[string]events.JSONNumberBytes) events.KafkaRecord {
	return events.KafkaRecord{Topic: "orders", Value: "eA==", Headers: headers}
}

// spanOfRecord returns the span of one record.
func spanOfRecord[R batch.Record](t testing.TB, record R) sdktrace.ReadOnlySpan {
	t.Helper()
	tp, spans := recorded(t)
	return spanBy(t, otel.Records[R](tp), spans, record)
}

func spanBy[R batch.Record](t testing.TB, layer batch.Layer[R], spans *tracetest.SpanRecorder, record R) sdktrace.ReadOnlySpan {
	t.Helper()
	spans.Reset()
	if err := layer(fine[R])(context.Background(), record); err != nil {
		t.Fatal(err)
	}
	if len(spans.Ended()) != 1 {
		t.Fatalf("got %d spans, want one", len(spans.Ended()))
	}
	return spans.Ended()[0]
}

// Junk where a context of the sender would be is no link, and nothing of it is in the
// span.
func TestJunkInAContextIsNoLink(t *testing.T) {
	long := strings.Repeat("x", 10<<10)
	clean := asJSON(t, values(spanOfRecord(t, sqsMessage("", "", "")).Attributes()))
	for name, junk := range map[string]string{
		"10 kB":                 long,
		"10 kB after a valid":   xrayHeader + ";Self=" + long,
		"10 kB before a valid":  strings.Repeat(";", 10<<10) + xrayHeader,
		"not ASCII":             "Root=1-ä759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8",
		"not UTF-8":             "Root=1-\xff\xfe",
		"zeros":                 "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=1",
		"no field alone":        "Root=1-5759e988;Parent=53995c3f42cd8ad8;Root=1-00000000-000000000000000000000000",
		"a nested header":       "Root=Root=1-5759e988-bd862e3fe1be46a994272793",
		"lines":                 "Root=1-5759e988-bd862e3fe1be46a994272793\r\nSet-Cookie: a=b",
		"a W3C header":          traceparent + long,
		"zeros of W3C":          "00-00000000000000000000000000000000-0000000000000000-01",
		"an invalid version":    "ff-" + senderTrace + "-" + senderSpan + "-01",
		"upper case":            strings.ToUpper(traceparent),
		"more than one of them": traceparent + "," + traceparent,
		"NUL":                   "\x00",
	} {
		for where, span := range map[string]sdktrace.ReadOnlySpan{
			"SQS":   spanOfRecord(t, sqsMessage(junk, junk, junk)),
			"Kafka": spanOfRecord(t, kafkaRecord(map[string]events.JSONNumberBytes{"traceparent": []byte(junk), "tracestate": []byte(junk)}, nil)),
		} {
			if len(span.Links()) != 0 {
				t.Errorf("%s in %s: got the links %v, want none", name, where, span.Links())
			}
			if got := asJSON(t, values(span.Attributes())); where == "SQS" && got != clean {
				t.Errorf("%s in %s: got %s, want %s", name, where, got, clean)
			}
		}
	}
}

func TestAnAttributeThatIsNoTextIsNoLink(t *testing.T) {
	m := sqsMessage("", "", "")
	m.MessageAttributes["traceparent"] = events.SQSMessageAttribute{DataType: "Binary", BinaryValue: []byte(traceparent)}
	if span := spanOfRecord(t, m); len(span.Links()) != 0 {
		t.Errorf("got the links %v, want none", span.Links())
	}
}

// A notification of SNS has the attributes of its publisher, for Records inside Unwrap.
func TestANotificationIsLinkedToItsPublisher(t *testing.T) {
	const open, end = `{"Type":"Notification","TopicArn":"arn:aws:sns:x:1:placed","Message":"{}","MessageAttributes":{"traceparent":`, `}}`
	for _, c := range []struct {
		name, attribute string
		links           int
	}{
		{name: "a text", attribute: `{"Type":"String","Value":"` + traceparent + `"}`, links: 1},
		{name: "a binary", attribute: `{"Type":"Binary","Value":"` + traceparent + `"}`},
		{name: "junk", attribute: `{"Type":"String","Value":"` + strings.Repeat("x", 10<<10) + `"}`},
		{name: "another type", attribute: `[1]`},
	} {
		tp, spans := recorded(t)
		h := guard.Wrap(batch.SQS(batch.Chain(fine[events.SQSMessage], batch.Unwrap, otel.Records[events.SQSMessage](tp))))
		event := manyMessages(t, 1, func(_ int, m map[string]any) { m["body"], m["attributes"] = open+c.attribute+end, map[string]any{} })
		if _, err := h.Invoke(t.Context(), event); err != nil {
			t.Fatal(err)
		}
		if links := spans.Ended()[0].Links(); len(links) != c.links || c.links == 1 && links[0].SpanContext.SpanID().String() != senderSpan {
			t.Errorf("%s: got the links %v, want %d", c.name, links, c.links)
		}
	}
}

// A tracestate that is junk is left out, and the traceparent counts.
func TestJunkInATracestateIsLeftOut(t *testing.T) {
	for name, state := range map[string]string{
		"10 kB": "a=" + strings.Repeat("x", 10<<10), "not ASCII": "a=ä", "no value": "a", "the same twice": "a=1,a=2", "NUL": "a=\x00",
	} {
		links := spanOfRecord(t, sqsMessage("", traceparent, state)).Links()
		if len(links) != 1 || links[0].SpanContext.TraceState().Len() != 0 || links[0].SpanContext.SpanID().String() != senderSpan {
			t.Errorf("%s: got the links %v, want one without a state", name, links)
		}
	}
}

// What an event says of its source is bounded too, and valid as an exporter wants it.
func TestTheTextsOfASpanAreBounded(t *testing.T) {
	long := strings.Repeat("ä", 10<<10)
	m := sqsMessage("", "", "")
	m.MessageId, m.EventSourceARN = long, "arn:aws:sqs:x:1:"+long
	k := kafkaRecord()
	k.Topic = long + "\xff"
	for _, span := range []sdktrace.ReadOnlySpan{spanOfRecord(t, m), spanOfRecord(t, k)} {
		if text := asJSON(t, values(span.Attributes())); len(text) > 4<<10 || len(span.Name()) > 2<<10 || strings.Contains(text, "\\ufffd") {
			t.Errorf("got %d bytes of attributes and a name of %d, want at most 4 kB and 2 kB of valid texts", len(text), len(span.Name()))
		}
	}
}

// Who forges an event fills neither an id nor a name with a text.
func TestAForgedEventFillsNoSpan(t *testing.T) {
	const forged = "secret text"
	m := sqsMessage("", "", "")
	m.MessageId, m.EventSourceARN = forged, "arn:aws:sqs:eu-central-1:123456789012:"+forged
	k := kafkaRecord()
	k.Topic = forged
	spans := map[string]sdktrace.ReadOnlySpan{"SQS": spanOfRecord(t, m), "Kafka": spanOfRecord(t, k)}

	tp, ended := recorded(t)
	h := guard.Wrap(batch.Kinesis(batch.Chain(fine[events.KinesisEventRecord], otel.Records[events.KinesisEventRecord](tp))))
	event := sample.Of(guard.Kinesis).Set("/Records/0/eventID", forged+":1").Set("/Records/0/kinesis/sequenceNumber", forged)
	if _, err := h.Invoke(t.Context(), event.Bytes()); err != nil {
		t.Fatal(err)
	}
	spans["Kinesis"] = ended.Ended()[0]
	for source, span := range spans {
		if text := span.Name() + asJSON(t, values(span.Attributes())); strings.Contains(text, "secret") {
			t.Errorf("%s: got %s, want nothing of the event", source, text)
		}
	}
}

func FuzzTheContextOfARecord(f *testing.F) {
	f.Add(xrayHeader, traceparent, "a=b")
	f.Add(xrayHeader+";Lineage=a87bd80c:1|68fd508a:5", "", "")
	f.Add("Root=1-\xff;Parent=", "00-\x00-", "a=,=b,,")
	f.Add("Sampled=?;Self=1;Root=1-5759e988-bd862e3fe1be46a994272793", strings.ToUpper(traceparent), strings.Repeat("a=b,", 200))
	tp, spans := recorded(f)
	sqs, kafka := otel.Records[events.SQSMessage](tp), otel.Records[events.KafkaRecord](tp)
	clean := map[string]string{
		"SQS":   asJSON(f, values(spanBy(f, sqs, spans, sqsMessage("", "", "")).Attributes())),
		"Kafka": asJSON(f, values(spanBy(f, kafka, spans, kafkaRecord()).Attributes())),
	}
	f.Fuzz(func(t *testing.T, header, parent, state string) {
		for where, span := range map[string]sdktrace.ReadOnlySpan{
			"SQS":   spanBy(t, sqs, spans, sqsMessage(header, parent, state)),
			"Kafka": spanBy(t, kafka, spans, kafkaRecord(map[string]events.JSONNumberBytes{"traceparent": []byte(parent)}, map[string]events.JSONNumberBytes{"tracestate": []byte(state)})),
		} {
			if got := asJSON(t, values(span.Attributes())); got != clean[where] || span.Status().Description != "" || len(span.Events()) != 0 {
				t.Errorf("%s: got %s, want %s and no more", where, got, clean[where])
			}
			links := span.Links()
			if len(links) > 1 || len(links) == 1 && len(links[0].Attributes) > 0 {
				t.Fatalf("%s: got the links %v, want one at most", where, links)
			}
			if len(links) == 0 {
				continue
			}
			sc := links[0].SpanContext
			id := sc.TraceID().String()
			if all := header + parent; !sc.IsValid() || len(sc.TraceState().String()) > 512 ||
				!strings.Contains(all, sc.SpanID().String()) || !strings.Contains(all, id) && !strings.Contains(all, id[:8]+"-"+id[8:]) {
				t.Errorf("%s: got the link %v of %q, %q and %q", where, sc, header, parent, state)
			}
			if span.SpanContext().TraceID() == sc.TraceID() {
				t.Errorf("%s: got the trace of the sender", where)
			}
		}
	})
}
