package validate

import (
	"math"
	"reflect"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// graph is a schema and all that it can lead to.
type graph struct {
	root *jsonschema.Schema
	all  []*jsonschema.Schema

	// Where a dynamic reference leads depends on the way that led to it: these
	// are the places it can lead to, beside the one that it names.
	recursive []*jsonschema.Schema            // with $recursiveAnchor
	dynamic   map[string][]*jsonschema.Schema // $dynamicAnchor → those that have it
}

func newGraph(root *jsonschema.Schema) *graph {
	g := &graph{root: root, dynamic: map[string][]*jsonschema.Schema{}}
	seen := map[*jsonschema.Schema]bool{}
	visit := func(s *jsonschema.Schema) {
		if s != nil && !seen[s] {
			seen[s] = true
			g.all = append(g.all, s)
		}
	}
	visit(root)
	for i := 0; i < len(g.all); i++ { // it grows on the way
		s := g.all[i]
		inPlace(s, visit)
		inside(s, visit)
		visit(s.RecursiveRef)
		visit(s.DynamicRef)
		for _, anchored := range dynamicAnchors(s) {
			visit(anchored)
		}
		if s.RecursiveAnchor {
			g.recursive = append(g.recursive, s)
		}
		if s.DynamicAnchor != "" {
			g.dynamic[s.DynamicAnchor] = append(g.dynamic[s.DynamicAnchor], s)
		}
	}
	return g
}

// dynamicAnchors are the schemas below s that a dynamic reference can lead to.
// Some are reachable in no other way, and the library keeps them to itself.
func dynamicAnchors(s *jsonschema.Schema) []*jsonschema.Schema {
	kept := reflect.ValueOf(s).Elem().FieldByName("dynamicAnchors")
	list := make([]*jsonschema.Schema, kept.Len())
	for i := range list {
		list[i] = (*jsonschema.Schema)(kept.Index(i).UnsafePointer())
	}
	return list
}

// dynamicRefs goes through the schemas that the dynamic references of s can
// lead to, one of which is applied to its own value.
func (g *graph) dynamicRefs(s *jsonschema.Schema, visit func(*jsonschema.Schema)) {
	if ref := s.RecursiveRef; ref != nil {
		visit(ref)
		if ref.RecursiveAnchor {
			for _, sub := range g.recursive {
				visit(sub)
			}
		}
	}
	if ref := s.DynamicRef; ref != nil {
		visit(ref)
		for _, sub := range g.dynamic[ref.DynamicAnchor] { // "" is none's
			visit(sub)
		}
	}
}

// inPlace goes through the schemas that s applies to its own value, but for
// those of dynamic references.
func inPlace(s *jsonschema.Schema, visit func(*jsonschema.Schema)) {
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
		s.PropertyNames, s.UnevaluatedProperties, s.Items2020, s.Contains, s.UnevaluatedItems, s.ContentSchema, contentSchema(s),
	} {
		if sub != nil {
			visit(sub)
		}
	}
}

// checksPerValue bounds how many checks one value can take: the number of ways
// from the root to anywhere, which is beyond all bounds where a schema leads
// back to itself, or into a text.
func (g *graph) checksPerValue() uint64 {
	ways := map[*jsonschema.Schema]uint64{}
	var count func(s *jsonschema.Schema) uint64
	count = func(s *jsonschema.Schema) uint64 {
		if n, ok := ways[s]; ok {
			return n
		}
		ways[s] = math.MaxUint64 // while it is open: a way back
		n := 1 + mostExtra(s)
		visit := func(sub *jsonschema.Schema) { n = plus(n, count(sub)) }
		inPlace(s, visit)
		inside(s, visit)
		g.dynamicRefs(s, visit)
		if contentSchema(s) != nil {
			n = math.MaxUint64
		}
		ways[s] = n
		return n
	}
	return count(g.root)
}

// leadsBack reports whether a schema applies itself to its own value, without
// end. The library notices most such schemas when it compiles them.
func (g *graph) leadsBack() bool {
	const open, done = 1, 2
	state := map[*jsonschema.Schema]int{}
	var visit func(s *jsonschema.Schema) (back bool)
	visit = func(s *jsonschema.Schema) (back bool) {
		if state[s] != 0 {
			return state[s] == open
		}
		state[s] = open
		inPlace(s, func(sub *jsonschema.Schema) { back = visit(sub) || back })
		state[s] = done
		return back
	}
	for _, s := range g.all {
		if visit(s) {
			return true
		}
	}
	return false
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
