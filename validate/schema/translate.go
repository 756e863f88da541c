package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/lambdarmor/lambdarmor/validate/program"
	"github.com/santhosh-tekuri/jsonschema/v5"
)

// translation makes a program of what the library has compiled.
type translation struct {
	options
	sources *sources
	ids     map[*jsonschema.Schema]program.ID
	queue   []*jsonschema.Schema
	always  [2]program.ID // the schemas false and true, where no schema stands for them
	schemas []program.Schema
	err     error
}

func translate(root *jsonschema.Schema, s *sources, o options) (*program.Program, error) {
	t := &translation{options: o, sources: s, ids: map[*jsonschema.Schema]program.ID{}, schemas: make([]program.Schema, 1)}
	t.id(root)
	for len(t.queue) > 0 {
		next := t.queue[0]
		t.queue = t.queue[1:]
		made := t.schema(next)
		t.schemas[t.ids[next]] = made
	}
	if t.err != nil {
		return nil, t.err
	}
	return &program.Program{Version: program.Version, Schemas: t.schemas}, nil
}

// id returns the place of a schema, which is translated later.
func (t *translation) id(s *jsonschema.Schema) program.ID {
	if s == nil {
		return 0
	}
	id, ok := t.ids[s]
	if !ok {
		id = t.add(program.Schema{})
		t.ids[s] = id
		t.queue = append(t.queue, s)
	}
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
	case *jsonschema.Schema:
		return t.id(v)
	case bool:
		i := 0
		if v {
			i = 1
		}
		if t.always[i] == 0 {
			t.always[i] = t.add(program.Schema{Never: !v})
		}
		return t.always[i]
	default:
		return 0
	}
}

func (t *translation) schema(s *jsonschema.Schema) program.Schema {
	if s.Always != nil {
		return program.Schema{Never: !*s.Always}
	}
	made := program.Schema{
		Const: t.texts(s.Constant), Enum: t.texts(s.Enum),
		Object: t.object(s), Array: t.array(s), String: t.string(s), Number: t.number(s), Content: t.content(s),
		AllOf: t.list(s.AllOf), AnyOf: t.list(s.AnyOf), OneOf: t.list(s.OneOf),
		Not: t.id(s.Not), If: t.id(s.If), Then: t.id(s.Then), Else: t.id(s.Else),
		UnevaluatedProperties: t.id(s.UnevaluatedProperties), UnevaluatedItems: t.id(s.UnevaluatedItems),
	}
	for _, name := range s.Types {
		made.Types |= types[name]
	}
	var refs []program.ID
	for _, ref := range []*jsonschema.Schema{s.Ref, t.recursive(s.RecursiveRef), t.dynamic(s.DynamicRef)} {
		if ref != nil {
			refs = append(refs, t.id(ref))
		}
	}
	if len(refs) == 1 {
		made.Ref = refs[0]
	} else {
		made.AllOf = append(made.AllOf, refs...)
	}
	return made
}

var types = map[string]program.Types{
	"null": program.Null, "boolean": program.Boolean, "string": program.String, "number": program.Number,
	"integer": program.Integer, "array": program.Array, "object": program.Object,
}

func (t *translation) texts(values []any) (texts []string) {
	for _, v := range values {
		text, err := json.Marshal(v)
		t.err = errors.Join(t.err, err)
		texts = append(texts, string(text))
	}
	return texts
}

// countRange returns nil where neither limit is set. The library sets -1 for none,
// and less for a limit that is beyond an int.
func countRange(least, most int) *program.Range {
	if least == -1 && most == -1 {
		return nil
	}
	r := program.Range{Min: max(least, 0), Max: most}
	if least < -1 {
		r.Min = program.Unlimited
	}
	if most < 0 {
		r.Max = program.Unlimited
	}
	return &r
}

func (t *translation) object(s *jsonschema.Schema) *program.ObjectRules {
	o := program.ObjectRules{
		Count:      countRange(s.MinProperties, s.MaxProperties),
		Additional: t.either(s.AdditionalProperties),
		Names:      t.id(s.PropertyNames),
	}
	if s.RegexProperties { // of the meta-schema of draft 4
		o.Names = t.add(program.Schema{String: &program.StringRules{Format: "regex"}})
	}
	members := map[string]program.Member{}
	for name, sub := range ordered(s.Properties) {
		members[name] = program.Member{Name: name, Schema: t.id(sub)}
	}
	for _, name := range s.Required {
		members[name] = program.Member{Name: name, Required: true, Schema: members[name].Schema}
	}
	for _, m := range ordered(members) {
		o.Members = append(o.Members, m)
	}
	patterns := slices.SortedFunc(maps.Keys(s.PatternProperties), func(a, b *regexp.Regexp) int { return strings.Compare(a.String(), b.String()) })
	for _, p := range patterns {
		o.Patterns = append(o.Patterns, program.Pattern{Pattern: p.String(), Schema: t.id(s.PatternProperties[p])})
	}
	for name, needs := range ordered(s.Dependencies) {
		d := program.Dependent{Keyword: "dependencies", Name: name}
		d.Required, _ = needs.([]string)
		if sub, ok := needs.(*jsonschema.Schema); ok {
			d.Schema = t.id(sub)
		}
		o.Dependent = append(o.Dependent, d)
	}
	for name, needs := range ordered(s.DependentRequired) {
		o.Dependent = append(o.Dependent, program.Dependent{Keyword: "dependentRequired", Name: name, Required: needs})
	}
	for name, sub := range ordered(s.DependentSchemas) {
		o.Dependent = append(o.Dependent, program.Dependent{Keyword: "dependentSchemas", Name: name, Schema: t.id(sub)})
	}
	if o.Count == nil && o.Additional|o.Names == 0 && len(o.Members)+len(o.Patterns)+len(o.Dependent) == 0 {
		return nil
	}
	return &o
}

// ordered goes through a map by its names, so that a program is always the
// same.
func ordered[V any](m map[string]V) func(yield func(string, V) bool) {
	return func(yield func(string, V) bool) {
		for _, name := range slices.Sorted(maps.Keys(m)) {
			if !yield(name, m[name]) {
				return
			}
		}
	}
}

func (t *translation) array(s *jsonschema.Schema) *program.ArrayRules {
	a := program.ArrayRules{Count: countRange(s.MinItems, s.MaxItems), Unique: s.UniqueItems, Contains: t.id(s.Contains)}
	switch items := s.Items.(type) {
	case *jsonschema.Schema:
		a.Items = t.id(items)
	case []*jsonschema.Schema:
		a.Prefix, a.Items, a.Tuple = t.list(items), t.either(s.AdditionalItems), true
	default:
		a.Prefix, a.Items = t.list(s.PrefixItems), t.id(s.Items2020)
	}
	if a.Contains != 0 {
		a.Matches, a.ContainsEvaluates = *countRange(s.MinContains, s.MaxContains), s.ContainsEval
	}
	if a.Count == nil && !a.Unique && a.Contains|a.Items == 0 && len(a.Prefix) == 0 {
		return nil
	}
	return &a
}

func (t *translation) string(s *jsonschema.Schema) *program.StringRules {
	r := program.StringRules{Length: countRange(s.MinLength, s.MaxLength)}
	if s.Pattern != nil {
		r.Pattern = s.Pattern.String()
	}
	if !t.annotateFormats || isMeta(s) {
		r.Format = s.Format
	}
	if r == (program.StringRules{}) {
		return nil
	}
	return &r
}

func (t *translation) content(s *jsonschema.Schema) *program.ContentRules {
	// An unknown encoding leaves nothing to look into.
	c := program.ContentRules{
		Base64: s.ContentEncoding == "base64",
		JSON:   s.ContentMediaType == "application/json" && (s.ContentEncoding == "base64" || s.ContentEncoding == ""),
	}
	if t.annotateContent || !c.Base64 && !c.JSON {
		return nil
	}
	if c.JSON {
		c.Schema = t.id(s.ContentSchema)
	}
	return &c
}

func (t *translation) number(s *jsonschema.Schema) *program.NumberRules {
	n := program.NumberRules{
		Minimum: decimal(s.Minimum), ExclusiveMinimum: decimal(s.ExclusiveMinimum),
		Maximum: decimal(s.Maximum), ExclusiveMaximum: decimal(s.ExclusiveMaximum), MultipleOf: decimal(s.MultipleOf),
	}
	if n == (program.NumberRules{}) {
		return nil
	}
	return &n
}

// decimal writes a limit exactly: every number of a schema is a decimal.
func decimal(limit *big.Rat) string {
	if limit == nil {
		return ""
	}
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

// recursive returns the one schema that a $recursiveRef leads to, and dynamic
// that of a $dynamicRef. Which one depends on the way that has led there, where
// there are several anchors.
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
		walk(doc, "", func(_ string, v any) {
			if object, ok := v.(map[string]any); ok && object[keyword] == anchor {
				allowed--
			}
		})
	}
	if allowed < 0 {
		t.err = errors.Join(t.err, fmt.Errorf("%s %v is there more than once: a reference to it could lead to several schemas, which is not supported", keyword, anchor))
	}
	return target
}
