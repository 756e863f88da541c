package httpapi

import (
	"context"
	"fmt"
	"net/http"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/internal/answer"
	"github.com/lambdarmor/lambdarmor/internal/reflected"
	"github.com/lambdarmor/lambdarmor/internal/router"
)

// Routes calls the handler whose pattern matches the request, as
// [net/http.ServeMux] does: its grammar, "POST /orders", "GET /orders/{id}",
// "/files/{path...}", its precedence, and GET takes HEAD as well. A pattern that
// is malformed or conflicts with another panics. The values of the wildcards are
// there from [Request.PathValue]. A redirect to the path with a slash is relative,
// and there is none behind a REST API, to which the slash is nothing: its handler
// is called.
//
// The path is that of the API, [Request.Path], so the same function works
// behind one route of a gateway, behind $default, a stage, a custom domain with
// a base path, a function URL, a load balancer, and VPC Lattice. What matches no
// pattern is a NotFound, what matches one but for the method a MethodNotAllowed
// with Allow. A path that two readers could take for two is Invalid with code
// path_ambiguous: see [request.Request.Path].
//
// A route is a handler: its own layers go around it with [guard.Wrap].
func Routes(routes map[string]lambda.Handler) lambda.Handler {
	table := new(router.Table[lambda.Handler])
	inside := make([]lambda.Handler, 0, len(routes))
	for pattern, h := range routes {
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
		if !ok {
			return nil, errAmbiguousPath()
		}
		if m.Pattern == "" {
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

// miss answers what matched no route.
func miss(x *exchange, m *router.Match[lambda.Handler]) ([]byte, error) {
	switch {
	case m.Status >= 300 && m.Status < 400:
		res := answer.New(m.Status)
		res.Set("location", m.Location())
		return x.answer(res)
	case m.Status == http.StatusMethodNotAllowed:
		return nil, errMethodNotAllowed(m.Allow())
	default:
		return nil, guard.Errorf(guard.NotFound, "not_found", "There is nothing at this path.")
	}
}
