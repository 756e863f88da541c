package httpapi

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/reflected"
)

// Routes calls the handler whose pattern matches the request, as
// [net/http.ServeMux] does: its grammar, "POST /orders", "GET /orders/{id}",
// "/files/{path...}", its precedence, its redirects. A pattern that is
// malformed or conflicts with another panics. The values of the wildcards are
// there from [Request.PathValue].
//
// The path is that of the API, [Request.Path], so the same function works
// behind one route of a gateway, behind $default, a stage, a custom domain with
// a base path, a function URL, and VPC Lattice. What matches no pattern is a
// NotFound, what matches one but for the method a MethodNotAllowed with Allow.
//
// A route is a handler: its own layers go around it with [guard.Wrap].
func Routes(routes map[string]lambda.Handler) lambda.Handler {
	mux := http.NewServeMux()
	for pattern, h := range routes {
		if h == nil {
			panic("httpapi: Routes with a nil handler for " + pattern)
		}
		mux.Handle(pattern, route{pattern, reflected.Handler(h)})
	}
	return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
		ctx, x := enter(ctx, payload)
		req, err := x.request()
		if err != nil {
			return nil, err
		}
		m := match{header: http.Header{}}
		mux.ServeHTTP(&m, req.shape())
		if m.route.handler == nil {
			return m.miss(x, req)
		}
		guard.SetRoute(ctx, m.route.pattern)
		routed := *req
		routed.matched, routed.outer = m.request, req
		x.setRequest(&routed)
		return m.route.handler.Invoke(ctx, payload)
	})
}

// route is what the mux finds. Serving it tells the match, no more.
type route struct {
	pattern string
	handler lambda.Handler
}

func (rt route) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if m, ok := w.(*match); ok {
		m.route, m.request = rt, r
	}
}

// match takes what a mux has to say about a request: the route and the values
// of its wildcards, or the redirect, 404 or 405 that the mux answers itself.
type match struct {
	route   route
	request *http.Request
	header  http.Header
	status  int
}

func (m *match) Header() http.Header            { return m.header }
func (m *match) WriteHeader(status int)         { m.status = status }
func (m *match) Write(text []byte) (int, error) { return len(text), nil }

// miss answers what matched no route.
func (m *match) miss(x *exchange, req *Request) ([]byte, error) {
	switch {
	case m.status >= 300 && m.status < 400:
		res := newResponse(m.status)
		res.set("location", (&url.URL{Path: req.prefix}).EscapedPath()+m.header.Get("Location"))
		return x.answer(res)
	case m.status == http.StatusMethodNotAllowed:
		return nil, unsatisfied(m.header.Get("Allow"))
	default:
		return nil, guard.Errorf(guard.NotFound, "not_found", "There is nothing at this path.")
	}
}

// shape is as much of an http.Request as routing looks at.
func (r *Request) shape() *http.Request {
	return &http.Request{Method: r.Method, URL: r.url(), Host: r.host()}
}

func (r *Request) url() *url.URL {
	u := &url.URL{Path: r.Path, RawQuery: r.light.RawQueryString}
	if r.rawPath != r.Path {
		u.RawPath = r.rawPath
	}
	return u
}

func (r *Request) host() string {
	host := r.light.DomainName
	if host == "" {
		host = r.Header("host")
	}
	return strings.ToLower(host)
}
