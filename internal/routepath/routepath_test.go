package routepath_test

import (
	"testing"

	"github.com/lambdarmor/lambdarmor/internal/routepath"
)

func TestPrefix(t *testing.T) {
	const none = "?"
	for _, tt := range []struct{ path, template, name, value, want string }{
		{"/orders", "/orders", "", "", ""},
		{"/shop/orders", "/orders", "", "", "/shop"},
		{"/shop/v1/orders/", "/orders", "", "", "/shop/v1"},
		{"/shop/orders/7", "/orders/{id}", "id", "7", "/shop"},
		{"/shop/orders/a b", "/orders/{id}", "id", "a%20b", "/shop"},
		{"/shop/orders/a/b", "/{proxy+}", "proxy", "orders/a/b", "/shop"},
		{"/shop/api/", "/api/{proxy+}", "proxy", "", "/shop"},
		{"/shop/api", "/api/{proxy+}", "proxy", "", "/shop"},
		{"/shop/", "/", "", "", "/shop"},
		{"/shop/", "/{proxy+}", "proxy", "", "/shop"},

		{"/orders/7", "/orders/{id}", "", "", none},
		{"/orders/", "/orders/{id}", "id", "", none},
		{"/orders", "/{proxy+}", "", "", none},
		{"/orders", "", "", "", none},
		{"/orders", "/users", "", "", none},
		{"/shoporders", "/orders", "", "", none},
		{"/shop//orders", "/orders", "", "", none},
		{"//shop/orders", "/orders", "", "", none},
		{"/shop//v1/orders", "/orders", "", "", none},
		{"shop/orders", "/orders", "", "", none},
	} {
		prefix, ok := routepath.Prefix(tt.path, tt.template, func(name string) (string, bool) { return tt.value, name == tt.name })
		if tt.want == none {
			if ok {
				t.Errorf("%s by %s: %q, want none", tt.path, tt.template, prefix)
			}
		} else if !ok || prefix != tt.want {
			t.Errorf("%s by %s: %q, %v, want %q", tt.path, tt.template, prefix, ok, tt.want)
		}
	}
}
