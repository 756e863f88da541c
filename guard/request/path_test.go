package request_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/request"
)

const (
	apiDomain = "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"
	ownDomain = "api.shop.example"
	urlDomain = "a1b2c3d4e5.lambda-url.us-east-1.on.aws"
)

// sent is a request as a gateway tells of it.
type sent struct {
	trigger   request.Trigger
	path      string
	route     string
	values    map[string]string
	stage     string
	domain    string
	authorize bool // as an authorizer is told
}

func (s sent) event(t testing.TB) *request.Request {
	t.Helper()
	context := map[string]any{"stage": s.stage, "domainName": s.domain, "identity": map[string]any{}}
	event := map[string]any{"requestContext": context, "pathParameters": s.values}
	switch s.trigger {
	case request.HTTPAPI, request.FunctionURL:
		event["version"], event["rawPath"], event["routeKey"] = "2.0", s.path, s.route
		context["http"] = map[string]any{"method": "GET"}
	case request.REST:
		_, template, _ := strings.Cut(s.route, " ")
		event["path"], event["httpMethod"], event["resource"] = s.path, "GET", template
	case request.ALB:
		event["path"], event["httpMethod"] = s.path, "GET"
		context["elb"] = map[string]any{}
	}
	if s.authorize {
		event["type"], event["methodArn"] = "REQUEST", "arn:aws:execute-api:us-east-1:123456789012:a/prod/GET/"
	}
	text, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	r, err := request.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPath(t *testing.T) {
	type values = map[string]string
	for _, tt := range []struct {
		name      string
		sent      sent
		base      string
		path      string
		ambiguous bool
	}{
		{name: "the $default stage", sent: sent{path: "/orders/1", route: "$default", stage: "$default", domain: apiDomain}, path: "/orders/1"},
		{name: "a path like the $default stage", sent: sent{path: "/$default/orders", route: "$default", stage: "$default", domain: apiDomain}, path: "/$default/orders"},
		{name: "a named stage", sent: sent{path: "/prod/orders/1", route: "$default", stage: "prod", domain: apiDomain}, base: "/prod", path: "/orders/1"},
		{name: "a named stage, a template", sent: sent{path: "/prod/orders/1", route: "GET /orders/{id}", values: values{"id": "1"}, stage: "prod", domain: apiDomain}, base: "/prod", path: "/orders/1"},
		{name: "a named stage alone", sent: sent{path: "/prod", route: "$default", stage: "prod", domain: apiDomain}, base: "/prod", path: "/"},
		{name: "the root as template", sent: sent{path: "/prod/", route: "GET /", stage: "prod", domain: apiDomain}, base: "/prod", path: "/"},
		{name: "a stage like the first segment", sent: sent{path: "/orders/orders", route: "GET /orders", stage: "orders", domain: apiDomain}, base: "/orders", path: "/orders"},
		{name: "a segment that begins like the stage", sent: sent{path: "/products", route: "$default", stage: "prod", domain: apiDomain}, path: "/products"},
		{name: "REST, without the stage", sent: sent{trigger: request.REST, path: "/orders/1", route: "GET /orders/{id}", values: values{"id": "1"}, stage: "prod", domain: apiDomain}, path: "/orders/1"},
		{name: "REST, a path like the stage", sent: sent{trigger: request.REST, path: "/prod/x", route: "ANY /{proxy+}", values: values{"proxy": "prod/x"}, stage: "prod", domain: apiDomain}, path: "/prod/x"},
		{name: "REST, values that do not fit", sent: sent{trigger: request.REST, path: "/prod/x", route: "ANY /{proxy+}", stage: "prod", domain: apiDomain}, path: "/prod/x", ambiguous: true},
		{name: "REST, a greedy value with a slash in front, as of the console's test event", sent: sent{trigger: request.REST, path: "/path/to/x", route: "POST /{proxy+}", values: values{"proxy": "/path/to/x"}}, path: "/path/to/x"},
		{name: "and with a base path", sent: sent{trigger: request.REST, path: "/v1/path/to/x", route: "POST /{proxy+}", values: values{"proxy": "/path/to/x"}}, base: "/v1", path: "/path/to/x"},
		{name: "and with two slashes in the path", sent: sent{trigger: request.REST, path: "//admin", route: "ANY /{proxy+}", values: values{"proxy": "/admin"}}, path: "//admin", ambiguous: true},
		{name: "a slash in the value, of an HTTP API", sent: sent{path: "/admin", route: "ANY /{proxy+}", values: values{"proxy": "/admin"}}, path: "/admin", ambiguous: true},
		{name: "and with two behind a base path", sent: sent{trigger: request.REST, path: "/v1//admin", route: "ANY /{proxy+}", values: values{"proxy": "/admin"}}, base: "/v1", path: "//admin", ambiguous: true},
		{name: "and with two slashes in both", sent: sent{trigger: request.REST, path: "//admin", route: "ANY /{proxy+}", values: values{"proxy": "//admin"}}, path: "//admin", ambiguous: true},
		{name: "a base path of two levels", sent: sent{path: "/shop/v1/orders/1", route: "GET /orders/{id}", values: values{"id": "1"}, stage: "prod", domain: ownDomain}, base: "/shop/v1", path: "/orders/1"},
		{name: "a base path that nothing tells", sent: sent{path: "/shop/orders", route: "$default", stage: "shop", domain: ownDomain}, path: "/shop/orders"},
		{name: "a proxy below a path", sent: sent{path: "/shop/api/x/y", route: "ANY /api/{proxy+}", values: values{"proxy": "x/y"}, stage: "prod", domain: ownDomain}, base: "/shop", path: "/api/x/y"},
		{name: "a proxy of nothing", sent: sent{path: "/shop/api/", route: "ANY /api/{proxy+}", values: values{"proxy": ""}, stage: "prod", domain: ownDomain}, base: "/shop", path: "/api/"},
		{name: "a proxy and a slash", sent: sent{path: "/api/x/", route: "ANY /api/{proxy+}", values: values{"proxy": "x"}, stage: "prod", domain: ownDomain}, path: "/api/x/"},
		{name: "a template that fits half a segment", sent: sent{path: "/shoporders", route: "GET /orders", stage: "prod", domain: ownDomain}, path: "/shoporders", ambiguous: true},
		{name: "a template that does not fit", sent: sent{path: "/prod/other", route: "GET /orders", stage: "prod", domain: apiDomain}, path: "/prod/other", ambiguous: true},
		{name: "a slash at the end that the gateway took for nothing", sent: sent{path: "/prod/orders/", route: "GET /orders", stage: "prod", domain: apiDomain}, base: "/prod", path: "/orders"},
		{name: "a slash at the end", sent: sent{path: "/orders/", route: "$default", stage: "$default", domain: apiDomain}, path: "/orders/"},
		{name: "an empty path", sent: sent{route: "$default", stage: "$default", domain: apiDomain}, path: "/"},
		{name: "a space that came decoded", sent: sent{path: "/orders/a b", route: "$default", stage: "$default", domain: apiDomain}, path: "/orders/a b"},
		{name: "a space of a function URL", sent: sent{trigger: request.FunctionURL, path: "/orders/a%20b", route: "$default", stage: "$default", domain: urlDomain}, path: "/orders/a b"},
		{name: "a space of a load balancer", sent: sent{trigger: request.ALB, path: "/orders/a%20b"}, path: "/orders/a b"},
		{name: "REST, a value that came decoded", sent: sent{trigger: request.REST, path: "/users/M%C3%BCller", route: "GET /users/{name}", values: values{"name": "Müller"}, stage: "prod", domain: apiDomain}, path: "/users/Müller"},
		{name: "REST, a value as it was sent", sent: sent{trigger: request.REST, path: "/users/M%C3%BCller", route: "GET /users/{name}", values: values{"name": "M%C3%BCller"}, stage: "prod", domain: apiDomain}, path: "/users/Müller"},

		{name: "a percent that came decoded", sent: sent{path: "/orders/100%", route: "$default", stage: "$default", domain: apiDomain}, path: "/orders/100%", ambiguous: true},
		{name: "an escape that came decoded", sent: sent{path: "/%61dmin", route: "GET /{page}", values: values{"page": "%61dmin"}, stage: "$default", domain: apiDomain}, path: "/%61dmin", ambiguous: true},
		{name: "the same, as an authorizer is told", sent: sent{path: "/%61dmin", route: "GET /{page}", values: values{"page": "%61dmin"}, stage: "$default", domain: apiDomain, authorize: true}, path: "/%61dmin", ambiguous: true},
		{name: "an escaped percent", sent: sent{trigger: request.FunctionURL, path: "/100%25", route: "$default", domain: urlDomain}, path: "/100%", ambiguous: true},
		{name: "a slash in a value that came decoded", sent: sent{path: "/orders/a/b", route: "GET /orders/{id}", values: values{"id": "a/b"}, domain: apiDomain}, path: "/orders/a/b", ambiguous: true},
		{name: "an escaped slash", sent: sent{trigger: request.FunctionURL, path: "/a%2Fb", route: "$default", domain: urlDomain}, path: "/a/b", ambiguous: true},
		{name: "an escape that is none", sent: sent{trigger: request.FunctionURL, path: "/a%zz", route: "$default", domain: urlDomain}, path: "/a%zz", ambiguous: true},
		{name: "two slashes in front", sent: sent{path: "//evil.example/x", route: "$default", stage: "$default", domain: apiDomain}, path: "//evil.example/x", ambiguous: true},
		{name: "a base path with a slash too many", sent: sent{path: "/shop//orders", route: "GET /orders", stage: "prod", domain: ownDomain}, path: "/shop//orders", ambiguous: true},
		{name: "a dot segment", sent: sent{path: "/a/../b", route: "$default", domain: apiDomain}, path: "/a/../b", ambiguous: true},
		{name: "an escaped dot segment", sent: sent{trigger: request.ALB, path: "/a/%2e%2E/b"}, path: "/a/../b", ambiguous: true},
		{name: "a dot at the end", sent: sent{path: "/a/.", route: "$default", domain: apiDomain}, path: "/a/.", ambiguous: true},
		{name: "a backslash", sent: sent{path: `/a\b`, route: "$default", domain: apiDomain}, path: `/a\b`, ambiguous: true},
		{name: "a control character", sent: sent{trigger: request.ALB, path: "/a%0Ab"}, path: "/a\nb", ambiguous: true},
		{name: "no slash in front", sent: sent{path: "orders", route: "$default", domain: apiDomain}, path: "orders", ambiguous: true},
	} {
		if tt.sent.trigger == "" {
			tt.sent.trigger = request.HTTPAPI
		}
		r := tt.sent.event(t)
		path, ok := r.Path()
		if base := r.BasePath(); base != tt.base || path != tt.path || ok == tt.ambiguous {
			t.Errorf("%s: got %q, %q, ambiguous %t; want %q, %q, %t", tt.name, base, path, !ok, tt.base, tt.path, tt.ambiguous)
		}
	}
}

// Whatever a gateway is told, the parts are parts of the path.
func FuzzPath(f *testing.F) {
	f.Add("/prod/orders/1", "GET /orders/{id}", "id", "1", "prod", apiDomain, false)
	f.Add("/shop/a%2Fb", "ANY /{proxy+}", "proxy", "a/b", "prod", ownDomain, true)
	f.Add("/100% ", "$default", "", "", "$default", urlDomain, false)
	f.Add("", "{", "", "", "", "", true)
	f.Add("/%/", " ", "", "", "", "", true)
	f.Add("///", " ", "", "", "", "", false)
	f.Fuzz(func(t *testing.T, raw, route, name, value, stage, domain string, rest bool) {
		s := sent{trigger: request.HTTPAPI, path: raw, route: route, values: map[string]string{name: value}, stage: stage, domain: domain}
		if rest {
			s.trigger = request.REST
		}
		r := s.event(t)
		path, ok := r.Path()
		if path == "" {
			t.Fatal("got an empty path")
		}
		if base := r.BasePath(); base != "" && (base[0] != '/' || base[len(base)-1] == '/' || !strings.HasPrefix(r.RawPath(), base)) {
			t.Fatalf("got the base %q of %q", base, raw)
		}
		if ok && (path[0] != '/' || strings.Contains(path, "//") || strings.ContainsAny(path, "%\\\x00\r\n")) {
			t.Fatalf("got %q of %q, want it refused", path, raw)
		}
	})
}
