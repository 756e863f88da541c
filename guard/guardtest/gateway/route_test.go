package gateway_test

import (
	"encoding/json"
	"maps"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
)

func TestMostSpecificRouteIsTaken(t *testing.T) {
	routes := []string{
		"$default",
		"ANY /{proxy+}",
		"ANY /pets/{proxy+}",
		"GET /pets/{proxy+}",
		"GET /pets/{kind}/{id}",
		"GET /pets/dog/{id}",
		"GET /pets/dog/1",
		"ANY /pets/dog/2",
		"POST /pets/{kind}",
		"ANY /pets/{name}",
		"GET /",
	}
	tests := []struct {
		method, path string
		route        string
		variables    map[string]string
	}{
		{method: "GET", path: "/pets/dog/1", route: "GET /pets/dog/1"},
		{method: "GET", path: "/pets/dog/7", route: "GET /pets/dog/{id}", variables: map[string]string{"id": "7"}},
		{method: "GET", path: "/pets/dog/2", route: "ANY /pets/dog/2"},
		{
			method:    "GET",
			path:      "/pets/cat/1",
			route:     "GET /pets/{kind}/{id}",
			variables: map[string]string{"kind": "cat", "id": "1"},
		},
		{method: "GET", path: "/pets/a/b/c", route: "GET /pets/{proxy+}", variables: map[string]string{"proxy": "a/b/c"}},
		{method: "DELETE", path: "/pets/a/b/c", route: "ANY /pets/{proxy+}", variables: map[string]string{"proxy": "a/b/c"}},
		{method: "POST", path: "/pets/dog/1", route: "ANY /pets/{proxy+}", variables: map[string]string{"proxy": "dog/1"}},
		{method: "GET", path: "/pets/", route: "GET /pets/{proxy+}", variables: map[string]string{"proxy": ""}},
		{method: "GET", path: "/pets/dog/", route: "GET /pets/{proxy+}", variables: map[string]string{"proxy": "dog/"}},
		{method: "GET", path: "/pets", route: "ANY /{proxy+}", variables: map[string]string{"proxy": "pets"}},
		{method: "POST", path: "/pets/dog", route: "POST /pets/{kind}", variables: map[string]string{"kind": "dog"}},
		{method: "GET", path: "/pets/dog", route: "ANY /pets/{name}", variables: map[string]string{"name": "dog"}},
		{method: "POST", path: "/test/5", route: "ANY /{proxy+}", variables: map[string]string{"proxy": "test/5"}},
		{method: "GET", path: "/", route: "GET /"},
		{method: "POST", path: "/", route: "$default"},
		{method: "GET", path: "/Pets/dog", route: "ANY /{proxy+}", variables: map[string]string{"proxy": "Pets/dog"}},
		{method: "GET", path: "/pets/x%20y", route: "ANY /pets/{name}", variables: map[string]string{"name": "x y"}},
	}
	for range 3 { // whatever the order in which they are given
		routes = append(routes[3:], routes[:3]...)
		for _, tt := range tests {
			var event struct {
				RouteKey       string
				PathParameters map[string]string
			}
			raw := eventFor(t, gateway.HTTPAPIConfig{Routes: slices.Clone(routes)}, httptest.NewRequest(tt.method, tt.path, nil))
			if err := json.Unmarshal(raw, &event); err != nil {
				t.Fatal(err)
			}
			if event.RouteKey != tt.route || !maps.Equal(event.PathParameters, tt.variables) {
				t.Errorf("%s %s: %s %v, want %s %v", tt.method, tt.path, event.RouteKey, event.PathParameters, tt.route, tt.variables)
			}
		}
	}
}

func TestUnmatchedRequestIsNotFound(t *testing.T) {
	routes := []string{"POST /orders", "GET /orders/{id}", "ANY /x/{proxy+}"}
	for _, request := range [][2]string{
		{"GET", "/orders"},
		{"POST", "/orders/"},
		{"GET", "/orders/"},
		{"GET", "/orders/1/2"},
		{"GET", "/x"},
		{"GET", "/"},
	} {
		called := eventFor(t, gateway.HTTPAPIConfig{Routes: routes}, httptest.NewRequest(request[0], request[1], nil))
		if called != nil {
			t.Errorf("%s matches: %s", request, called)
		}
	}
	w := httptest.NewRecorder()
	newAPI(t, guardtest.NewInProcess(echoHandler{}, guardtest.Config{}), gateway.HTTPAPIConfig{Routes: routes}).
		ServeHTTP(w, httptest.NewRequest("GET", "/other", nil))
	if w.Code != 404 || w.Body.String() != `{"message":"Not Found"}` {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestWhatIsNoRouteKeyIsRefused(t *testing.T) {
	for _, key := range []string{
		"", "GET", "/orders", "GET orders", "get /orders", "FROB /orders", "GET  /orders", "GET /a b", "GET /a?b", "GET /a//b", "GET /a/",
		"GET /{}", "GET /{+}", "GET /{a", "GET /a}", "GET /x{a}", "GET /{a+}/b", "GET /{a}/{a}", "$other",
	} {
		if gateway.CheckRoute(key) == nil {
			t.Errorf("%q is taken", key)
		}
	}
	for _, key := range []string{"$default", "GET /", "ANY /a/{b}/c/{d+}", "POST /a-b_c.d~e"} {
		if err := gateway.CheckRoute(key); err != nil {
			t.Errorf("%q: %v", key, err)
		}
	}
}
