package authorizer

import (
	"context"
	"slices"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard"
)

// hazardError is a decision that no policy can express.
type hazardError struct{ fix string }

func (e *hazardError) Error() string { return e.fix }

// document returns the policy for all calls that the gateway may hold to it, and the
// grant that goes with it. g is nil if the call is forbidden.
func (d *decider) document(ctx context.Context, r *Request, g *Grant) (doc Document, _ *Grant, err error) {
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
		err = doc.allowRoute(in)
	default:
		path := d.covers(in, read{place{kind: inPath}, in.RawPath()}) && d.covers(in, read{place{kind: inDomain}, in.Domain()})
		err = doc.allowSame(in, d.covers(in, read{place{kind: inMethod}, in.method}), path)
	}
	return doc, g, notNameable(guard.Internal, err)
}

// newDocument returns a policy for the stage of a call. Of a TOKEN event AWS may
// write "*" for it.
func (in *input) newDocument() Document {
	return Document{anyStage: in.format == RESTToken && in.stage == "*"}
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
		if err := doc.allowPattern(in, p, method); err != nil {
			return err
		}
	}
	if a := in.arn; p.key == "$default" && (a.Path == "" || !slices.Contains(methods[:], a.Method)) { // it may be named like that
		return doc.Allow(a)
	}
	return nil
}

// allowPattern allows a route by name, or all below what stands before its
// first parameter.
func (doc *Document) allowPattern(in *input, p *pattern, method string) error {
	a := in.arn
	a.Method = method
	if p.fixed() {
		a.Path = p.path(len(p.segments))
		if a.Path == "" {
			a.Path = "/"
		} else if in.format == RESTRequest || in.format == RESTToken { // which takes a slash at the end for nothing
			a.Path += "/"
			if err := doc.Allow(a); err != nil {
				return err
			}
			a.Path = strings.TrimSuffix(a.Path, "/")
		}
		return doc.Allow(a)
	}
	a.Path = p.path(p.literals())
	return doc.AllowBelow(a)
}

// methods are those that a route takes.
func (p *pattern) methods() []string {
	if p.method == anyMethod || p.method == "" {
		return methods[:]
	}
	return []string{p.method}
}

// path returns the first n segments, which are literals.
func (p *pattern) path(n int) string {
	path := ""
	for _, s := range p.segments[:n] {
		path += "/" + s.literal
	}
	return path
}
