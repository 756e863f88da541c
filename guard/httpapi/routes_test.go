package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

// named answers with its name and its path values.
func named(name string, values ...string) lambda.Handler {
	return httpapi.Handler(func(_ context.Context, r *httpapi.Request) (httpapi.Response, error) {
		text := name
		for _, v := range values {
			text += " " + v + "=" + r.PathValue(v)
		}
		return httpapi.Response{Body: []byte(text)}, nil
	})
}

func shop() lambda.Handler {
	return httpapi.Routes(map[string]lambda.Handler{
		"POST /orders":                     named("place"),
		"GET /orders/{id}":                 named("get", "id"),
		"GET /orders/latest":               named("latest"),
		"PUT /orders/{id}":                 named("put", "id"),
		"/files/{path...}":                 named("file", "path"),
		"GET /tree/":                       named("tree"),
		"/{$}":                             named("home"),
		"GET api.shop.example/orders/{id}": named("own", "id"),
	})
}

func TestRoutesMatchAsServeMux(t *testing.T) {
	for _, tt := range []struct {
		call
		status int
		body   string // of a 200
	}{
		{call: call{method: "POST", path: "/orders"}, status: 200, body: "place"},
		{call: call{path: "/orders/o-1"}, status: 200, body: "get id=o-1"},
		{call: call{path: "/orders/latest"}, status: 200, body: "latest"},
		{call: call{method: "HEAD", path: "/orders/o-1"}, status: 200, body: "get id=o-1"},
		{call: call{method: "PUT", path: "/orders/o-1"}, status: 200, body: "put id=o-1"},
		{call: call{method: "PUT", path: "/orders/latest"}, status: 200, body: "put id=latest"},
		{call: call{path: "/orders/a%2Fb", domain: urlDomain}, status: 400},
		{call: call{path: "/orders/a%20b", domain: urlDomain}, status: 200, body: "get id=a b"},
		{call: call{path: "/orders/a b"}, status: 200, body: "get id=a b"},
		{call: call{path: "/orders/100%"}, status: 400},
		{call: call{path: "/orders/100%25"}, status: 400},
		{call: call{path: "/orders/l%61test", domain: urlDomain}, status: 400},
		{call: call{path: "/orders/é"}, status: 200, body: "get id=é"},
		{call: call{method: "DELETE", path: "/files/a/b/c"}, status: 200, body: "file path=a/b/c"},
		{call: call{path: "/files/"}, status: 200, body: "file path="},
		{call: call{path: "/tree/x"}, status: 200, body: "tree"},
		{call: call{path: "/"}, status: 200, body: "home"},
		{call: call{path: "/orders/o-1", domain: ownDomain}, status: 200, body: "own id=o-1"},
		{call: call{path: "/orders/o-1", domain: "API.Shop.Example"}, status: 200, body: "own id=o-1"},
		{call: call{path: "/orders/o-1", domain: "API.Shop.Example:443", lattice: true}, status: 200, body: "own id=o-1"},
		{call: call{path: "/v1/orders/o-1", stage: "v1"}, status: 200, body: "get id=o-1"},
		{
			call:   call{path: "/shop/orders/o-1", route: "GET /orders/{id}", params: map[string]string{"id": "o-1"}, domain: "other.example"},
			status: 200,
			body:   "get id=o-1",
		},
		{call: call{path: "/orders/o-1", format1: true}, status: 200, body: "get id=o-1"},
		{
			call:   call{path: "/orders/o-1", rest: true, route: "ANY /{proxy+}", params: map[string]string{"proxy": "orders/o-1"}, stage: "prod"},
			status: 200,
			body:   "get id=o-1",
		},
		{call: call{path: "/orders/o-1/lines"}, status: 404},
		{call: call{path: "/orders/"}, status: 404},
		{call: call{path: "/nothing"}, status: 404},
		{call: call{path: "/v2/orders/o-1", stage: "v1"}, status: 404},
		{call: call{path: "/orders"}, status: 405},
		{call: call{method: "DELETE", path: "/orders/o-1"}, status: 405},
		{call: call{method: "post", path: "/orders"}, status: 405},
	} {
		a := send(t, tt.call, shop())
		if a.status != tt.status || tt.body != "" && a.body != tt.body {
			t.Errorf("%+v: %d %s", tt.call, a.status, a.body)
		}
	}
}

func TestRoutesTellWhatMethodsThereAre(t *testing.T) {
	a := send(t, call{method: "DELETE", path: "/orders/o-1"}, shop())
	if p := a.problem(t); a.status != 405 || p.Code != "method_not_allowed" || a.header.Get("Allow") != "GET, HEAD, PUT" {
		t.Errorf("%+v", a)
	}
	a = send(t, call{path: "/nothing"}, shop())
	if p := a.problem(t); a.status != 404 || p.Code != "not_found" || a.header.Get("Allow") != "" {
		t.Errorf("%+v", a)
	}
}

func TestRoutesRedirectInFrontOfTheGateway(t *testing.T) {
	for _, tt := range []struct {
		call
		location string
	}{
		{call: call{path: "/tree"}, location: "/tree/"},
		{call: call{path: "/tree", query: "a=1&b=2"}, location: "/tree/?a=1&b=2"},
		{call: call{path: "/v1/tree", stage: "v1"}, location: "/v1/tree/"},
		{call: call{path: "/shop/tree", route: "GET /tree", domain: ownDomain}, location: "/shop/tree/"},
		{call: call{path: "/über/tree", route: "GET /tree", domain: ownDomain}, location: "/%C3%BCber/tree/"},
	} {
		for _, tt.format1 = range []bool{false, true} {
			a := send(t, tt.call, shop())
			if got := redirected(t, tt.path, a.header.Get("Location")); a.status != http.StatusTemporaryRedirect || got != tt.location {
				t.Errorf("%q: %d to %q, want %q", tt.path, a.status, got, tt.location)
			}
		}
	}
}

// redirected is where a client goes that has been at a path.
func redirected(t *testing.T, path, location string) string {
	t.Helper()
	if location == "" {
		return ""
	}
	to, err := (&url.URL{Path: path}).Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	return to.String()
}

func TestRoutesRefuseWhatServeMuxRefuses(t *testing.T) {
	for name, routes := range map[string]map[string]lambda.Handler{
		"a conflict":       {"/a/{x}": raw(""), "/{y}/b": raw("")},
		"the same twice":   {"GET /a/{x}": raw(""), "GET /a/{y}": raw("")},
		"no slash":         {"GET orders": raw("")},
		"an open wildcard": {"/a/{x": raw("")},
		"a bad name":       {"/a/{1x}": raw("")},
		"nothing":          {"": raw("")},
	} {
		if text := panics(func() { httpapi.Routes(routes) }); text == "" {
			t.Errorf("%s: no panic", name)
		}
	}
	if text := panics(func() { httpapi.Routes(map[string]lambda.Handler{"/": nil}) }); !strings.HasPrefix(text, "httpapi: ") {
		t.Errorf("a nil handler: %q", text)
	}
}

func TestARouteHasLayersOfItsOwn(t *testing.T) {
	var outer, inner *guard.Event
	note := func(to **guard.Event) guard.Middleware {
		return func(next lambda.Handler) lambda.Handler {
			return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
				*to = guard.EventOf(ctx, payload)
				if r, ok := httpapi.RequestFrom(ctx); to == &inner && (!ok || r.PathValue("id") != "o-1") {
					t.Error("the route's layer does not see the route's values")
				}
				return next.Invoke(ctx, payload)
			})
		}
	}
	routes := httpapi.Routes(map[string]lambda.Handler{
		"GET /orders/{id}": guard.Wrap(named("get", "id"), note(&inner), httpapi.SecurityHeaders()),
		"GET /open":        named("open"),
	})
	a := send(t, call{path: "/orders/o-1"}, routes, note(&outer))
	if a.body != "get id=o-1" || a.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%+v", a)
	}
	if outer == nil || outer != inner {
		t.Error("the route has an event of its own")
	}
	if a := send(t, call{path: "/open"}, routes); a.header.Get("X-Content-Type-Options") != "" {
		t.Errorf("the layer of one route is around another: %+v", a)
	}
}

func TestRoutesInsideRoutes(t *testing.T) {
	h := httpapi.Routes(map[string]lambda.Handler{
		"/tenants/{tenant}/": httpapi.Routes(map[string]lambda.Handler{
			"GET /tenants/{t}/orders/{id}": named("get", "tenant", "t", "id"),
		}),
	})
	if a := send(t, call{path: "/tenants/a/orders/o-1"}, h); a.body != "get tenant=a t=a id=o-1" {
		t.Errorf("%+v", a)
	}
	if a := send(t, call{path: "/tenants/a/else"}, h); a.status != 404 {
		t.Errorf("%+v", a)
	}
}

func TestTheRecordNamesTheRoute(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /std/{id}", func(http.ResponseWriter, *http.Request) {})
	routes := httpapi.Routes(map[string]lambda.Handler{"GET /orders/{id}": named("get"), "/std/": httpapi.Serve(mux)})
	for path, want := range map[string]string{
		"/orders/planted": "GET /orders/{id}",
		"/std/planted":    "GET /std/{id}",
		"/std/a/planted":  "/std/",
		"/planted":        "$default",
	} {
		var log bytes.Buffer
		send(t, call{path: path}, routes, guard.Log(logging.New(&log)))
		var record struct{ Route string }
		if err := json.Unmarshal(log.Bytes(), &record); err != nil || record.Route != want || strings.Contains(log.String(), "planted") {
			t.Errorf("%s: %s, %v", path, log.String(), err)
		}
	}
}

func TestRoutesToHandlersOfNewHandlerKeepTheirAnswersApart(t *testing.T) {
	h := httpapi.Routes(map[string]lambda.Handler{"GET /{name}": lambda.NewHandler(
		func(e struct{ RawPath string }) (map[string]any, error) {
			return map[string]any{"statusCode": 200, "body": e.RawPath}, nil
		},
	)})
	var kept [][]byte
	for i := range 100 {
		out, err := h.Invoke(t.Context(), call{method: "GET", path: fmt.Sprintf("/%02d", i)}.event())
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, out)
	}
	for i, out := range kept {
		if want := fmt.Sprintf(`"/%02d"`, i); !strings.Contains(string(out), want) {
			t.Fatalf("%s became %s", want, out)
		}
	}
}
