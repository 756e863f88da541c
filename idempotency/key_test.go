package idempotency_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

func find(key idempotency.KeyFunc, event []byte) (string, error) {
	return key(context.Background(), guard.EventOf(context.Background(), event))
}

func TestPayloadIsWhatARequestSays(t *testing.T) {
	key := func(event []byte) string {
		t.Helper()
		k, err := find(idempotency.Payload(), event)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	sqs := func(body, attributes, receipt string) []byte {
		return fmt.Appendf(nil, `{"Records":[{"messageId":"m","receiptHandle":%q,"body":%q,"attributes":{"ApproximateReceiveCount":%[1]q},`+
			`"messageAttributes":%[3]s,"eventSource":"aws:sqs"}]}`, receipt, body, attributes)
	}
	for name, pair := range map[string][2][]byte{
		"HTTP, sent again":       {request{body: `{"a":1,"b":2}`}.event(), request{body: `{"b":2.0,"a":1}`}.event()},
		"a message, redelivered": {sqs(`{"a":1}`, `{}`, "1"), sqs(`{"a":1}`, `{}`, "2")},
		"an event":               {[]byte(`{"b":1,"a":2}`), []byte(` {"a":2, "b":1} `)},
		"not JSON":               {request{body: `x`}.event(), request{body: `x`}.event()},
	} {
		if a, b := key(pair[0]), key(pair[1]); a != b {
			t.Errorf("%s is another request", name)
		}
	}
	seen := make(map[string]string)
	for name, event := range map[string][]byte{
		"a":          request{body: `{"a":1}`}.event(),
		"b":          request{body: `{"a":2}`}.event(),
		"path":       request{body: `{"a":1}`, path: "/x"}.event(),
		"query":      request{body: `{"a":1}`, query: "q"}.event(),
		"put":        request{body: `{"a":1}`, method: "PUT"}.event(),
		"moved":      request{body: `{"a":1}`, path: "/", query: "ordersq"}.event(),
		"text":       request{body: `{"a":1`}.event(),
		"message":    sqs(`{"a":1}`, `{}`, "1"),
		"attributes": sqs(`{"a":1}`, `{"t":{"stringValue":"x"}}`, "1"),
		"event":      []byte(`{"a":1}`),
		"string":     []byte(`"a"`),
	} {
		k := key(event)
		if other, ok := seen[k]; ok {
			t.Errorf("%s is %s", name, other)
		}
		seen[k] = name
	}
	for _, event := range [][]byte{request{empty: true}.event(), []byte("{}"), []byte(" null "), []byte("[]"), {}, []byte(`""`), request{body: " {} "}.event(), []byte(`{"Records":[{"eventSource":"aws:sqs"}],"x":1}`)[:0]} {
		if k, err := find(idempotency.Payload(), event); !errors.Is(err, idempotency.ErrNoKey) {
			t.Errorf("%s has key %s (%v)", event, k, err)
		}
	}
}
