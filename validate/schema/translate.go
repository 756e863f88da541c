package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/lambdarmor/lambdarmor/internal/reason"
	"github.com/lambdarmor/lambdarmor/validate/program"
	"github.com/santhosh-tekuri/jsonschema/v5"
)

// translation makes a program of the library's compiled schema.
type translation struct {
	options
	sources *sources
	ids     map[*jsonschema.Schema]program.ID
	schemas []program.Schema
	queue   []*jsonschema.Schema
	whole   bool // a source refers to a meta-schema that has parts
	part    bool // a source refers to such a part
	err     error
}

func translate(root *jsonschema.Schema, s *sources, o options) (*program.Program, error) {
	t := &translation{options: o, sources: s, ids: map[*jsonschema.Schema]program.ID{}, schemas: make([]program.Schema, 1)}
	t.id(root)
	for ; len(t.queue) > 0; t.queue = t.queue[1:] {
		next := t.queue[0]
		made := &t.schemas[t.ids[next]]
		if next.Always != nil {
			made.Never = !*next.Always
			continue
		}
		var types program.Types
		for _, name := range next.Types {
			types |= typeBits[name]
		}
		rules := t.rules(next)
		made = &t.schemas[t.ids[next]] // they may have moved
		made.Types, made.Rules = types, rules
	}
	if t.whole && t.part { // in a part, $dynamicRef leads to the part or to the whole
		t.err = errors.Join(t.err, reason.New("a reference to a part of a meta-schema could lead to several schemas beside one to the whole, which is not supported"))
	}
	if t.err == nil && appliesItself(t.schemas) {
		t.err = reason.New("a schema in it applies itself to its own value, without end")
	}
	return &program.Program{Version: program.Version, Schemas: t.schemas}, t.err
}

var typeBits = map[string]program.Types{
	"null": program.Null, "boolean": program.Boolean, "string": program.String, "number": program.Number,
	"integer": program.Integer, "array": program.Array, "object": program.Object,
}

// id returns the place of a schema, which is translated later.
func (t *translation) id(s *jsonschema.Schema) program.ID {
	if s == nil {
		return 0
	}
	id, ok := t.ids[s]
	if ok {
		t.schemas[id].Shared = true
		return id
	}
	id = t.add(program.Schema{})
	t.ids[s] = id
	t.queue = append(t.queue, s)
	return id
}

func (t *translation) list(schemas []*jsonschema.Schema) (ids []program.ID) {
	for _, s := range schemas {
		ids = append(ids, t.id(s))
	}
	return ids
}

func (t *translation) add(s program.Schema) program.ID {
	t.schemas = append(t.schemas, s)
	return program.ID(len(t.schemas) - 1)
}

// either returns the place of a keyword that is a schema or a boolean.
func (t *translation) either(v any) program.ID {
	switch v := v.(type) {
	case bool:
		return t.id(&jsonschema.Schema{Always: &v})
	case *jsonschema.Schema:
		return t.id(v)
	default:
		return 0
	}
}

// rules translates the keywords of a schema, in the order in which they are
// judged.
func (t *translation) rules(s *jsonschema.Schema) []program.Rule {
	var rules []program.Rule
	add := func(wanted bool, r program.Rule) {
		if wanted {
			rules = append(rules, r)
		}
	}
	add(len(s.Constant) > 0, program.Rule{Keyword: "const", Texts: t.texts(s.Constant)})
	add(len(s.Enum) > 0, program.Rule{Keyword: "enum", Texts: t.texts(s.Enum)})
	for _, c := range []struct {
		keyword string
		count   int // the library sets -1 for none, and less for one beyond an int
	}{
		{"minLength", s.MinLength},
		{"maxLength", s.MaxLength},
		{"minItems", s.MinItems},
		{"maxItems", s.MaxItems},
		{"minProperties", s.MinProperties},
		{"maxProperties", s.MaxProperties},
	} {
		add(c.count != -1, program.Rule{Keyword: c.keyword, Count: countOf(c.count)})
	}
	for _, n := range []struct {
		keyword string
		number  *big.Rat
	}{
		{"minimum", s.Minimum},
		{"exclusiveMinimum", s.ExclusiveMinimum},
		{"maximum", s.Maximum},
		{"exclusiveMaximum", s.ExclusiveMaximum},
		{"multipleOf", s.MultipleOf},
	} {
		if n.number != nil {
			rules = append(rules, program.Rule{Keyword: n.keyword, Text: decimal(n.number)})
		}
	}
	if s.Pattern != nil {
		rules = append(rules, program.Rule{Keyword: "pattern", Text: s.Pattern.String()})
	}
	add(s.Format != "" && (!t.annotateFormats || isMeta(s)), program.Rule{Keyword: "format", Text: s.Format})
	rules = append(rules, t.content(s)...)
	rules = append(rules, t.array(s)...)
	rules = append(rules, t.object(s)...)
	t.noteMeta(s)
	all := append(t.list([]*jsonschema.Schema{s.Ref, t.recursive(s.RecursiveRef), t.dynamic(s.DynamicRef)}), t.list(s.AllOf)...)
	all = slices.DeleteFunc(all, func(id program.ID) bool { return id == 0 })
	add(len(all) > 0, program.Rule{Keyword: "allOf", Schemas: all})
	add(s.Not != nil, program.Rule{Keyword: "not", Schema: t.id(s.Not)})
	add(s.If != nil, program.Rule{Keyword: "if", Schemas: t.list([]*jsonschema.Schema{s.If, s.Then, s.Else})})
	add(len(s.AnyOf) > 0, program.Rule{Keyword: "anyOf", Schemas: t.list(s.AnyOf)})
	add(len(s.OneOf) > 0, program.Rule{Keyword: "oneOf", Schemas: t.list(s.OneOf)})
	add(s.UnevaluatedItems != nil, program.Rule{Keyword: "unevaluatedItems", Schema: t.id(s.UnevaluatedItems)})
	add(s.UnevaluatedProperties != nil, program.Rule{Keyword: "unevaluatedProperties", Schema: t.id(s.UnevaluatedProperties)})
	return rules
}

func countOf(n int) int {
	if n < 0 {
		return math.MaxInt
	}
	return n
}

func (t *translation) texts(values []any) (texts []string) {
	for _, v := range values {
		text, err := json.Marshal(v)
		t.err = errors.Join(t.err, err)
		texts = append(texts, string(text))
	}
	return texts
}

func (t *translation) array(s *jsonschema.Schema) (rules []program.Rule) {
	items := program.Rule{Keyword: "prefixItems", Schemas: t.list(s.PrefixItems), Schema: t.id(s.Items2020)}
	switch old := s.Items.(type) {
	case *jsonschema.Schema:
		items.Schema = t.id(old)
	case []*jsonschema.Schema:
		items = program.Rule{Keyword: "additionalItems", Schemas: t.list(old), Schema: t.either(s.AdditionalItems)}
	}
	if items.Schema != 0 || len(items.Schemas) > 0 {
		rules = append(rules, items)
	}
	if s.UniqueItems {
		rules = append(rules, program.Rule{Keyword: "uniqueItems"})
	}
	if s.Contains != nil {
		rules = append(rules, program.Rule{
			Keyword: "contains", Schema: t.id(s.Contains), Evaluates: s.ContainsEval,
			Count: countOf(s.MinContains), Most: countOf(s.MaxContains),
		})
	}
	return rules
}

func (t *translation) object(s *jsonschema.Schema) (rules []program.Rule) {
	members := program.Rule{Keyword: "properties", Schema: t.either(s.AdditionalProperties)}
	for name, sub := range ordered(s.Properties) {
		members.Members = append(members.Members, program.Member{Name: name, Schema: t.id(sub)})
	}
	patterns := map[string]*jsonschema.Schema{}
	for pattern, sub := range s.PatternProperties {
		patterns[pattern.String()] = sub
	}
	for pattern, sub := range ordered(patterns) {
		members.Patterns = append(members.Patterns, program.Member{Name: pattern, Schema: t.id(sub)})
	}
	if members.Schema != 0 || len(members.Members)+len(members.Patterns) > 0 {
		rules = append(rules, members)
	}
	if len(s.Required) > 0 {
		rules = append(rules, program.Rule{Keyword: "required", Texts: s.Required})
	}
	if s.PropertyNames != nil {
		rules = append(rules, program.Rule{Keyword: "propertyNames", Schema: t.id(s.PropertyNames)})
	}
	if s.RegexProperties { // of the meta-schema of draft 4
		regex := t.add(program.Schema{Rules: []program.Rule{{Keyword: "format", Text: "regex"}}})
		rules = append(rules, program.Rule{Keyword: "propertyNames", Schema: regex})
	}
	for name, needs := range ordered(s.Dependencies) {
		names, _ := needs.([]string)
		sub, _ := needs.(*jsonschema.Schema)
		rules = append(rules, program.Rule{Keyword: "dependencies", Text: name, Texts: names, Schema: t.id(sub)})
	}
	for name, names := range ordered(s.DependentRequired) {
		rules = append(rules, program.Rule{Keyword: "dependentRequired", Text: name, Texts: names})
	}
	for name, sub := range ordered(s.DependentSchemas) {
		rules = append(rules, program.Rule{Keyword: "dependentSchemas", Text: name, Schema: t.id(sub)})
	}
	return rules
}

// ordered goes through a map by its names, so that a schema always becomes the
// same program.
func ordered[V any](m map[string]V) func(yield func(string, V) bool) {
	return func(yield func(string, V) bool) {
		for _, name := range slices.Sorted(maps.Keys(m)) {
			if !yield(name, m[name]) {
				return
			}
		}
	}
}

func (t *translation) content(s *jsonschema.Schema) (rules []program.Rule) {
	if t.annotateContent {
		return nil
	}
	if s.ContentEncoding == "base64" {
		rules = append(rules, program.Rule{Keyword: "contentEncoding"})
	}
	// The content of an unknown encoding is not checked.
	if s.ContentMediaType == "application/json" && (s.ContentEncoding == "base64" || s.ContentEncoding == "") {
		rules = append(rules, program.Rule{Keyword: "contentMediaType", Text: s.ContentEncoding, Schema: t.id(s.ContentSchema)})
	}
	return rules
}

// appliesItself reports whether a schema leads back to itself for the same
// value. The library notices most of these.
func appliesItself(schemas []program.Schema) bool {
	const open, done = 1, 2
	state := make([]int, len(schemas))
	var visit func(id program.ID) bool
	visit = func(id program.ID) bool {
		if state[id] != 0 {
			return state[id] == open
		}
		state[id] = open
		for _, r := range schemas[id].Rules {
			var inPlace []program.ID
			switch r.Keyword {
			case "allOf", "anyOf", "oneOf", "if":
				inPlace = r.Schemas
			case "not", "dependencies", "dependentSchemas":
				inPlace = []program.ID{r.Schema}
			}
			if slices.ContainsFunc(inPlace, visit) {
				return true
			}
		}
		state[id] = done
		return false
	}
	for id := range schemas {
		if visit(program.ID(id)) {
			return true
		}
	}
	return false
}

// decimal writes a limit exactly: every number of a schema is a decimal.
func decimal(limit *big.Rat) string {
	places, _ := limit.FloatPrec()
	text := limit.FloatString(places)
	if len(text) <= 40 {
		return text
	}
	digits := new(big.Int).Mul(limit.Num(), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil))
	mantissa := digits.Quo(digits, limit.Denom()).String()
	short := strings.TrimRight(mantissa, "0")
	return short + "e" + strconv.Itoa(len(mantissa)-len(short)-places)
}

// isMeta reports whether s belongs to the meta-schema of a draft.
func isMeta(s *jsonschema.Schema) bool {
	_, path, ok := strings.Cut(s.Location, "://json-schema.org/")
	return ok && strings.HasPrefix(path, "draft")
}

// noteMeta notes to which meta-schemas a source refers.
func (t *translation) noteMeta(s *jsonschema.Schema) {
	for _, target := range []*jsonschema.Schema{s.Ref, s.RecursiveRef, s.DynamicRef} {
		if target != nil && isMeta(target) && !isMeta(s) {
			t.part = t.part || strings.Contains(target.Location, "/meta/")
			t.whole = t.whole || strings.Contains(target.Location, "/draft/20") && !strings.Contains(target.Location, "/meta/")
		}
	}
}

// recursive returns the one schema that a $recursiveRef leads to, and dynamic
// does so for a $dynamicRef. With several anchors the target would depend on how
// the reference was reached.
func (t *translation) recursive(target *jsonschema.Schema) *jsonschema.Schema {
	if target == nil || !target.RecursiveAnchor {
		return target
	}
	return t.only(target, "$recursiveAnchor", true, "https://json-schema.org/draft/2019-09/schema")
}

func (t *translation) dynamic(target *jsonschema.Schema) *jsonschema.Schema {
	if target == nil || target.DynamicAnchor == "" {
		return target
	}
	return t.only(target, "$dynamicAnchor", target.DynamicAnchor, "https://json-schema.org/draft/2020-12/schema")
}

// only returns target if no source has a second anchor with the value, and the
// meta-schema of the draft for a reference inside it.
func (t *translation) only(target *jsonschema.Schema, keyword string, anchor any, meta string) *jsonschema.Schema {
	allowed := 1
	if isMeta(target) {
		allowed = 0
		for s := range t.ids {
			if s.Location == meta+"#" {
				target = s
			}
		}
	}
	for _, doc := range t.sources.loaded {
		allowed -= count(doc, keyword, anchor)
	}
	if allowed < 0 {
		t.err = errors.Join(t.err, fmt.Errorf("%s %v is there more than once: a reference to it could lead to several schemas, which is not supported", keyword, anchor))
	}
	return target
}

// count returns how many objects in a document have a member with a value.
func count(doc any, name string, value any) (n int) {
	switch doc := doc.(type) {
	case map[string]any:
		for member, inner := range doc {
			if member == name && inner == value {
				n++
			}
			n += count(inner, name, value)
		}
	case []any:
		for _, inner := range doc {
			n += count(inner, name, value)
		}
	}
	return n
}
