package authorizer_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
)

// table makes a table in which each route grants to a principal of its name.
func table(keys ...string) authorizer.Check {
	routes := map[string]authorizer.Check{}
	for _, key := range keys {
		routes[key] = grants(&authorizer.Grant{Principal: key})
	}
	return authorizer.Routes(routes)
}

func TestRoutesByTheGatewaysRouteKey(t *testing.T) {
	for _, tt := range []struct {
		keys   string
		route  string
		method string
		want   string // "" is refused
	}{
		{keys: "GET /orders/{id}", route: "GET /orders/{id}", method: "GET", want: "GET /orders/{id}"},
		{keys: "GET /orders/{order}", route: "GET /orders/{id}", method: "GET", want: "GET /orders/{order}"},
		{keys: "GET /orders/{id}", route: "GET /orders", method: "GET"},
		{keys: "GET /orders/{id}", route: "POST /orders/{id}", method: "POST"},
		{keys: "GET /orders/{id}", route: "GET /orders/export", method: "GET"}, // a route of its own
		{keys: "GET /orders/{id+}", route: "GET /orders/{id}", method: "GET"},
		{keys: "GET /Orders", route: "GET /orders", method: "GET"},
		{keys: "ANY /orders", route: "GET /orders", method: "GET", want: "ANY /orders"},
		{keys: "ANY /orders;GET /orders", route: "GET /orders", method: "GET", want: "GET /orders"},
		{keys: "ANY /orders;GET /orders", route: "ANY /orders", method: "GET", want: "GET /orders"},
		{keys: "ANY /orders;GET /orders", route: "ANY /orders", method: "POST", want: "ANY /orders"},
		{keys: "GET /orders", route: "ANY /orders", method: "GET", want: "GET /orders"},
		{keys: "GET /orders", route: "ANY /orders", method: "POST"},
		{keys: "$default", route: "GET /orders", method: "GET"},
		{keys: "$default", route: "$default", method: "GET", want: "$default"},
		{keys: "$default;GET /orders/{id}", route: "$default", method: "GET", want: "GET /orders/{id}"},
		{keys: "$default;GET /orders/{id}", route: "$default", method: "POST", want: "$default"},
		{keys: "ANY /{proxy+}", route: "ANY /{proxy+}", method: "GET", want: "ANY /{proxy+}"},
		{keys: "ANY /{proxy+};GET /orders/{id}", route: "ANY /{proxy+}", method: "GET", want: "GET /orders/{id}"},
		{keys: "ANY /{all}/{id};GET /orders/{id}", route: "ANY /{all}/{id}", method: "HEAD", want: "GET /orders/{id}"}, // GET takes HEAD in a function
		{keys: "ANY /{all}/{id};GET /orders/{id};HEAD /orders/{id}", route: "HEAD /orders/{id}", method: "HEAD", want: "HEAD /orders/{id}"},
		{keys: "ANY /{all}/{id};GET /orders/{id}", route: "HEAD /{all}/{id}", method: "HEAD", want: "GET /orders/{id}"}, // a route that no key is for
		{keys: "GET /{all}/{id};GET /orders/{id}", route: "HEAD /{all}/{id}", method: "HEAD", want: "GET /orders/{id}"},
		{keys: "ANY /{all}/{id};GET /orders/{id}", route: "ANY /{all}/{id}", method: "POST", want: "ANY /{all}/{id}"},
		{keys: "ANY /{all}/{id};GET /users/{id}", route: "ANY /{all}/{id}", method: "HEAD", want: "ANY /{all}/{id}"},
		{keys: "ANY /{proxy+};$default", route: "ANY /{proxy+}", method: "GET", want: "ANY /{proxy+}"},
		{keys: "GET /orders/{id}", route: "ANY /{proxy+}", method: "GET", want: "GET /orders/{id}"},
		{keys: "GET /orders/{id}", route: "ANY /users/{proxy+}", method: "GET"},
		{keys: "$connect", route: "GET /orders", method: "GET"},
		{keys: "GET /orders/{id}", route: "a route that is none", method: "GET", want: "GET /orders/{id}"}, // by the path
	} {
		t.Run(tt.keys+" for "+tt.method+" of "+tt.route, func(t *testing.T) {
			event := sampleOf("").Set("/routeKey", tt.route).Set("/requestContext/http/method", tt.method).
				Set("/routeArn", strings.Replace(arnOf(sampleOf("")), "GET", tt.method, 1))
			mustRoute(t, authorizer.Simple(table(strings.Split(tt.keys, ";")...), authorizer.Uncached()), event, tt.want)
		})
	}
}

func mustRoute(t *testing.T, h lambda.Handler, event sample.Event, want string) {
	t.Helper()
	out, log, err := ask(t, h, event)
	if err != nil {
		t.Fatal(err)
	}
	switch got := log.text("principal"); {
	case want == "" && (outcomeOf(t, out, err, arnOf(event)) != deny || log.code() != "route_unknown"):
		t.Errorf("%q is allowed: %s, %v", got, out, log)
	case want != "" && got != want:
		t.Errorf("%q, want %q: %s", got, want, out)
	}
}

// A TOKEN authorizer gets only the path, and must not read it in another way than
// the gateway or the function does.
func TestRoutesByThePath(t *testing.T) {
	keys := []string{"GET /", "GET /orders", "GET /orders/{id}", "GET /orders/export", "ANY /orders/{id}", "GET /orders/{id}/items", "ANY /files/{path+}"}
	for path, want := range map[string]string{
		"GET/":                 "GET /",
		"GET":                  "GET /",
		"GET/orders":           "GET /orders",
		"POST/orders":          "",
		"GET/orders/42":        "GET /orders/{id}",
		"POST/orders/42":       "ANY /orders/{id}",
		"GET/orders/export":    "GET /orders/export",
		"POST/orders/export":   "ANY /orders/{id}",
		"GET/orders/42/items":  "GET /orders/{id}/items",
		"GET/orders/42/others": "",
		"GET/files/a":          "ANY /files/{path+}",
		"GET/files/a/b/c":      "ANY /files/{path+}",
		"GET/files":            "",
		"GET/users":            "",
		"GET/ORDERS":           "",
		"GET/orders/":          "GET /orders",
		"GET/orders/a;b":       "GET /orders/{id}",
		"GET/orders/a#b":       "GET /orders/{id}",
		"GET/orders/a%20b":     "GET /orders/{id}",
		"GET/files/a%2e":       "ANY /files/{path+}",
		"GET/files/a/":         "ANY /files/{path+}",
		"HEAD/orders":          "GET /orders",
		"HEAD/orders/export":   "GET /orders/export",
		"HEAD/orders/42":       "GET /orders/{id}",
	} {
		event := sampleOf("token").Set("/methodArn", stageARN+path)
		mustRoute(t, authorizer.Policy(table(keys...), authorizer.Uncached()), event, want)
	}
	for _, path := range []string{
		"GET//orders", "GET/orders//items", "GET/orders/..", "GET/orders/./items", "GET/orders/4%2F2", "GET/orders/4%2f2", "GET/files/a/../b", "GET/files/%2e%2e/b",
		`GET/orders/4\2`, "GET/orders/4%5C2", "GET/orders/%2542", "GET/orders/%", "GET/orders/4%0A2", "GET/order%73", "GET/orders/%65xport",
	} {
		event := sampleOf("token").Set("/methodArn", stageARN+path)
		out, log, err := ask(t, authorizer.Policy(table(keys...), authorizer.Uncached()), event)
		if err == nil || log.code() != "path_ambiguous" || log.text("decision") != "fail" {
			t.Errorf("%s: got %s, %v, %v, want the error path_ambiguous", path, out, log, err)
		}
	}
}

func TestRoutesOfAWebSocketAPI(t *testing.T) {
	mustRoute(t, authorizer.Policy(table("$connect", "GET /orders")), sampleOf("websocket"), "$connect")
	mustRoute(t, authorizer.Policy(table("$default", "GET /orders")), sampleOf("websocket"), "")
}

// Behind a stage that stands in the path.
func TestRoutesKnowTheStage(t *testing.T) {
	event := sampleOf("").Set("/routeKey", "$default").Set("/routeArn", stageARN+"$default").
		Set("/rawPath", "/prod/orders/42").Set("/requestContext/stage", "prod")
	mustRoute(t, authorizer.Simple(table("GET /orders/{id}"), authorizer.Uncached()), event, "GET /orders/{id}")
	mustRoute(t, authorizer.Simple(table("GET /orders/{id}"), authorizer.Uncached()), event.Set("/rawPath", "/production/orders/42"), "")
	mustRoute(t, authorizer.Simple(table("GET /orders/{id}"), authorizer.Uncached()), event.Set("/requestContext/domainName", "api.example.com"), "")
}

func TestWhatIsNoRouteKeyPanics(t *testing.T) {
	ok := grants(&authorizer.Grant{Principal: "alice"})
	for _, key := range []string{
		"", "GET", "/orders", "GET orders", "get /orders", "TRACE /orders", "GET  /orders", "GET /orders/", "GET //orders",
		"GET /orders/{}", "GET /orders/{id", "GET /orders/id}", "GET /orders/{id+}/items", "GET /orders/a{id}", "GET /orders/*",
		"GET /orders/{a}{b}", "$disconnect", "$other", "GET /orders?x=1", "ANY", "GET /{+}",
	} {
		mustPanic(t, key, "which is no route key", func() { authorizer.Routes(map[string]authorizer.Check{key: ok}) })
	}
}

// One table may go by the gateway's word, and another by the path.
func TestATableInsideATableIsRefused(t *testing.T) {
	inner := authorizer.Routes(map[string]authorizer.Check{"$default": authorizer.Bearer(alice())})
	for name, check := range map[string]authorizer.Check{
		"at once":   inner,
		"below All": authorizer.All(authorizer.Bearer(alice()), inner),
		"below Any": authorizer.Any(authorizer.SourceIP("203.0.113.9"), inner),
	} {
		check = authorizer.Routes(map[string]authorizer.Check{"GET /orders/{id}": check})
		out, log, err := ask(t, authorizer.Simple(check, authorizer.Uncached()), sampleOf(""))
		if got := outcomeOf(t, out, err, ""); got != broken || !strings.Contains(fmt.Sprint(log), "list all keys in one table") {
			t.Errorf("%s: got %s, %v, want an error that says what to do", name, got, log)
		}
	}
}

// A function runs the handler of GET for a HEAD, so the gateway must not use the
// decision about one method of its route for another.
//
// SECURITY: Closed when broken.
func TestAHeadOfAnyIsNoStoredDecisionAboutAnotherMethod(t *testing.T) {
	check := authorizer.All(authorizer.Bearer(alice("s")), authorizer.Routes(map[string]authorizer.Check{
		"ANY /{all}/{id}": authorizer.Scopes("s"), "GET /orders/{id}": authorizer.Scopes("none"),
	}))
	const route, domain = "ANY /{all}/{id}", "api.example.com"
	for _, tt := range []struct {
		name    string
		method  string
		sources []string
		want    outcome
		fix     string
	}{
		{name: "GET, the method is no source", method: "GET", sources: []string{bearer, route}, want: broken, fix: "$context.httpMethod"},
		{name: "GET, the method is a source", method: "GET", sources: []string{bearer, route, "GET"}, want: allow},
		{name: "HEAD, the path is no source", method: "HEAD", sources: []string{bearer, route, "HEAD"}, want: broken, fix: "$context.path"},
		{name: "HEAD, the method is no source", method: "HEAD", sources: []string{bearer, route, "/orders/42", domain}, want: broken, fix: "$context.httpMethod"},
		{name: "HEAD, all are sources", method: "HEAD", sources: []string{bearer, route, "HEAD", "/orders/42", domain}, want: deny},
	} {
		event := sampleOf("").Set("/routeKey", route).Set("/requestContext/routeKey", route).
			Set("/routeArn", stageARN+tt.method+"/orders/42").Set("/rawPath", "/orders/42").
			Set("/requestContext/http/method", tt.method).Set("/requestContext/http/path", "/orders/42").
			Set("/requestContext/domainName", domain).Set("/headers/host", domain).Set("/identitySource", tt.sources)
		for name, h := range map[string]lambda.Handler{"Simple": authorizer.Simple(check), "Policy": authorizer.Policy(check)} {
			out, log, err := ask(t, h, event)
			if got := outcomeOf(t, out, err, arnOf(event)); got != tt.want || !strings.Contains(log.text("fix"), tt.fix) {
				t.Errorf("%s: %s: got %s, want %s with the fix %q: %s, %v", name, tt.name, got, tt.want, tt.fix, out, log)
			}
		}
	}
}

// A route that is found by the path depends on the method too.
func TestARouteByThePathDependsOnTheMethod(t *testing.T) {
	event := sampleOf("").Set("/routeKey", "ANY /{proxy+}").Set("/requestContext/routeKey", "ANY /{proxy+}").
		Set("/requestContext/domainName", "api.example.com").Set("/headers/host", "api.example.com").
		Set("/identitySource", []string{"/orders/42", "api.example.com"})
	out, log, err := ask(t, authorizer.Simple(table("GET /orders/{id}")), event)
	if got := outcomeOf(t, out, err, ""); got != broken || !strings.Contains(log.text("fix"), "$context.httpMethod") {
		t.Errorf("got %s, %s, want the hazard: %v", got, out, log)
	}
}

// A greedy parameter is not empty, so "/files" is no call of "GET /files/{path+}".
func TestARouteInFrontOfAGreedyParameterIsStored(t *testing.T) {
	check := authorizer.All(authorizer.Bearer(alice("s")), authorizer.Routes(map[string]authorizer.Check{
		"ANY /files": authorizer.Scopes("s"), "GET /files/{path+}": authorizer.Scopes("none"),
	}))
	for _, method := range []string{"GET", "HEAD", "POST"} {
		event := sampleOf("").Set("/routeKey", "ANY /files").Set("/requestContext/routeKey", "ANY /files").
			Set("/routeArn", stageARN+method+"/files").Set("/rawPath", "/files").
			Set("/requestContext/http/method", method).Set("/requestContext/http/path", "/files").
			Set("/identitySource", []string{bearer, "ANY /files"})
		out, log, err := ask(t, authorizer.Simple(check), event)
		if got := outcomeOf(t, out, err, arnOf(event)); got != allow {
			t.Errorf("%s: got %s, want it allowed: %s, %v", method, got, out, log)
		}
	}
}

// The gateway may have found another route than the function does.
func TestRoutesInsideRequireGoByThePath(t *testing.T) {
	check := authorizer.Routes(map[string]authorizer.Check{
		"GET /orders/{id}": grants(&authorizer.Grant{Principal: "anyone"}), "GET /orders/export": fails(guard.Errorf(guard.Forbidden, "", "")),
	})
	h := authorizer.Require(check)(says("an order"))
	for id, want := range map[string]bool{"42": true, "export": false} {
		path := "/orders/" + id
		event := sample.Of(guard.HTTPAPI).Set("/routeKey", "GET /orders/{id}").Set("/requestContext/routeKey", "GET /orders/{id}").
			Set("/rawPath", path).Set("/requestContext/http/path", path).Set("/requestContext/http/method", "GET").
			Set("/pathParameters", map[string]string{"id": id})
		if _, err := h.Invoke(t.Context(), event.Bytes()); (err == nil) != want {
			t.Errorf("%s: got %v, want a grant: %t", path, err, want)
		}
	}
}

// The route key of a function URL is $default for each request, and says nothing.
func TestAFunctionURLHasNoRouteKey(t *testing.T) {
	got := "none"
	check := looks(func(r *authorizer.Request) bool { got = r.RouteKey(); return true })
	if _, err := authorizer.Require(check)(says("an order")).Invoke(t.Context(), sample.Of(guard.FunctionURL).Bytes()); err != nil || got != "" {
		t.Errorf("got the route key %q and %v, want none", got, err)
	}
}

func TestOtherEventsAreRefused(t *testing.T) {
	ok := grants(&authorizer.Grant{Principal: "anyone"})
	require := authorizer.Require(ok)(says("an order"))
	for _, tt := range []struct {
		name    string
		handler lambda.Handler
		event   string
		code    string
	}{
		{name: "no request for a decision", handler: authorizer.Simple(ok), event: string(sample.Of(guard.SQS).Bytes()), code: "not_an_authorizer_event"},
		{name: "an incomplete request", handler: authorizer.Simple(ok), event: string(sampleOf("").Set("/routeArn", "x").Bytes()), code: "not_an_authorizer_event"},
		{name: "a version to come", handler: authorizer.Policy(ok), event: string(sampleOf("http-1.0").Set("/version", "3.0").Bytes()), code: "not_an_authorizer_event"},
		{name: "no identity", handler: authorizer.Policy(ok), event: string(sampleOf("request").Set("/requestContext/identity", nil).Bytes()), code: "not_an_authorizer_event"},
		{name: "a connection without an id", handler: authorizer.Policy(ok), event: string(sampleOf("websocket").Set("/requestContext/connectionId", "").Bytes()), code: "not_an_authorizer_event"},
		{name: "a token authorizer without a token", handler: authorizer.Policy(ok), event: string(sampleOf("token").Delete("/authorizationToken").Bytes()), code: "not_an_authorizer_event"},
		{name: "no HTTP request", handler: require, event: string(sample.Of(guard.SQS).Bytes()), code: "not_an_http_event"},
		{name: "a request for a decision", handler: require, event: string(sampleOf("").Bytes()), code: "not_an_http_event"},
		{name: "no JSON", handler: require, event: "{", code: "malformed_json"},
	} {
		_, err := tt.handler.Invoke(t.Context(), []byte(tt.event))
		if got := guard.Public(err).Code; err == nil || got != tt.code {
			t.Errorf("%s: got %v with the code %q, want the code %q", tt.name, err, got, tt.code)
		}
	}
}
