package httpapi_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
)

func TestSplitPath(t *testing.T) {
	type values = map[string]string
	for _, tt := range []struct {
		name   string
		raw    string
		route  string
		params values
		stage  string
		domain string

		prefix  string
		path    string
		escaped string // where it is not path
	}{
		{"the $default stage", "/orders/1", "$default", nil, "$default", apiDomain, "", "/orders/1", ""},
		{"the $default stage, a template", "/orders/1", "GET /orders/{id}", values{"id": "1"}, "$default", apiDomain, "", "/orders/1", ""},
		{"a path like the $default stage", "/$default/orders", "$default", nil, "$default", apiDomain, "", "/$default/orders", ""},
		{"a named stage", "/prod/orders/1", "$default", nil, "prod", apiDomain, "/prod", "/orders/1", ""},
		{"a named stage, a template", "/prod/orders/1", "GET /orders/{id}", values{"id": "1"}, "prod", apiDomain, "/prod", "/orders/1", ""},
		{"a named stage, its root", "/prod/", "$default", nil, "prod", apiDomain, "/prod", "/", ""},
		{"a named stage alone", "/prod", "$default", nil, "prod", apiDomain, "/prod", "/", ""},
		{"a named stage, the root as template", "/prod/", "GET /", nil, "prod", apiDomain, "/prod", "/", ""},
		{"a stage like the first segment", "/orders/orders", "$default", nil, "orders", apiDomain, "/orders", "/orders", ""},
		{"a stage like the first segment, a template", "/orders/orders", "GET /orders", nil, "orders", apiDomain, "/orders", "/orders", ""},
		{"a segment that begins like the stage", "/products", "$default", nil, "prod", apiDomain, "", "/products", ""},
		{"the stage in lower case only", "/PROD/x", "$default", nil, "prod", apiDomain, "", "/PROD/x", ""},
		{"a REST API, path without stage", "/orders/1", "GET /orders/{id}", values{"id": "1"}, "prod", apiDomain, "", "/orders/1", ""},
		{"a REST API, proxy", "/orders/1", "ANY /{proxy+}", values{"proxy": "orders/1"}, "prod", apiDomain, "", "/orders/1", ""},
		{"a REST API, proxy, path like the stage", "/prod/x", "ANY /{proxy+}", values{"proxy": "prod/x"}, "prod", apiDomain, "", "/prod/x", ""},
		{"a REST API, root", "/", "GET /", nil, "prod", apiDomain, "", "/", ""},
		{"a custom domain, proxy", "/shop/orders/1", "ANY /{proxy+}", values{"proxy": "orders/1"}, "prod", ownDomain, "/shop", "/orders/1", ""},
		{"a custom domain, two levels of base path", "/shop/v1/orders/1", "GET /orders/{id}", values{"id": "1"}, "prod", ownDomain, "/shop/v1", "/orders/1", ""},
		{"a custom domain, without base path", "/orders/1", "GET /orders/{id}", values{"id": "1"}, "prod", ownDomain, "", "/orders/1", ""},
		{"a custom domain, no template to tell", "/shop/orders", "$default", nil, "shop", ownDomain, "", "/shop/orders", ""},
		{"a custom domain, base path like the route", "/orders/orders", "GET /orders", nil, "prod", ownDomain, "/orders", "/orders", ""},
		{"a proxy below a path", "/shop/api/x/y", "ANY /api/{proxy+}", values{"proxy": "x/y"}, "prod", ownDomain, "/shop", "/api/x/y", ""},
		{"a proxy of nothing", "/shop/api/", "ANY /api/{proxy+}", values{"proxy": ""}, "prod", ownDomain, "/shop", "/api/", ""},
		{"a value of nothing", "/shop/orders/", "GET /orders/{id}", values{"id": ""}, "prod", ownDomain, "", "/shop/orders/", ""},
		{"a base path with a slash too many", "/shop//orders", "GET /orders", nil, "prod", ownDomain, "", "/shop//orders", ""},
		{"two values", "/v1/a/x/b/y", "GET /a/{a}/b/{b}", values{"a": "x", "b": "y"}, "v1", apiDomain, "/v1", "/a/x/b/y", ""},
		{"a template that fits half a segment", "/shoporders", "GET /orders", nil, "prod", ownDomain, "", "/shoporders", ""},
		{"a template that does not fit", "/prod/other", "GET /orders", nil, "prod", apiDomain, "/prod", "/other", ""},
		{"a template without its value", "/prod/orders/1", "ANY /{proxy+}", nil, "prod", apiDomain, "/prod", "/orders/1", ""},
		{"a template without its value, own domain", "/orders/1", "ANY /{proxy+}", nil, "prod", ownDomain, "", "/orders/1", ""},
		{"a function URL", "/orders/1", "$default", nil, "$default", urlDomain, "", "/orders/1", ""},
		{"no stage", "/orders", "", nil, "", "", "", "/orders", ""},
		{"an empty path", "", "$default", nil, "$default", apiDomain, "", "/", ""},
		{"a trailing slash", "/orders/", "$default", nil, "$default", apiDomain, "", "/orders/", ""},
		{"a trailing slash, named stage", "/prod/orders/", "$default", nil, "prod", apiDomain, "/prod", "/orders/", ""},
		{"a trailing slash, template", "/prod/orders/", "GET /orders", nil, "prod", apiDomain, "/prod", "/orders/", ""},
		{"an escaped slash", "/orders/a%2Fb", "$default", nil, "$default", urlDomain, "", "/orders/a/b", "/orders/a%2Fb"},
		{"an escaped slash, named stage", "/prod/orders/a%2fb", "$default", nil, "prod", apiDomain, "/prod", "/orders/a/b", "/orders/a%2fb"},
		{"an escaped slash, template, value decoded", "/prod/orders/a%2Fb", "GET /orders/{id}", values{"id": "a/b"}, "prod", apiDomain, "/prod", "/orders/a/b", "/orders/a%2Fb"},
		{"an escaped slash, template, value as it was", "/prod/orders/a%2Fb", "GET /orders/{id}", values{"id": "a%2Fb"}, "prod", apiDomain, "/prod", "/orders/a/b", "/orders/a%2Fb"},
		{"an escaped slash, template, own domain", "/shop/orders/a%2Fb", "GET /orders/{id}", values{"id": "a%2Fb"}, "prod", ownDomain, "/shop", "/orders/a/b", "/orders/a%2Fb"},
		{"an escaped percent", "/orders/100%25", "$default", nil, "$default", urlDomain, "", "/orders/100%", "/orders/100%25"},
		{"a lone percent, decoded", "/orders/100%", "$default", nil, "$default", apiDomain, "", "/orders/100%", "/orders/100%25"},
		{"a lone percent, named stage", "/prod/orders/100% ok", "$default", nil, "prod", apiDomain, "/prod", "/orders/100% ok", "/orders/100%25%20ok"},
		{"a space, decoded", "/orders/a b", "$default", nil, "$default", apiDomain, "", "/orders/a b", "/orders/a b"},
		{"a space, escaped", "/orders/a%20b", "$default", nil, "$default", urlDomain, "", "/orders/a b", "/orders/a%20b"},
		{"a stage in escapes of its own", "/pro%64/orders", "$default", nil, "prod", apiDomain, "", "/prod/orders", "/pro%64/orders"},
		{"a base path with a percent", "/100%/orders", "GET /orders", nil, "prod", ownDomain, "", "/100%/orders", "/100%25/orders"},
		{"two slashes in front", "//evil.example/x", "$default", nil, "$default", apiDomain, "", "//evil.example/x", ""},
		{"no slash in front", "orders", "$default", nil, "$default", apiDomain, "", "orders", ""},
	} {
		in := &guard.Request{RawPath: tt.raw, RouteKey: tt.route, Stage: tt.stage, DomainName: tt.domain}
		prefix, path, escaped := httpapi.SplitPath(in, func() map[string]string { return tt.params })
		if prefix != tt.prefix || path != tt.path || escaped != or(tt.escaped, tt.path) {
			t.Errorf("%s: %q, %q, %q; want %q, %q, %q", tt.name, prefix, path, escaped, tt.prefix, tt.path, or(tt.escaped, tt.path))
		}
	}
}

// Whatever a gateway is told, the parts are parts of the path, and the path is
// what its escaped form says.
func FuzzSplitPath(f *testing.F) {
	f.Add("/prod/orders/1", "GET /orders/{id}", "id", "1", "prod", apiDomain)
	f.Add("/shop/a%2Fb", "ANY /{proxy+}", "proxy", "a/b", "prod", ownDomain)
	f.Add("/100% ", "$default", "", "", "$default", urlDomain)
	f.Add("", "{", "", "", "", "")
	f.Add("/%/", " ", "", "", "", "") // a base path that is a lone percent
	f.Add("///", " ", "", "", "", "")
	f.Fuzz(func(t *testing.T, raw, route, name, value, stage, domain string) {
		in := &guard.Request{RawPath: raw, RouteKey: route, Stage: stage, DomainName: domain}
		prefix, path, escaped := httpapi.SplitPath(in, func() map[string]string { return map[string]string{name: value} })
		if path == "" || escaped == "" {
			t.Fatalf("empty: %q, %q", path, escaped)
		}
		if decoded, err := url.PathUnescape(escaped); err != nil || decoded != path {
			t.Fatalf("%q is %q, %v, and not %q", escaped, decoded, err, path)
		}
		if prefix != "" && (prefix[0] != '/' || prefix[len(prefix)-1] == '/' || !strings.HasPrefix(raw, prefix)) {
			t.Fatalf("prefix %q of %q", prefix, raw)
		}
	})
}
