package validate

import (
	"math"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// inPlace goes through the schemas that s applies to its own value. A dynamic
// reference leads to the schema that it names, and to the root where that has
// taken its place.
func inPlace(s, root *jsonschema.Schema, visit func(*jsonschema.Schema)) {
	for _, ref := range []*jsonschema.Schema{s.Ref, s.Not, s.If, s.Then, s.Else} {
		if ref != nil {
			visit(ref)
		}
	}
	for _, list := range [][]*jsonschema.Schema{s.AllOf, s.AnyOf, s.OneOf} {
		for _, sub := range list {
			visit(sub)
		}
	}
	for _, dependency := range s.Dependencies {
		if sub, ok := dependency.(*jsonschema.Schema); ok {
			visit(sub)
		}
	}
	for _, sub := range s.DependentSchemas {
		visit(sub)
	}
	if ref := s.RecursiveRef; ref != nil {
		if ref.RecursiveAnchor && root.RecursiveAnchor {
			ref = root
		}
		visit(ref)
	}
	if ref := s.DynamicRef; ref != nil {
		if ref.DynamicAnchor != "" && ref.DynamicAnchor == root.DynamicAnchor {
			ref = root
		}
		visit(ref)
	}
}

// inside goes through the schemas that s applies to values within its own.
func inside(s *jsonschema.Schema, visit func(*jsonschema.Schema)) {
	for _, sub := range s.Properties {
		visit(sub)
	}
	for _, sub := range s.PatternProperties {
		visit(sub)
	}
	for _, either := range []any{s.AdditionalProperties, s.Items, s.AdditionalItems} {
		switch sub := either.(type) {
		case *jsonschema.Schema:
			visit(sub)
		case []*jsonschema.Schema:
			for _, item := range sub {
				visit(item)
			}
		}
	}
	for _, sub := range s.PrefixItems {
		visit(sub)
	}
	for _, sub := range []*jsonschema.Schema{
		s.PropertyNames, s.UnevaluatedProperties, s.Items2020, s.Contains, s.UnevaluatedItems, s.ContentSchema,
	} {
		if sub != nil {
			visit(sub)
		}
	}
}

// checksPerValue bounds how many schemas can apply to one value: the number of
// ways from the root to anywhere, which is beyond all bounds where a schema
// leads back to itself.
func checksPerValue(root *jsonschema.Schema) uint64 {
	ways := map[*jsonschema.Schema]uint64{}
	var count func(s *jsonschema.Schema) uint64
	count = func(s *jsonschema.Schema) uint64 {
		if n, ok := ways[s]; ok {
			return n
		}
		ways[s] = math.MaxUint64 // while it is open: a way back
		n := uint64(1)
		visit := func(sub *jsonschema.Schema) { n = plus(n, count(sub)) }
		inPlace(s, root, visit)
		inside(s, visit)
		ways[s] = n
		return n
	}
	return count(root)
}

// plus and times stop at the largest number there is.
func plus(a, b uint64) uint64 {
	if a > math.MaxUint64-b {
		return math.MaxUint64
	}
	return a + b
}

func times(a, b uint64) uint64 {
	if a != 0 && b > math.MaxUint64/a {
		return math.MaxUint64
	}
	return a * b
}
