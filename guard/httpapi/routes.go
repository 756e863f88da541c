package httpapi

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/internal/answer"
	"github.com/lambdarmor/lambdarmor/internal/reflected"
	"github.com/lambdarmor/lambdarmor/internal/router"
)

// Routes returns a handler that calls the one whose pattern matches the request, as
// [net/http.ServeMux] does. Patterns are "POST /orders", "GET /orders/{id}",
// "/files/{path...}"; the most specific one goes first, and GET takes HEAD as well.
// [Request.PathValue] returns the values of the wildcards. Routes panics if a
// pattern is malformed or conflicts with another, and if a handler is nil.
//
// The path is [Request.Path]. So the same function works behind routes or $default,
// a stage, a custom domain with a base path, a function URL, a load balancer, and
// VPC Lattice. A redirect to the path with a slash is relative. A REST API treats
// both paths as the same, so the handler is called instead.
//
// A request that no pattern matches is a NotFound, and one of another method a
// MethodNotAllowed with the header Allow. An ambiguous path is Invalid with the
// code path_ambiguous: see [request.Request.Path].
//
// A route is a handler: use [guard.Wrap] to put layers around one route.
func Routes(routes map[string]lambda.Handler) lambda.Handler {
	table := new(router.Table[lambda.Handler])
	inside := make([]lambda.Handler, 0, len(routes))
	for _, pattern := range slices.Sorted(maps.Keys(routes)) { // so that hooks have an order
		h := routes[pattern]
		if h == nil {
			panic("httpapi: Routes with a nil handler for " + pattern)
		}
		inside = append(inside, h)
		if err := table.Add(pattern, reflected.Handler(h)); err != nil {
			panic(fmt.Sprintf("httpapi: Routes with %q: %v", pattern, err))
		}
	}
	return layer.NamedHandler(handlerName, guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
		ctx, x := enter(ctx, payload)
		req, err := x.request()
		if err != nil {
			return nil, err
		}
		m, ok := table.Find(req.in, req.Method)
		switch {
		case !ok:
			return nil, errAmbiguousPath()
		case m.Pattern == "":
			return miss(x, m)
		}
		layer.SetRoute(ctx, m.Pattern)
		routed := *req
		routed.matched, routed.outer = m.Request, req
		x.setRequest(&routed)
		return m.Value.Invoke(ctx, payload)
	}), inside...)
}

func errAmbiguousPath() error {
	return guard.Errorf(guard.Invalid, router.AmbiguousCode, router.AmbiguousDetail)
}

// miss answers a request that no route matches.
func miss(x *exchange, m *router.Match[lambda.Handler]) ([]byte, error) {
	switch {
	case m.Status >= 300 && m.Status < 400:
		res := answer.New(m.Status)
		res.Set("location", m.Location())
		return x.answer(res)
	case m.Status == http.StatusMethodNotAllowed:
		err := guard.Errorf(guard.MethodNotAllowed, "method_not_allowed", "The resource does not have this method.")
		return nil, WithHeader(err, "allow", m.Allow())
	default:
		return nil, guard.Errorf(guard.NotFound, "not_found", "There is nothing at this path.")
	}
}
