package authorizer

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/lambdarmor/lambdarmor/authorizer/internal/reads"
	"github.com/lambdarmor/lambdarmor/authorizer/internal/routekey"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/reason"
	"github.com/lambdarmor/lambdarmor/internal/router"
)

// Routes decides by the check of the route that is called. It is Forbidden if the route
// is not in the table. Keys are the gateway's route keys: "POST /orders",
// "GET /orders/{id}", "ANY /files/{proxy+}", "$default", "$connect"; for a REST API the
// method and the resource. The names of parameters make no difference. A method goes
// before ANY, and GET also takes HEAD.
//
// An authorizer uses the route that the gateway has found, so the gateway must have a
// route for each key. The route is found by method and path instead
//
//   - inside [Require],
//   - if the event has no route, as for a TOKEN authorizer,
//   - if the gateway's route takes all paths, and the table distinguishes them.
//
// httpapi.Routes finds its handlers by the same code. An ambiguous path is then Invalid,
// with the code path_ambiguous. What precedes a greedy parameter, "/files" in
// "ANY /files/{proxy+}", needs a key of its own. The decision depends on the method, the
// path and the domain, which may add a base path.
//
// List all keys in one table: Routes inside the check of a route is an error. A check
// that restricts, such as [Scopes], uses the grant so far: see [All]. Routes panics for a
// malformed key, for a nil check, and for two keys that conflict as patterns of net/http.
func Routes(routes map[string]Check) Check {
	table := newRouteTable(routes)
	return func(ctx context.Context, r *Request) (*Grant, error) {
		if r.found {
			return nil, errNested
		}
		e, err := table.find(r)
		if err != nil {
			return nil, err
		}
		if e == nil {
			return nil, guard.Errorf(guard.Forbidden, "route_unknown", "Nobody is allowed this route.")
		}
		if r.as == nil {
			guard.SetRoute(ctx, e.Key)
		}
		inside := *r
		inside.found = true
		return e.check(ctx, &inside)
	}
}

// errNested: one table may find the route by the gateway's word and the other by the
// path, and so find two routes for a request.
var errNested = reason.New("authorizer: Routes inside Routes: list all keys in one table")

type routeTable struct {
	entries map[string]*entry // by shape
	routes  []*routekey.Route // those that have paths
	paths   router.Table[*entry]
}

type entry struct {
	*routekey.Route
	check Check
}

func newRouteTable(routes map[string]Check) *routeTable {
	t := &routeTable{entries: make(map[string]*entry, len(routes))}
	for _, key := range slices.Sorted(maps.Keys(routes)) {
		route, ok := routekey.Parse(key)
		if !ok {
			panic(fmt.Sprintf("authorizer: Routes with %q, which is no route key", key))
		}
		if routes[key] == nil {
			panic("authorizer: Routes with a nil check for " + key)
		}
		if same, ok := t.entries[route.Shape()]; ok {
			panic(fmt.Sprintf("authorizer: Routes with both %q and %q", same.Key, key))
		}
		e := &entry{route, routes[key]}
		t.entries[route.Shape()] = e
		if key != "$connect" {
			t.routes = append(t.routes, route)
		}
	}
	for _, route := range t.routes {
		e := t.entries[route.Shape()]
		for _, pattern := range t.patterns(e) {
			if err := t.paths.Add(pattern, e); err != nil {
				panic(fmt.Sprintf("authorizer: Routes with %q: %v", e.Key, err))
			}
		}
	}
	return t
}

// patterns returns the patterns of net/http for a key. ANY becomes each method for which
// the path has no key of its own.
func (t *routeTable) patterns(e *entry) []string {
	switch e.Method {
	case "":
		return []string{e.Pattern()}
	case routekey.Any:
		var all []string
		for _, m := range routekey.Methods() {
			if m != http.MethodHead && t.byMethod(m, e.Template()) == e {
				all = append(all, m+" "+e.Pattern())
			}
		}
		return all
	default:
		return []string{e.Method + " " + e.Pattern()}
	}
}

// find returns the entry of the route that is called, nil if there is none, and an error
// for an ambiguous path. It records what it reads.
func (t *routeTable) find(r *Request) (*entry, error) {
	r.reads.AddTable(t.routes)
	if r.as != nil {
		return t.byRoute(r.as.Route, r.Method), nil
	}
	route, ok := routekey.Parse(r.in.RouteKey)
	if ok && r.in.Format != reads.InHandler && !(route.CatchAll() && t.splits(route)) {
		r.RouteKey()
		return t.byRoute(route, r.Method), nil
	}
	r.Method()
	r.note(reads.TablePath, r.in.RawPath())
	r.note(reads.Domain, r.in.Domain())
	m, ok := t.paths.Find(r.in.Request, r.in.Method)
	if !ok {
		return nil, guard.Errorf(guard.Invalid, router.AmbiguousCode, router.AmbiguousDetail)
	}
	return m.Value, nil
}

// byRoute finds the entry for a route of the gateway. It calls method only if the
// entry depends on the method.
func (t *routeTable) byRoute(route *routekey.Route, method func() string) *entry {
	if route.Method != routekey.Any {
		return t.byMethod(route.Method, route.Template())
	}
	for _, m := range routekey.Methods() {
		if t.entries[m+" "+route.Template()] != nil {
			return t.byMethod(method(), route.Template())
		}
	}
	return t.entries[route.Shape()]
}

func (t *routeTable) byMethod(method, template string) *entry {
	if method == "" {
		return t.entries[template] // $default, $connect
	}
	keys := []string{method + " " + template, routekey.Any + " " + template}
	if method == http.MethodHead {
		keys = slices.Insert(keys, 1, http.MethodGet+" "+template)
	}
	for _, key := range keys {
		if e := t.entries[key]; e != nil {
			return e
		}
	}
	return nil
}

// splits reports whether the table has several entries for the calls of a route.
func (t *routeTable) splits(route *routekey.Route) bool {
	own := t.byRoute(route, func() string { return route.Method })
	return slices.ContainsFunc(t.routes, func(r *routekey.Route) bool {
		return t.entries[r.Shape()] != own && route.Takes(r) && (own == nil || r.Before(route))
	})
}
