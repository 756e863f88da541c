package validate

import (
	"slices"
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
// and value, however many ways lead there.
type work struct {
	*graph
	closures map[*jsonschema.Schema]schemas // of those that judge a value first
	extras   map[*jsonschema.Schema]*extra
}

func newWork(g *graph) *work {
	w := &work{graph: g, closures: map[*jsonschema.Schema]schemas{}, extras: map[*jsonschema.Schema]*extra{}}
	add := func(s *jsonschema.Schema) {
		if w.closures[s] == nil {
			w.closures[s] = g.closureOf(s)
		}
	}
	add(g.root)
	for _, s := range g.all {
		inside(s, add)
		w.extras[s] = newExtra(s)
	}
	return w
}

// closureOf gives s and all that it applies to its own value, each behind those
// that it applies.
func (g *graph) closureOf(s *jsonschema.Schema) schemas {
	var order schemas
	seen := map[*jsonschema.Schema]bool{}
	var visit func(s *jsonschema.Schema)
	visit = func(s *jsonschema.Schema) {
		if !seen[s] {
			seen[s] = true
			inPlace(s, visit)
			g.dynamicRefs(s, visit)
			order = append(order, s)
		}
	}
	visit(s)
	return order
}

// exceeds reports whether tree takes more than limit checks.
func (w *work) exceeds(tree any, limit uint64) bool {
	t := tally{work: w, limit: limit, left: limit}
	prices := t.prices(tree, 0, schemas{w.root})
	return t.over || prices[0] > limit
}

type tally struct {
	*work
	limit uint64
	left  uint64 // steps that may still be made: each is a check at least
	over  bool
}

// prices gives what each of the schemas that judge v costs, at it and within it.
func (t *tally) prices(v any, pathLen int, judges schemas) []uint64 {
	here := t.closures[judges[0]]
	if len(judges) > 1 {
		here = slices.Clone(here)
		for _, s := range judges[1:] {
			for _, sub := range t.closures[s] {
				here.add(sub)
			}
		}
	}
	if uint64(len(here)) > t.left {
		t.over = true
		return make([]uint64, len(judges))
	}
	t.left -= uint64(len(here))
	prices := make([]uint64, len(here))
	t.own(v, pathLen, here, prices)
	t.within(v, pathLen, here, prices)
	for i, s := range here {
		t.inPlace(i, s, here, prices)
	}
	out := make([]uint64, len(judges))
	for i, s := range judges {
		out[i] = prices[slices.Index(here, s)]
	}
	return out
}

// own sets the prices of the checks themselves.
func (t *tally) own(v any, pathLen int, here schemas, prices []uint64) {
	unique := uint64(0)
	for i, s := range here {
		prices[i] = weight(pathLen) + uint64(size(v)/membersPerCheck) + t.extras[s].at(v)
		if items, ok := v.([]any); ok && s.UniqueItems {
			if unique == 0 {
				unique = 1 + checksOfUnique(items, t.limit)
			}
			prices[i] = plus(prices[i], unique)
		}
		t.over = t.over || prices[i] > t.limit
	}
}

// inPlace adds the prices of what the schema at i applies to the same value.
func (t *tally) inPlace(i int, s *jsonschema.Schema, here schemas, prices []uint64) {
	inPlace(s, func(sub *jsonschema.Schema) {
		prices[i] = plus(prices[i], prices[slices.Index(here, sub)])
	})
	dearest := uint64(0) // of those that a dynamic reference can lead to
	t.dynamicRefs(s, func(sub *jsonschema.Schema) {
		if at := slices.Index(here, sub); at != i {
			dearest = max(dearest, prices[at])
		}
	})
	prices[i] = plus(prices[i], dearest)
}

// within adds the prices of values within v.
func (t *tally) within(v any, pathLen int, here schemas, prices []uint64) {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			pathLen := pathLen + 1 + len(name)
			t.add(name, pathLen, here, prices, func(s *jsonschema.Schema, visit func(*jsonschema.Schema)) {
				if s.PropertyNames != nil {
					visit(s.PropertyNames)
				}
			})
			t.add(inner, pathLen, here, prices, func(s *jsonschema.Schema, visit func(*jsonschema.Schema)) { judgesOfMember(s, name, visit) })
		}
	case []any:
		for i, inner := range v {
			t.add(inner, pathLen+1+len(strconv.Itoa(i)), here, prices,
				func(s *jsonschema.Schema, visit func(*jsonschema.Schema)) { judgesOfItem(s, i, visit) })
		}
	case string:
		for i, s := range here {
			if sub := contentSchema(s); sub != nil {
				if tree, err := contentOf(s).tree(v); err == nil && !measure(tree).far {
					t.add(tree, 0, here[i:i+1], prices[i:i+1], func(_ *jsonschema.Schema, visit func(*jsonschema.Schema)) { visit(sub) })
				}
			}
		}
	}
}

// add adds the prices of a value within another, on which each of the schemas
// here sets its own judges.
func (t *tally) add(inner any, pathLen int, here schemas, prices []uint64, judgesOf func(s *jsonschema.Schema, visit func(*jsonschema.Schema))) {
	if t.over {
		return
	}
	type part struct{ of, judge int }
	var judges schemas
	var parts []part
	for i, s := range here {
		judgesOf(s, func(sub *jsonschema.Schema) { parts = append(parts, part{i, judges.add(sub)}) })
	}
	if len(judges) == 0 {
		return
	}
	of := t.prices(inner, pathLen, judges)
	for _, p := range parts {
		prices[p.of] = plus(prices[p.of], of[p.judge])
	}
}
