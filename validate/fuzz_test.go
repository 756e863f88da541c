package validate_test

import (
	"context"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/validate"
)

// Whatever schema and body: no panic, the library's verdict, no value shown.
func FuzzBody(f *testing.F) {
	for _, seed := range []struct{ schema, body string }{
		{schema: string(unicornSchema), body: unicorn},
		{schema: `{"items":{"type":"integer","minimum":0.5,"maximum":99}}`, body: `[1,2.50,-0,1e2,"12345678"]`},
		{
			schema: `{"anyOf":[{"type":"string","format":"email"},{"enum":[null,true,"a"]}],"allOf":[{"minLength":1}]}`,
			body:   `"someone@example.com"`,
		},
		{
			schema: `{"properties":{"a":{"$ref":"#"}},"patternProperties":{"^x":{"const":"y"}},"additionalProperties":{"maxProperties":1},"required":["a"]}`,
			body:   `{"a":{"a":{}},"x1":"y","b":{"c":1}}`,
		},
		{
			schema: `{"$schema":"http://json-schema.org/draft-04/schema#","minimum":1,"exclusiveMinimum":true,"items":[{}],"additionalItems":false}`,
			body:   `[1,"12345678"]`,
		},
		{schema: `{"unevaluatedProperties":false,"if":{"required":["a"]},"then":{"properties":{"a":{}}}}`, body: `{"a":1,"b":2}`},
		{
			schema: `{"contentEncoding":"base64","contentMediaType":"application/json","contentSchema":{"maximum":1}}`,
			body:   `"MWUxMDAwMDAx"`,
		},
		{
			schema: `{"$dynamicAnchor":"n","properties":{"a":{"$dynamicRef":"#n"}},"minItems":1e9,"uniqueItems":true}`,
			body:   `{"a":{"a":[1,1.0]}}`,
		},
		{schema: `{"multipleOf":0.01,"not":{"maximum":1}}`, body: `1e1000001`},
	} {
		f.Add(seed.schema, seed.body)
	}
	f.Fuzz(func(t *testing.T, schema, body string) {
		if len(schema) > 2<<10 || len(body) > 8<<10 {
			t.Skip()
		}
		compiled, err := validate.Compile([]byte(schema))
		if err != nil {
			t.Skip()
		}
		payload := request(t, body)
		_, err = guard.Wrap(accept, validate.Body(compiled)).Invoke(context.Background(), payload)
		tree, broken := guard.EventOf(context.Background(), payload).BodyTree()
		if broken != nil || body == "" {
			if err == nil {
				t.Fatal("a body that cannot be read is accepted")
			}
			return
		}
		if err == nil {
			if own := compiled.Validate(tree); own != nil {
				t.Fatalf("accepted, and the library says %v", own)
			}
			return
		}
		if e := guard.Public(err); e.Code == "validation_failed" && !strings.Contains(listed(e), "must be a number of at most") {
			if compiled.Validate(tree) == nil {
				t.Fatalf("refused, and the library accepts: %s", listed(e))
			}
		}
		checkNotShown(t, tree, schema, err)
	})
}

// checkNotShown looks for the strings of a tree in what an error says, but for
// pointers, which may hold the names of members.
func checkNotShown(t *testing.T, tree any, schema string, err error) {
	t.Helper()
	e := guard.Public(err)
	said := err.Error() + "\n" + e.Detail
	for _, v := range e.Violations {
		said += "\n" + v.Keyword + ": " + v.Detail
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, inner := range v {
				walk(inner)
			}
		case []any:
			for _, inner := range v {
				walk(inner)
			}
		case string:
			if len(v) >= 8 && strings.Contains(said, v) && !strings.Contains(schema, v) && !strings.Contains(vocabulary, v) {
				t.Errorf("%q is repeated in %s", v, said)
			}
		}
	}
	walk(tree)
}

// vocabulary is what a value may happen to be a part of.
const vocabulary = "validation_failed: One place of the input breaks a rule. validation_too_costly: The input takes more checks than are made for one. " +
	"is required is not allowed must be one of the values that are allowed must match the pattern must be a whole number"
