package validate

import (
	"strconv"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// weight is what a check costs at a place with a pointer of n bytes: the
// library joins the pointer of every value that it comes to, and keeps those
// that fail.
func weight(n int) uint64 { return 1 + uint64(n/64) }

// membersPerCheck is how many members or elements of a value cost as much as a
// check: the library makes a set of them for each schema.
const membersPerCheck = 16

func size(v any) int {
	switch v := v.(type) {
	case map[string]any:
		return len(v)
	case []any:
		return len(v)
	default:
		return 0
	}
}

// work foretells how many checks an instance takes. The library evaluates all
// branches of an anyOf, each of them down to the leaves, so that a recursive
// schema can take 2^depth checks. To count them takes one step for each schema
// and value: what arrives at a value by several ways is taken together.
type work struct {
	root     *jsonschema.Schema
	closures map[*jsonschema.Schema]closure
}

// closure is a schema and all that it applies to its own value.
type closure struct {
	steps []step
	total uint64
}

// step is a schema, and how many times it is applied.
type step struct {
	schema *jsonschema.Schema
	times  uint64
}

func newWork(root *jsonschema.Schema) *work {
	w := &work{root: root, closures: map[*jsonschema.Schema]closure{}}
	open := []*jsonschema.Schema{root}
	for len(open) > 0 {
		s := open[len(open)-1]
		open = open[:len(open)-1]
		if _, ok := w.closures[s]; ok {
			continue
		}
		c := closureOf(s, root)
		w.closures[s] = c
		for _, st := range c.steps {
			inside(st.schema, func(sub *jsonschema.Schema) { open = append(open, sub) })
		}
	}
	return w
}

// closureOf counts, along an order in which no schema comes before one that
// leads to it.
func closureOf(s, root *jsonschema.Schema) closure {
	var order []*jsonschema.Schema // reversed
	seen := map[*jsonschema.Schema]bool{}
	var visit func(s *jsonschema.Schema)
	visit = func(s *jsonschema.Schema) {
		if !seen[s] {
			seen[s] = true
			inPlace(s, root, visit)
			order = append(order, s)
		}
	}
	visit(s)
	counts := map[*jsonschema.Schema]uint64{s: 1}
	var c closure
	for i := len(order) - 1; i >= 0; i-- {
		n := counts[order[i]]
		c.steps = append(c.steps, step{order[i], n})
		c.total = plus(c.total, n)
		inPlace(order[i], root, func(sub *jsonschema.Schema) { counts[sub] = plus(counts[sub], n) })
	}
	return c
}

// exceeds reports whether tree takes more than limit checks.
func (w *work) exceeds(tree any, limit uint64) bool {
	t := tally{work: w, left: limit}
	return !t.value(tree, 0, []step{{w.root, 1}})
}

type tally struct {
	*work
	left uint64
}

// spend takes off what it costs to apply s and its closure n times to a value
// with so many members or elements, and reports whether there was as much left.
func (t *tally) spend(s *jsonschema.Schema, n uint64, pathLen, members int) bool {
	cost := times(times(t.closures[s].total, n), weight(pathLen)+uint64(members/membersPerCheck))
	if cost > t.left {
		return false
	}
	t.left -= cost
	return true
}

// value spends what the schemas in arrived cost at v and within it.
func (t *tally) value(v any, pathLen int, arrived []step) bool {
	for _, a := range arrived {
		if !t.spend(a.schema, a.times, pathLen, size(v)) {
			return false
		}
	}
	switch v := v.(type) {
	case map[string]any:
		here := t.expand(arrived)
		for name, inner := range v {
			if !t.member(name, inner, pathLen+1+len(name), here) {
				return false
			}
		}
	case []any:
		here := t.expand(arrived)
		for i, inner := range v {
			if !t.value(inner, pathLen+1+len(strconv.Itoa(i)), itemSchemas(i, here)) {
				return false
			}
		}
	}
	return true
}

// expand gives everything that applies to a value.
func (t *tally) expand(arrived []step) steps {
	var here steps
	for _, a := range arrived {
		for _, st := range t.closures[a.schema].steps {
			here.add(st.schema, times(st.times, a.times))
		}
	}
	return here
}

func (t *tally) member(name string, v any, pathLen int, here steps) bool {
	var there steps
	evaluated := false
	for _, st := range here {
		s := st.schema
		if s.PropertyNames != nil && !t.spend(s.PropertyNames, st.times, pathLen, 0) {
			return false
		}
		own, known := s.Properties[name]
		if known {
			there.add(own, st.times)
		}
		for pattern, sub := range s.PatternProperties {
			if pattern.MatchString(name) {
				there.add(sub, st.times)
				known = true
			}
		}
		if sub, ok := s.AdditionalProperties.(*jsonschema.Schema); ok && !known {
			there.add(sub, st.times)
			known = true
		}
		evaluated = evaluated || known
	}
	for _, st := range here {
		if sub := st.schema.UnevaluatedProperties; sub != nil && !evaluated {
			there.add(sub, st.times)
		}
	}
	return t.value(v, pathLen, there)
}

// itemSchemas gives the schemas that apply to the element at i.
func itemSchemas(i int, here steps) steps {
	var there steps
	evaluated := false
	for _, st := range here {
		s := st.schema
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
			there.add(own, st.times)
			evaluated = true
		}
		if s.Contains != nil {
			there.add(s.Contains, st.times)
		}
	}
	for _, st := range here {
		if sub := st.schema.UnevaluatedItems; sub != nil && !evaluated {
			there.add(sub, st.times)
		}
	}
	return there
}

// steps are schemas that apply to one value, each there once.
type steps []step

func (s *steps) add(schema *jsonschema.Schema, n uint64) {
	for i := range *s {
		if (*s)[i].schema == schema {
			(*s)[i].times = plus((*s)[i].times, n)
			return
		}
	}
	*s = append(*s, step{schema, n})
}
