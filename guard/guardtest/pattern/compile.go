package pattern

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// or is the member that lists alternatives.
// See https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
const or = "$or"

// reserved are names that EventBridge allows no field of an alternative to have: its
// operators, and others that event-ruler keeps for later.
var reserved = []string{
	"exactly", "equals-ignore-case", "prefix", "suffix", "anything-but", "exists", "wildcard", "numeric", "cidr",
	"=", "<", "<=", ">", ">=", "regex", "not-wildcard", "not-equals-ignore-case",
	"date-after", "date-on-or-after", "date-before", "date-on-or-before", "in-date-range",
	"ip-address-in-range", "ip-address-not-in-range",
}

// A place is where a part of a pattern is written, and the path of an event that it is
// about. The two differ in $or.
type place struct{ written, path string }

func (p place) member(name string) place {
	return place{written: join(p.written, name), path: join(p.path, name)}
}

func (p place) item(i int) place {
	return place{written: p.written + "[" + strconv.Itoa(i) + "]", path: p.path}
}

func (p place) errorf(format string, args ...any) error {
	where := p.written
	if where == "" {
		where = "the pattern"
	}
	return fmt.Errorf("%s: %s", where, fmt.Sprintf(format, args...))
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// A compiler turns a pattern into its alternatives.
type compiler struct{ inOr bool }

func (c compiler) object(to []alternative, at place, n node) ([]alternative, error) {
	if len(n.members) == 0 {
		return nil, at.errorf("an empty object is not allowed")
	}
	for _, m := range n.members {
		var err error
		switch here := at.member(m.name); {
		case m.name == or:
			to, err = c.or(to, place{written: here.written, path: at.path}, m.value)
		case c.inOr && slices.Contains(reserved, m.name):
			err = here.errorf("this name is an operator and cannot be a field inside %s", or)
		case m.value.kind == object:
			to, err = c.object(to, here, m.value)
		case m.value.kind == array:
			err = c.field(to, here, m.value)
		default:
			err = here.errorf("must be an array or an object, not %s", m.value.kind)
		}
		if err != nil {
			return nil, err
		}
	}
	return to, nil
}

// or multiplies the alternatives so far with those of the list.
func (c compiler) or(so []alternative, at place, n node) ([]alternative, error) {
	if n.kind != array || len(n.items) < 2 {
		return nil, at.errorf("must be an array of at least two patterns")
	}
	var all []alternative
	for i, item := range n.items {
		if item.kind != object {
			return nil, at.item(i).errorf("must be a pattern, not %s", item.kind)
		}
		own := make([]alternative, len(so))
		for j, a := range so {
			own[j] = maps.Clone(a)
		}
		added, err := compiler{inOr: true}.object(own, at.item(i), item)
		if err != nil {
			return nil, err
		}
		if all = append(all, added...); len(all) > maxAlternatives {
			return nil, at.errorf("makes over %d combinations", maxAlternatives)
		}
	}
	return all, nil
}

func (c compiler) field(to []alternative, at place, n node) error {
	if len(n.items) == 0 {
		return at.errorf("an empty array is not allowed")
	}
	var cond condition
	for i, item := range n.items {
		if err := cond.add(at.item(i), item); err != nil {
			return err
		}
	}
	for _, a := range to {
		if _, twice := a[at.path]; twice {
			return at.errorf("is there twice; EventBridge would use the last one alone")
		}
		a[at.path] = cond
	}
	return nil
}
