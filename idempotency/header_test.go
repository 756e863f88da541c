package idempotency_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

func keyOf(value string) (string, error) {
	ev := guard.EventOf(context.Background(), request{key: value}.event())
	return idempotency.Header("Idempotency-Key")(context.Background(), ev)
}

func TestRule01HeaderKeys(t *testing.T) {
	long := strings.Repeat("k", 255)
	for value, want := range map[string]string{
		`abc`:                                  `abc`,
		`"abc"`:                                `abc`,
		` abc	`:                                `abc`,
		"\t\"abc\" ":                           `abc`,
		`a b`:                                  `a b`,
		`"a b"`:                                `a b`,
		`"a\"b\\c"`:                            `a"b\c`,
		`a\b`:                                  `a\b`,
		`"a,b"`:                                `a,b`,
		`8e03978e-40d5-43dd-bc93-6894a57f9324`: `8e03978e-40d5-43dd-bc93-6894a57f9324`,
		`!#$%&'()*+-./:;<=>?@[]^_{|}~`:         `!#$%&'()*+-./:;<=>?@[]^_{|}~`,
		long:                                   long,
		`"` + long + `"`:                       long,
		`"` + strings.Repeat(`\"`, 255) + `"`:  strings.Repeat(`"`, 255),
	} {
		if got, err := keyOf(value); err != nil || got != want {
			t.Errorf("%.40s is key %.40q (%v), want %.40q", value, got, err, want)
		}
	}
}

func TestRule01MalformedKeysAreRefused(t *testing.T) {
	long := strings.Repeat("k", 256)
	for _, value := range []string{
		` `, `""`, `" `, `"`, `"abc`, `abc"`, `"abc"x`, `"a"b"`, `"abc", "abc"`, `abc,abc`, `a,b`, `a"b`,
		`"a\b"`, `"a\`, `"a\"`, `"a\\" b`, `"a\"b" "`, `"abc";p=1`, "a\tb", "\"a\tb\"", "a\x7f", "é", `"é"`, "a\x00", "\n", "a\u2028",
		long, `"` + long + `"`,
	} {
		_, err := keyOf(value)
		mustBe(t, value, err, guard.Invalid, "idempotency_key_malformed")
		if errors.Is(err, idempotency.ErrNoKey) {
			t.Errorf("%q passes for a missing key", value)
		}
	}
	ev := guard.EventOf(t.Context(), request{headers: map[string]string{"idempotency-key": ""}}.event())
	_, err := idempotency.Header("Idempotency-Key")(t.Context(), ev)
	mustBe(t, "an empty header", err, guard.Invalid, "idempotency_key_malformed")
	f := new(function)
	mustRefuse(t, protect(f, idempotency.NewMemoryStore(), idempotency.AllowMissingKey()), request{key: "a,a"}, guard.Invalid, "idempotency_key_malformed")
	f.mustHaveRun(t, 0)
}

func TestRule01MissingKeyIsRefusedWithALink(t *testing.T) {
	f := new(function)
	e := mustRefuse(t, protect(f, idempotency.NewMemoryStore()), request{}, guard.Invalid, "idempotency_key_missing")
	if !strings.Contains(e.Detail, "https://") || !strings.Contains(e.Detail, "Idempotency-Key") {
		t.Errorf("the detail is %q", e.Detail)
	}
	f.mustHaveRun(t, 0)
}

func TestAllowMissingKeyLetsARequestRunUnprotected(t *testing.T) {
	f := new(function)
	h := protect(f, idempotency.NewMemoryStore(), idempotency.AllowMissingKey())
	mustAnswer(t, h, request{})
	mustAnswer(t, h, request{})
	f.mustHaveRun(t, 2)
}

func TestHeaderNamesHaveNoCase(t *testing.T) {
	ev := guard.EventOf(t.Context(), request{headers: map[string]string{"IDEMPOTENCY-key": "k"}}.event())
	if key, err := idempotency.Header("Idempotency-Key")(t.Context(), ev); key != "k" || err != nil {
		t.Errorf("key %q, %v", key, err)
	}
	ev = guard.EventOf(t.Context(), request{key: "k", headers: map[string]string{"Idempotency-Key": "k"}}.event())
	_, err := idempotency.Header("Idempotency-Key")(t.Context(), ev)
	mustBe(t, "two spellings", err, guard.Invalid, "idempotency_key_malformed")
	ev = guard.EventOf(t.Context(), request{key: `b"`, headers: map[string]string{"Idempotency-Key": `"a`}}.event())
	_, err = idempotency.Header("Idempotency-Key")(t.Context(), ev)
	mustBe(t, "two halves of a quoted string", err, guard.Invalid, "idempotency_key_malformed")
}

func TestRule01HeadersOfFormatOne(t *testing.T) {
	for headers, want := range map[string]string{
		`"headers":{"Idempotency-Key":"k"}`:                                                      "k",
		`"headers":{"Idempotency-Key":"k"},"multiValueHeaders":{"Idempotency-Key":["k"]}`:        "k",
		`"headers":{"a":"b"},"multiValueHeaders":{"idempotency-key":["\"k\""]}`:                  "k",
		`"headers":{"Idempotency-Key":"k2"},"multiValueHeaders":{"Idempotency-Key":["k1","k2"]}`: "malformed",
		`"multiValueHeaders":{"Idempotency-Key":["k"],"idempotency-key":["k"]}`:                  "malformed",
		`"headers":{"Idempotency-Key":""}`:                                                       "malformed",
		`"multiValueHeaders":{"Idempotency-Key":[""]}`:                                           "malformed",
		`"headers":{},"multiValueHeaders":{}`:                                                    "missing",
		`"headers":null,"multiValueHeaders":null`:                                                "missing",
	} {
		ev := guard.EventOf(t.Context(), []byte(`{"resource":"/o","path":"/o","httpMethod":"POST","requestContext":{},`+headers+`}`))
		key, err := idempotency.Header("Idempotency-Key")(t.Context(), ev)
		if want == "malformed" || want == "missing" {
			mustBe(t, headers, err, guard.Invalid, "idempotency_key_"+want)
		} else if err != nil || key != want {
			t.Errorf("%s: key %q, %v", headers, key, err)
		}
	}
}

func TestQuotedAndBareAreOneKey(t *testing.T) {
	f := new(function)
	h := protect(f, idempotency.NewMemoryStore())
	mustAnswer(t, h, request{key: `abc`})
	if out := mustAnswer(t, h, request{key: `"abc"`}); !isReplay(out) {
		t.Errorf("not replayed: %s", out)
	}
	f.mustHaveRun(t, 1)
}
