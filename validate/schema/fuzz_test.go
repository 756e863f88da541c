package schema

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
)

// Any schema and body: no panic, the verdict of the library, no value shown.
func FuzzValidate(f *testing.F) {
	for _, seed := range []struct{ schema, body string }{
		{
			schema: `{"$schema":"http://json-schema.org/draft-04/schema#","properties":{"cape":{"type":"string","pattern":"^[0-9]*$"}},"required":["cape"]}`,
			body:   `{"cape":"4"}`,
		},
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
	f.Fuzz(func(t *testing.T, text, body string) {
		if len(text) > 2<<10 || len(body) > 8<<10 {
			t.Skip()
		}
		own, err := Compile([]byte(text), AnnotateContent())
		if err != nil {
			t.Skip()
		}
		tree, err := guard.EventOf(t.Context(), []byte(body)).Tree()
		if err != nil {
			t.Skip()
		}
		if withContent, err := Compile([]byte(text)); err == nil {
			_ = withContent.Validate(tree) // it must not panic
		}
		err = own.Validate(tree)
		checkNotShown(t, tree, text, err)
		// The library takes a sign in a time or an address, and a limit beyond an
		// int for a negative one.
		odd := strings.Contains(text, "format") && strings.ContainsAny(body, "+-") || beyondInt.MatchString(text)
		if e := guard.Public(err); odd || err != nil && (e.Code != "validation_failed" || strings.Contains(fmt.Sprint(e.Violations), "must be a number of at most")) {
			return
		}
		src := &sources{given: map[string][]byte{"schema.json": []byte(text)}}
		oracle, libraryErr := src.library("schema.json")
		if libraryErr != nil {
			t.Fatalf("the library does not compile what compiles here: %v", libraryErr)
		}
		if want := oracle.Validate(tree); (want == nil) != (err == nil) && !strings.Contains(text, "content") {
			t.Fatalf("got %v, the library says %v", err, want)
		}
	})
}

var beyondInt = regexp.MustCompile(`[0-9]{19}|[eE][+]?[0-9]{2}`)

// checkNotShown looks for the strings of a tree in what an error says, but for
// pointers, which may hold the names of members.
func checkNotShown(t *testing.T, tree any, schema string, err error) {
	t.Helper()
	if err == nil {
		return
	}
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
const vocabulary = "validation_failed: One place of the input breaks a rule. validation_too_costly: The input takes more steps to validate than are allowed. takes too long to validate " +
	"is required is not allowed must be one of the values that are allowed must match the pattern must be a whole number"
