package authorizer

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/lambdarmor/lambdarmor/authorizer/internal/routekey"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/internal/reason"
	"github.com/lambdarmor/lambdarmor/internal/router"
)

// Routes decides by the check of the route that is called, and is Forbidden if the
// route is not in the table. Keys are the gateway's route keys, "POST /orders",
// "GET /orders/{id}", "ANY /files/{proxy+}", "$default", "$connect"; of a REST API
// the method and the resource. The names of parameters make no difference, a method
// goes before ANY, and GET takes HEAD as well.
//
// An authorizer goes by the route that the gateway has found, so the gateway must
// have a route for each key. The key is found by method and path instead
//
//   - inside [Require],
//   - if the event has no route, as that of a TOKEN authorizer,
//   - if the gateway's route takes all paths, and the table tells them apart.
//
// That is done by the same code as in httpapi.Routes, so that no handler runs by
// the check of another. A path that two readers could take for two is then Invalid,
// with the code path_ambiguous, and no denial. What stands before a greedy parameter,
// "/files" of "ANY /files/{proxy+}", needs a key of its own, or one with a parameter
// there that is not greedy; an authorizer takes it for no route. The decision depends
// on the method, the path and the domain, which may put a base path in front.
//
// The check of a route cannot itself be Routes, which is an error: list all keys in
// one table. A check that restricts, such as [Scopes], goes by the grant so far: see
// [All]. Routes panics for a key that is no route key, for a nil check, and for two
// keys that take the same call of which neither is the more specific, as net/http
// does.
func Routes(routes map[string]Check) Check {
	table := newRouteTable(routes)
	return func(ctx context.Context, r *Request) (*Grant, error) {
		if r.found {
			return nil, errNested
		}
		e, err := table.find(r)
		switch {
		case err != nil:
			return nil, err
		case e == nil:
			return nil, guard.Errorf(guard.Forbidden, "route_unknown", "Nobody is allowed this route.")
		}
		if r.as == nil {
			layer.SetRoute(ctx, e.Key)
		}
		inside := *r
		inside.found = true
		return e.check(ctx, &inside)
	}
}

// errNested is of two tables that may find a request to be of two routes: one may
// go by the gateway's word and the other by the path.
var errNested = reason.New("authorizer: Routes inside Routes: list all keys in one table")

// routeTable finds the entry of a route that the gateway names, and of a method
// and a path.
type routeTable struct {
	entries map[string]*entry // shape → entry
	ordered []*entry          // those that have paths
	paths   router.Table[*entry]
}

type entry struct {
	*routekey.Route
	check Check
}

func newRouteTable(routes map[string]Check) *routeTable {
	t := &routeTable{entries: make(map[string]*entry, len(routes))}
	for _, key := range slices.Sorted(maps.Keys(routes)) {
		c := routes[key]
		p, ok := routekey.Parse(key)
		if !ok {
			panic(fmt.Sprintf("authorizer: Routes with %q, which is no route key", key))
		}
		if c == nil {
			panic("authorizer: Routes with a nil check for " + key)
		}
		if same, ok := t.entries[p.Shape()]; ok {
			panic(fmt.Sprintf("authorizer: Routes with both %q and %q", same.Key, key))
		}
		e := &entry{p, c}
		t.entries[p.Shape()] = e
		if p.Key != "$connect" { // which has no path
			t.ordered = append(t.ordered, e)
		}
	}
	for _, e := range t.ordered {
		for _, pattern := range t.patterns(e.Route) {
			if err := t.paths.Add(pattern, e); err != nil {
				panic(fmt.Sprintf("authorizer: Routes with %q: %v", e.Key, err))
			}
		}
	}
	return t
}

// patterns are those of net/http that a key stands for. ANY is each method that
// the path has no key of its own for, so that a method goes before it.
func (t *routeTable) patterns(p *routekey.Route) []string {
	if p.Key == "$default" {
		return []string{"/"}
	}
	if p.Method != routekey.Any {
		return []string{p.Method + " " + p.Pattern()}
	}
	var all []string
	for _, m := range routekey.Methods() {
		if m != http.MethodHead && t.ofMethod(m, p.Template()) == t.entries[p.Shape()] {
			all = append(all, m+" "+p.Pattern())
		}
	}
	return all
}

// find returns the entry of the route that is called, nil when there is none.
// What it looks at counts as read. The error is that of a path which two readers
// could take for two.
func (t *routeTable) find(r *Request) (*entry, error) {
	r.reads.noteTable(t)
	if r.as != nil {
		return t.ofPattern(r.as.Route, r.Method), nil
	}
	// A handler finds its own route by method and path, whatever the gateway's is.
	if p, ok := routekey.Parse(r.in.routeKey); ok && r.in.format != InHandler && !(p.CatchAll() && t.splits(p)) {
		r.RouteKey()
		return t.ofPattern(p, r.Method), nil
	}
	r.Method()
	r.noteTablePath()
	m, ok := t.paths.Find(r.in.Request, r.in.method)
	if !ok {
		return nil, guard.Errorf(guard.Invalid, router.AmbiguousCode, router.AmbiguousDetail)
	}
	return m.Value, nil
}

// ofPattern finds a route of the gateway.
func (t *routeTable) ofPattern(p *routekey.Route, method func() string) *entry {
	if p.Method != routekey.Any {
		return t.ofMethod(p.Method, p.Template())
	}
	for _, m := range routekey.Methods() {
		if t.entries[m+" "+p.Template()] != nil { // ANY is taken apart
			return t.ofMethod(method(), p.Template())
		}
	}
	return t.entries[p.Shape()]
}

// ofMethod finds the entry of a method and a template: GET takes HEAD as well,
// and a method goes before ANY.
func (t *routeTable) ofMethod(method, template string) *entry {
	if method == "" {
		return t.entries[template] // $default, $connect
	}
	e := t.entries[method+" "+template]
	if e == nil && method == http.MethodHead {
		e = t.entries[http.MethodGet+" "+template]
	}
	if e == nil {
		e = t.entries[routekey.Any+" "+template]
	}
	return e
}

// splits reports whether the table has several entries for what a catch-all route
// of the gateway takes.
func (t *routeTable) splits(p *routekey.Route) bool {
	own := t.ofPattern(p, func() string { return p.Method })
	for _, e := range t.ordered {
		if e != own && p.Takes(e.Route) && (own == nil || e.Before(p)) {
			return true
		}
	}
	return false
}
