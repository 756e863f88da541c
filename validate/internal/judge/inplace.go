package judge

import (
	"slices"

	"github.com/lambdarmor/lambdarmor/validate/program"
)

// inPlace judges v by a rule that applies other schemas to it.
func (r *run) inPlace(k *rule, v any, m mode) bool {
	switch k.Keyword {
	case "allOf":
		ok := true
		for _, id := range k.Schemas {
			ok = r.same(id, v, m) && ok
			if r.stopped || !ok && !m.report {
				return false
			}
		}
		return ok
	case "anyOf":
		matched := false
		for _, id := range k.Schemas {
			matched = r.same(id, v, m.silent()) || matched
			if matched && m.seen == nil {
				break
			}
		}
		return matched || r.noneOf(k.Schemas, v, m)
	case "oneOf":
		matched := 0
		for _, id := range k.Schemas {
			if r.same(id, v, m.silent()) {
				matched++
			}
			if matched > 1 {
				return r.check(false, m, k)
			}
		}
		return matched == 1 || r.noneOf(k.Schemas, v, m)
	case "not":
		return r.check(!r.same(k.Schema, v, m.silent()), m, k)
	default: // if
		then := k.Schemas[2]
		if r.same(k.Schemas[0], v, m.silent()) {
			then = k.Schemas[1]
		}
		return then == 0 || r.same(then, v, m)
	}
}

// noneOf reports the violations of the schemas for the type of v, or of all schemas
// if there are none. It returns false.
func (r *run) noneOf(ids []program.ID, v any, m mode) bool {
	if !m.report || r.stopped {
		return false
	}
	meant := slices.DeleteFunc(slices.Clone(ids), func(id program.ID) bool { return r.isForOtherType(id, v) })
	if len(meant) == 0 {
		meant = ids
	}
	m.seen = nil
	for _, id := range meant {
		r.judge(id, v, m)
	}
	return false
}

func (r *run) isForOtherType(id program.ID, v any) bool {
	s := &r.schemas[id]
	if !r.spend(1) || s.Types != 0 {
		return !r.hasType(v, s.Types)
	}
	for i := range s.rules {
		if k := &s.rules[i]; k.Keyword == "allOf" && len(k.Schemas) == 1 {
			return r.isForOtherType(k.Schemas[0], v)
		}
	}
	return false
}
