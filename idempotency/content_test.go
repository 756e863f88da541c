package idempotency_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// published are events that a producer sends twice, as what differs from one
// publication to the next has it: %[1]d is another number in each. What is said
// is %[2]s.
var published = map[string]string{
	"EventBridge": `{"version":"0","id":"id-%[1]d","detail-type":"OrderPlaced","source":"shop","account":"123456789012","time":"2026-01-01T00:00:%02[1]dZ",
		"region":"eu-central-1","resources":[],"detail":{"orderId":"o-1","total":%[2]s}}`,
	"EventBridge, from an archive": `{"version":"0","id":"id-%[1]d","detail-type":"OrderPlaced","source":"shop","replay-name":"r-%[1]d","time":"t-%[1]d","resources":[],"detail":{"total":%[2]s}}`,
	"SNS": `{"Records":[{"EventSource":"aws:sns","EventVersion":"1.0","EventSubscriptionArn":"s","Sns":{"Type":"Notification","MessageId":"m-%[1]d","TopicArn":"t",
		"Subject":null,"Message":"{\"total\":%[2]s}","Timestamp":"t-%[1]d","SignatureVersion":"1","Signature":"s-%[1]d","SigningCertUrl":"c-%[1]d","UnsubscribeUrl":"u-%[1]d",
		"MessageAttributes":{"type":{"Type":"String","Value":"order.placed"}}}}]}`,
	"SQS": `{"Records":[{"messageId":"m-%[1]d","receiptHandle":"r-%[1]d","body":"{\"total\":%[2]s}","attributes":{"SentTimestamp":"%[1]d"},"messageAttributes":{},"eventSource":"aws:sqs"}]}`,
	"SNS in SQS": `{"Records":[{"messageId":"m-%[1]d","receiptHandle":"r-%[1]d","body":"{\"Type\":\"Notification\",\"MessageId\":\"m-%[1]d\",\"TopicArn\":\"t\",` +
		`\"Message\":\"{\\\"total\\\":%[2]s}\",\"Timestamp\":\"t-%[1]d\",\"SignatureVersion\":\"1\",\"Signature\":\"s-%[1]d\",\"SigningCertURL\":\"c-%[1]d\",\"UnsubscribeURL\":\"u-%[1]d\"}","eventSource":"aws:sqs"}]}`,
	"EventBridge in SQS": `{"Records":[{"messageId":"m-%[1]d","body":"{\"version\":\"0\",\"id\":\"id-%[1]d\",\"detail-type\":\"d\",\"source\":\"shop\",\"time\":\"t-%[1]d\",` +
		`\"resources\":[],\"detail\":{\"total\":%[2]s}}","eventSource":"aws:sqs"}]}`,
	"EventBridge in SNS": `{"Records":[{"EventSource":"aws:sns","Sns":{"MessageId":"m-%[1]d","TopicArn":"t","Message":"{\"id\":\"id-%[1]d\",\"detail-type\":\"d\",\"source\":\"shop\",` +
		`\"time\":\"t-%[1]d\",\"detail\":{\"total\":%[2]s}}","Timestamp":"t-%[1]d"}}]}`,
	"Kinesis": `{"Records":[{"kinesis":{"kinesisSchemaVersion":"1.0","partitionKey":"p-%[1]d","sequenceNumber":"%[1]d","data":"%[3]s","approximateArrivalTimestamp":%[1]d.5},
		"eventSource":"aws:kinesis","eventVersion":"1.0","eventID":"shard:%[1]d","eventName":"aws:kinesis:record"}]}`,
	"DynamoDB": `{"Records":[{"eventID":"e-%[1]d","eventName":"INSERT","eventSource":"aws:dynamodb","dynamodb":{"ApproximateCreationDateTime":%[1]d,"Keys":{"id":{"S":"o-1"}},
		"NewImage":{"total":{"N":"%[2]s"}},"SequenceNumber":"%[1]d","SizeBytes":%[1]d,"StreamViewType":"NEW_IMAGE"}}]}`,
	"Kafka": `{"eventSource":"aws:kafka","records":{"orders-%[1]d":[{"topic":"orders","partition":%[1]d,"offset":%[1]d,"timestamp":%[1]d,"timestampType":"CREATE_TIME","key":"aw==",
		"value":"%[3]s","headers":[]}]}}`,
	"ActiveMQ": `{"eventSource":"aws:mq","messages":[{"messageID":"ID:%[1]d","messageType":"jms/text-message","timestamp":%[1]d,"redelivered":%[4]t,"brokerInTime":%[1]d,"brokerOutTime":%[1]d,
		"destination":{"physicalName":"orders"},"data":"%[3]s"}]}`,
	"RabbitMQ": `{"eventSource":"aws:rmq","rmqMessagesByQueue":{"orders::/":[{"basicProperties":{"contentType":"application/json","messageId":"m-%[1]d","timestamp":"t-%[1]d"},
		"redelivered":%[4]t,"data":"%[3]s"}]}}`,
}

// publish fills a template in.
func publish(template string, n int, total string) []byte {
	data := base64.StdEncoding.EncodeToString([]byte(`{"total":` + total + `}`))
	text := fmt.Sprintf(template, n, total, data, n%2 == 0)
	text, _, _ = strings.Cut(text, "%!(EXTRA")
	return []byte(text)
}

// A business key on an envelope: the producer publishes again, with a new id and
// time, and means the same.
func TestWhatIsPublishedAgainIsARepeat(t *testing.T) {
	for name, template := range published {
		t.Run(name, func(t *testing.T) {
			f := answering(`"done"`)
			key := func(context.Context, *guard.Event) (string, error) { return "o-1", nil }
			h := guard.Wrap(f, idempotency.Once(idempotency.NewMemoryStore(), key))
			for n := range 3 {
				if _, err := h.Invoke(t.Context(), publish(template, n, "7")); err != nil {
					t.Errorf("publication %d: %v\n%s", n, err, publish(template, n, "7"))
				}
			}
			f.mustHaveRun(t, 1)
			_, err := h.Invoke(t.Context(), publish(template, 1, "8"))
			mustBe(t, "another content", err, guard.Unprocessable, "idempotency_key_reused")
		})
	}
}

// What an event says beside its content tells it from another.
func TestWhatIsPublishedElsewhereIsAnother(t *testing.T) {
	for name, c := range map[string]struct{ event, old, new string }{
		"another type":            {event: "EventBridge", old: "OrderPlaced", new: "OrderPaid"},
		"another source":          {event: "EventBridge", old: `"shop"`, new: `"shop2"`},
		"another resource":        {event: "EventBridge", old: `"resources":[]`, new: `"resources":["arn"]`},
		"a member that is no id":  {event: "EventBridge", old: `"region"`, new: `"more":1,"region"`},
		"another topic":           {event: "SNS", old: `"TopicArn":"t"`, new: `"TopicArn":"t2"`},
		"another subject":         {event: "SNS", old: `"Subject":null`, new: `"Subject":"s"`},
		"another attribute":       {event: "SNS", old: `order.placed`, new: `order.paid`},
		"a body with ids":         {event: "SQS", old: `{\"total\"`, new: `{\"MessageId\":\"m\",\"total\"`},
		"another event of a row":  {event: "DynamoDB", old: "INSERT", new: "MODIFY"},
		"another row":             {event: "DynamoDB", old: "o-1", new: "o-2"},
		"another key":             {event: "Kafka", old: "aw==", new: "bA=="},
		"another header":          {event: "Kafka", old: `"headers":[]`, new: `"headers":[{"a":[1]}]`},
		"another queue":           {event: "ActiveMQ", old: `"orders"`, new: `"orders2"`},
		"another queue of Rabbit": {event: "RabbitMQ", old: `orders::/`, new: `orders2::/`},
	} {
		t.Run(name, func(t *testing.T) {
			h := guard.Wrap(answering(`"done"`), idempotency.Once(idempotency.NewMemoryStore(), func(context.Context, *guard.Event) (string, error) { return "k", nil }))
			event := publish(published[c.event], 1, "7")
			if _, err := h.Invoke(t.Context(), event); err != nil {
				t.Fatal(err)
			}
			other := strings.Replace(string(event), c.old, c.new, 1)
			if other == string(event) {
				t.Fatalf("%s does not have %s", event, c.old)
			}
			_, err := h.Invoke(t.Context(), []byte(other))
			mustBe(t, other, err, guard.Unprocessable, "idempotency_key_reused")
		})
	}
}

// A change of a row comes back when it is made again, and then is another one:
// nobody has published it twice.
func TestPayloadOfAStreamTellsChangesApart(t *testing.T) {
	key := func(event []byte) string {
		t.Helper()
		k, err := find(idempotency.Payload(), event)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	change := func(n int) []byte { return publish(published["DynamoDB"], n, "7") }
	first, again, other := key(change(1)), key(change(1)), key(change(2))
	if first != again {
		t.Error("a change that is delivered again has another key")
	}
	if first == other {
		t.Error("two changes have one key")
	}
	if template := published["SNS"]; key(publish(template, 1, "7")) != key(publish(template, 2, "7")) {
		t.Error("what is published again has another key")
	}
}

// Two runs of a schedule would be one.
func TestAScheduledEventHasNoPayload(t *testing.T) {
	if k, err := find(idempotency.Payload(), sample.Of("eventbridge/scheduled").Bytes()); !errors.Is(err, idempotency.ErrNoKey) {
		t.Errorf("got key %s and error %v, want ErrNoKey", k, err)
	}
}

// A number without a canonical form takes the event as it is.
func TestEventsWithoutACanonicalFormDiffer(t *testing.T) {
	event := func(detail string) []byte {
		return []byte(`{"id":"i","detail-type":"d","source":"s","time":"t","detail":{"n":1e9999999999,"of":"` + detail + `"}}`)
	}
	a, errA := find(idempotency.Payload(), event("a"))
	b, errB := find(idempotency.Payload(), event("b"))
	if errA != nil || errB != nil || a == b {
		t.Errorf("got keys %s and %s, errors %v and %v; want two keys", a, b, errA, errB)
	}
}
