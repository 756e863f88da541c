package validate

import (
	"strconv"
	"strings"

	"github.com/lambdarmor/lambdarmor/validate/internal/violations"
	"github.com/santhosh-tekuri/jsonschema/v5"
)

// reading makes places of the library's error. Its messages are never used:
// they repeat values of the instance.
type reading struct {
	tree   any
	index  *index // nil when the schemas are not known
	places violations.List
}

// read goes down to the causes that have no cause themselves.
func (r *reading) read(e *jsonschema.ValidationError) {
	s, path := r.index.find(e.AbsoluteKeywordLocation)
	keyword, _, _ := strings.Cut(path, "/")
	switch {
	case len(e.Causes) == 0:
		r.leaf(e, s, path)
	case keyword == "minContains": // its causes say of every element that it is another one
		r.leaf(e, s, path)
	case keyword == "anyOf" || keyword == "oneOf":
		r.alternatives(e)
	default:
		for _, cause := range e.Causes {
			r.read(cause)
		}
	}
}

// alternatives reads the branches of an anyOf or oneOf that the value could
// have been meant for: those that do not fail at the value itself for being of
// another type.
func (r *reading) alternatives(e *jsonschema.ValidationError) {
	meant := 0
	for _, branch := range e.Causes {
		if !r.otherType(branch, e.InstanceLocation) {
			meant++
		}
	}
	for _, branch := range e.Causes {
		if meant == 0 || !r.otherType(branch, e.InstanceLocation) {
			r.read(branch)
		}
	}
}

func (r *reading) otherType(branch *jsonschema.ValidationError, place string) bool {
	for len(branch.Causes) == 1 {
		branch = branch.Causes[0]
	}
	if len(branch.Causes) > 0 || branch.InstanceLocation != place {
		return false
	}
	_, path := r.index.find(branch.AbsoluteKeywordLocation)
	return path == "type"
}

// leaf adds what one keyword found, which for those about members is one place
// for each.
func (r *reading) leaf(e *jsonschema.ValidationError, s *jsonschema.Schema, path string) {
	pointer := plainPointer(e.InstanceLocation)
	keyword, rest, _ := strings.Cut(path, "/")
	if s == nil {
		r.places.Add(pointer, keyword, detailOf(keyword, nil))
		return
	}
	switch keyword {
	case "": // the schema false
		r.places.Add(pointer, falseKeyword(e.KeywordLocation), "is not allowed")
	case "required":
		object, _ := r.object(pointer)
		for _, name := range s.Required {
			if _, ok := object[name]; !ok {
				r.places.Add(pointer+"/"+violations.Escape(name), keyword, "is required")
			}
		}
	case "dependentRequired", "dependencies":
		r.places.Add(pointer+"/"+violations.Escape(dependent(s, keyword, rest)), keyword, "is required beside another member")
	case "additionalProperties":
		object, _ := r.object(pointer)
		for name := range object {
			if !known(s, name) {
				r.places.Add(pointer+"/"+violations.Escape(name), keyword, "is not allowed")
			}
		}
	case "minContains":
		if s.MinContains == 1 {
			keyword = "contains"
		}
		r.places.Add(pointer, keyword, detailOf(keyword, s))
	default:
		detail := detailOf(keyword, s)
		if r.index.names[s] {
			detail = "the name " + detail
		}
		r.places.Add(pointer, keyword, detail)
	}
}

func (r *reading) object(pointer string) (map[string]any, bool) {
	v, _ := lookup(r.tree, pointer)
	object, ok := v.(map[string]any)
	return object, ok
}

// known reports whether s has a word on a member besides that of all others.
func known(s *jsonschema.Schema, name string) bool {
	if _, ok := s.Properties[name]; ok {
		return true
	}
	for pattern := range s.PatternProperties {
		if pattern.MatchString(name) {
			return true
		}
	}
	return false
}

// dependent gives the member that another one needs, by the path "name/0"
// within the keyword.
func dependent(s *jsonschema.Schema, keyword, path string) string {
	slash := strings.LastIndexByte(path, '/')
	if slash < 0 {
		return ""
	}
	name := unescape(plainPointer(path[:slash]))
	needs := s.DependentRequired[name]
	if keyword == "dependencies" {
		needs, _ = s.Dependencies[name].([]string)
	}
	i, err := strconv.Atoi(path[slash+1:])
	if err != nil || i >= len(needs) {
		return ""
	}
	return needs[i]
}

// falseKeyword is the keyword that a schema false is the value of.
func falseKeyword(location string) string {
	tokens := strings.Split(location, "/")
	for i := len(tokens) - 1; i > 0 && i >= len(tokens)-2; i-- {
		switch tokens[i] {
		case "properties", "patternProperties", "additionalProperties", "unevaluatedProperties", "propertyNames",
			"items", "prefixItems", "additionalItems", "unevaluatedItems", "contains":
			return tokens[i]
		}
	}
	return "false"
}
