package validate_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/validate"
	"github.com/santhosh-tekuri/jsonschema/v5"
)

func TestUnicorn(t *testing.T) {
	body := validate.Body(validate.MustCompile(unicornSchema))
	if _, err := invoke(t, request(t, unicorn), body); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ old, new, place string }{
		{"https://example.com/a.png?x=1", "htt://example.com/a.png", "/imageUrl pattern: must match the pattern"},
		{`"cape":"4"`, `"cape":"2); INSERT INTO Cape (NAME,PRICE) VALUES ('Bad color', 10000.00"`, "/cape pattern: must match the pattern"},
		{`"cape":"4"`, `"cape":4`, "/cape type: must be a string"},
		{`,"cape":"4"`, ``, "/cape required: is required"},
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
	body := validate.Body(validate.MustCompile([]byte(`{"type":"object"}`)))
	for _, tt := range []struct {
		rule, contentType, body, code string
		kind                          guard.Kind
	}{
		{"no body", "application/json", ``, "body_missing", guard.Invalid},
		{"no body and no type", "", ``, "body_missing", guard.Invalid},
		{"space alone", "application/json", ` `, "malformed_json", guard.Invalid},
		{"no content type", "", `{}`, "unsupported_media_type", guard.UnsupportedMediaType},
		{"text", "text/plain", `{}`, "unsupported_media_type", guard.UnsupportedMediaType},
		{"a form", "application/x-www-form-urlencoded", `{}`, "unsupported_media_type", guard.UnsupportedMediaType},
		{"two types", "application/json, text/plain", `{}`, "unsupported_media_type", guard.UnsupportedMediaType},
		{"a type that only begins like JSON's", "application/jsonp", `{}`, "unsupported_media_type", guard.UnsupportedMediaType},
		{"not JSON", "application/json", `{"a":}`, "malformed_json", guard.Invalid},
		{"a member twice", "application/json", `{"a":1,"a":2}`, "duplicate_member", guard.Invalid},
		{"a second value", "application/json", `{} {}`, "trailing_data", guard.Invalid},
		{"too deep", "application/json", strings.Repeat("[", 100) + strings.Repeat("]", 100), "json_too_deep", guard.Invalid},
		{"a body that the schema refuses", "application/json", `[]`, "validation_failed", guard.Invalid},
		{"JSON with a parameter", "application/json; charset=utf-8", `{}`, "", 0},
		{"JSON in capitals", "Application/JSON", `{}`, "", 0},
		{"a type built on JSON", "application/vnd.api+json", `{}`, "", 0},
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
	body := validate.Body(validate.MustCompile([]byte(`{"type":"object"}`)))
	encoded := base64.StdEncoding.EncodeToString([]byte(`{"a":1}`))
	for _, tt := range []struct{ rule, payload, code string }{
		{"base64", `{"version":"2.0","headers":{"content-type":"application/json"},"requestContext":{"http":{"method":"POST"}},"isBase64Encoded":true,"body":"` + encoded + `"}`, ""},
		{"format 1.0", `{"version":"1.0","httpMethod":"POST","headers":{"Content-Type":"application/json"},"requestContext":{},"body":"{}"}`, ""},
		{"a header in capitals", `{"version":"2.0","headers":{"Content-Type":"application/json"},"requestContext":{"http":{"method":"POST"}},"body":"{}"}`, ""},
		{"one header of two that is not JSON's", `{"version":"2.0","headers":{"Content-Type":"application/json","CONTENT-TYPE":"text/plain"},"requestContext":{"http":{"method":"POST"}},"body":"{}"}`, "unsupported_media_type"},
		{"an event that is no request", `{"Records":[]}`, "not_an_http_event"},
	} {
		_, err := invoke(t, []byte(tt.payload), body)
		if e := refusal(t, err); (e == nil) != (tt.code == "") || e != nil && e.Code != tt.code {
			t.Errorf("%s: %v", tt.rule, err)
		}
	}
}

func TestMisuseOfLayersPanics(t *testing.T) {
	good := validate.MustCompile([]byte(`{}`))
	for name, construct := range map[string]func(){
		"nil schema":         func() { validate.Body(nil) },
		"nil *Schema":        func() { validate.Event((*jsonschema.Schema)(nil)) },
		"MaxViolations(0)":   func() { validate.MaxViolations(0) },
		"MaxChecks(-1)":      func() { validate.MaxChecks(-1) },
		"an expression":      func() { validate.At("Records[", good) },
		"a function":         func() { validate.At("nosuch(@)", good) },
		"too many arguments": func() { validate.At("powertools_json(a, b)", good) },
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

// strange is a schema of another library.
type strange struct{ err error }

func (s strange) Validate(any) error { return s.err }

func TestAnotherLibrarysSchema(t *testing.T) {
	own := guard.Errorf(guard.Unprocessable, "no_stock", "There is none left.")
	for _, tt := range []struct {
		err  error
		code string
	}{
		{nil, ""},
		{errors.New("the value SECRET is wrong"), "validation_failed"},
		{fmt.Errorf("wrapped: %w", own), "no_stock"},
		{validate.MustCompile([]byte(`{"maximum":1}`)).Validate(2), "validation_failed"},
	} {
		_, err := invoke(t, request(t, `"SECRET"`), validate.Body(strange{tt.err}))
		if e := refusal(t, err); (e == nil) != (tt.code == "") || e != nil && e.Code != tt.code {
			t.Errorf("%v: %v", tt.err, err)
		}
		if err != nil && strings.Contains(shown(err), "SECRET") {
			t.Errorf("repeated: %s", shown(err))
		}
	}
}

// never is a keyword of someone's own that nothing fulfils.
type never struct{}

func (never) Compile(_ jsonschema.CompilerContext, m map[string]any) (jsonschema.ExtSchema, error) {
	if _, ok := m["never"]; ok {
		return never{}, nil
	}
	return nil, nil
}

func (never) Validate(ctx jsonschema.ValidationContext, _ any) error {
	return ctx.Error("never", "never")
}

// A schema that was compiled elsewhere keeps the formats and keywords that it
// was given.
func TestASchemaCompiledElsewhere(t *testing.T) {
	c := jsonschema.NewCompiler()
	c.AssertFormat = true
	c.Formats["odd"] = func(v any) bool { return v == nil || v == true || v == "odd" }
	c.RegisterExtension("never", nil, never{})
	text := `{"properties":{"f":{"format":"odd"},"n":{"never":1}},"additionalProperties":{"type":"integer"}}`
	if err := c.AddResource("mem:odd", strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	body := validate.Body(c.MustCompile("mem:odd"))
	for text, want := range map[string]string{
		`{"f":"odd"}`: "", `{"f":null}`: "", `{"f":true}`: "", `{"o":1}`: "",
		`{"f":"even"}`: "/f format: must be in the format odd",
		`{"f":false}`:  "/f format: must be in the format odd",
		`{"f":7}`:      "/f format: must be in the format odd",
		`{"f":{}}`:     "/f format: must be in the format odd",
		`{"n":1}`:      "/n never: breaks the rule of never",
	} {
		_, err := invoke(t, request(t, text), body)
		if got := listed(refusal(t, err)); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

func TestProblemsListEveryPlace(t *testing.T) {
	schema := validate.MustCompile([]byte(`{"type":"object","properties":{"a":{"maximum":1},"b":{"type":"string"}},"required":["c"]}`))
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
