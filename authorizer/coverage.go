package authorizer

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"slices"

	"github.com/lambdarmor/lambdarmor/authorizer/internal/reads"
	"github.com/lambdarmor/lambdarmor/authorizer/internal/routekey"
	"github.com/lambdarmor/lambdarmor/authorizer/policy"
	"github.com/lambdarmor/lambdarmor/guard"
)

// document returns the policy for all calls that the gateway may apply it to, and its
// grant. g is the grant of the call, nil if the call is forbidden.
func (d *decider) document(ctx context.Context, r *Request, g *Grant) (*policy.Document, *Grant, error) {
	in := r.in
	doc := &policy.Document{AnyStage: in.Format == reads.RESTToken}
	if !d.cache.Stores(in) {
		if g != nil {
			return doc, g, notNameable(guard.Forbidden, doc.Allow(in.ARN))
		}
		return doc, nil, nil
	}
	covers := func(kind reads.Kind, value string) bool {
		return d.cache.Covers(in, reads.Read{Place: reads.Place{Kind: kind}, Value: value})
	}
	byRoute := in.RouteKey != "" && covers(reads.RouteKey, in.RouteKey)
	uncovered := d.cache.Uncovered(in, r.reads)
	routes, tables := r.reads.Routes()
	askEach := !byRoute && tables
	if askEach {
		uncovered = slices.DeleteFunc(uncovered, reads.Read.PerRoute)
	}
	switch {
	case len(uncovered) > 0:
		return doc, g, hazard(reads.Fix(in, uncovered))
	case askEach:
		return d.allowTables(ctx, r, g, doc, routes)
	case g == nil:
		return doc, nil, nil
	case byRoute:
		return doc, g, allowRoute(doc, in)
	}
	byMethod := covers(reads.Method, in.Method)
	byPath := covers(reads.Path, in.RawPath()) && covers(reads.Domain, in.Domain())
	return doc, g, notNameable(guard.Internal, allowSame(doc, in.ARN, byMethod, byPath))
}

// notNameable is the error for a path that no policy can name. The client chose it, so a
// stored answer must not be a denial: others may have the same identity.
func notNameable(kind guard.Kind, err error) error {
	if err == nil {
		return nil
	}
	return &guard.Error{Kind: kind, Code: "path_not_grantable", Detail: "No policy can name this path.", Err: err}
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

// allowTables runs the check for every route of the tables that it uses, and allows
// the granted ones. called is the grant of the call itself.
func (d *decider) allowTables(ctx context.Context, r *Request, called *Grant, doc *policy.Document, known []*routekey.Route) (*policy.Document, *Grant, error) {
	routes := suppose(known)
	g := called
	var uncovered []reads.Read
	for i := range routes {
		route := &routes[i]
		asked := r.fork()
		asked.as = route
		granted, err := d.decide(ctx, asked)
		r.reads.AddTables(asked.reads)
		v := verdictOf(err)
		if v == failed && route.Key != "" {
			return doc, g, err
		}
		if v == failed {
			continue
		}
		for _, read := range d.cache.Looked(asked.reads) {
			switch {
			case read.Kind == reads.RouteKey: // the gateway's name for the route is not known
				read.Value = r.in.RouteKey
			case read.Kind == reads.Path, read.Kind == reads.PathValue: // nor is the path
			case read.PerRoute(), d.cache.Covers(r.in, read):
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
	if all, _ := r.reads.Routes(); len(all) > len(known) { // of a table that the call itself did not come to
		return d.allowTables(ctx, r, called, doc, all)
	}
	if len(uncovered) > 0 {
		return doc, g, hazard(reads.Fix(r.in, uncovered))
	}
	byPath := slices.ContainsFunc(d.cache.Looked(r.reads), func(read reads.Read) bool { return read.Kind == reads.TablePath })
	complete := d.complete && (r.in.Format == reads.RESTToken || !byPath)
	return doc, g, allowRoutes(doc, r.in, routes, complete, called != nil)
}

// allowRoute allows the calls of the route that the gateway has found.
func allowRoute(doc *policy.Document, in *reads.Call) error {
	route, ok := routekey.Parse(in.RouteKey)
	if !ok {
		return notNameable(guard.Internal, doc.Allow(in.ARN))
	}
	var granted []supposed
	for _, method := range route.Methods() {
		granted = append(granted, supposed{route, method, true})
	}
	// The ARN of a call of $default may have the route's name for its method.
	return allowRoutes(doc, in, granted, true, in.RouteKey == "$default")
}

// allowRoutes allows the granted routes, and the call itself if that is granted.
func allowRoutes(doc *policy.Document, in *reads.Call, routes []supposed, complete, called bool) error {
	list := make([]policy.Route, 0, len(routes))
	whole := map[string]bool{} // methods whose calls may all be allowed
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
	err := doc.AllowRoutes(in.ARN, list, in.Gateway())
	var overlap *policy.OverlapError
	if errors.As(err, &overlap) {
		return hazard(overlap.Error() + ": add the route to the identity sources")
	}
	if err == nil && called {
		_ = doc.Allow(in.ARN) // a path that cannot be named is below a prefix that is allowed
	}
	return notNameable(guard.Internal, err)
}

// same returns the grant of two routes that ends earlier. It returns nil if the
// grants differ in anything else: the backend would get the grant of another route.
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

// suppose returns each route with each of its methods, and then, for each method, the
// calls that match no route.
func suppose(routes []*routekey.Route) []supposed {
	var out []supposed
	for _, route := range routes {
		for _, method := range route.Methods() {
			out = append(out, supposed{Route: route, method: method})
		}
		ownHead := func(r *routekey.Route) bool { return r.Shape() == http.MethodHead+" "+route.Template() }
		if route.Method == http.MethodGet && !slices.ContainsFunc(routes, ownHead) {
			out = append(out, supposed{Route: route, method: http.MethodHead})
		}
	}
	for _, method := range routekey.Methods() {
		out = append(out, supposed{Route: routekey.Other(), method: method})
	}
	return out
}
