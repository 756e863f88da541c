package authorizer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard"
)

// tables asks about every route of the tables that the check goes through.
func (d *decider) tables(ctx context.Context, r *Request, g *Grant) (doc Document, _ *Grant, err error) {
	doc = r.in.newDocument()
	known := r.reads.routeTables()
	all := routesOf(known)
	called := g
	var uncovered []read
	for i := range all {
		asked := &Request{in: r.in, reads: new(reads), memo: r.memo, as: &all[i].supposed}
		granted, err := d.ask(ctx, asked)
		for _, table := range asked.reads.routeTables() {
			r.reads.noteTable(table)
		}
		v := verdictOf(err)
		if v == failed {
			if all[i].pattern.listed() {
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
			return doc, granted, &hazardError{"let all routes have the same principal, scopes, groups and context, or set the result TTL to 0 and declare it with Uncached()"}
		}
	}
	if len(r.reads.routeTables()) > len(known) { // one that the call itself did not come to
		return d.tables(ctx, r, called)
	}
	if len(uncovered) > 0 {
		return doc, g, &hazardError{fix(r.in, uncovered)}
	}
	all = slices.DeleteFunc(all, func(r route) bool { return !r.granted && !r.pattern.listed() })
	wide := func(method string) bool { // all of the method may be allowed
		return slices.ContainsFunc(all, func(r route) bool { return r.method == method && !r.pattern.listed() })
	}
	parameters := slices.ContainsFunc(all, func(r route) bool { return r.granted && !r.pattern.fixed() && !wide(r.method) })
	complete := d.complete && (r.in.format == RESTToken || !r.reads.has(inTablePath))
	if parameters && !complete {
		return doc, g, &hazardError{"declare with CompleteRoutes() that Routes names all routes of the API, add the route to the identity sources, or set the result TTL to 0 and declare it with Uncached()"}
	}
	if err := doc.allowGranted(r.in, all); err != nil {
		return doc, g, err
	}
	if called != nil {
		if err := doc.Allow(r.in.arn); err != nil && !parameters && !wide(r.in.arn.Method) {
			return doc, g, notNameable(guard.Internal, err)
		}
	}
	return doc, g, nil
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

// route is one method of a table's route.
type route struct {
	supposed
	granted bool
}

// routesOf returns the routes of tables, in an order of their own, ANY taken apart
// and HEAD beside GET, and last one of each method that is in none of them. What a
// table has of a method for itself it finds for that method of ANY as well.
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
		if _, own := shapes[http.MethodHead+" "+p.template()]; p.method == http.MethodGet && !own {
			out = append(out, route{supposed: supposed{p, http.MethodHead}})
		}
	}
	for _, method := range methods {
		out = append(out, route{supposed: supposed{new(pattern), method}})
	}
	return out
}

// allowGranted allows those routes that are granted and none of the others.
func (doc *Document) allowGranted(in *input, all []route) error {
	for _, r := range all {
		if !r.granted {
			continue
		}
		if err := doc.allowPattern(in, r.pattern, r.method); err != nil {
			return err
		}
		if r.pattern.fixed() {
			continue
		}
		below := slices.DeleteFunc(slices.Clone(all), func(other route) bool {
			return other.pattern == r.pattern || !other.pattern.listed() || other.method != r.method || !other.pattern.below(r.pattern)
		})
		if r.pattern.listed() {
			if err := doc.denyReadings(in, r, below, all); err != nil {
				return err
			}
		}
		for _, other := range below {
			if err := doc.allowBut(in.arn, r.pattern, other); err != nil {
				return err
			}
		}
	}
	return nil
}

// denyReadings denies paths below a route with a parameter that can be read as
// those of another route. Where the check finds its route by the path and not by
// the gateway's word, it refuses each such path, and so does the policy.
func (doc *Document) denyReadings(in *input, r route, below, all []route) error {
	byPath := in.format == RESTToken
	switch {
	case byPath || r.pattern.catchAll() && len(below) > 0: // see routeTable.splits
		doc.denyAmbiguous(in.arn)
		doc.denyDetours(in.arn)
		if in.format == HTTP1 || in.format == HTTP2 { // whose events have a path decoded, and its ARN need not
			doc.denyBelowStage(in.arn, "*%*")
		}
		doc.denyEscapes(in.arn, r.pattern, r.pattern)
		for _, other := range below {
			doc.denyEscapes(in.arn, r.pattern, other.pattern)
		}
		if byPath {
			return doc.denyBare(in.arn, r, below, all)
		}
	case slices.ContainsFunc(all, func(other route) bool { return !other.granted && other.method == r.method }):
		doc.denyDetours(in.arn) // which a gateway might still find
	}
	return nil
}

// denyAmbiguous denies paths that two readers could take for two, as the check
// refuses them: with a backslash, or with one, a percent sign, a slash, a dot or
// a control character escaped.
func (doc *Document) denyAmbiguous(base ARN) {
	doc.denyBelowStage(base, `*\*`, "*%25*", "*%5C*", "*%5c*", "*%2F*", "*%2f*", "*%2E*", "*%2e*", "*%0?*", "*%1?*", "*%7F*", "*%7f*")
}

// denyEscapes denies paths in which a character is escaped that a literal of q is
// made of, where it stands behind what is allowed of p: such a path may be q.
func (doc *Document) denyEscapes(base ARN, p, q *pattern) {
	for i, s := range q.segments {
		if i < p.literals() || s.parameter() {
			continue
		}
		for _, c := range []byte(s.literal + "%./") {
			for _, format := range []string{"*%%%X%X*", "*%%%x%x*", "*%%%X%x*", "*%%%x%X*"} {
				doc.denyBelowStage(base, fmt.Sprintf(format, c>>4, c&0xf))
			}
		}
	}
}

// denyBare denies what stands before the parameter of a route, with a slash at its
// end, and what stands before a greedy one without it: no table takes it for the
// route. A route that takes it stays allowed.
func (doc *Document) denyBare(base ARN, r route, below, all []route) error {
	if bare := r.pattern.path(r.pattern.literals()); bare != "" && !granted(all, r.method, bare) {
		doc.denyBelowStage(base, r.method+bare+"/")
	}
	for _, q := range append(below, r) {
		n := len(q.pattern.segments) - 1
		if n < 1 || !q.pattern.segments[n].greedy {
			continue
		}
		if q.pattern.literals() < n {
			if q.pattern == r.pattern {
				continue
			}
			return &hazardError{"no policy allows " + cmp.Or(r.pattern.key, "what is in no table") + " without the path in front of the last parameter of " +
				q.pattern.key + ": set the result TTL to 0 and declare it with Uncached()"}
		}
		if bare := q.pattern.path(n); !granted(all, r.method, bare) {
			doc.denyBelowStage(base, r.method+bare, r.method+bare+"/")
		}
	}
	return nil
}

// granted reports whether one of the routes that are granted has a path, other than
// as the value of a greedy parameter.
func granted(all []route, method, path string) bool {
	segments := strings.Split(path[1:], "/")
	return slices.ContainsFunc(all, func(r route) bool {
		return r.granted && r.method == method && r.pattern.listed() && len(r.pattern.segments) == len(segments) &&
			!slices.ContainsFunc(r.pattern.segments, func(s segment) bool { return s.greedy }) &&
			slices.EqualFunc(r.pattern.segments, segments, func(s segment, text string) bool { return s.parameter() || s.literal == text })
	})
}

// denyDetours denies paths with empty segments and dots, which can be another's
// after all.
func (doc *Document) denyDetours(base ARN) {
	doc.denyBelowStage(base, "*//*", "*/./*", "*/../*", "*/.", "*/..")
}

// allowBut denies what the policy for a route with a parameter has allowed of
// another one, if that is refused.
func (doc *Document) allowBut(base ARN, p *pattern, other route) error {
	switch {
	case other.granted:
		return nil
	case !other.pattern.fixed() || p.catchAll():
		return &hazardError{"no policy allows " + cmp.Or(p.key, "what is in no table") + " without " + other.pattern.key +
			": add the route to the identity sources, or set the result TTL to 0 and declare it with Uncached()"}
	case len(other.pattern.segments) > p.literals():
		doc.denyEscapes(base, p, other.pattern)
	default: // a slash that is escaped may be one at its end
		at := base
		at.Method, at.Path = other.method, other.pattern.path(len(other.pattern.segments))
		below := strings.TrimPrefix(at.String(), base.stagePrefix())
		doc.denyBelowStage(base, below+"/%2F*", below+"/%2f*")
	}
	return doc.denyFixed(base, other.pattern, other.method)
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
