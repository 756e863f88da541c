package jmes_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/jmes"
)

func compile(t *testing.T, expr string) *jmes.Expression {
	t.Helper()
	compiled, err := jmes.Compile(expr)
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

func TestSearch(t *testing.T) {
	event := map[string]any{"a": "x", "list": []any{[]any{"s3cr3t"}, "s3cr3t"}, "json": `{"b":7}`, "broken": "{"}
	for _, tt := range []struct {
		expr string
		want any
		code string // "" where the evaluation succeeds
	}{
		{expr: "a", want: "x"},
		{expr: "b", want: nil},
		{expr: "length(list)", want: 2.0},
		{expr: "sum(list)", code: "wrong_type"},
		{expr: "contains(list, list[0])", code: "wrong_type"}, // the library panics
		{expr: "list[?sum(@)]", code: "wrong_type"},
		{expr: "list[::a]", code: "malformed"},
		{expr: "powertools_json(broken) || a", code: "malformed_json"},
		{expr: "a || powertools_json(broken)", want: "x"},
		{expr: "powertools_json(broken).b[*]", code: "malformed_json"}, // the library takes the error for null
		{expr: "powertools_json(broken)[?b]", code: "malformed_json"},
		{expr: "powertools_json(list)", code: "wrong_type"},
		{expr: "powertools_json(missing)", code: "wrong_type"},
	} {
		compiled, err := jmes.Compile(tt.expr)
		if tt.code == "malformed" {
			if err == nil {
				t.Errorf("%s compiles", tt.expr)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		found, err := compiled.Search(event)
		if tt.code == "" {
			if err != nil || found != tt.want {
				t.Errorf("%s: got %v, %v; want %v", tt.expr, found, err, tt.want)
			}
			continue
		}
		if e := guard.Public(err); err == nil || found != nil || e.Code != tt.code || e.Kind != guard.Invalid {
			t.Errorf("%s: got %v, %v; want the code %s", tt.expr, found, err, tt.code)
		}
		if strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s: the error repeats a value: %v", tt.expr, err)
		}
		if got, want := errors.Is(err, jmes.ErrNoText), strings.Contains(tt.expr, "missing"); got != want {
			t.Errorf("%s: errors.Is(ErrNoText) is %t, want %t", tt.expr, got, want)
		}
	}
}

func TestCompileRefusesCallsThatAlwaysFail(t *testing.T) {
	for _, expr := range []string{
		"[", "", "foo(a)", "foo()", "a[?b && foo(c)]", "join(',')", "join(',', a, b)", "not_null()",
		"powertools_json()", "powertools_json(a, b)",
	} {
		if _, err := jmes.Compile(expr); err == nil {
			t.Errorf("%q compiles", expr)
		}
	}
	for _, expr := range []string{"not_null(a, b, c)", "pad_left(a, `5`)", "pad_left(a, `5`, '0')", "powertools_json(a)"} {
		if _, err := jmes.Compile(expr); err != nil {
			t.Errorf("%q: %v", expr, err)
		}
	}
}

func TestConvertIsAppliedToTheEventAndToDecodedTexts(t *testing.T) {
	compiled := compile(t, "[@, powertools_json('1')]")
	compiled.Convert = func(any) (any, error) { return "converted", nil }
	found, err := compiled.Search("event")
	if list, _ := found.([]any); err != nil || len(list) != 2 || list[0] != "converted" || list[1] != "converted" {
		t.Errorf("got %v, %v", found, err)
	}
	refused := errors.New("refused")
	compiled.Convert = func(any) (any, error) { return nil, refused }
	if _, err := compiled.Search("event"); !errors.Is(err, refused) {
		t.Errorf("got %v, want the error of Convert", err)
	}
}
