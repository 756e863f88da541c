package validate_test

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/validate"
	"github.com/lambdarmor/lambdarmor/validate/schema"
)

//go:embed testdata/unicorn.schema.json
var unicornSchema []byte

func mustCompile(text []byte, opts ...schema.Option) *validate.Schema {
	return schema.MustCompile(text, opts...)
}

const unicorn = `{"name":"Sparkle","imageUrl":"https://example.com/a.png?x=1","sock":"1","horn":"2","glasses":"3","cape":"4"}`

// request is a POST of an HTTP API with a JSON body.
func request(tb testing.TB, body string) []byte {
	tb.Helper()
	return requestOf(tb, "application/json", body)
}

func requestOf(tb testing.TB, contentType, body string) []byte {
	tb.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		tb.Fatal(err)
	}
	return fmt.Appendf(nil, `{"version":"2.0","routeKey":"POST /","rawPath":"/","headers":{"content-type":%q},`+
		`"requestContext":{"http":{"method":"POST","path":"/"}},"body":%s}`, contentType, text)
}

// accept is a handler that answers null.
var accept = guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return []byte("null"), nil })

// invoke sends a payload through layers to a handler, and reports whether it
// got there.
func invoke(tb testing.TB, payload []byte, layers ...guard.Middleware) (reached bool, err error) {
	tb.Helper()
	h := guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { reached = true; return []byte("null"), nil })
	_, err = guard.Wrap(h, layers...).Invoke(context.Background(), payload)
	if reached != (err == nil) {
		tb.Fatalf("the handler was reached: %t, the error is %v", reached, err)
	}
	return reached, err
}

// refusal is the guard.Error that err must be, nil for none.
func refusal(tb testing.TB, err error) *guard.Error {
	tb.Helper()
	if err == nil {
		return nil
	}
	var e *guard.Error
	if !errors.As(err, &e) {
		tb.Fatalf("not a guard.Error: %v", err)
	}
	return e
}

// listed writes violations as "pointer keyword detail", one a line.
func listed(e *guard.Error) string {
	if e == nil {
		return ""
	}
	var lines []string
	for _, v := range e.Violations {
		lines = append(lines, strings.TrimSpace(v.Pointer+" "+v.Keyword)+": "+v.Detail)
	}
	return strings.Join(lines, "\n")
}

// shown is all that an error lets anyone read.
func shown(err error) string {
	e := guard.Public(err)
	return err.Error() + "\n" + e.Code + "\n" + e.Detail + "\n" + listed(e)
}
