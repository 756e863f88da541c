package judge

import (
	"encoding/json"
	"hash/maphash"
	"slices"

	"github.com/lambdarmor/lambdarmor/validate/program"
)

// hash returns the same number for equal values. It spends the steps that
// reading v takes.
func (r *run) hash(v any) uint64 {
	r.spend(1)
	seed := r.seed
	mix := func(kind program.Types, part any, more uint64) uint64 {
		return maphash.Comparable(seed, struct {
			kind program.Types
			part any
			more uint64
		}{kind, part, more})
	}
	switch v := v.(type) {
	case string:
		r.spend(len(v) / bytesPerStep)
		return maphash.String(seed, v)
	case json.Number:
		r.spend(numberSteps(string(v)) + len(v)/2)
		return mix(program.Number, parse(string(v)).key(), 0)
	case []any:
		sum := mix(program.Array, len(v), 0)
		for _, item := range v {
			sum = mix(program.Array, r.hash(item), sum)
		}
		return sum
	case map[string]any:
		sum := mix(program.Object, len(v), 0)
		for name, inner := range v { // a sum: the order does not matter
			sum += mix(program.Object, name, r.hash(inner))
		}
		return sum
	default: // a boolean or null
		return mix(typeOf(v), v, 0)
	}
}

func equal(a, b any) bool {
	switch a := a.(type) {
	case json.Number:
		b, ok := b.(json.Number)
		return ok && parse(string(a)).compare(parse(string(b))) == 0
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, equal)
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for name, inner := range a {
			other, ok := b[name]
			if !ok || !equal(inner, other) {
				return false
			}
		}
		return true
	default:
		return typeOf(a) == typeOf(b) && a == b
	}
}

// set is the values of an enum or a const.
type set map[uint64][]any // by their hash

// has reports whether v equals a value of the set.
func (r *run) has(s set, v any) bool {
	return slices.ContainsFunc(s[r.hash(v)], func(allowed any) bool { return equal(allowed, v) })
}

// unique reports whether no two of the elements are equal.
func (r *run) unique(items []any) bool {
	seen := make(map[uint64][]any, len(items))
	for _, item := range items {
		if !r.spend(1) {
			return false
		}
		sum := r.hash(item)
		if slices.ContainsFunc(seen[sum], func(other any) bool { return equal(other, item) }) {
			return false
		}
		seen[sum] = append(seen[sum], item)
	}
	return true
}

func typeOf(v any) program.Types {
	switch v.(type) {
	case nil:
		return program.Null
	case bool:
		return program.Boolean
	case string:
		return program.String
	case json.Number:
		return program.Number
	case []any:
		return program.Array
	case map[string]any:
		return program.Object
	default:
		return 0
	}
}
