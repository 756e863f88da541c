package authorizer_test

import (
	"context"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
)

// A call is of one route, to the checks in front of a handler and to the handler
// itself: what a gateway puts before the path is taken off by both.
func TestAHandlersChecksAndItsRoutesReadOnePath(t *testing.T) {
	const custom, own = "api.example.com", "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"
	rest := func(path, proxy, domain string) sample.Event {
		return sample.Of(guard.REST).Set("/httpMethod", "GET").Set("/resource", "/{proxy+}").Set("/path", path).
			Set("/pathParameters", map[string]string{"proxy": proxy}).Set("/requestContext/domainName", domain).Set("/requestContext/stage", "v1")
	}
	http := func(route, path, proxy, domain, stage string) sample.Event {
		return sample.Of(guard.HTTPAPI).Set("/routeKey", route).Set("/rawPath", path).Set("/pathParameters", map[string]string{"proxy": proxy}).
			Set("/requestContext/http/method", "GET").Set("/requestContext/http/path", path).Set("/requestContext/domainName", domain).Set("/requestContext/stage", stage)
	}
	const orders, tenants, versioned, named = "GET /orders", "GET /{tenant}/orders", "GET /v1/orders", "GET /orders/by/{name}"
	for _, tt := range []struct {
		name  string
		event sample.Event
		want  string // "" where the check refuses
	}{
		{name: "REST", event: rest("/orders", "orders", own), want: orders},
		{name: "REST, a resource like the stage", event: rest("/v1/orders", "v1/orders", own), want: versioned},
		{name: "REST, a tenant", event: rest("/t1/orders", "t1/orders", custom), want: tenants},
		{name: "REST, a base path", event: rest("/v1/orders", "orders", custom), want: orders},
		{name: "REST, a base path and a tenant", event: rest("/v1/t1/orders", "t1/orders", custom), want: tenants},
		{name: "REST, a base path and a space", event: rest("/v1/orders/by/a b", "orders/by/a%20b", custom), want: named},
		{name: "REST, a slash too many", event: rest("/v1//orders", "orders", custom)},
		{name: "REST, a slash at the end", event: rest("/v1/orders/", "orders", custom), want: orders},
		{name: "REST, an escape in the base path", event: rest("/v%31/orders", "orders", custom)},
		{name: "HTTP", event: http("ANY /{proxy+}", "/orders", "orders", own, "$default"), want: orders},
		{name: "HTTP, a stage", event: http("ANY /{proxy+}", "/v1/orders", "orders", own, "v1"), want: orders},
		{name: "HTTP, a stage twice", event: http("ANY /{proxy+}", "/v1/v1/orders", "v1/orders", own, "v1"), want: versioned},
		{name: "HTTP, a base path", event: http("ANY /{proxy+}", "/v1/orders", "orders", custom, "$default"), want: orders},
		{
			name:  "HTTP, a base path and a stage",
			event: http("ANY /{proxy+}", "/v2/v1/orders", "v1/orders", custom, "v1"),
			want:  versioned,
		},
		{
			name:  "HTTP, below a literal",
			event: http("ANY /v1/{proxy+}", "/v1/orders", "orders", custom, "$default"),
			want:  versioned,
		},
		{name: "HTTP, $default", event: http("$default", "/v1/orders", "", custom, "$default"), want: versioned},
		{name: "HTTP, $default and a stage", event: http("$default", "/v1/orders", "", own, "v1"), want: orders},
	} {
		var checked, handled string
		checks, routes := map[string]authorizer.Check{}, map[string]lambda.Handler{}
		for _, key := range []string{orders, tenants, versioned, named} {
			checks[key] = func(context.Context, *authorizer.Request) (*authorizer.Grant, error) {
				checked = key
				return &authorizer.Grant{Principal: "alice"}, nil
			}
			routes[key] = httpapi.Handler(func(context.Context, *httpapi.Request) (httpapi.Response, error) {
				handled = key
				return httpapi.Response{Status: 200}, nil
			})
		}
		h := guard.Wrap(httpapi.Routes(routes), httpapi.Problems(), authorizer.Require(authorizer.Routes(checks)))
		if r := mustRespond(t, h, tt.event); checked != tt.want || handled != tt.want || (r.StatusCode >= 400) != (tt.want == "") {
			t.Errorf("%s: got the check of %q and the handler of %q, want %q: %+v", tt.name, checked, handled, tt.want, r)
		}
	}
}
