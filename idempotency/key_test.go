package idempotency_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

func find(key idempotency.KeyFunc, event []byte) (string, error) {
	return key(context.Background(), guard.EventOf(context.Background(), event))
}

// Two users whose requests lack what the key is made of must not have one key:
// the second would get the answer of the first.
func TestRule03AKeyWithAMissingPartIsAnError(t *testing.T) {
	key := idempotency.JMESPath("[body.user, body.order]")
	for _, body := range []string{
		`{}`, `{"user":"u1"}`, `{"order":"o1"}`, `{"user":null,"order":"o1"}`, `{"user":"u1","order":null}`,
		`{"user":"","order":"o1"}`, `{"user":[],"order":"o1"}`, `{"user":{"id":null},"order":"o1"}`, `{"user":["a",null],"order":"o1"}`,
		`{"USER":"u1","ORDER":"o1"}`, `null`, `[]`, `"user"`, `not JSON`,
	} {
		got, err := find(key, request{body: body}.event())
		if !errors.Is(err, idempotency.ErrNoKey) || guard.KindOf(err) != guard.Invalid {
			t.Errorf("%s has key %q, error %v", body, got, err)
		}
	}
	f := new(function)
	h := guard.Wrap(f, idempotency.Once(idempotency.NewMemoryStore(), key))
	for range 2 {
		mustRefuse(t, h, request{body: `{"amount":1}`}, guard.Invalid, "idempotency_key_missing")
	}
	f.mustHaveRun(t, 0)
}

func TestRule03AnExpressionThatFindsAKeyInNothingPanics(t *testing.T) {
	for _, expr := range []string{
		"'constant'", "body.user || 'none'", "[body.user || 'a', body.order || 'b']", "to_string(body.user)",
		"join('-', [to_string(body.user), to_string(body.order)])", "`1`", "length(@)", "a..b", "",
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s does not panic", expr)
				}
			}()
			idempotency.JMESPath(expr)
		}()
	}
}

// What an expression cannot be evaluated on stays out of errors and so of logs.
func TestAnExpressionThatFailsTellsNothingOfTheRequest(t *testing.T) {
	const event = `{"Records":[{"eventSource":"aws:sqs","messageId":"m","body":"{}","attributes":{"a":"hunter2"}}],"list":[["hunter2"]]}`
	for _, expr := range []string{"Records[0].starts_with(attributes, 'a')", "sum(Records)", "join(',', Records[0].attributes)", "contains(list, list[0])"} {
		_, err := find(idempotency.JMESPath(expr), []byte(event))
		if !errors.Is(err, idempotency.ErrNoKey) || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), expr) {
			t.Errorf("%s: %v", expr, err)
		}
	}
}

func TestAnExpressionThatCannotBeEvaluatedPanics(t *testing.T) {
	for expr, says := range map[string]string{
		"[": "JMESPath", "foo(body.a)": "foo", "body.a[?b == 'x' && bar(c)]": "bar", "join(',')": "join", "[body.id, join(',', a, b)]": "join", "body.a.not_null()": "not_null",
	} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "idempotency: JMESPath") || !strings.Contains(text, says) {
					t.Errorf("%s: panic %q", expr, text)
				}
			}()
			idempotency.JMESPath(expr)
		}()
	}
	for _, expr := range []string{"not_null(body.a, body.b, body.c)", "join('-', body.a)", "pad_left(body.a, `5`)", "pad_left(body.a, `5`, '0')"} {
		idempotency.JMESPath(expr)
	}
}

func TestJMESPathKeys(t *testing.T) {
	const event = `{"detail":{"order":"o1","n":9007199254740993,"amount":1.0,"list":["b",{"z":1,"a":"x"}],"user":{"id":"u","name":"Zoë"}},"body":"{}"}`
	for expr, want := range map[string]string{
		"detail.order":                     `"o1"`,
		"detail.n":                         `9007199254740993`,
		"detail.amount":                    `1`,
		"[detail.order, detail.n]":         `["o1",9007199254740993]`,
		"detail.{o: order, n: n}":          `{"n":9007199254740993,"o":"o1"}`,
		"detail.list":                      `["b",{"a":"x","z":1}]`,
		"detail.user":                      `{"id":"u","name":"Zoë"}`,
		"join('#', [detail.order, body])":  `"o1#{}"`,
		"[detail.order, 'v1']":             `["o1","v1"]`,
		"body":                             `"{}"`,
		"detail.list[0]":                   `"b"`,
		"[detail.missing || detail.order]": `["o1"]`,
	} {
		if got, err := find(idempotency.JMESPath(expr), []byte(event)); err != nil || got != want {
			t.Errorf("%s: %s (%v), want %s", expr, got, err, want)
		}
	}
	if _, err := find(idempotency.JMESPath("a"), []byte(`{"a":"x","a":"y"}`)); guard.KindOf(err) != guard.Invalid || errors.Is(err, idempotency.ErrNoKey) {
		t.Errorf("an event with two meanings: %v", err)
	}
	if _, err := find(idempotency.JMESPath("length(n)"), []byte(`{"n":1}`)); !errors.Is(err, idempotency.ErrNoKey) {
		t.Errorf("an expression that fails: %v", err)
	}
	if got, err := find(idempotency.JMESPath("[body.order.id, headers.\"content-type\"]"), request{body: `{"order":{"id":7}}`}.event()); err != nil || got != `[7,"application/json"]` {
		t.Errorf("an HTTP body: %s, %v", got, err)
	}
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

func TestSQSMessageID(t *testing.T) {
	event := func(records string) []byte { return []byte(`{"Records":[` + records + `]}`) }
	const record = `{"messageId":"m-1","receiptHandle":"r","body":"b","eventSource":"aws:sqs"}`
	if key, err := find(idempotency.SQSMessageID(), event(record)); key != "m-1" || err != nil {
		t.Errorf("%q, %v", key, err)
	}
	_, err := find(idempotency.SQSMessageID(), event(record+","+record))
	mustBe(t, "two records", err, guard.Internal, "idempotency_not_one_record")
	if _, err := find(idempotency.SQSMessageID(), event(`{"body":"b"}`)); !errors.Is(err, idempotency.ErrNoKey) {
		t.Errorf("no id: %v", err)
	}
	if _, err := find(idempotency.SQSMessageID(), []byte("{")); guard.KindOf(err) != guard.Invalid {
		t.Errorf("not JSON: %v", err)
	}

	f := answering(`null`)
	h := guard.Wrap(f, idempotency.Once(idempotency.NewMemoryStore(), idempotency.SQSMessageID()))
	for _, receipt := range []string{"first", "second"} { // redelivered
		if _, err := h.Invoke(t.Context(), event(`{"messageId":"m","receiptHandle":"`+receipt+`","body":"b","eventSource":"aws:sqs"}`)); err != nil {
			t.Error(err)
		}
	}
	f.mustHaveRun(t, 1)
}
