package judge

import (
	"maps"
	"slices"

	"github.com/lambdarmor/lambdarmor/validate/program"
)

// member judges a value inside an object.
func (r *run) member(name string, id program.ID, v any, m mode, keyword string) bool {
	r.path = append(r.path, token{name, -1})
	ok := r.inside(id, v, m, keyword)
	r.path = r.path[:len(r.path)-1]
	return ok
}

// inside judges a value inside the container of a keyword.
func (r *run) inside(id program.ID, v any, m mode, keyword string) bool {
	if r.rules[id].Never {
		return r.spend(1) && r.fail(mode{report: m.report}, keyword, "is not allowed")
	}
	return r.judge(id, v, mode{report: m.report})
}

func (r *run) object(rule *rule, v map[string]any, m mode) bool {
	o := rule.Object
	if !r.spend(len(o.Members) / lookupsPerStep) {
		return false
	}
	ok := o.Count == nil || r.count(o.Count, len(v), m, "minProperties", "maxProperties", rule)
	judged := 0
	for i := range o.Members {
		if !ok && !m.report {
			return false
		}
		known := &o.Members[i]
		inner, there := v[known.Name]
		switch {
		case !there:
			ok = (!known.Required || r.missing(known.Name, m, "required", "is required")) && ok
		case known.Schema != 0:
			judged++
			m.seen.addName(known.Name)
			ok = r.member(known.Name, known.Schema, inner, m, "properties") && ok
		}
	}
	additional := o.Additional != 0 && judged < len(v) && !r.rules[o.Additional].anything
	if (ok || m.report) && (additional || len(rule.patterns) > 0 || o.Names != 0) {
		ok = r.others(rule, v, m) && ok
	}
	if o.Additional != 0 {
		m.seen.addAll(&seen{all: true})
	}
	for i := range o.Dependent {
		if !ok && !m.report {
			return false
		}
		if _, there := v[o.Dependent[i].Name]; there {
			ok = r.dependent(&o.Dependent[i], v, m) && ok
		}
	}
	return ok
}

// missing reports a member that is not there. It returns false.
func (r *run) missing(name string, m mode, keyword, detail string) bool {
	r.path = append(r.path, token{name, -1})
	r.fail(m, keyword, detail)
	r.path = r.path[:len(r.path)-1]
	return false
}

// others judges members by their names' patterns and by additionalProperties,
// and the names. The order is always the same, and so is what a limit cuts off.
func (r *run) others(rule *rule, v map[string]any, m mode) bool {
	if !r.spend(2 * len(v)) {
		return false
	}
	o, ok := rule.Object, true
	for _, name := range slices.Sorted(maps.Keys(v)) {
		if o.Names != 0 {
			r.path = append(r.path, token{name, -1})
			ok = r.judge(o.Names, name, mode{report: m.report, name: true}) && ok
			r.path = r.path[:len(r.path)-1]
		}
		_, judged := rule.known[name]
		for i := range rule.patterns {
			if r.matches(&rule.patterns[i], name) {
				judged = true
				m.seen.addName(name)
				ok = r.member(name, o.Patterns[i].Schema, v[name], m, "patternProperties") && ok
			}
		}
		if !judged && o.Additional != 0 {
			ok = r.member(name, o.Additional, v[name], m, "additionalProperties") && ok
		}
		if r.stopped || !ok && !m.report {
			return false
		}
	}
	return ok
}

func (r *run) dependent(d *program.Dependent, v map[string]any, m mode) bool {
	ok := r.spend(len(d.Required) / lookupsPerStep)
	for _, name := range d.Required {
		if _, there := v[name]; !there {
			ok = r.missing(name, m, d.Keyword, "is required beside another member")
		}
	}
	return (d.Schema == 0 || r.inPlace(d.Schema, v, m)) && ok
}
