package validate

import (
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/santhosh-tekuri/jsonschema/v5"
)

// The library looks for a way back only on the way that it compiles along: this
// one it takes through a member first.
const endless = `{"$ref":"#/$defs/R","allOf":[{"$ref":"#/$defs/Y"}],
	"$defs":{"R":{"properties":{"p":{"$ref":"#/$defs/Y"}}},"Y":{"allOf":[{"$ref":"#"}]}}}`

func TestASchemaThatAppliesItselfWithoutEnd(t *testing.T) {
	if _, err := Compile([]byte(endless)); err == nil || !strings.Contains(err.Error(), "without end") {
		t.Errorf("compiled, error %v", err)
	}
	inside := `{"contentMediaType":"application/json","contentSchema":{"$ref":"#/$defs/A"},"$defs":{"A":` +
		strings.NewReplacer(`"#"`, `"#/$defs/A"`, `#/$defs/`, `#/$defs/A/$defs/`).Replace(endless) + `}}`
	if _, err := Compile([]byte(inside)); err == nil || !strings.Contains(err.Error(), "without end") {
		t.Errorf("compiled as the schema of a content, error %v", err)
	}
	compiled, err := jsonschema.CompileString("schema.json", endless)
	if err != nil {
		t.Skip("the library notices it now")
	}
	if err := newChecker("Body", compiled, nil).check("x"); err == nil || guard.KindOf(err) != guard.Internal {
		t.Errorf("got %v", err)
	}
}

// The library makes a negative number of what is beyond an int, and then
// refuses all or nothing.
func TestLimitsBeyondAnInt(t *testing.T) {
	for _, tt := range []struct {
		schema string
		tree   any
		valid  bool
	}{
		{schema: `{"maxLength":1e20}`, tree: "abc", valid: true},
		{schema: `{"minLength":1e20}`, tree: "abc"},
		{schema: `{"maxItems":1e20,"uniqueItems":true}`, tree: []any{"a"}, valid: true},
		{schema: `{"minItems":1e20}`, tree: []any{"a"}},
		{schema: `{"maxProperties":1e20,"unevaluatedProperties":true}`, tree: map[string]any{"a": nil}, valid: true},
		{schema: `{"minProperties":1e20}`, tree: map[string]any{"a": nil}},
		{schema: `{"contains":{"type":"string"},"minContains":1e20}`, tree: []any{"a"}},
		{schema: `{"contains":{"type":"string"},"maxContains":1e20}`, tree: []any{"a"}, valid: true},
	} {
		if err := newChecker("Body", MustCompile([]byte(tt.schema)), nil).check(tt.tree); (err == nil) != tt.valid {
			t.Errorf("%s: %v", tt.schema, err)
		}
		compiled := jsonschema.MustCompileString("schema.json", tt.schema) // as it is
		own, library := newChecker("Body", compiled, nil).check(tt.tree), compiled.Validate(tt.tree)
		if (own == nil) != (library == nil) {
			t.Errorf("%s: %v, the library says %v", tt.schema, own, library)
		}
	}
}
