package authorizer

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"

	"github.com/lambdarmor/lambdarmor/guard"
)

// hazardError is a decision that no policy can express.
type hazardError struct{ fix string }

func (e *hazardError) Error() string { return e.fix }

// document makes the policy for all calls that the gateway may hold to it, and
// gives the grant that goes with it. g is nil where the call is forbidden.
func (d *decider) document(ctx context.Context, r *Request, g *Grant) (doc Document, _ *Grant, err error) {
	in := r.in
	if d.uncached || !in.cacheable() {
		if g != nil {
			err = nameable(doc.Allow(in.arn))
		}
		return doc, g, err
	}
	looked := r.reads.list()
	uncovered := d.uncovered(in, looked)
	pinned := in.routeKey != "" && d.covers(in, read{place{kind: inRouteKey}, in.routeKey})
	if !pinned && len(r.reads.routeTables()) > 0 {
		uncovered = slices.DeleteFunc(uncovered, read.ofTable)
		if g != nil && len(uncovered) > 0 {
			return doc, g, &hazardError{fix(in, uncovered)}
		}
		return d.tables(ctx, r, g)
	}
	switch {
	case g == nil:
		return doc, nil, nil
	case len(uncovered) > 0:
		return doc, g, &hazardError{fix(in, uncovered)}
	case pinned:
		err = doc.allowRoute(in)
	default:
		err = doc.allowSame(in, d.covers(in, read{place{kind: inMethod}, in.method}), d.covers(in, read{place{kind: inPath}, in.path}))
	}
	return doc, g, nameable(err)
}

// nameable makes a refusal of a call that cannot be named in a policy: its path
// is the client's.
func nameable(err error) error {
	if err == nil {
		return nil
	}
	return &guard.Error{Kind: guard.Forbidden, Code: "path_not_grantable", Detail: "No policy can name this path.", Err: err}
}

// ofTable reports whether a read is one that is made anew for each route.
func (r read) ofTable() bool {
	return r.kind == inRouteKey || r.kind == inMethod || r.kind == inTablePath || r.kind == inDomain
}

// allowSame allows all that the decision is the same for: method and path are
// what they are now where the gateway keeps decisions apart by them.
func (doc *Document) allowSame(in *input, method, path bool) error {
	a := in.arn
	switch {
	case method && path:
		return doc.Allow(a)
	case method:
		a.Path = ""
		return doc.AllowBelow(a)
	case path:
		for _, a.Method = range methods {
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

// allowRoute allows the route that was called, which the gateway keeps
// decisions apart by: no call of another one is held to this policy.
func (doc *Document) allowRoute(in *input) error {
	p, ok := parsePattern(in.routeKey)
	if !ok {
		return doc.Allow(in.arn)
	}
	for _, method := range p.methods() {
		if err := doc.allowPattern(in.arn, p, method); err != nil {
			return err
		}
	}
	if p.key == "$default" { // whose calls may be named like that
		return doc.Allow(in.arn)
	}
	return nil
}

// allowPattern allows a route by name, or all below what stands before its
// first parameter.
func (doc *Document) allowPattern(a ARN, p *pattern, method string) error {
	a.Method = method
	if p.fixed() {
		a.Path = p.path(len(p.segments))
		if a.Path == "" {
			a.Path = "/"
		}
		return doc.Allow(a)
	}
	a.Path = p.path(p.literals())
	return doc.AllowBelow(a)
}

// tables asks about every route of the tables that the check went through.
func (d *decider) tables(ctx context.Context, r *Request, g *Grant) (doc Document, _ *Grant, err error) {
	all := routesOf(r.reads.routeTables())
	called := g
	parameters := false
	var uncovered []read
	for i := range all {
		asked := &Request{in: r.in, reads: new(reads), memo: r.memo, as: &all[i].supposed}
		granted, err := d.ask(ctx, asked)
		switch verdictOf(err) {
		case failed:
			return doc, g, err
		case allowed:
		default:
			continue
		}
		all[i].granted = true
		parameters = parameters || !all[i].pattern.fixed()
		for _, read := range asked.reads.list() {
			// The path of a supposed call is not known, whoever covers it, and
			// neither is what the gateway calls its route.
			unknown := read.kind == inPath || read.kind == inPathValue || read.kind == inRouteKey
			if unknown || !read.ofTable() && !d.covers(r.in, read) {
				uncovered = append(uncovered, read)
			}
		}
		if g == nil {
			g = granted
		}
		if g = same(g, granted); g == nil {
			return doc, granted, &hazardError{"let all routes have the same principal, scopes, groups and context, or set the result TTL to 0 and declare it with Uncached()"}
		}
	}
	if len(uncovered) > 0 {
		return doc, g, &hazardError{fix(r.in, uncovered)}
	}
	complete := d.complete && (r.in.format == RESTToken || !r.reads.has(inTablePath))
	if parameters && !complete {
		return doc, g, &hazardError{"declare with CompleteRoutes() that Routes names all routes of the API, add the route to the identity sources, or set the result TTL to 0 and declare it with Uncached()"}
	}
	if err := doc.allowGranted(r.in.arn, all, r.in.format == RESTToken); err != nil {
		return doc, g, err
	}
	if called != nil {
		if err := doc.Allow(r.in.arn); err != nil && !parameters {
			return doc, g, nameable(err)
		}
	}
	return doc, g, nil
}

// same gives the grant of several routes, nil when they differ: the backend
// would be told another route's.
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

// route is one method of a table's route.
type route struct {
	supposed
	granted bool
}

// routesOf gives the routes of tables, in an order of their own, ANY taken
// apart. What a table has of a method for itself it finds for that method of ANY
// as well.
func routesOf(tables []*routeTable) []route {
	shapes := map[string]*pattern{}
	for _, t := range tables {
		for _, e := range t.ordered {
			shapes[e.shape()] = e.pattern
		}
	}
	var out []route
	for _, shape := range slices.Sorted(maps.Keys(shapes)) {
		p := shapes[shape]
		for _, method := range p.methods() {
			out = append(out, route{supposed: supposed{p, method}})
		}
	}
	return out
}

// allowGranted allows those routes that are granted and none of the others. Where
// a route with a parameter is, paths are denied that could be read as another's:
// if byPath, as no gateway then tells which route it takes.
func (doc *Document) allowGranted(base ARN, all []route, byPath bool) error {
	ambiguous := false
	for _, r := range all {
		if !r.granted {
			continue
		}
		if err := doc.allowPattern(base, r.pattern, r.method); err != nil {
			return err
		}
		if r.pattern.fixed() {
			continue
		}
		ambiguous = ambiguous || byPath
		for _, other := range all {
			if other.granted || other.method != r.method || !other.pattern.below(r.pattern) {
				continue
			}
			if !other.pattern.fixed() || r.pattern.catchAll() {
				return &hazardError{"no policy allows " + r.pattern.key + " without " + other.pattern.key +
					": add the route to the identity sources, or set the result TTL to 0 and declare it with Uncached()"}
			}
			if err := doc.denyFixed(base, other.pattern, other.method); err != nil {
				return err
			}
			ambiguous = ambiguous || len(other.pattern.segments) > r.pattern.literals()
		}
	}
	if ambiguous {
		doc.denyBelowStage(base, "*%*", "*//*", "*/./*", "*/../*", "*/.", "*/..")
	}
	return nil
}

// denyFixed denies a route without parameters, also with a slash at its end.
func (doc *Document) denyFixed(a ARN, p *pattern, method string) error {
	a.Method, a.Path = method, p.path(len(p.segments))
	if a.Path == "" {
		a.Path = "/"
		return doc.Deny(a)
	}
	err := doc.Deny(a)
	a.Path += "/"
	return errors.Join(err, doc.Deny(a))
}

// methods are those that a route takes.
func (p *pattern) methods() []string {
	if p.method == anyMethod || p.method == "" {
		return methods[:]
	}
	return []string{p.method}
}

// path gives the first n segments, which are literals.
func (p *pattern) path(n int) string {
	path := ""
	for _, s := range p.segments[:n] {
		path += "/" + s.literal
	}
	return path
}

// below reports whether a call of p, or one with a slash too many, is below
// what stands before the first parameter of q.
func (p *pattern) below(q *pattern) bool {
	if p.key == "$default" {
		return true
	}
	for i, s := range q.segments[:q.literals()] {
		switch {
		case i >= len(p.segments):
			return false
		case p.segments[i].greedy:
			return true
		case !p.segments[i].parameter() && p.segments[i].literal != s.literal:
			return false
		}
	}
	return true
}
