package idempotency_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// A key that is taken from a header is printable, bounded, and the same when
// it is sent again in quotes.
func FuzzHeader(f *testing.F) {
	for _, seed := range []string{"abc", `"abc"`, `"a\"b\\"`, `"`, `a,b`, "", " ", "\x00", "é", strings.Repeat("k", 256)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		key, err := keyOf(value)
		if err != nil {
			if key != "" || guard.KindOf(err) != guard.Invalid {
				t.Fatalf("%q, %v", key, err)
			}
			return
		}
		if len(key) == 0 || len(key) > 255 || strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Fatalf("%q is key %q", value, key)
		}
		quoted := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(key) + `"`
		if again, err := keyOf(quoted); err != nil || again != key {
			t.Fatalf("%s is key %q (%v), want %q", quoted, again, err, key)
		}
	})
}

// A replay is JSON if the answer was, marked, without cookies, and with the
// body and the status that the answer had.
func FuzzReplay(f *testing.F) {
	for _, seed := range []string{
		`{"statusCode":200,"headers":{"a":"b"},"cookies":["x"],"body":"c"}`, `{"statusCode":"201","multiValueHeaders":{"Set-Cookie":["a"]}}`,
		`null`, `"x"`, `{}`, `{"statusCode":200,"headers":{"set-cook\u0069e":"a"}}`, `[`, `{"statusCode":1e2}`, ` { "statusCode" : 204 } `,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		h := guard.Wrap(guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return answer, nil }),
			idempotency.Once(idempotency.NewMemoryStore(), idempotency.Header("Idempotency-Key")))
		event := request{key: "k"}.event()
		first, err := h.Invoke(t.Context(), event)
		if err != nil || string(first) != string(answer) {
			t.Fatalf("first %q, %v", first, err)
		}
		again, err := h.Invoke(t.Context(), event)
		if err != nil {
			t.Fatal(err)
		}
		if string(again) == string(answer) {
			return // not kept: it would have the mark
		}
		var before, after map[string]any
		if err := json.Unmarshal(again, &after); err != nil {
			t.Fatalf("%q became %q: %v", answer, again, err)
		}
		headers, _ := after["headers"].(map[string]any)
		if headers["Idempotent-Replayed"] != "true" || after["cookies"] != nil {
			t.Fatalf("%q became %q", answer, again)
		}
		for name := range headers {
			if strings.EqualFold(name, "Set-Cookie") {
				t.Fatalf("%q became %q", answer, again)
			}
		}
		if json.Unmarshal(answer, &before) == nil && before["statusCode"] != nil && fmt.Sprint(before["statusCode"]) != fmt.Sprint(after["statusCode"]) {
			t.Fatalf("%q became %q", answer, again)
		}
		if body, ok := before["body"].(string); ok && before["isBase64Encoded"] == nil && after["statusCode"] == 200.0 && body != after["body"] {
			t.Fatalf("%q became %q", answer, again)
		}
	})
}
