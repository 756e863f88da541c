package powertools_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/jmespath"
	"github.com/lambdarmor/lambdarmor/idempotency/powertools"
)

func keyOf(expr, event string) (string, error) {
	ctx := context.Background()
	return powertools.Key("orders.app.handler", expr)(ctx, guard.EventOf(ctx, []byte(event)))
}

func TestKeyIsThatOfPython(t *testing.T) {
	for payload, want := range map[string]string{
		`"abc"`:                "ebd9f4c7b06cb0aaf5d13d80e49d8b90",
		`42`:                   "a1d0c6e83f027327d8461063f4ac58a6",
		`["user-1","order-9"]`: "e409a589299496b1273224dfc5a050ba",
		`{"b":2,"a":{"d":[1,null,true],"c":"x"}}`:    "1a631135efd8c658977eccf62ab2274a",
		`{"amount":1.0,"big":1e16,"small":1e-5}`:     "f12032cfb3639e2240c2d334d89fe508",
		`{"name":"Zoë 😀","html":"<&>\u2028\u007f/"}`: "af9b11e04fc60ac24cf569456b915253",
		`{"B":1,"a":2}`: "9f8fbffdf9771ade70b3821fa6dfae6e",
	} {
		for expr, event := range map[string]string{
			"":                      payload,
			"detail":                `{"detail":` + payload + `}`,
			"powertools_json(body)": `{"body":` + quote(t, payload) + `}`,
			"powertools_json(powertools_base64(data))":                     `{"data":"` + base64.StdEncoding.EncodeToString([]byte(payload)) + `"}`,
			"Records[0].powertools_base64_gzip(data) | powertools_json(@)": `{"Records":[{"data":"` + packed(t, payload) + `"}]}`,
		} {
			got, err := keyOf(expr, event)
			if err != nil || got != "orders.app.handler#"+want {
				t.Errorf("%s of %s: %q and error %v, want the hash %s", expr, event, got, err, want)
			}
		}
	}
}

func packed(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func quote(t *testing.T, text string) string {
	t.Helper()
	quoted, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(quoted)
}

func TestKeySelectsWhatPythonSelects(t *testing.T) {
	const user = `["user-1", "order-9"]` // what json.dumps makes of the parts
	for _, c := range []struct{ expr, event string }{
		{expr: "[user, order]", event: `{"user":"user-1","order":"order-9"}`},
		{expr: "powertools_json(body).[user, order]", event: `{"body":"{\"order\":\"order-9\",\"user\":\"user-1\"}"}`},
		{expr: "Records[*].id", event: `{"Records":[{"id":"user-1"},{"id":"order-9"}]}`},
		{
			expr:  "Records[?kind=='key'].id",
			event: `{"Records":[{"kind":"key","id":"user-1"},{"id":"x"},{"kind":"key","id":"order-9"}]}`,
		},
		{expr: "Records[].ids[]", event: `{"Records":[{"ids":["user-1"]},{"ids":["order-9"]}]}`},
		{expr: "ids[-2:]", event: `{"ids":["x","user-1","order-9"]}`},
		{expr: "[user || name, not_null(order, id)]", event: `{"name":"user-1","id":"order-9"}`},
		{expr: "['user-1', order]", event: `{"order":"order-9"}`},
	} {
		got, err := keyOf(c.expr, c.event)
		if want := "orders.app.handler#e409a589299496b1273224dfc5a050ba"; err != nil || got != want {
			t.Errorf("%s of %s: %q and error %v, want the key of %s", c.expr, c.event, got, err, user)
		}
	}
}

func TestKeyWithAPartMissingIsNone(t *testing.T) {
	for _, c := range []struct{ expr, event string }{
		{event: `null`},
		{event: `{}`},
		{expr: "id", event: `{}`},
		{expr: "id", event: `{"id":null}`},
		{expr: "id", event: `{"id":""}`},
		{expr: "id", event: `{"id":[]}`},
		{expr: "id", event: `{"id":[null,null]}`},
		{expr: "id", event: `{"id":{"a":null}}`},
		{expr: "[user, order]", event: `{"user":"u"}`},
		{expr: "[user, order]", event: `{"user":"u","order":null}`},
		{expr: "[user, order]", event: `{"user":"","order":"o"}`},
		{expr: "{user: user, order: order}", event: `{"user":"u"}`},
		{expr: "[user, [order, line]]", event: `{"user":"u","order":"o"}`},
		{expr: "detail.[user, order]", event: `{"detail":{"user":"u"}}`},
		{expr: "detail.[user, order]", event: `{}`},
		{expr: "lines[*].[sku, count]", event: `{"lines":[{"sku":"a","count":1},{"sku":"b"}]}`},
		{expr: "lines[?sku].[sku, count]", event: `{"lines":[{"sku":"b"}]}`},
		{expr: "[user, order] | @", event: `{"user":"u"}`},
		{expr: "[user, order] || other", event: `{"user":"u"}`},
		{expr: "not_null([user, order])", event: `{"user":"u"}`},
		{expr: "powertools_json(body).id", event: `{"body":"{}"}`},
		{expr: "powertools_json(body).id", event: `{"body":null}`},
		{expr: "powertools_json(body)", event: `{"body":"null"}`},
		{expr: "Records[*].powertools_json(body)", event: `{"Records":[{"body":"1"},{}]}`},
		{expr: "Records[?powertools_json(body)].id", event: `{"Records":[{"id":"a"}]}`},
	} {
		if got, err := keyOf(c.expr, c.event); !errors.Is(err, idempotency.ErrNoKey) {
			t.Errorf("%s of %s: %q and error %v, want ErrNoKey", c.expr, c.event, got, err)
		}
	}
}

func TestKeyOfATextThatCannotBeReadIsMalformed(t *testing.T) {
	for _, c := range []struct{ expr, event string }{
		{expr: "powertools_json(body)", event: `{"body":"{"}`},
		{expr: "powertools_json(body)", event: `{"body":"{\"a\":1,\"a\":2}"}`},
		{expr: "powertools_json(body)", event: `{"body":{"a":1}}`},
		{expr: "Records[?powertools_json(body)].id", event: `{"Records":[{"id":"a","body":"{"}]}`},
		{expr: "powertools_json(body)[?a].id", event: `{"body":"["}`},
		{expr: "powertools_json(body)[]", event: `{"body":"["}`},
		{expr: "powertools_base64(data)", event: `{"data":"*"}`},
		{expr: "powertools_base64(data)", event: `{"data":"/w=="}`},
		{expr: "powertools_base64_gzip(data)", event: `{"data":"*"}`},
		{expr: "powertools_base64_gzip(data)", event: `{"data":"AAAA"}`},
		{expr: "powertools_base64_gzip(data)", event: `{"data":"` + packed(t, strings.Repeat(" ", 10<<20+1)) + `"}`},
		{expr: "powertools_base64_gzip(data)", event: `{"data":"` + packed(t, "\xff") + `"}`},
		{expr: "amount", event: `{"amount":1e999}`},
		{expr: "join(',', amount)", event: `{"amount":1}`},
	} {
		got, err := keyOf(c.expr, c.event)
		var e *guard.Error
		if !errors.As(err, &e) || e.Code != "idempotency_key_malformed" || e.Kind != guard.Invalid || errors.Is(err, idempotency.ErrNoKey) {
			t.Errorf("%s of %s: %q and error %v, want idempotency_key_malformed", c.expr, c.event, got, err)
		}
	}
}

func TestExpressionThatIsNotTheSameInPythonPanics(t *testing.T) {
	for _, expr := range []string{
		"[", "a.*", "*", "$", "a + b", "-a", "a < b", "a == b", "a[?n > `1`]", "a[?n == `1`]", "[`1`, a]", "[`{\"n\":[2]}`, a]",
		"length(a)", "keys(a)", "to_string(a)", "sort(a)", "no_such_function(a)", "powertools_json(a, b)", "powertools_json()", "join(',')", "a[?starts_with(b)]",
		"let $a = b in $a", "map(&a, b)",
	} {
		mustPanic(t, "Key", func() { powertools.Key("prefix", expr) })
		mustPanic(t, "KeyWithValidation", func() { powertools.KeyWithValidation("prefix", "id", expr) })
	}
	for _, constant := range []string{"'a'", "['a']", "[id || 'none']", "powertools_json(body).[id || 'none']", "!id", "`{\"a\":true}`"} {
		mustPanic(t, "finds a key in an empty event", func() { powertools.Key("prefix", constant) })
	}
	for _, dropping := range []string{
		"[user, order][]", "[user, order][*].id", "[user, order][?@]", "x.[user, order][0:1]", "[id, [user, order][]]",
		"[user, order] | [*]", "[user, order] | []", "[user, order] | [?@]", "[user, order] | [0:2]", "{k: [user, order] | [*]}",
		"[user, order] | join('-', [*])", "not_null([user, order] | @[*])",
	} {
		mustPanic(t, "drops parts", func() { powertools.Key("prefix", dropping) })
	}
	mustPanic(t, "without a prefix", func() { powertools.Key("", "id") })
	mustPanic(t, "without a validation", func() { powertools.KeyWithValidation("prefix", "id", "") })
}

func mustPanic(t *testing.T, why string, fn func()) {
	t.Helper()
	defer func() {
		t.Helper()
		text, _ := recover().(string)
		if !strings.HasPrefix(text, "powertools: ") || !strings.Contains(text, why) {
			t.Errorf("panicked with %q, want %s in it", text, why)
		}
	}()
	fn()
}

// answering is a handler with one answer.
func answering(answer string) lambda.Handler {
	return guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return []byte(answer), nil })
}

func mustBe(t *testing.T, err error, code string) {
	t.Helper()
	var e *guard.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

// seen is a store that keeps the last record that was claimed.
type seen struct {
	idempotency.Store
	record idempotency.Record
}

func (s *seen) Claim(ctx context.Context, r idempotency.Record) (idempotency.Record, error) {
	s.record = r
	return s.Store.Claim(ctx, r)
}

func claimed(t *testing.T, event string, key idempotency.KeyFunc, opts ...idempotency.Option) idempotency.Record {
	t.Helper()
	store := &seen{Store: idempotency.NewMemoryStore()}
	h := guard.Wrap(answering(`{"done":true}`), idempotency.Once(store, key, opts...))
	if _, err := h.Invoke(t.Context(), []byte(event)); err != nil {
		t.Fatal(err)
	}
	return store.record
}

func TestRecordIsWherePythonLooksForIt(t *testing.T) {
	const event = `{"id":"abc","amount":1.50}`
	key := powertools.Key("orders.app.handler", "id")
	validated := func(expr string) idempotency.KeyFunc {
		return powertools.KeyWithValidation("orders.app.handler", "id", expr)
	}
	const id = "orders.app.handler#ebd9f4c7b06cb0aaf5d13d80e49d8b90"
	for name, c := range map[string]struct {
		key         idempotency.KeyFunc
		opts        []idempotency.Option
		fingerprint string
	}{
		"alone":                     {key: key},
		"with a name":               {key: key, opts: []idempotency.Option{idempotency.Name("place")}},
		"with a validation":         {key: validated("amount"), fingerprint: "6008647277c4454cecd97d33c069f0ca"},
		"without what is validated": {key: validated("nothing"), fingerprint: "37a6259cc0c1dae299a7866489dff0bd"},
	} {
		r := claimed(t, event, c.key, c.opts...)
		if r.Key != id || r.Fingerprint != c.fingerprint {
			t.Errorf("%s: key %q and fingerprint %q, want %q and %q", name, r.Key, r.Fingerprint, id, c.fingerprint)
		}
	}
	own := func(context.Context, *guard.Event) (string, error) { return "own", nil }
	if r := claimed(t, event, key, idempotency.Fingerprint(own)); r.Key != id || len(r.Fingerprint) != 43 {
		t.Errorf("with a fingerprint: key %q and fingerprint %q", r.Key, r.Fingerprint)
	}
}

// What a key function makes of the key is scoped, and hashed, as any other, and
// no key that merely looks like one of Powertools gets around that.
func TestOnlyTheKeyItselfIsAnID(t *testing.T) {
	inner := powertools.Key("orders.app.handler", "id")
	for name, key := range map[string]idempotency.KeyFunc{
		"made longer": func(ctx context.Context, ev *guard.Event) (string, error) {
			key, err := inner(ctx, ev)
			return key + "/2", err
		},
		"sent": jmespath.Key("key"),
		"made by hand": func(context.Context, *guard.Event) (string, error) {
			return "orders.app.handler#ebd9f4c7b06cb0aaf5d13d80e49d8b90", nil
		},
	} {
		r := claimed(t, `{"id":"abc","key":"orders.app.handler#ebd9f4c7b06cb0aaf5d13d80e49d8b90"}`, key)
		if strings.Contains(r.Key, "#") || r.Fingerprint == "" {
			t.Errorf("%s: key %q and fingerprint %q", name, r.Key, r.Fingerprint)
		}
	}
	if r := claimed(t, `{"id":"abc"}`, func(ctx context.Context, ev *guard.Event) (string, error) { return inner(ctx, ev) }); !strings.Contains(r.Key, "#") {
		t.Errorf("wrapped without a change: key %q", r.Key)
	}
}

func TestValidationRefusesAnotherPayload(t *testing.T) {
	runs := 0
	f := guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { runs++; return []byte(`{"done":true}`), nil })
	h := guard.Wrap(f, idempotency.Once(idempotency.NewMemoryStore(), powertools.KeyWithValidation("p", "id", "amount"), idempotency.TTL(time.Hour)))
	if _, err := h.Invoke(t.Context(), []byte(`{"id":1,"amount":2}`)); err != nil {
		t.Fatal(err)
	}
	if out, err := h.Invoke(t.Context(), []byte(`{"id":1,"amount":2,"note":"again"}`)); err != nil || string(out) != `{"done":true}` {
		t.Errorf("a repeat answered %s with error %v", out, err)
	}
	_, err := h.Invoke(t.Context(), []byte(`{"id":1,"amount":2.0}`))
	mustBe(t, err, "idempotency_key_reused")
	_, err = h.Invoke(t.Context(), []byte(`{"id":1,"amount":1e999}`))
	mustBe(t, err, "idempotency_key_malformed")
	if runs != 1 {
		t.Errorf("ran %d times, want 1", runs)
	}
}

func TestDoHasTheRecordOfPowertools(t *testing.T) {
	for name, c := range map[string]struct {
		key    idempotency.KeyFunc
		input  any
		stored idempotency.Record
	}{
		"a key": {
			key: powertools.Key("p", "id"), input: map[string]any{"id": "abc", "n": 1},
			stored: idempotency.Record{Key: "p#ebd9f4c7b06cb0aaf5d13d80e49d8b90"},
		},
		"a validation": {
			key: powertools.KeyWithValidation("p", "id", "n"), input: map[string]any{"id": "abc", "n": 42},
			stored: idempotency.Record{Key: "p#ebd9f4c7b06cb0aaf5d13d80e49d8b90", Fingerprint: "a1d0c6e83f027327d8461063f4ac58a6"},
		},
		"numbers as they are written": {
			key: powertools.Key("p", "id"), input: json.RawMessage(`{"id":{"amount":1.0,"big":1e16,"small":1e-5}}`),
			stored: idempotency.Record{Key: "p#f12032cfb3639e2240c2d334d89fe508"},
		},
	} {
		store := &seen{Store: idempotency.NewMemoryStore()}
		op := idempotency.NewOperation(name, store, idempotency.KeyFrom(c.key))
		if _, err := idempotency.Do(t.Context(), op, "", c.input, func(context.Context) (int, error) { return 1, nil }); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := store.record; got.Key != c.stored.Key || got.Fingerprint != c.stored.Fingerprint {
			t.Errorf("%s: got key %s and fingerprint %q, want %s and %q", name, got.Key, got.Fingerprint, c.stored.Key, c.stored.Fingerprint)
		}
	}
}

// A key function that changes the key makes one like any other.
func TestDoStoresAChangedKeyAsAHash(t *testing.T) {
	inner := powertools.KeyWithValidation("p", "id", "n")
	store := &seen{Store: idempotency.NewMemoryStore()}
	op := idempotency.NewOperation("charge", store, idempotency.KeyFrom(func(ctx context.Context, ev *guard.Event) (string, error) {
		key, err := inner(ctx, ev)
		return key + "/2", err
	}))
	if _, err := idempotency.Do(t.Context(), op, "", map[string]any{"id": "abc"}, func(context.Context) (int, error) { return 1, nil }); err != nil {
		t.Fatal(err)
	}
	if got := store.record; len(got.Key) != 43 || len(got.Fingerprint) != 43 {
		t.Errorf("got key %s and fingerprint %s, want two hashes", got.Key, got.Fingerprint)
	}
}
