package authorizer

import (
	"context"

	"github.com/lambdarmor/lambdarmor/authorizer/internal/reads"
	"github.com/lambdarmor/lambdarmor/authorizer/internal/routekey"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/internal/reason"
	"github.com/lambdarmor/lambdarmor/internal/router"
)

// Routes runs the check of the route that is called. A route without a check is Forbidden.
// Keys are the gateway's route keys: "GET /orders/{id}", "ANY /files/{proxy+}", "$default",
// "$connect"; for a REST API the method and the resource. The names of parameters make no
// difference. A method goes before ANY, and GET also takes HEAD.
//
// An authorizer uses the route that the gateway has found, so the gateway must have a
// route for each key. An HTTP API finds it by the decoded path, as a function does:
// https://github.com/middleapi/standard-server/pull/93. The route is found by method and
// path instead
//
//   - inside [Require],
//   - if the event has no route, as for a TOKEN authorizer,
//   - if the gateway's route takes all paths, and the table distinguishes them,
//   - for a HEAD of a gateway's ANY or HEAD route, if another GET in the table could take it.
//
// httpapi.Routes uses the same code. An ambiguous path is then Invalid, with the code
// path_ambiguous. The prefix of a greedy parameter, as "/files", needs a key of its own. The
// decision depends on the method, the path and the domain, which may add a base path.
//
// List all keys in one table: Routes inside the check of a route is an error. A check
// that restricts, such as [Scopes], uses the grant so far: see [All]. Routes panics for a
// malformed key, for a nil check, and for two keys that conflict as patterns of net/http.
func Routes(routes map[string]Check) Check {
	for key, c := range routes {
		if c == nil {
			panic("authorizer: Routes with a nil check for " + key)
		}
	}
	table, err := routekey.NewTable(routes)
	if err != nil {
		panic("authorizer: Routes with " + err.Error())
	}
	return func(ctx context.Context, r *Request) (*Grant, error) {
		if r.found {
			return nil, errNested
		}
		e, err := r.findRoute(table)
		if err != nil {
			return nil, err
		}
		if e == nil {
			return nil, guard.Errorf(guard.Forbidden, "route_unknown", "Nobody is allowed this route.")
		}
		if r.as == nil {
			layer.SetRoute(ctx, e.Key)
		}
		inside := *r
		inside.found = true
		return e.Value(ctx, &inside)
	}
}

// errNested: one table may use the gateway's route and the other the path, and so
// find two routes for a request.
var errNested = reason.New("authorizer: Routes inside Routes: list all keys in one table")

// findRoute returns the entry of the route that is called, nil if there is none, and an
// error for an ambiguous path. It records what it reads.
func (r *Request) findRoute(t *routekey.Table[Check]) (*routekey.Entry[Check], error) {
	r.reads.AddTable(t, t.Routes())
	if r.as != nil {
		return t.ByRoute(r.as.Route, r.Method), nil
	}
	route, ok := routekey.Parse(r.in.RouteKey)
	if ok && r.in.Format != reads.InHandler && !t.Splits(route, r.Method) {
		r.RouteKey()
		return t.ByRoute(route, r.Method), nil
	}
	r.Method()
	r.note(reads.TablePath, r.in.RawPath())
	r.note(reads.Domain, r.in.Domain())
	e, ok := t.ByPath(r.in.Request, r.in.Method)
	if !ok {
		return nil, guard.Errorf(guard.Invalid, router.AmbiguousCode, router.AmbiguousDetail)
	}
	return e, nil
}
