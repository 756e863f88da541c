package routekey

import (
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/lambdarmor/lambdarmor/internal/router"
)

// Table has a value for each of some route keys. It finds the value for a route of the
// gateway, and for a path.
type Table[V any] struct {
	entries map[string]*Entry[V] // by shape
	routes  []*Route             // without $connect, which has no path
	paths   router.Table[*Entry[V]]
}

// Entry is a route with its value.
type Entry[V any] struct {
	*Route
	Value V
}

// NewTable makes a table of values by their route keys. It is an error if a key is
// malformed, or if two keys conflict.
func NewTable[V any](values map[string]V) (*Table[V], error) {
	t := &Table[V]{entries: make(map[string]*Entry[V], len(values))}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		route, ok := Parse(key)
		if !ok {
			return nil, fmt.Errorf("%q, which is no route key", key)
		}
		if same, ok := t.entries[route.Shape()]; ok {
			return nil, fmt.Errorf("both %q and %q", same.Key, key)
		}
		t.entries[route.Shape()] = &Entry[V]{route, values[key]}
		if key != "$connect" {
			t.routes = append(t.routes, route)
		}
	}
	for _, route := range t.routes {
		e := t.entries[route.Shape()]
		for _, pattern := range t.patterns(e) {
			if err := t.paths.Add(pattern, e); err != nil {
				return nil, fmt.Errorf("%q: %w", e.Key, err)
			}
		}
	}
	return t, nil
}

// patterns returns the patterns of net/http for a route. ANY becomes each method for which
// the path has no key of its own.
func (t *Table[V]) patterns(e *Entry[V]) []string {
	switch e.Method {
	case "":
		return []string{e.Pattern()}
	case Any:
		var all []string
		for _, m := range Methods() {
			if m != http.MethodHead && t.byMethod(m, e.Template()) == e {
				all = append(all, m+" "+e.Pattern())
			}
		}
		return all
	default:
		return []string{e.Method + " " + e.Pattern()}
	}
}

// Routes returns the routes that have paths.
func (t *Table[V]) Routes() []*Route { return t.routes }

// ByPath returns the entry for a path and a method, nil if there is none. It reports false
// for an ambiguous path.
func (t *Table[V]) ByPath(r router.Request, method string) (*Entry[V], bool) {
	m, ok := t.paths.Find(r, method)
	if !ok {
		return nil, false
	}
	return m.Value, true
}

// ByRoute returns the entry for a route of the gateway, nil if there is none. It calls
// method only if the entry depends on the method.
func (t *Table[V]) ByRoute(route *Route, method func() string) *Entry[V] {
	if route.Method != Any {
		return t.byMethod(route.Method, route.Template())
	}
	for _, m := range Methods() {
		if t.entries[m+" "+route.Template()] != nil {
			return t.byMethod(method(), route.Template())
		}
	}
	return t.entries[route.Shape()]
}

// byMethod prefers the method to ANY. GET also takes HEAD.
func (t *Table[V]) byMethod(method, template string) *Entry[V] {
	if method == "" {
		return t.entries[template] // $default, $connect
	}
	e := t.entries[method+" "+template]
	if e == nil && method == http.MethodHead {
		e = t.entries[http.MethodGet+" "+template]
	}
	if e == nil {
		e = t.entries[Any+" "+template]
	}
	return e
}

// Splits reports whether a call of a route of the gateway may be of another entry than
// [Table.ByRoute] returns. It calls method only if that depends on the method.
func (t *Table[V]) Splits(route *Route, method func() string) bool {
	return route.CatchAll() && t.splitsPaths(route) || t.splitsHead(route) && method() == http.MethodHead
}

// splitsPaths reports whether the table has several entries for the calls of a route.
func (t *Table[V]) splitsPaths(route *Route) bool {
	own := t.ByRoute(route, func() string { return route.Method })
	return slices.ContainsFunc(t.routes, func(r *Route) bool {
		return t.entries[r.Shape()] != own && route.takes(r) && (own == nil || r.before(route))
	})
}

// splitsHead reports whether a HEAD of a route of the gateway may be one of a GET in the
// table. The gateway does not let GET take HEAD.
func (t *Table[V]) splitsHead(route *Route) bool {
	if route.Method != Any && route.Method != http.MethodHead {
		return false
	}
	return slices.ContainsFunc(t.routes, func(r *Route) bool {
		reaches := route.CatchAll() || r.Len() <= route.Len() // a greedy parameter takes a segment
		return r.Method == http.MethodGet && r.Template() != route.Template() && r.before(route) && reaches && overlap(r.segments, route.segments)
	})
}
