package judge

import (
	"maps"
	"slices"

	"github.com/lambdarmor/lambdarmor/validate/program"
)

func (r *run) array(k *rule, v []any, m mode) bool {
	switch k.Keyword {
	case "minItems":
		return r.check(len(v) >= k.Count, m, k)
	case "maxItems":
		return r.check(len(v) <= k.Count, m, k)
	case "uniqueItems":
		return r.check(r.unique(v), m, k)
	case "prefixItems":
		return r.items(k, v, m, "prefixItems", "items")
	case "additionalItems":
		return r.items(k, v, m, "items", "additionalItems")
	case "contains":
		return r.contains(k, v, m)
	case "unevaluatedItems":
		return r.unevaluatedItems(k, v, m)
	default:
		return true
	}
}

func (r *run) items(k *rule, v []any, m mode, prefix, others string) bool {
	ok := true
	for i, item := range v {
		id, keyword := k.Schema, others
		if i < len(k.Schemas) {
			id, keyword = k.Schemas[i], prefix
		}
		if id == 0 {
			break
		}
		ok = r.inside(token{index: i}, id, item, m, keyword) && ok
		if r.stopped || !ok && !m.report {
			return false
		}
	}
	return ok
}

func (r *run) contains(k *rule, v []any, m mode) bool {
	matched := 0
	for i, item := range v {
		if r.inside(token{index: i}, k.Schema, item, mode{}, "contains") {
			matched++
			if k.Evaluates {
				m.seen.add(token{index: i})
			}
		}
		if r.stopped {
			return false
		}
	}
	switch {
	case matched > k.Most:
		return m.report && r.fail(m, "maxContains", atMost(k.Most, "item")+" of one kind")
	case matched >= k.Count:
		return true
	case k.Count == 1:
		return r.fail(m, "contains", "must have an item of the kind that is asked for")
	default:
		return m.report && r.fail(m, "minContains", atLeast(k.Count, "item")+" of the kind that is asked for")
	}
}

func (r *run) object(k *rule, v map[string]any, m mode) bool {
	switch k.Keyword {
	case "minProperties":
		return r.check(len(v) >= k.Count, m, k)
	case "maxProperties":
		return r.check(len(v) <= k.Count, m, k)
	case "required":
		return r.required(k, v, m, "is required")
	case "properties":
		return r.properties(k, v, m)
	case "propertyNames":
		return r.each(v, m, func(name string) bool {
			m := mode{report: m.report, name: true}
			return r.inside(token{name, -1}, k.Schema, name, m, k.Keyword)
		})
	case "dependencies", "dependentRequired", "dependentSchemas":
		if _, there := v[k.Text]; !there {
			return true
		}
		ok := r.required(k, v, m, "is required beside another member")
		return (k.Schema == 0 || r.same(k.Schema, v, m)) && ok
	case "unevaluatedProperties":
		return r.unevaluatedProperties(k, v, m)
	default:
		return true
	}
}

func (r *run) required(k *rule, v map[string]any, m mode, detail string) bool {
	ok := r.spend(len(k.Texts) / lookupsPerStep)
	for _, name := range k.Texts {
		if _, there := v[name]; !there {
			r.path = append(r.path, token{name, -1})
			ok = r.fail(m, k.Keyword, detail)
			r.path = r.path[:len(r.path)-1]
		}
	}
	return ok
}

func (r *run) properties(k *rule, v map[string]any, m mode) bool {
	ok, judged := r.spend(len(k.Members)/lookupsPerStep), 0
	for i := range k.Members {
		known := &k.Members[i]
		if inner, there := v[known.Name]; there {
			judged++
			ok = r.inside(token{known.Name, -1}, known.Schema, inner, m, "properties") && ok
			if !ok && !m.report {
				return false
			}
		}
	}
	if len(k.Patterns) > 0 || k.Schema != 0 && judged < len(v) && !r.schemas[k.Schema].anything {
		ok = r.each(v, m, func(name string) bool { return r.other(k, name, v[name], m) }) && ok
	}
	if k.Schema != 0 && m.seen != nil {
		m.seen.all = true
	}
	return ok
}

// other judges a member by the patterns that match its name, and by
// additionalProperties if no other keyword judges it.
func (r *run) other(k *rule, name string, v any, m mode) bool {
	_, judged := k.known[name]
	ok := true
	for i, p := range k.patterns {
		if r.matches(p, name) {
			judged = true
			ok = r.inside(token{name, -1}, k.Patterns[i].Schema, v, m, "patternProperties") && ok
		}
	}
	if !judged && k.Schema != 0 {
		ok = r.inside(token{name, -1}, k.Schema, v, m, "additionalProperties") && ok
	}
	return ok
}

// each iterates over the names of an object in a fixed order, so that a limit
// always cuts off the same ones.
func (r *run) each(v map[string]any, m mode, judge func(name string) bool) bool {
	ok := r.spend(2 * len(v))
	if !ok {
		return false
	}
	for _, name := range slices.Sorted(maps.Keys(v)) {
		ok = judge(name) && ok
		if r.stopped || !ok && !m.report {
			return false
		}
	}
	return ok
}

func (r *run) unevaluatedProperties(k *rule, v map[string]any, m mode) bool {
	return m.seen.all || r.each(v, m, func(name string) bool {
		_, judged := m.seen.keys[token{name, -1}]
		return judged || r.inside(token{name, -1}, k.Schema, v[name], m, k.Keyword)
	})
}

func (r *run) unevaluatedItems(k *rule, v []any, m mode) bool {
	ok := true
	for i, item := range v {
		if _, judged := m.seen.keys[token{index: i}]; judged || m.seen.all {
			continue
		}
		ok = r.inside(token{index: i}, k.Schema, item, m, k.Keyword) && ok
		if r.stopped || !ok && !m.report {
			return false
		}
	}
	return ok
}

// seen has the members or elements that have been judged.
type seen struct {
	all  bool
	keys map[token]struct{}
}

func (s *seen) add(key token) {
	if s == nil || s.all {
		return
	}
	if s.keys == nil {
		s.keys = map[token]struct{}{}
	}
	s.keys[key] = struct{}{}
}

func (s *seen) merge(other *seen) {
	if s == nil {
		return
	}
	s.all = s.all || other.all
	for key := range other.keys {
		s.add(key)
	}
}

// same judges the same value by another schema. Members and elements that the other
// schema has judged count if it accepts the value.
func (r *run) same(id program.ID, v any, m mode) bool {
	if m.seen == nil {
		return r.judge(id, v, m)
	}
	own := m.seen
	m.seen = &seen{}
	if !r.judge(id, v, m) || !r.spend(len(m.seen.keys)) {
		return false
	}
	own.merge(m.seen)
	return true
}
