package validate

import (
	"regexp"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// A rule is a schema in the form in which most values can be accepted without
// the library: it makes a set of the members for every object, a fraction of
// every number, and an error for every branch that does not match, which is
// 56 allocations for six strings. What a rule cannot tell, and all that is to
// be refused, is the library's to judge.
type rule struct {
	beyond bool // has keywords that are not judged here: nothing is accepted

	always   *bool
	types    typeSet            // 0: any
	allowed  []any              // const and enum, of strings, booleans and null; nil: any
	verbatim *jsonschema.Schema // has a format: the library judges strings by all of it

	// of objects
	members                []member            // that are required or have a rule
	names                  map[string]struct{} // of those with a rule
	patterns               map[*regexp.Regexp]*rule
	additional             *rule // nil: any
	additionalRefused      bool
	minMembers, maxMembers int // -1: no limit, like all below

	// of arrays
	items              *rule // nil: any
	minItems, maxItems int

	// of strings and numbers
	minLength, maxLength int
	pattern              *regexp.Regexp
	limits               []limit

	// of the value itself
	all   []*rule // allOf and $ref
	anyOf []*rule
}

type member struct {
	name     string
	required bool
	rule     *rule // nil: any
}

// typeSet is a set of JSON types.
type typeSet uint8

const (
	typeNull typeSet = 1 << iota
	typeBoolean
	typeString
	typeNumber
	typeInteger
	typeArray
	typeObject
)

var typeNames = map[string]typeSet{
	"null": typeNull, "boolean": typeBoolean, "string": typeString, "number": typeNumber,
	"integer": typeInteger, "array": typeArray, "object": typeObject,
}

// rules makes rules of the schemas that s leads to, one of each.
type rules map[*jsonschema.Schema]*rule

func (rs rules) of(s *jsonschema.Schema) *rule {
	if s == nil {
		return nil
	}
	if r, ok := rs[s]; ok {
		return r
	}
	r := &rule{
		always: s.Always, minMembers: s.MinProperties, maxMembers: s.MaxProperties,
		minItems: s.MinItems, maxItems: s.MaxItems, minLength: s.MinLength, maxLength: s.MaxLength, pattern: s.Pattern,
	}
	rs[s] = r
	if s.Format != "" {
		r.verbatim = s
	}
	r.beyond = isBeyond(s)
	if r.beyond || r.verbatim != nil {
		return r
	}
	for _, name := range s.Types {
		r.types |= typeNames[name]
	}
	r.choose(s)
	r.bound(s)
	rs.objects(r, s)
	switch items := s.Items.(type) {
	case nil:
		r.items = rs.of(s.Items2020)
	case *jsonschema.Schema:
		r.items = rs.of(items)
	}
	if s.Ref != nil {
		r.all = append(r.all, rs.of(s.Ref))
	}
	r.all = append(r.all, rs.list(s.AllOf)...)
	r.anyOf = rs.list(s.AnyOf)
	return r
}

func (rs rules) list(schemas []*jsonschema.Schema) []*rule {
	var list []*rule
	for _, s := range schemas {
		list = append(list, rs.of(s))
	}
	return list
}

// isBeyond reports whether s has a keyword that no rule stands for.
func isBeyond(s *jsonschema.Schema) bool {
	if s.Format != "" && (s.Ref != nil || len(s.AllOf)+len(s.AnyOf) > 0) {
		return true // outside of its own schema a reference may lead elsewhere
	}
	if min(s.MinLength, s.MaxLength, s.MinItems, s.MaxItems, s.MinProperties, s.MaxProperties) < -1 {
		return true // beyond an int
	}
	_, tuple := s.Items.([]*jsonschema.Schema)
	return s.RecursiveRef != nil || s.DynamicRef != nil || s.Not != nil || s.If != nil || len(s.OneOf) > 0 ||
		s.PropertyNames != nil || s.RegexProperties || len(s.Dependencies)+len(s.DependentRequired)+len(s.DependentSchemas) > 0 ||
		s.UnevaluatedProperties != nil || s.UnevaluatedItems != nil || s.UniqueItems || tuple || s.AdditionalItems != nil ||
		len(s.PrefixItems) > 0 || s.Contains != nil || s.ContentEncoding != "" || s.ContentMediaType != "" ||
		s.MultipleOf != nil || len(s.Extensions) > 0
}

// choose takes const and enum over.
func (r *rule) choose(s *jsonschema.Schema) {
	if len(s.Constant) > 0 && len(s.Enum) > 0 {
		r.beyond = true
		return
	}
	for _, v := range slices.Concat(s.Constant, s.Enum) {
		switch v.(type) {
		case nil, bool, string:
			r.allowed = append(r.allowed, v)
		default:
			r.beyond = true
		}
	}
}

func (rs rules) objects(r *rule, s *jsonschema.Schema) {
	required := map[string]bool{}
	for _, name := range s.Required {
		required[name] = true
	}
	r.names = map[string]struct{}{}
	for name, sub := range s.Properties {
		r.names[name] = struct{}{}
		r.members = append(r.members, member{name, required[name], rs.of(sub)})
		delete(required, name)
	}
	for name := range required {
		r.members = append(r.members, member{name, true, nil})
	}
	for pattern, sub := range s.PatternProperties {
		if r.patterns == nil {
			r.patterns = map[*regexp.Regexp]*rule{}
		}
		r.patterns[pattern] = rs.of(sub)
	}
	switch additional := s.AdditionalProperties.(type) {
	case bool:
		r.additionalRefused = !additional
	case *jsonschema.Schema:
		r.additional = rs.of(additional)
	}
}
