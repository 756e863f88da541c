package validate

import (
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// schemas are some, each there once.
type schemas []*jsonschema.Schema

// add gives the place of a schema, at the end where it has none yet.
func (list *schemas) add(s *jsonschema.Schema) int {
	i := slices.Index(*list, s)
	if i < 0 {
		i = len(*list)
		*list = append(*list, s)
	}
	return i
}

// judgesOfMember goes through the schemas that s sets on a member of its
// object. Those for what nothing else has judged are among them where that may
// be so: what a branch says of a member counts only where the branch holds.
func judgesOfMember(s *jsonschema.Schema, name string, visit func(*jsonschema.Schema)) {
	own, judged := s.Properties[name]
	if judged {
		visit(own)
	}
	for pattern, sub := range s.PatternProperties {
		if pattern.MatchString(name) {
			visit(sub)
			judged = true
		}
	}
	if sub, ok := s.AdditionalProperties.(*jsonschema.Schema); ok && !judged {
		visit(sub)
	}
	if s.UnevaluatedProperties != nil && !judged && s.AdditionalProperties == nil {
		visit(s.UnevaluatedProperties)
	}
}

// judgesOfItem goes through the schemas that s sets on the element at i of its
// array, like judgesOfMember.
func judgesOfItem(s *jsonschema.Schema, i int, visit func(*jsonschema.Schema)) {
	var own *jsonschema.Schema
	switch items := s.Items.(type) {
	case *jsonschema.Schema:
		own = items
	case []*jsonschema.Schema:
		if i < len(items) {
			own = items[i]
		} else {
			own, _ = s.AdditionalItems.(*jsonschema.Schema)
		}
	default:
		if i < len(s.PrefixItems) {
			own = s.PrefixItems[i]
		} else {
			own = s.Items2020
		}
	}
	if own != nil {
		visit(own)
	}
	if s.Contains != nil {
		visit(s.Contains)
	}
	if s.UnevaluatedItems != nil && own == nil {
		visit(s.UnevaluatedItems)
	}
}
