package judge

import (
	"maps"
	"slices"

	"github.com/lambdarmor/lambdarmor/validate/program"
)

// seen is the members or elements that a schema has judged.
type seen struct {
	all   bool
	names map[string]struct{}
	items map[int]struct{}
}

func (s *seen) addName(name string) {
	if s == nil || s.all {
		return
	}
	if s.names == nil {
		s.names = map[string]struct{}{}
	}
	s.names[name] = struct{}{}
}

func (s *seen) addItem(i int) {
	if s == nil || s.all {
		return
	}
	if s.items == nil {
		s.items = map[int]struct{}{}
	}
	s.items[i] = struct{}{}
}

func (s *seen) addAll(other *seen) {
	if s == nil {
		return
	}
	s.all = s.all || other.all
	for name := range other.names {
		s.addName(name)
	}
	for i := range other.items {
		s.addItem(i)
	}
}

// inPlace judges the same value by another schema. What that has judged counts
// where it accepts.
func (r *run) inPlace(id program.ID, v any, m mode) bool {
	if m.seen == nil {
		return r.judge(id, v, m)
	}
	own := m.seen
	m.seen = &seen{}
	if !r.judge(id, v, m) || !r.spend(len(m.seen.names)+len(m.seen.items)) {
		return false
	}
	own.addAll(m.seen)
	return true
}

func (r *run) inPlaceAll(rule *rule, v any, m mode) bool {
	ok := true
	if rule.Ref != 0 {
		ok = r.inPlace(rule.Ref, v, m)
	}
	for _, id := range rule.AllOf {
		if !ok && !m.report {
			return false
		}
		ok = r.inPlace(id, v, m) && ok
	}
	silent := m
	silent.report = false
	if rule.Not != 0 && (ok || m.report) {
		ok = r.check(!r.inPlace(rule.Not, v, silent), m, "not", rule) && ok
	}
	if rule.If != 0 && (ok || m.report) {
		then := rule.Else
		if r.inPlace(rule.If, v, silent) {
			then = rule.Then
		}
		ok = (then == 0 || r.inPlace(then, v, m)) && ok
	}
	if len(rule.AnyOf) > 0 && (ok || m.report) {
		ok = r.anyOf(rule, v, m) && ok
	}
	if len(rule.OneOf) > 0 && (ok || m.report) {
		ok = r.oneOf(rule, v, m) && ok
	}
	return ok
}

func (r *run) anyOf(rule *rule, v any, m mode) bool {
	silent := m
	silent.report = false
	matched := false
	for _, id := range rule.AnyOf {
		matched = r.inPlace(id, v, silent) || matched
		if matched && m.seen == nil {
			return true
		}
	}
	return matched || r.noneOf(rule.AnyOf, v, m)
}

func (r *run) oneOf(rule *rule, v any, m mode) bool {
	silent := m
	silent.report = false
	matched := 0
	for _, id := range rule.OneOf {
		if r.inPlace(id, v, silent) {
			matched++
		}
		if matched > 1 {
			return r.check(false, m, "oneOf", rule)
		}
	}
	return matched == 1 || r.noneOf(rule.OneOf, v, m)
}

// noneOf reports what is wrong by the schemas that v may have been meant for:
// those for its type, or all where there are none. It returns false.
func (r *run) noneOf(ids []program.ID, v any, m mode) bool {
	if !m.report || r.stopped {
		return false
	}
	otherType := func(id program.ID) bool { return r.isForOtherType(id, v) }
	all := !slices.ContainsFunc(ids, func(id program.ID) bool { return !otherType(id) })
	for _, id := range ids {
		if all || !otherType(id) {
			r.judge(id, v, mode{report: true, name: m.name})
		}
	}
	return false
}

func (r *run) isForOtherType(id program.ID, v any) bool {
	rule := &r.rules[id]
	return r.spend(1) && (rule.Types != 0 && !hasType(v, rule.Types) || rule.Ref != 0 && r.isForOtherType(rule.Ref, v))
}

// unevaluated judges what no other keyword has judged.
func (r *run) unevaluated(rule *rule, v any, m mode) bool {
	ok := true
	switch v := v.(type) {
	case map[string]any:
		if rule.UnevaluatedProperties == 0 {
			return true
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if _, judged := m.seen.names[name]; judged || m.seen.all {
				continue
			}
			ok = r.member(name, rule.UnevaluatedProperties, v[name], m, "unevaluatedProperties") && ok
			if r.stopped || !ok && !m.report {
				return false
			}
		}
	case []any:
		if rule.UnevaluatedItems == 0 {
			return true
		}
		for i, inner := range v {
			if _, judged := m.seen.items[i]; judged || m.seen.all {
				continue
			}
			ok = r.item(i, rule.UnevaluatedItems, inner, m, "unevaluatedItems") && ok
			if r.stopped || !ok && !m.report {
				return false
			}
		}
	default:
		return true
	}
	m.seen.all = true
	return ok
}
