package routekey_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/authorizer/internal/routekey"
)

func TestParse(t *testing.T) {
	for key, shape := range map[string]string{
		"GET /":                  "GET /",
		"GET /orders":            "GET /orders",
		"GET /orders/{id}":       "GET /orders/{}",
		"ANY /files/{proxy+}":    "ANY /files/{+}",
		"PUT /{a}/b/{c}":         "PUT /{}/b/{}",
		"$default":               "$default",
		"$connect":               "$connect",
		"":                       "",
		"/orders":                "",
		"GET":                    "",
		"GET orders":             "",
		"get /orders":            "",
		"TRACE /orders":          "",
		"GET  /orders":           "",
		"GET /orders/":           "",
		"GET //orders":           "",
		"GET /orders/{}":         "",
		"GET /orders/{id":        "",
		"GET /orders/id}":        "",
		"GET /orders/x{id}":      "",
		"GET /orders/{id}x":      "",
		"GET /orders/{a{b}}":     "",
		"GET /{proxy+}/x":        "",
		"GET /{a+}/{b+}":         "",
		"GET /orders/*":          "",
		"GET /orders/a?b":        "",
		"GET /orders/%41":        "",
		"$disconnect":            "",
		"$default /orders":       "",
		"GET /orders/{id++}":     "",
		"GET /orders/{id} extra": "",
	} {
		got := ""
		if r, ok := routekey.Parse(key); ok {
			got = r.Shape()
		}
		if got != shape {
			t.Errorf("%q: got the shape %q, want %q", key, got, shape)
		}
	}
}

// What is a route key is a pattern of net/http.
func FuzzParse(f *testing.F) {
	for _, key := range []string{"GET /", "ANY /{a}/b/{c+}", "$default", "GET /a//b", "PUT /{a", "GET /ä b"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		r, ok := routekey.Parse(key)
		if !ok || r.Key == "$connect" {
			return
		}
		if r.Key != key || r.Literals() > r.Len() || r.Fixed() && r.CatchAll() {
			t.Fatalf("%q: got %+v", key, r)
		}
		if _, err := routekey.NewTable(map[string]int{key: 1}); err != nil && strings.HasPrefix(r.Pattern(), "/") && !clean(r.Pattern()) {
			return // net/http refuses paths that it would redirect
		} else if err != nil {
			t.Fatalf("%q as %q: %v", key, r.Pattern(), err)
		}
	})
}

// clean reports whether net/http takes a pattern.
func clean(pattern string) (ok bool) {
	defer func() { ok = recover() == nil }()
	new(http.ServeMux).Handle("GET "+pattern, http.NotFoundHandler())
	return true
}
