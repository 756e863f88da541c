package batch_test

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
)

// notification is a message of SNS as it reaches a queue.
func notification(message string) string {
	text, _ := json.Marshal(map[string]any{
		"Type": "Notification", "MessageId": "n-1", "TopicArn": "arn:aws:sns:us-east-1:123456789012:loyalty", "Subject": "points",
		"Message": message, "Timestamp": "2026-03-01T10:00:00.123Z", "Signature": "x", "MessageAttributes": map[string]any{},
	})
	return string(text)
}

// The attributes of a message of SNS that are texts are with its envelope.
func TestTheAttributesOfANotification(t *testing.T) {
	for _, tc := range []struct{ rule, attributes, want string }{
		{rule: "texts", attributes: `{"kind":{"Type":"String","Value":"placed"},"n":{"Type":"Number","Value":"7"},"b":{"Type":"Binary","Value":"eA=="}}`, want: "map[kind:placed]"},
		{rule: "none", attributes: `{}`, want: "map[]"},
		{rule: "null", attributes: `null`, want: "map[]"},
		{rule: "no object", attributes: `[7]`, want: "map[]"},
		{rule: "names in another case, which SNS has none of", attributes: `{"kind":{"Type":"String","Value":"placed","value":"paid"},"b":{"Type":"Binary","type":"String","Value":"eA=="}}`, want: "map[kind:placed]"},
		{rule: "one that is no attribute", attributes: `{"kind":{"Type":"String","Value":"placed"},"n":7,"b":null,"l":[1]}`, want: "map[kind:placed]"},
		{rule: "a value that is no text", attributes: `{"kind":{"Type":"String","Value":{"a":1}}}`, want: "map[]"},
	} {
		got := ""
		h := batch.SQS(batch.Chain(func(ctx context.Context, _ events.SQSMessage) error {
			info, _ := batch.RecordFrom(ctx)
			got = fmt.Sprint(info.Envelopes[0].Attributes)
			return nil
		}, batch.Unwrap))
		body := strings.Replace(notification("x"), `"MessageAttributes":{}`, `"MessageAttributes":`+tc.attributes, 1)
		if failed := invoke(t, h, bodies(body)); failed != "none" || got != tc.want {
			t.Errorf("%s: got %s and the failures %s, want %s", tc.rule, got, failed, tc.want)
		}
	}
}

func TestTheDocumentInsideAMessage(t *testing.T) {
	const order = `{"customer":"c-42"}`
	event := sample.Of(guard.EventBridge).Set("/detail", map[string]any{"customer": "c-42"}).Set("/source", "shop").Set("/detail-type", "placed").Set("/id", "e-1")
	test := `{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2026-03-01T10:00:00.000Z","Bucket":"b","RequestId":"r","HostId":"h"}`
	sns := "sns n-1 arn:aws:sns:us-east-1:123456789012:loyalty points"
	s3 := sample.Of(guard.S3)
	for _, tc := range []struct {
		what, body string
		want       string // the body that next gets; "" if it is not called
		envelopes  []string
	}{
		{what: "no envelope", body: order, want: order},
		{what: "no JSON", body: "order 7", want: "order 7"},
		{what: "an ambiguous document", body: `{"Type":"Notification","Type":"x"}`, want: `{"Type":"Notification","Type":"x"}`},
		{what: "an array", body: `[1]`, want: `[1]`},
		{what: "null", body: `null`, want: `null`},
		{what: "a member in another case", body: `{"type":"Notification","topicArn":"a","message":"b"}`, want: `{"type":"Notification","topicArn":"a","message":"b"}`},
		{what: "SNS", body: notification(order), want: order, envelopes: []string{sns}},
		{what: "text by SNS", body: notification("hello"), want: "hello", envelopes: []string{sns}},
		{what: "EventBridge", body: event.String(), want: order, envelopes: []string{"eventbridge e-1 shop placed"}},
		{what: "EventBridge by SNS", body: notification(event.String()), want: order, envelopes: []string{sns, "eventbridge e-1 shop placed"}},
		{what: "S3", body: s3.String(), want: s3.String(), envelopes: []string{fmt.Sprintf("s3  %v %v", s3.Get("/Records/0/s3/bucket/arn"), s3.Get("/Records/0/eventName"))}},
		{what: "the test of S3", body: test},
		{what: "the test of S3 by SNS", body: notification(test)},
		{what: "records of another service", body: `{"Records":[{"eventSource":"aws:sqs"}]}`, want: `{"Records":[{"eventSource":"aws:sqs"}]}`},
		{what: "no records", body: `{"Records":[]}`, want: `{"Records":[]}`},
		{
			what: "more envelopes than there can be", body: notification(notification(notification(notification(notification("x"))))),
			want: notification("x"), envelopes: []string{sns, sns, sns, sns},
		},
	} {
		t.Run(tc.what, func(t *testing.T) {
			got := ""
			h := batch.SQS(batch.Chain(func(ctx context.Context, m events.SQSMessage) error {
				got = m.Body
				info, _ := batch.RecordFrom(ctx)
				var envelopes []string
				for _, e := range info.Envelopes {
					envelopes = append(envelopes, fmt.Sprintf("%s %s %s %s", e.Service, e.ID, e.Source, e.Type))
					if e.Time.Before(time.Unix(0, 0)) {
						t.Errorf("got no time in %+v", e)
					}
				}
				if info.ID != m.MessageId || fmt.Sprint(envelopes) != fmt.Sprint(tc.envelopes) {
					t.Errorf("got %q of %s, want %q", envelopes, info.ID, tc.envelopes)
				}
				return nil
			}, batch.Unwrap))
			if failed := invoke(t, h, bodies(tc.body)); failed != "none" || got != tc.want {
				t.Errorf("got %s and the failures %s, want %s", got, failed, tc.want)
			}
		})
	}
}

// A time that is none leaves the rest of the envelope as it is.
func TestAnEnvelopeMayHaveNoTime(t *testing.T) {
	event := sample.Of(guard.EventBridge).Set("/time", "yesterday")
	for service, body := range map[string]string{
		"sns":         strings.Replace(notification("x"), "2026-03-01T10:00:00.123Z", "yesterday", 1),
		"eventbridge": event.String(),
		"s3":          sample.Of(guard.S3).Set("/Records/0/eventTime", "yesterday").String(),
	} {
		var got []batch.Envelope
		h := batch.SQS(batch.Chain(func(ctx context.Context, _ events.SQSMessage) error {
			info, _ := batch.RecordFrom(ctx)
			got = info.Envelopes
			return nil
		}, batch.Unwrap))
		if failed := invoke(t, h, bodies(body)); failed != "none" || len(got) != 1 || got[0].Service != service || got[0].Source == "" || !got[0].Time.IsZero() {
			t.Errorf("%s: got %+v and the failures %s, want one envelope with a zero time", service, got, failed)
		}
	}
}

// A topic of another account asks the queue to confirm, by a message that is no
// document.
func TestAConfirmationIsNoDocument(t *testing.T) {
	confirmation := func(of string) string {
		return `{"Type":"` + of + `","MessageId":"n-1","Token":"2336","TopicArn":"arn:aws:sns:us-east-1:123456789012:loyalty",` +
			`"Message":"You have chosen to subscribe.","SubscribeURL":"https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription","Timestamp":"2026-03-01T10:00:00.123Z"}`
	}
	for _, of := range []string{"SubscriptionConfirmation", "UnsubscribeConfirmation"} {
		s, called := &sink{}, false
		h := batch.SQS(batch.Chain(func(context.Context, events.SQSMessage) error { called = true; return nil }, batch.Unwrap), batch.DeadLetters(s))
		if got := invoke(t, h, bodies(confirmation(of))); got != "none" || s.ids() != "m0:sns_confirmation" || called {
			t.Errorf("%s: got the failures %s, the letters %q, called: %t; want a letter", of, got, s.ids(), called)
		}
	}
}

// The list that an S3 notification has takes memory for its first member alone.
func TestALongListTakesNoMemory(t *testing.T) {
	for _, member := range []string{"{}", "0", `{"eventSource":"aws:s3"}`} {
		body := `{"Records":[` + strings.Repeat(member+",", 900_000/(len(member)+1)) + member + `]}`
		var took uint64
		h := batch.SQS(func(ctx context.Context, m events.SQSMessage) error {
			run := batch.Unwrap(func(context.Context, events.SQSMessage) error { return nil })
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := run(ctx, m)
			runtime.ReadMemStats(&after)
			took = after.TotalAlloc - before.TotalAlloc
			return err
		})
		if got := invoke(t, h, bodies(body)); got != "none" || took > 8*uint64(len(body)) {
			t.Errorf("members %s: got the failures %s and %d MiB for %d kB, want none and at most 8 times the body", member, got, took>>20, len(body)/1000)
		}
	}
}

func TestTheDocumentOfARecordIsDecodedStrictly(t *testing.T) {
	type order struct {
		Customer string `json:"customer"`
	}
	var got []string
	book := func(_ context.Context, o order) error {
		got = append(got, o.Customer)
		return nil
	}
	s := &sink{}
	h := batch.SQS(batch.JSON[events.SQSMessage](book), batch.DeadLetters(s))
	if failed := invoke(t, h, bodies(`{"customer":"a"}`, `{"customer":"b","CUSTOMER":"c"}`, `{"customer":1}`, `{"customer":"d"} {}`, `{"customer":"e","x":1}`)); failed != "none" {
		t.Errorf("got the failures %s, want none", failed)
	}
	if want := "m1:case_variant_member m2:wrong_type m3:trailing_data"; fmt.Sprint(got) != "[a e]" || s.ids() != want {
		t.Errorf("handled %v, buried %s; want a, e and %s", got, s.ids(), want)
	}
	strict := batch.SQS(batch.JSON[events.SQSMessage](book, guard.RejectUnknownMembers()))
	if failed := invoke(t, strict, bodies(`{"customer":"e","x":1}`)); failed != "m0" {
		t.Errorf("got the failures %s, want m0 for its unknown member", failed)
	}

	got = nil
	if failed := invoke(t, batch.Kinesis(batch.JSON[events.KinesisEventRecord](book)), kinesis(`k={"customer":"f"}`, "k={")); failed != "2" || fmt.Sprint(got) != "[f]" {
		t.Errorf("handled %v, failures %s; want f and 2", got, failed)
	}
	got = nil
	kafka := sample.Of(guard.Kafka).Messages(`{"customer":"g"}`)
	if failed := invoke(t, batch.Kafka(batch.JSON[events.KafkaRecord](book)), kafka.Bytes()); failed != "none" || fmt.Sprint(got) != "[g]" {
		t.Errorf("handled %v, failures %s; want g", got, failed)
	}
	if failed := invoke(t, batch.Kafka(batch.JSON[events.KafkaRecord](book)), kafka.Set("/records/orders-0/0/value", "%").Bytes()); failed == "none" {
		t.Error("a value that is not base64 was handled")
	}
}
