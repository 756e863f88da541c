package authorizer

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"reflect"
	"slices"

	"github.com/lambdarmor/lambdarmor/authorizer/internal/routekey"
	"github.com/lambdarmor/lambdarmor/authorizer/policy"
	"github.com/lambdarmor/lambdarmor/guard"
)

// document returns the policy for all calls that the gateway may apply it to, and the
// grant that goes with it. g is the grant of the call, nil if that is forbidden.
func (d *decider) document(ctx context.Context, r *Request, g *Grant) (policy.Document, *Grant, error) {
	in := r.in
	doc := policy.Document{AnyStage: in.format == restToken}
	if d.uncached || !in.cacheable() {
		if g == nil {
			return doc, nil, nil
		}
		return doc, g, notNameable(guard.Forbidden, doc.Allow(in.arn))
	}
	covers := func(kind placeKind, value string) bool {
		return d.covers(in, read{place: place{kind: kind}, value: value})
	}
	byRoute := in.routeKey != "" && covers(inRouteKey, in.routeKey)
	uncovered := d.uncovered(r)
	_, tables := d.looked(r)
	askEach := !byRoute && len(tables) > 0
	if askEach {
		uncovered = slices.DeleteFunc(uncovered, read.perRoute)
	}
	switch {
	case len(uncovered) > 0:
		return doc, g, hazard(fix(in, uncovered))
	case askEach:
		return d.allowTables(ctx, r, g, doc)
	case g == nil:
		return doc, nil, nil
	case byRoute:
		return doc, g, notNameable(guard.Internal, doc.AllowRoute(in.arn, in.routeKey, in.gateway()))
	}
	byMethod := covers(inMethod, in.method)
	byPath := covers(inPath, in.RawPath()) && covers(inDomain, in.Domain())
	return doc, g, notNameable(guard.Internal, allowSame(&doc, in.arn, byMethod, byPath))
}

// notNameable is the error for a path that no policy can name. The client chose the
// path. If the answer is stored it must not be a denial, as others may have the same
// identity.
func notNameable(kind guard.Kind, err error) error {
	if err == nil {
		return nil
	}
	return &guard.Error{Kind: kind, Code: "path_not_grantable", Detail: "No policy can name this path.", Err: err}
}

// perRoute reports whether the check is asked about each value that was read.
func (r read) perRoute() bool {
	return r.kind == inRouteKey || r.kind == inMethod || r.kind == inTablePath || r.kind == inDomain
}

// allowSame allows the calls with the method and the path of a, as far as the gateway
// stores decisions separately by them.
func allowSame(doc *policy.Document, a policy.ARN, byMethod, byPath bool) error {
	if byMethod && byPath {
		return doc.Allow(a)
	}
	if byPath {
		for _, a.Method = range routekey.Methods() {
			if err := doc.Allow(a); err != nil {
				return err
			}
		}
		return nil
	}
	a.Path = ""
	if !byMethod {
		a.Method = ""
	}
	return doc.AllowBelow(a)
}

// allowTables asks the check about every route of the tables that it uses, and allows
// what it grants. called is the grant of the call itself.
func (d *decider) allowTables(ctx context.Context, r *Request, called *Grant, doc policy.Document) (policy.Document, *Grant, error) {
	_, tables := d.looked(r)
	routes := routesOf(tables)
	g := called
	var uncovered []read
	for i := range routes {
		route := &routes[i]
		asked := r.fork()
		asked.as = route
		granted, err := d.decide(ctx, asked)
		looked, seen := d.looked(asked)
		for _, table := range seen {
			r.reads.addTable(table)
		}
		v := verdictOf(err)
		if v == failed && route.Key != "" {
			return doc, g, err
		}
		if v == failed {
			continue
		}
		for _, read := range looked {
			switch {
			case read.kind == inRouteKey: // the gateway's name for the route is not known
				read.value = r.in.routeKey
			case read.kind == inPath, read.kind == inPathValue: // nor is the path
			case read.perRoute(), d.covers(r.in, read):
				continue
			}
			uncovered = append(uncovered, read)
		}
		if v != allowed {
			continue
		}
		route.granted = true
		if g == nil {
			g = granted
		}
		if g = same(g, granted); g == nil {
			return doc, granted, hazard("let all routes have the same principal, scopes, groups and context")
		}
	}
	switch all, now := d.looked(r); {
	case len(now) > len(tables): // the call itself did not come to all of them
		return d.allowTables(ctx, r, called, doc)
	case len(uncovered) > 0:
		return doc, g, hazard(fix(r.in, uncovered))
	default:
		byPath := slices.ContainsFunc(all, func(r read) bool { return r.kind == inTablePath })
		complete := d.complete && (r.in.format == restToken || !byPath)
		return doc, g, allowRoutes(&doc, r.in, routes, complete, called != nil)
	}
}

// allowRoutes allows the granted routes, and the call itself if that is granted.
func allowRoutes(doc *policy.Document, in *input, routes []supposed, complete, called bool) error {
	list := make([]policy.Route, 0, len(routes))
	whole := map[string]bool{} // methods of which all calls may be allowed
	for _, s := range routes {
		if s.Key == "" && !s.granted {
			continue
		}
		whole[s.method] = whole[s.method] || s.Key == ""
		list = append(list, policy.Route{Key: s.Key, Method: s.method, Granted: s.granted})
	}
	parameters := slices.ContainsFunc(routes, func(s supposed) bool { return s.granted && !s.Fixed() && !whole[s.method] })
	if parameters && !complete {
		return hazard("declare with CompleteRoutes() that Routes names all routes of the API", "add the route to the identity sources")
	}
	err := doc.AllowRoutes(in.arn, list, in.gateway())
	var overlap *policy.OverlapError
	if errors.As(err, &overlap) {
		return hazard(overlap.Error() + ": add the route to the identity sources")
	}
	if err != nil || !called {
		return err
	}
	if err := doc.Allow(in.arn); err != nil && !parameters && !whole[in.arn.Method] {
		return notNameable(guard.Internal, err)
	}
	return nil
}

// same returns the grant of two routes, the one that ends earlier. It is nil if they
// differ otherwise: the backend would get the grant of another route.
func same(a, b *Grant) *Grant {
	x, y := *a, *b
	x.Expires, y.Expires = b.Expires, b.Expires
	if !reflect.DeepEqual(x, y) {
		return nil
	}
	if a.Expires.IsZero() || !b.Expires.IsZero() && b.Expires.Before(a.Expires) {
		return b
	}
	return a
}

// routesOf returns the routes of tables for each method that they take, and then the
// calls of no route for each method.
func routesOf(tables []*routeTable) []supposed {
	shapes := map[string]*routekey.Route{}
	for _, t := range tables {
		for _, e := range t.ordered {
			shapes[e.Shape()] = e.Route
		}
	}
	var out []supposed
	for _, shape := range slices.Sorted(maps.Keys(shapes)) {
		route := shapes[shape]
		for _, method := range route.Methods() {
			out = append(out, supposed{Route: route, method: method})
		}
		if _, own := shapes[http.MethodHead+" "+route.Template()]; route.Method == http.MethodGet && !own {
			out = append(out, supposed{Route: route, method: http.MethodHead})
		}
	}
	for _, method := range routekey.Methods() {
		out = append(out, supposed{Route: routekey.Other(), method: method})
	}
	return out
}
