package validate_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/validate"
)

func TestUnicorn(t *testing.T) {
	body := validate.Body(mustCompile(unicornSchema))
	if _, err := invoke(t, request(t, unicorn), body); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ old, new, place string }{
		{old: "https://example.com/a.png?x=1", new: "htt://example.com/a.png", place: "/imageUrl pattern: must match the pattern"},
		{
			old:   `"cape":"4"`,
			new:   `"cape":"2); INSERT INTO Cape (NAME,PRICE) VALUES ('Bad color', 10000.00"`,
			place: "/cape pattern: must match the pattern",
		},
		{old: `"cape":"4"`, new: `"cape":4`, place: "/cape type: must be a string"},
		{old: `,"cape":"4"`, place: "/cape required: is required"},
	} {
		_, err := invoke(t, request(t, strings.Replace(unicorn, tt.old, tt.new, 1)), body)
		e := refusal(t, err)
		if e == nil || e.Kind.Status() != 400 || e.Code != "validation_failed" || listed(e) != tt.place {
			t.Errorf("%s: %v\n%s", tt.new, err, listed(e))
		}
		for _, part := range []string{"htt:", "INSERT", "Bad color", "0-9"} {
			if strings.Contains(shown(err), part) {
				t.Errorf("%s is repeated in %s", part, shown(err))
			}
		}
	}
}

// What is not there, not JSON, or not called JSON has a code of its own.
func TestBodyRefuses(t *testing.T) {
	body := validate.Body(mustCompile([]byte(`{"type":"object"}`)))
	for _, tt := range []struct {
		rule, contentType, body, code string
		kind                          guard.Kind
	}{
		{rule: "no body", contentType: "application/json", code: "body_missing", kind: guard.Invalid},
		{rule: "no body and no type", code: "body_missing", kind: guard.Invalid},
		{rule: "space alone", contentType: "application/json", body: ` `, code: "malformed_json", kind: guard.Invalid},
		{rule: "no content type", body: `{}`, code: "unsupported_media_type", kind: guard.UnsupportedMediaType},
		{rule: "text", contentType: "text/plain", body: `{}`, code: "unsupported_media_type", kind: guard.UnsupportedMediaType},
		{
			rule:        "a form",
			contentType: "application/x-www-form-urlencoded",
			body:        `{}`,
			code:        "unsupported_media_type",
			kind:        guard.UnsupportedMediaType,
		},
		{
			rule:        "two types",
			contentType: "application/json, text/plain",
			body:        `{}`,
			code:        "unsupported_media_type",
			kind:        guard.UnsupportedMediaType,
		},
		{
			rule:        "a type that only begins like JSON's",
			contentType: "application/jsonp",
			body:        `{}`,
			code:        "unsupported_media_type",
			kind:        guard.UnsupportedMediaType,
		},
		{rule: "not JSON", contentType: "application/json", body: `{"a":}`, code: "malformed_json", kind: guard.Invalid},
		{
			rule:        "a member twice",
			contentType: "application/json",
			body:        `{"a":1,"a":2}`,
			code:        "duplicate_member",
			kind:        guard.Invalid,
		},
		{rule: "a second value", contentType: "application/json", body: `{} {}`, code: "trailing_data", kind: guard.Invalid},
		{
			rule:        "too deep",
			contentType: "application/json",
			body:        strings.Repeat("[", 100) + strings.Repeat("]", 100),
			code:        "json_too_deep",
			kind:        guard.Invalid,
		},
		{
			rule:        "a body that the schema refuses",
			contentType: "application/json",
			body:        `[]`,
			code:        "validation_failed",
			kind:        guard.Invalid,
		},
		{rule: "JSON with a parameter", contentType: "application/json; charset=utf-8", body: `{}`},
		{rule: "JSON in capitals", contentType: "Application/JSON", body: `{}`},
		{rule: "a type built on JSON", contentType: "application/vnd.api+json", body: `{}`},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			_, err := invoke(t, requestOf(t, tt.contentType, tt.body), body)
			e := refusal(t, err)
			if tt.code == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if e == nil || e.Code != tt.code || e.Kind != tt.kind {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestBodyOfOtherForms(t *testing.T) {
	body := validate.Body(mustCompile([]byte(`{"type":"object"}`)))
	encoded := base64.StdEncoding.EncodeToString([]byte(`{"a":1}`))
	for _, tt := range []struct{ rule, payload, code string }{
		{
			rule:    "base64",
			payload: `{"version":"2.0","headers":{"content-type":"application/json"},"requestContext":{"http":{"method":"POST"}},"isBase64Encoded":true,"body":"` + encoded + `"}`,
		},
		{
			rule:    "format 1.0",
			payload: `{"version":"1.0","httpMethod":"POST","headers":{"Content-Type":"application/json"},"requestContext":{},"body":"{}"}`,
		},
		{
			rule:    "a header in capitals",
			payload: `{"version":"2.0","headers":{"Content-Type":"application/json"},"requestContext":{"http":{"method":"POST"}},"body":"{}"}`,
		},
		{
			rule:    "one header of two that is not JSON's",
			payload: `{"version":"2.0","headers":{"Content-Type":"application/json","CONTENT-TYPE":"text/plain"},"requestContext":{"http":{"method":"POST"}},"body":"{}"}`,
			code:    "unsupported_media_type",
		},
		{rule: "an event that is no request", payload: `{"Records":[]}`, code: "not_an_http_event"},
	} {
		_, err := invoke(t, []byte(tt.payload), body)
		if e := refusal(t, err); (e == nil) != (tt.code == "") || e != nil && e.Code != tt.code {
			t.Errorf("%s: %v", tt.rule, err)
		}
	}
}

func TestMisuseOfLayersPanics(t *testing.T) {
	for name, construct := range map[string]func(){
		"Body(nil)":        func() { validate.Body(nil) },
		"Event(nil)":       func() { validate.Event(nil) },
		"Parameters(nil)":  func() { validate.Parameters(nil) },
		"Result(nil)":      func() { validate.Result(nil) },
		"MaxViolations(0)": func() { validate.MaxViolations(0) },
		"MaxSteps(-1)":     func() { validate.MaxSteps(-1) },
		"MustNew(nil)":     func() { validate.MustNew(nil) },
		"Records of nil": func() {
			validate.Records[events.SQSMessage](mustCompile([]byte(`{}`)))(nil)
		},
	} {
		func() {
			defer func() {
				if r := recover(); r == nil || !strings.HasPrefix(fmt.Sprint(r), "validate: ") {
					t.Errorf("%s: panicked with %v", name, r)
				}
			}()
			construct()
		}()
	}
}

func TestProblemsListEveryPlace(t *testing.T) {
	schema := mustCompile([]byte(`{"type":"object","properties":{"a":{"maximum":1},"b":{"type":"string"}},"required":["c"]}`))
	out, err := guard.Wrap(accept, httpapi.Problems(), validate.Body(schema)).Invoke(context.Background(), request(t, `{"a":5,"b":6}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"statusCode":400`, `validation_failed`, `/a`, `must be at most 1`, `/b`, `/c`, `3 places`} {
		if !strings.Contains(string(out), part) {
			t.Errorf("%s is not in %s", part, out)
		}
	}
}
