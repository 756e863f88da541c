package authorizer

import (
	"context"
	"fmt"

	"github.com/lambdarmor/lambdarmor/guard"
)

// Routes decides by the check of the route that is called. Keys are the
// gateway's route keys, "POST /orders", "GET /orders/{id}", "ANY /files/{proxy+}",
// "$default", "$connect"; of a REST API the method and the resource. Names of
// parameters make no difference, and a method goes before ANY. A call whose
// route is not among them is Forbidden.
//
// Behind a route of the gateway that takes all paths, or where the event does
// not tell the route, as of a TOKEN authorizer, a function URL, VPC Lattice, the
// key is found by method and path, in the gateway's order: literal, parameter,
// greedy parameter, $default. A path is then refused that another could read
// differently: with an empty segment, a dot segment, an escape. The path is that
// of the call, without a base path and a stage in front, as package httpapi gives
// it to a handler. The decision depends on method, path and the domain, which may
// put a base path in front; not so in format 2.0 of the stage $default.
//
// A check that restricts, like [Scopes], goes by the grant so far: see [All]. A
// key that is no route key, or two of one meaning, panic.
func Routes(routes map[string]Check) Check {
	table := &routeTable{entries: make(map[string]*entry, len(routes))}
	for key, c := range routes {
		p, ok := parsePattern(key)
		if !ok {
			panic(fmt.Sprintf("authorizer: Routes with %q, which is no route key", key))
		}
		if c == nil {
			panic("authorizer: Routes with a nil check for " + key)
		}
		if same, ok := table.entries[p.shape()]; ok {
			panic(fmt.Sprintf("authorizer: Routes with both %q and %q", same.key, key))
		}
		e := &entry{p, c}
		table.entries[p.shape()] = e
		if len(p.segments) == 0 && p.method == "" && p.key == "$connect" {
			continue // has no path
		}
		table.ordered = append(table.ordered, e)
	}
	return func(ctx context.Context, r *Request) (*Grant, error) {
		e := table.find(r)
		if e == nil {
			return nil, guard.Errorf(guard.Forbidden, "route_unknown", "Nobody is allowed this route.")
		}
		if r.as == nil {
			guard.SetRoute(ctx, e.key)
		}
		return e.check(ctx, r)
	}
}

type routeTable struct {
	entries map[string]*entry // shape → entry
	ordered []*entry          // those that have paths
}

type entry struct {
	*pattern
	check Check
}

// find gives the entry of the route that is called, nil when there is none.
// What it looks at counts as read.
func (t *routeTable) find(r *Request) *entry {
	r.reads.noteTable(t)
	if r.as != nil {
		return t.ofPattern(r.as.pattern, r.Method)
	}
	if p, ok := parsePattern(r.in.routeKey); ok && !(p.catchAll() && t.splits(p)) {
		r.RouteKey()
		return t.ofPattern(p, r.Method)
	}
	r.Method()
	r.noteCallPath(inTablePath)
	return t.ofCall(r.in)
}

// ofPattern finds a route of the gateway.
func (t *routeTable) ofPattern(p *pattern, method func() string) *entry {
	own := t.entries[p.shape()]
	if p.method != anyMethod {
		if own == nil && p.method != "" {
			own = t.entries[anyMethod+" "+p.template()]
		}
		return own
	}
	template := p.template()
	for _, m := range methods {
		if t.entries[m+" "+template] != nil { // ANY is taken apart
			if e := t.entries[method()+" "+template]; e != nil {
				return e
			}
			break
		}
	}
	return own
}

// splits reports whether the table tells apart what a catch-all route of the
// gateway takes.
func (t *routeTable) splits(p *pattern) bool {
	own := t.ofPattern(p, func() string { return p.method })
	for _, e := range t.ordered {
		if e != own && p.mayTake(e.pattern) && (own == nil || e.before(p)) {
			return true
		}
	}
	return false
}

// mayTake reports whether some call of q is one of the catch-all route p.
func (p *pattern) mayTake(q *pattern) bool {
	if p.key == "$default" {
		return true
	}
	if p.method != anyMethod && q.method != anyMethod && p.method != q.method {
		return false
	}
	for i, s := range p.segments {
		if s.greedy || i < len(q.segments) && q.segments[i].greedy || q.key == "$default" {
			return true
		}
		if i >= len(q.segments) {
			return false
		}
		if a, b := s.literal, q.segments[i].literal; a != "" && b != "" && a != b {
			return false
		}
	}
	return false
}

// ofCall finds the route of a method and a path as the gateway would.
func (t *routeTable) ofCall(in *input) *entry {
	path, ok := plainPath(in.callPath())
	if !ok {
		return nil
	}
	var best *entry
	for _, e := range t.ordered {
		if e.matches(in.method, path) && (best == nil || e.before(best.pattern)) {
			best = e
		}
	}
	return best
}
