package judge

import "github.com/lambdarmor/lambdarmor/validate/program"

// item judges an element of an array.
func (r *run) item(i int, id program.ID, v any, m mode, keyword string) bool {
	r.path = append(r.path, token{"", i})
	ok := r.inside(id, v, m, keyword)
	r.path = r.path[:len(r.path)-1]
	return ok
}

func (r *run) array(rule *rule, v []any, m mode) bool {
	a := rule.Array
	ok := a.Count == nil || r.count(a.Count, len(v), m, "minItems", "maxItems", rule)
	if a.Unique && (ok || m.report) {
		ok = r.check(r.unique(v), m, "uniqueItems", rule) && ok
	}
	prefix, items := "prefixItems", "items"
	if a.Tuple {
		prefix, items = "items", "additionalItems"
	}
	for i, inner := range v {
		id, keyword := a.Items, items
		if i < len(a.Prefix) {
			id, keyword = a.Prefix[i], prefix
		}
		if id == 0 {
			break
		}
		if r.stopped || !ok && !m.report {
			return false
		}
		m.seen.addItem(i)
		ok = r.item(i, id, inner, m, keyword) && ok
	}
	if a.Contains != 0 && (ok || m.report) {
		ok = r.contains(rule, v, m) && ok
	}
	return ok
}

func (r *run) contains(rule *rule, v []any, m mode) bool {
	a, matched := rule.Array, 0
	for i, inner := range v {
		if r.item(i, a.Contains, inner, mode{}, "contains") {
			matched++
			if a.ContainsEvaluates {
				m.seen.addItem(i)
			}
		}
		if r.stopped {
			return false
		}
	}
	keyword := "minContains"
	if a.Matches.Min == 1 {
		keyword = "contains"
	}
	return r.count(&a.Matches, matched, m, keyword, "maxContains", rule)
}
