package judge

import (
	"encoding/json"
	"hash/maphash"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/validate/program"
)

var testJudge = &Judge{seed: maphash.MakeSeed()}

func jsonNumber(text string) json.Number { return json.Number(text) }

func TestNewRefusesWhatNoGeneratorHasWritten(t *testing.T) {
	valid := func(rules ...program.Rule) *program.Program {
		return &program.Program{Version: program.Version, Schemas: []program.Schema{{}, {Rules: rules}}}
	}
	for name, p := range map[string]*program.Program{
		"nothing":                      nil,
		"another version":              {Version: program.Version + 1, Schemas: make([]program.Schema, 2)},
		"no root":                      {Version: program.Version, Schemas: make([]program.Schema, 1)},
		"a pattern":                    valid(program.Rule{Keyword: "pattern", Text: "("}),
		"a pattern for names":          valid(program.Rule{Keyword: "properties", Patterns: []program.Member{{Name: "(?=a)"}, {Name: "a"}}}),
		"a value that is not JSON":     valid(program.Rule{Keyword: "enum", Texts: []string{"1", "{"}}),
		"a multiple of nothing":        valid(program.Rule{Keyword: "multipleOf", Text: "0"}),
		"a multiple of what is beyond": valid(program.Rule{Keyword: "multipleOf", Text: "-1"}),
	} {
		if _, err := New(p, nil); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := New(valid(), nil); err != nil {
		t.Errorf("got %v, want nil", err)
	}
}

func TestATreeOfOtherTypesIsOurFault(t *testing.T) {
	j, err := New(&program.Program{Version: program.Version, Schemas: make([]program.Schema, 2)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tree := range []any{7, 1.5, []any{map[string]int{}}, map[string]any{"a": []string{"s3cr3t"}}} {
		err := j.Check(tree, Limits{Violations: 20, Steps: 100})
		if err == nil || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%T: got %v, want an error without values", tree, err)
		}
	}
}

// Hashes decide which elements are compared, so that a wrong one only shows
// where it is given.
func TestEqualComparesWhatHashesDoNotTell(t *testing.T) {
	object := map[string]any{"a": json.Number("1.0"), "b": []any{nil, true, "x"}}
	for _, tt := range []struct {
		other any
		want  bool
	}{
		{other: map[string]any{"b": []any{nil, true, "x"}, "a": json.Number("1")}, want: true},
		{other: map[string]any{"a": json.Number("1")}},
		{other: map[string]any{"a": json.Number("1"), "b": []any{nil, true, "x"}, "c": nil}},
		{other: map[string]any{"a": json.Number("1"), "c": []any{nil, true, "x"}}},
		{other: map[string]any{"a": json.Number("2"), "b": []any{nil, true, "x"}}},
		{other: map[string]any{"a": json.Number("1"), "b": []any{nil, true}}},
		{other: map[string]any{"a": "1", "b": []any{nil, true, "x"}}},
		{other: []any{}},
	} {
		if got := equal(object, tt.other); got != tt.want {
			t.Errorf("%v: got %t, want %t", tt.other, got, tt.want)
		}
	}
}
