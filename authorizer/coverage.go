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

// hazardError is a decision that no policy can express.
type hazardError struct{ fix string }

func (e *hazardError) Error() string { return e.fix }

// uncachedFix is what helps where nothing else does.
const uncachedFix = "set the result TTL to 0 and declare it with Uncached()"

// document returns the policy for all calls that the gateway may hold to it, and the
// grant that goes with it. g is nil if the call is forbidden.
func (d *decider) document(ctx context.Context, r *Request, g *Grant) (doc policy.Document, _ *Grant, err error) {
	in := r.in
	doc = in.newDocument()
	if d.uncached || !in.cacheable() {
		if g != nil {
			err = notNameable(guard.Forbidden, doc.Allow(in.arn))
		}
		return doc, g, err
	}
	looked := r.reads.withEdge(d.edge)
	uncovered := d.uncovered(in, looked)
	pinned := in.routeKey != "" && d.covers(in, read{place{kind: inRouteKey}, in.routeKey})
	if !pinned && len(r.reads.routeTables()) > 0 {
		uncovered = slices.DeleteFunc(uncovered, read.ofTable)
		if len(uncovered) > 0 {
			return doc, g, &hazardError{fix(in, uncovered)}
		}
		return d.tables(ctx, r, g)
	}
	switch {
	case len(uncovered) > 0:
		return doc, g, &hazardError{fix(in, uncovered)}
	case g == nil:
		return doc, nil, nil
	case pinned:
		err = doc.AllowRoute(in.arn, in.routeKey, in.gateway())
	default:
		path := d.covers(in, read{place{kind: inPath}, in.RawPath()}) && d.covers(in, read{place{kind: inDomain}, in.Domain()})
		err = allowSame(&doc, in.arn, d.covers(in, read{place{kind: inMethod}, in.method}), path)
	}
	return doc, g, notNameable(guard.Internal, err)
}

// newDocument returns a policy for the stage of a call. Of a TOKEN event AWS may
// write "*" for it.
func (in *input) newDocument() policy.Document {
	return policy.Document{AnyStage: in.format == RESTToken}
}

func (in *input) gateway() policy.Gateway {
	switch in.format {
	case RESTToken:
		return policy.RESTToken
	case RESTRequest:
		return policy.RESTAPI
	default:
		return policy.HTTPAPI
	}
}

// notNameable makes a refusal of a call that cannot be named in a policy: its path
// is the client's. Where it would be kept it is no denial, as others may have the
// same identity.
func notNameable(kind guard.Kind, err error) error {
	if err == nil {
		return nil
	}
	return &guard.Error{Kind: kind, Code: "path_not_grantable", Detail: "No policy can name this path.", Err: err}
}

// ofTable reports whether a read is one that is made anew for each route.
func (r read) ofTable() bool {
	return r.kind == inRouteKey || r.kind == inMethod || r.kind == inTablePath || r.kind == inDomain
}

// allowSame allows all that the decision is the same for: method and path of the
// call are what they are now where the gateway keeps decisions apart by them, the
// path if by the domain as well.
func allowSame(doc *policy.Document, a policy.ARN, method, path bool) error {
	switch {
	case method && path:
		return doc.Allow(a)
	case method:
		a.Path = ""
		return doc.AllowBelow(a)
	case path:
		for _, a.Method = range routekey.Methods() {
			if err := doc.Allow(a); err != nil {
				return err
			}
		}
		return nil
	default:
		a.Method, a.Path = "", ""
		return doc.AllowBelow(a)
	}
}

// tables asks about every route of the tables that the check goes through.
func (d *decider) tables(ctx context.Context, r *Request, g *Grant) (doc policy.Document, _ *Grant, err error) {
	doc = r.in.newDocument()
	known := r.reads.routeTables()
	all := routesOf(known)
	called := g
	var uncovered []read
	for i := range all {
		asked := &Request{in: r.in, reads: new(reads), memo: r.memo, as: &all[i]}
		granted, err := d.ask(ctx, asked)
		for _, table := range asked.reads.routeTables() {
			r.reads.noteTable(table)
		}
		v := verdictOf(err)
		if v == failed {
			if all[i].Key != "" {
				return doc, g, err
			}
			continue
		}
		for _, read := range asked.reads.withEdge(d.edge) {
			// The path of a supposed call is not known, whoever covers it, and
			// neither is what the gateway calls its route.
			unknown := read.kind == inPath || read.kind == inPathValue || read.kind == inRouteKey
			if unknown || !read.ofTable() && !d.covers(r.in, read) {
				if read.kind == inRouteKey {
					read.value = r.in.routeKey
				}
				uncovered = append(uncovered, read)
			}
		}
		if v != allowed {
			continue
		}
		all[i].granted = true
		if g == nil {
			g = granted
		}
		if g = same(g, granted); g == nil {
			return doc, granted, &hazardError{"let all routes have the same principal, scopes, groups and context, or " + uncachedFix}
		}
	}
	if len(r.reads.routeTables()) > len(known) { // one that the call itself did not come to
		return d.tables(ctx, r, called)
	}
	if len(uncovered) > 0 {
		return doc, g, &hazardError{fix(r.in, uncovered)}
	}
	all = slices.DeleteFunc(all, func(s supposed) bool { return !s.granted && s.Key == "" })
	wide := func(method string) bool { // all of the method may be allowed
		return slices.ContainsFunc(all, func(s supposed) bool { return s.method == method && s.Key == "" })
	}
	parameters := slices.ContainsFunc(all, func(s supposed) bool { return s.granted && !s.Fixed() && !wide(s.method) })
	complete := d.complete && (r.in.format == RESTToken || !r.reads.has(inTablePath))
	if parameters && !complete {
		return doc, g, &hazardError{"declare with CompleteRoutes() that Routes names all routes of the API, add the route to the identity sources, or " + uncachedFix}
	}
	if err := allowGranted(&doc, r.in, all); err != nil {
		return doc, g, err
	}
	if called != nil {
		if err := doc.Allow(r.in.arn); err != nil && !parameters && !wide(r.in.arn.Method) {
			return doc, g, notNameable(guard.Internal, err)
		}
	}
	return doc, g, nil
}

// allowGranted allows those routes that are granted and none of the others.
func allowGranted(doc *policy.Document, in *input, all []supposed) error {
	routes := make([]policy.Route, len(all))
	for i, s := range all {
		routes[i] = policy.Route{Key: s.Key, Method: s.method, Granted: s.granted}
	}
	err := doc.AllowRoutes(in.arn, routes, in.gateway())
	var overlap *policy.OverlapError
	if errors.As(err, &overlap) {
		return &hazardError{overlap.Error() + ": add the route to the identity sources, or " + uncachedFix}
	}
	return err
}

// same returns the grant of several routes, nil if they differ: the backend would
// get that of another route.
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

// routesOf returns the routes of tables, in an order of their own, ANY taken apart
// and HEAD beside GET, and last one of each method that is in none of them. What a
// table has of a method for itself it finds for that method of ANY as well.
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
