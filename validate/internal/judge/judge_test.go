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

// reports judges a tree and returns what is left of the steps.
func reports(t *testing.T, tree any, schemas ...program.Schema) *run {
	t.Helper()
	j, err := New(&program.Program{Version: program.Version, Schemas: append(make([]program.Schema, 1), schemas...)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := j.start(Limits{Violations: 20, Steps: 1_000_000})
	if r.judge(program.Root, tree, mode{report: true}) {
		t.Fatal("accepted")
	}
	return r
}

func TestTheWorkStopsWhereTheListIsFull(t *testing.T) {
	wrong := make([]any, 100_000)
	for i := range wrong {
		wrong[i] = json.Number("1")
	}
	r := reports(t, wrong,
		program.Schema{Rules: []program.Rule{{Keyword: "prefixItems", Schema: 2}}},
		program.Schema{Rules: []program.Rule{{Keyword: "maximum", Text: "0"}}})
	if r.left != -1 || r.costly || len(r.path) != 0 {
		t.Errorf("%d steps are left, too costly: %t; want it to be stopped", r.left, r.costly)
	}
}

// One place may be reported by many schemas, each time with a long pointer.
func TestAReportCostsSteps(t *testing.T) {
	tree := map[string]any{strings.Repeat("x", 100_000): json.Number("1")}
	all := program.Rule{Keyword: "allOf"}
	for range 5000 {
		all.Schemas = append(all.Schemas, 3)
	}
	r := reports(t, tree,
		program.Schema{Rules: []program.Rule{{Keyword: "properties", Schema: 2}}},
		program.Schema{Rules: []program.Rule{all}},
		program.Schema{Rules: []program.Rule{{Keyword: "maximum", Text: "0"}}})
	if !r.costly {
		t.Errorf("%d steps are left", r.left)
	}
}

// Each place is compared with those before it.
func TestALongListCostsSteps(t *testing.T) {
	j, err := New(&program.Program{Version: program.Version, Schemas: []program.Schema{
		{}, {Rules: []program.Rule{{Keyword: "prefixItems", Schema: 2}}}, {Types: program.String},
	}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := j.start(Limits{Violations: 20_000, Steps: 1_000_000})
	if r.judge(program.Root, make([]any, 20_000), mode{report: true}) || !r.costly {
		t.Errorf("%d steps are left, want none", r.left)
	}
}

// Each of these costs more than the one step of a schema.
func TestWhatElseCostsSteps(t *testing.T) {
	long, text := make([]any, 1000), strings.Repeat("a", 100_000)
	for i := range long {
		long[i] = json.Number(strings.Repeat("1", i%512+1))
	}
	object := map[string]any{}
	for i := range 1000 {
		object[strings.Repeat("a", i)] = nil
	}
	names := strings.Split(strings.Repeat("a,", 1000), ",")
	for name, tt := range map[string]struct {
		rule program.Rule
		tree any
		want int // steps, at least
	}{
		"minLength":        {rule: program.Rule{Keyword: "minLength", Count: 1 << 30}, tree: text, want: 300},
		"maxLength":        {rule: program.Rule{Keyword: "maxLength"}, tree: text, want: 300},
		"pattern":          {rule: program.Rule{Keyword: "pattern", Text: ".{100}x"}, tree: text, want: 800_000},
		"format":           {rule: program.Rule{Keyword: "format", Text: "date"}, tree: text, want: 100_000},
		"format regex":     {rule: program.Rule{Keyword: "format", Text: "regex"}, tree: text[:1000] + "(", want: 200_000},
		"contentEncoding":  {rule: program.Rule{Keyword: "contentEncoding"}, tree: text + "!", want: 25_000},
		"texts of JSON":    {rule: program.Rule{Keyword: "contentMediaType"}, tree: "[", want: 21},
		"contentMediaType": {rule: program.Rule{Keyword: "contentMediaType"}, tree: text, want: 25_000},
		"multipleOf":       {rule: program.Rule{Keyword: "multipleOf", Text: "3." + strings.Repeat("1", 100)}, tree: json.Number("7"), want: 20},
		"minimum":          {rule: program.Rule{Keyword: "minimum", Text: "1e512"}, tree: long[511], want: 57},
		"uniqueItems":      {rule: program.Rule{Keyword: "uniqueItems"}, tree: long, want: 1000},
		"enum":             {rule: program.Rule{Keyword: "enum", Texts: []string{`["b"]`}}, tree: []any{text, text}, want: 700},
		"enum of many":     {rule: program.Rule{Keyword: "enum", Texts: []string{"1"}}, tree: make([]any, 1000), want: 1000},
		"required":         {rule: program.Rule{Keyword: "required", Texts: names}, tree: map[string]any{"a": nil}, want: 250},
		"propertyNames":    {rule: program.Rule{Keyword: "propertyNames", Schema: 2}, tree: object, want: 4000},
		"properties": {
			rule: program.Rule{Keyword: "properties", Schema: 2, Members: make([]program.Member, 4000)}, tree: map[string]any{"x": text[:999]}, want: 1000,
		},
	} {
		r := reports(t, tt.tree, program.Schema{Rules: []program.Rule{tt.rule}}, program.Schema{Rules: []program.Rule{{Keyword: "maxLength", Count: 998}}})
		if spent := r.limits.Steps - r.left; spent < tt.want {
			t.Errorf("%s: took %d steps, want %d at least", name, spent, tt.want)
		}
	}
}

func TestTheWidthOfAPattern(t *testing.T) {
	for text, want := range map[string]int{
		"^a{100}$":           2,
		"^[a-z]{1,64}$":      4,
		"^(a|b){9}$":         3,
		"^(?:a?){9}a{9}$":    20,
		".{10}x":             13,
		"^.*.{10}x":          16,
		"(?m)^a{100}$":       104,
		"^(?:aa|aaa)*b{10}$": 20,
		"^a|b{10}":           15,
	} {
		p, err := compilePattern(text)
		if err != nil {
			t.Fatal(err)
		}
		if p.width != want {
			t.Errorf("%s: got %d, want %d", text, p.width, want)
		}
	}
}

func TestTheTypeOfALongNumberCostsSteps(t *testing.T) {
	r := reports(t, json.Number("1."+strings.Repeat("1", 500)), program.Schema{Types: program.Integer})
	if spent := r.limits.Steps - r.left; spent < 56 {
		t.Errorf("took %d steps, want 56 at least", spent)
	}
}

func TestWhatIsEvaluatedCostsSteps(t *testing.T) {
	tree, known := map[string]any{"other": nil}, program.Rule{Keyword: "properties"}
	for i := range 1000 {
		name := strings.Repeat("a", i+1)
		tree[name] = nil
		known.Members = append(known.Members, program.Member{Name: name, Schema: 3})
	}
	r := reports(t, tree,
		program.Schema{Rules: []program.Rule{{Keyword: "allOf", Schemas: []program.ID{2, 2}}, {Keyword: "unevaluatedProperties", Schema: 4}}},
		program.Schema{Rules: []program.Rule{known}},
		program.Schema{},
		program.Schema{Never: true})
	if spent, want := r.limits.Steps-r.left, 2*(1000+250+1000)+2*1000; spent < want {
		t.Errorf("took %d steps, want %d at least", spent, want)
	}
}

// Where only the verdict counts, nothing is judged after the first failure, and
// no reason is looked for.
func TestAVerdictTakesFewSteps(t *testing.T) {
	tree := []any{make([]any, 1000)}
	contains := program.Schema{Rules: []program.Rule{{Keyword: "contains", Schema: 2, Count: 1, Most: 9}}}
	for name, schemas := range map[string][]program.Schema{
		"of several keywords": {contains, {Rules: []program.Rule{{Keyword: "maxItems", Count: 9}, {Keyword: "prefixItems", Schema: 3}}}, {Types: program.Null}},
		"of elements":         {contains, {Rules: []program.Rule{{Keyword: "prefixItems", Schema: 3}}}, {Types: program.String}},
		"of members and others": {
			contains,
			{Rules: []program.Rule{{Keyword: "allOf", Schemas: []program.ID{3, 4}}}},
			{Never: true},
			{Rules: []program.Rule{{Keyword: "prefixItems", Schema: 3}}},
		},
	} {
		r := reports(t, tree, schemas...)
		if spent := r.limits.Steps - r.left; spent > 50 {
			t.Errorf("%s: took %d steps", name, spent)
		}
	}
	chain := []program.Schema{contains}
	for i := range 14 {
		chain = append(chain, program.Schema{Rules: []program.Rule{{Keyword: "anyOf", Schemas: []program.ID{program.ID(i + 3)}}}})
	}
	r := reports(t, tree, append(chain, program.Schema{Never: true})...)
	if spent := r.limits.Steps - r.left; spent > 50 {
		t.Errorf("of alternatives: took %d steps", spent)
	}
}
