package jmes_test

import (
	"testing"

	"github.com/jmespath-community/go-jmespath"

	"github.com/lambdarmor/lambdarmor/internal/jmes"
)

func TestEvaluate(t *testing.T) {
	event := map[string]any{"a": "x", "list": []any{[]any{"x"}}}
	for _, tt := range []struct {
		expr string
		want any
		ok   bool
	}{
		{expr: "a", want: "x", ok: true},
		{expr: "b", ok: true},
		{expr: "sum(list)"},
		{expr: "contains(list, list[0])"}, // on which the library panics
	} {
		compiled := jmespath.MustCompile(tt.expr)
		found, ok := jmes.Evaluate(func() (any, error) { return compiled.Search(event) })
		if ok != tt.ok || ok && found != tt.want {
			t.Errorf("%s: %v, %v", tt.expr, found, ok)
		}
	}
}
