package judge_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
	"github.com/lambdarmor/lambdarmor/validate/internal/judge"
	"github.com/lambdarmor/lambdarmor/validate/program"
	"github.com/lambdarmor/lambdarmor/validate/schema"
	"github.com/santhosh-tekuri/jsonschema/v5"
)

// The verdict is the library's, on schemas and instances made of few words, so
// that they meet.
func TestTheVerdictIsTheLibrarys(t *testing.T) {
	accepted, refused := 0, 0
	for seed := range uint64(3000) {
		g := generator{Rand: rand.New(rand.NewPCG(seed, 7))}
		text, err := json.Marshal(g.schema(3))
		if err != nil {
			t.Fatal(err)
		}
		p, err := schema.Program(fstest.MapFS{"schema.json": {Data: text}}, "schema.json")
		if err != nil {
			t.Fatalf("seed %d: %s: %v", seed, text, err)
		}
		own, remembering, oracle := judgeOf(t, p), judgeOf(t, p), library(t, text)
		remembering.RememberAll()
		for range 10 {
			instance := g.instance(3)
			tree, err := strictjson.Tree([]byte(instance))
			if err != nil {
				t.Fatalf("seed %d: %s: %v", seed, instance, err)
			}
			want, got := oracle.Validate(tree), own.Check(tree, limits)
			if (want == nil) != (got == nil) {
				t.Fatalf("seed %d: %s of %s: got %v, the library says %v", seed, text, instance, got, want)
			}
			if got == nil {
				accepted++
				if again := remembering.Check(tree, limits); again != nil {
					t.Fatalf("seed %d: %s of %s: got %v where verdicts are remembered", seed, text, instance, again)
				}
				continue
			}
			refused++
			places := guard.Public(got).Violations
			if len(places) == 0 {
				t.Fatalf("seed %d: %s of %s: the error names no place", seed, text, instance)
			}
			if again := guard.Public(remembering.Check(tree, limits)).Violations; !slices.Equal(again, places) {
				t.Fatalf("seed %d: %s of %s: got %v where verdicts are remembered, want %v", seed, text, instance, again, places)
			}
		}
	}
	if accepted < 5000 || refused < 5000 {
		t.Errorf("only %d are accepted, and %d refused", accepted, refused)
	}
}

var limits = judge.Limits{Violations: 100, Steps: 100_000}

func judgeOf(tb testing.TB, p *program.Program) *judge.Judge {
	tb.Helper()
	j, err := judge.New(p, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return j
}

// library returns what jsonschema/v5 makes of a schema, the oracle of tests.
func library(tb testing.TB, text []byte) *jsonschema.Schema {
	tb.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat = true
	if err := c.AddResource("schema.json", bytes.NewReader(text)); err != nil {
		tb.Fatal(err)
	}
	compiled, err := c.Compile("schema.json")
	if err != nil {
		tb.Fatal(err)
	}
	return compiled
}

type generator struct{ *rand.Rand }

func (g generator) pick(of ...any) any { return of[g.IntN(len(of))] }

func (g generator) name() string { return g.pick("a", "b", "x1", "x2", "").(string) }

// number is written in one of the ways there are.
func (g generator) number() json.Number {
	return json.Number(g.pick("0", "-0", "1", "2", "3", "-1", "1.0", "1.5", "-1.50", "2.00", "1e0", "15e-1", "0.1", "1e2", "100",
		"999999999", "1000000000", "9007199254740993", "0.0000000001", "99.0000000000000000001").(string))
}

func (g generator) schema(depth int) any {
	if depth == 0 || g.IntN(12) == 0 {
		return g.pick(true, false, map[string]any{}, map[string]any{"type": "string"}, map[string]any{"type": "integer"})
	}
	s := map[string]any{}
	for range 1 + g.IntN(3) {
		switch g.IntN(25) {
		case 0, 1:
			s["type"] = g.pick("string", "integer", "number", "object", "array", "null", "boolean", []string{"object", "null"}, []string{"integer", "string"})
		case 2, 3:
			s["properties"] = map[string]any{g.name(): g.schema(depth - 1), g.name(): g.schema(depth - 1)}
		case 4:
			s["additionalProperties"] = g.schema(depth - 1)
		case 5:
			s["patternProperties"] = map[string]any{"^x": g.schema(depth - 1)}
		case 6:
			s["required"] = []string{g.name()}
		case 7:
			s["items"] = g.schema(depth - 1)
		case 8:
			s[g.pick("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum").(string)] = g.number()
		case 9:
			s[g.pick("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties").(string)] = g.IntN(3)
		case 10:
			s["pattern"] = g.pick("^a", "b$")
		case 11:
			s["enum"] = []any{g.pick("a", nil, true, g.number()), "b"}
		case 12:
			s["const"] = g.pick("a", nil, false, g.number(), []any{})
		case 13:
			s["anyOf"] = []any{g.schema(depth - 1), g.schema(depth - 1)}
		case 14:
			s["allOf"] = []any{g.schema(depth - 1), g.schema(depth - 1)}
		case 15:
			s["oneOf"] = []any{g.schema(depth - 1), g.schema(depth - 1)}
		case 16:
			s["not"] = g.schema(depth - 1)
		case 17:
			s["format"] = g.pick("email", "date", "unknown")
		case 18:
			s["$ref"] = "#/$defs/d"
			s["$defs"] = map[string]any{"d": g.schema(depth - 1)}
		case 19:
			s[g.pick("unevaluatedProperties", "unevaluatedItems", "contains", "propertyNames").(string)] = g.schema(depth - 1)
		case 21:
			s["if"], s["then"], s["else"] = g.schema(depth-1), g.schema(depth-1), g.schema(depth-1)
		case 22:
			s["dependentSchemas"] = map[string]any{g.name(): g.schema(depth - 1)}
			s["dependentRequired"] = map[string]any{g.name(): []string{g.name()}}
		case 23:
			s["contains"], s["minContains"], s["maxContains"] = g.schema(depth-1), g.IntN(3), 1+g.IntN(2)
		case 24:
			s["multipleOf"] = g.pick(json.Number("0.5"), json.Number("3"), json.Number("1e1"))
		case 20:
			s["uniqueItems"] = true
			s["prefixItems"] = []any{g.schema(depth - 1)}
		}
	}
	if _, ok := s["$ref"]; ok { // it is resolved from the root of its resource
		s["$id"] = fmt.Sprintf("https://example.com/%d", g.Uint64())
		if g.IntN(2) == 0 { // a value is judged by the same schema twice, and the values in it
			ref := map[string]any{"$ref": "#/$defs/d"}
			s[g.pick("anyOf", "allOf", "oneOf").(string)] = []any{ref, map[string]any{"properties": map[string]any{"a": ref}, "items": ref}}
			s[g.pick("unevaluatedProperties", "unevaluatedItems").(string)] = g.pick(false, ref)
		}
	}
	return s
}

func (g generator) instance(depth int) string {
	kind := g.IntN(9)
	if depth == 0 {
		kind %= 5
	}
	switch kind {
	case 0:
		return "null"
	case 1:
		return g.pick("true", "false").(string)
	case 2, 3:
		return string(g.number())
	case 4:
		return g.pick(`""`, `"a"`, `"b"`, `"ab"`, `"äöü"`, `"a@b.c"`, `"2026-01-02"`).(string)
	case 5:
		var items []string
		for range g.IntN(4) {
			items = append(items, g.instance(depth-1))
		}
		return "[" + strings.Join(items, ",") + "]"
	default:
		members := map[string]string{}
		for range g.IntN(4) {
			members[g.name()] = g.instance(depth - 1)
		}
		var list []string
		for name, value := range members {
			list = append(list, `"`+name+`":`+value)
		}
		return "{" + strings.Join(list, ",") + "}"
	}
}
