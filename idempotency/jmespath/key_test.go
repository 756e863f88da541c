package jmespath_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/jmespath"
)

func find(key idempotency.KeyFunc, event string) (string, error) {
	return key(context.Background(), guard.EventOf(context.Background(), []byte(event)))
}

// post returns the event of an HTTP request.
func post(body string) string {
	return fmt.Sprintf(`{"version":"2.0","routeKey":"POST /orders","rawPath":"/orders","rawQueryString":"","headers":{"content-type":"application/json"},`+
		`"requestContext":{"requestId":"r","timeEpoch":1,"http":{"method":"POST","path":"/orders","sourceIp":"192.0.2.1"}},"body":%q,"isBase64Encoded":false}`, body)
}

// Two users whose requests lack what the key is made of must not have one key:
// the second would get the answer of the first.
func TestRule03AKeyWithAMissingPartIsAnError(t *testing.T) {
	key := jmespath.Key("[body.user, body.order]")
	for _, body := range []string{
		`{}`, `{"user":"u1"}`, `{"order":"o1"}`, `{"user":null,"order":"o1"}`, `{"user":"u1","order":null}`,
		`{"user":"","order":"o1"}`, `{"user":[],"order":"o1"}`, `{"user":{"id":null},"order":"o1"}`, `{"user":["a",null],"order":"o1"}`,
		`{"USER":"u1","ORDER":"o1"}`, `null`, `[]`, `"user"`, `not JSON`,
	} {
		got, err := find(key, post(body))
		if !errors.Is(err, idempotency.ErrNoKey) || guard.KindOf(err) != guard.Invalid {
			t.Errorf("%s has key %q, error %v", body, got, err)
		}
	}
	run := guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { t.Error("ran"); return nil, nil })
	h := guard.Wrap(run, idempotency.Once(idempotency.NewMemoryStore(), key))
	for range 2 {
		_, err := h.Invoke(t.Context(), []byte(post(`{"amount":1}`)))
		var e *guard.Error
		if !errors.As(err, &e) || e.Code != "idempotency_key_missing" {
			t.Errorf("got %v, want idempotency_key_missing", err)
		}
	}
}

func TestRule03AnExpressionThatFindsAKeyInNothingPanics(t *testing.T) {
	for _, expr := range []string{
		"'constant'", "body.user || 'none'", "[body.user || 'a', body.order || 'b']", "to_string(body.user)",
		"join('-', [to_string(body.user), to_string(body.order)])", "`1`", "length(@)", "a..b", "", "powertools_json(body).id || 'none'",
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s does not panic", expr)
				}
			}()
			jmespath.Key(expr)
		}()
	}
}

// A projection leaves out null: two requests that lack different parts would have
// one key.
func TestRule03AnExpressionThatDropsMissingPartsPanics(t *testing.T) {
	for _, expr := range []string{
		"[body.user, body.order][]", "[body.user, body.order] | [*]", "body.[user, order] | [?@]", "body.{u: user, o: order}.*",
		"[body.user, body.order] | join('-', [*])",
	} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "jmespath: Key") || !strings.Contains(text, "drops parts") {
					t.Errorf("%s: got panic %q, want one about parts", expr, text)
				}
			}()
			jmespath.Key(expr)
		}()
	}
	for _, expr := range []string{"body.items[*].[sku, id]", "[body.user, body.items[*].sku]", "[body.user, body.order] | [1]"} {
		jmespath.Key(expr)
	}
}

// What an expression cannot be evaluated on stays out of errors and so of logs.
func TestAnExpressionThatFailsTellsNothingOfTheRequest(t *testing.T) {
	const event = `{"Records":[{"eventSource":"aws:sqs","messageId":"m","body":"{}","attributes":{"a":"hunter2"}}],"list":[["hunter2"]]}`
	for _, expr := range []string{"Records[0].starts_with(attributes, 'a')", "sum(Records)", "join(',', Records[0].attributes)", "contains(list, list[0])"} {
		_, err := find(jmespath.Key(expr), event)
		if !errors.Is(err, idempotency.ErrNoKey) || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), expr) {
			t.Errorf("%s: %v", expr, err)
		}
	}
}

func TestAnExpressionThatCannotBeEvaluatedPanics(t *testing.T) {
	for expr, says := range map[string]string{
		"[": "Key", "foo(body.a)": "foo", "body.a[?b == 'x' && bar(c)]": "bar", "join(',')": "join", "[body.id, join(',', a, b)]": "join", "body.a.not_null()": "not_null",
	} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "jmespath: Key") || !strings.Contains(text, says) {
					t.Errorf("%s: panic %q", expr, text)
				}
			}()
			jmespath.Key(expr)
		}()
	}
	for _, expr := range []string{"not_null(body.a, body.b, body.c)", "join('-', body.a)", "pad_left(body.a, `5`)", "pad_left(body.a, `5`, '0')"} {
		jmespath.Key(expr)
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
		if got, err := find(jmespath.Key(expr), event); err != nil || got != want {
			t.Errorf("%s: %s (%v), want %s", expr, got, err, want)
		}
	}
	if _, err := find(jmespath.Key("a"), `{"a":"x","a":"y"}`); guard.KindOf(err) != guard.Invalid || errors.Is(err, idempotency.ErrNoKey) {
		t.Errorf("an event with two meanings: %v", err)
	}
	if _, err := find(jmespath.Key("length(n)"), `{"n":1}`); !errors.Is(err, idempotency.ErrNoKey) {
		t.Errorf("an expression that fails: %v", err)
	}
	if got, err := find(jmespath.Key("[body.order.id, headers.\"content-type\"]"), post(`{"order":{"id":7}}`)); err != nil || got != `[7,"application/json"]` {
		t.Errorf("an HTTP body: %s, %v", got, err)
	}
}

func FuzzKey(f *testing.F) {
	f.Add(`{"a":"x","b":1}`)
	f.Add(`{"a":null,"b":1}`)
	f.Add(`{"b":[]}`)
	key := jmespath.Key("[a, b]")
	f.Fuzz(func(t *testing.T, event string) {
		got, err := key(t.Context(), guard.EventOf(t.Context(), []byte(event)))
		if err != nil {
			return
		}
		var parts []any
		if err := json.Unmarshal([]byte(got), &parts); err != nil || len(parts) != 2 || parts[0] == nil || parts[1] == nil {
			t.Fatalf("%s has key %s", event, got)
		}
	})
}

// A text inside of the event is looked into with the functions of Powertools.
func TestKeysFromATextInTheEvent(t *testing.T) {
	key := jmespath.Key("Records[0].powertools_json(body).order")
	event := func(body string) string {
		return fmt.Sprintf(`{"Records":[{"eventSource":"aws:sqs","messageId":"m","body":%q}]}`, body)
	}
	if got, err := find(key, event(`{"order":7}`)); err != nil || got != "7" {
		t.Errorf("got %s and error %v, want 7", got, err)
	}
	if _, err := find(key, event(`{}`)); !errors.Is(err, idempotency.ErrNoKey) {
		t.Errorf("without an order: got %v, want ErrNoKey", err)
	}
	_, err := find(key, event(`{`))
	var e *guard.Error
	if !errors.As(err, &e) || e.Code != "idempotency_key_malformed" || errors.Is(err, idempotency.ErrNoKey) {
		t.Errorf("not JSON: got %v, want idempotency_key_malformed", err)
	}
}
