package pattern

import (
	"fmt"
	"maps"
	"slices"
)

// A value is a leaf of an event.
type value struct {
	kind kind
	text string
	num  num    // of a number
	in   chosen // the arrays it is in
}

// fields are the leaves of an event by path. Arrays are no part of a path.
type fields map[string][]value

// chosen is an element of each of some arrays, by the array's number: where a value
// is, or where those are that match so far. Elements that are objects or arrays count;
// a leaf that is itself an element of an array restricts nothing.
type chosen map[int]int

func (f fields) add(path string, in chosen, n node) {
	f.walk(path, in, n, new(int))
}

func (f fields) walk(path string, in chosen, n node, arrays *int) {
	switch n.kind {
	case object:
		for _, m := range n.members {
			f.walk(join(path, m.name), in, m.value, arrays)
		}
	case array:
		id := *arrays
		*arrays++
		for i, item := range n.items {
			where := in
			if item.kind == object || item.kind == array {
				where = maps.Clone(in)
				if where == nil {
					where = chosen{}
				}
				where[id] = i
			}
			f.walk(path, where, item, arrays)
		}
	default:
		v := value{kind: n.kind, text: n.text, in: in}
		if n.kind == number {
			v.num = parseNumber(n.text)
		}
		f[path] = append(f[path], v)
	}
}

// with returns the elements chosen by both, and false if they differ on an array.
func (c chosen) with(other chosen) (chosen, bool) {
	both := c
	for id, i := range other {
		j, is := c[id]
		if is && i != j {
			return nil, false
		}
		if !is && len(both) == len(c) {
			both = maps.Clone(c)
			if both == nil {
				both = chosen{}
			}
		}
		if !is {
			both[id] = i
		}
	}
	return both, true
}

// match reports whether there is an element of each array for which all conditions hold.
// Conditions are judged in the order of their paths, as event-ruler does; it matters for
// a field that must not exist.
func (f fields) match(a alternative) bool {
	open := []chosen{nil}
	for _, path := range slices.Sorted(maps.Keys(a)) {
		open = f.narrow(open, path, a[path])
		if len(open) == 0 {
			return false
		}
	}
	return true
}

// narrow returns the choices of elements for which the condition holds as well.
func (f fields) narrow(open []chosen, path string, cond condition) []chosen {
	var holding []value
	for _, v := range f[path] {
		if cond.holds(v) {
			holding = append(holding, v)
		}
	}
	var kept []chosen
	seen := map[string]bool{}
	keep := func(c chosen) {
		if key := fmt.Sprint(c); !seen[key] {
			seen[key] = true
			kept = append(kept, c)
		}
	}
	for _, c := range open {
		for _, v := range holding {
			if both, ok := c.with(v.in); ok {
				keep(both)
			}
		}
		if cond.absent && !slices.ContainsFunc(f[path], func(v value) bool { _, ok := c.with(v.in); return ok }) {
			keep(c)
		}
	}
	return kept
}
