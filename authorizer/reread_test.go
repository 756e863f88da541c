package authorizer_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
)

// A domain may put a base path in front on the stage $default too: two domains
// have two routes for one path.
func TestADomainsBasePathCountsOnTheDefaultStage(t *testing.T) {
	check := authorizer.All(authorizer.Bearer(alice("s")), authorizer.Routes(map[string]authorizer.Check{
		"GET /v1/{file}": authorizer.Scopes("s"), "GET /admin": authorizer.Scopes("none"),
	}))
	event := func(domain, proxy string, more ...string) sample.Event {
		return sampleOf("").Set("/routeKey", "ANY /{proxy+}").Set("/requestContext/routeKey", "ANY /{proxy+}").
			Set("/routeArn", strings.Replace(stageARN, "prod", "$default", 1)+"GET/"+proxy).Set("/pathParameters", map[string]string{"proxy": proxy}).
			Set("/rawPath", "/v1/admin").Set("/requestContext/http/path", "/v1/admin").
			Set("/requestContext/domainName", domain).Set("/headers/host", domain).
			Set("/identitySource", append([]string{bearer, "GET", "/v1/admin"}, more...))
	}
	for name, h := range map[string]func(...authorizer.Option) outcome{
		"Simple": func(opts ...authorizer.Option) outcome {
			e := event("plain.example.com", "v1/admin")
			out, _, err := ask(t, authorizer.Simple(check, opts...), e)
			return outcomeOf(t, out, err, arnOf(e))
		},
		"Policy": func(opts ...authorizer.Option) outcome {
			e := event("plain.example.com", "v1/admin")
			out, _, err := ask(t, authorizer.Policy(check, opts...), e)
			return outcomeOf(t, out, err, arnOf(e))
		},
	} {
		if got := h(authorizer.Uncached()); got != allow {
			t.Errorf("%s, nothing kept: got %s, want it allowed", name, got)
		}
	}
	simple := authorizer.Simple(check)
	for _, tt := range []struct {
		name  string
		event sample.Event
		want  outcome
	}{
		{name: "granted, the domain is no source", event: event("plain.example.com", "v1/admin"), want: broken},
		{name: "refused, the domain is no source", event: event("mapped.example.com", "admin"), want: broken},
		{name: "granted, the domain is a source", event: event("plain.example.com", "v1/admin", "plain.example.com"), want: allow},
		{name: "refused, the domain is a source", event: event("mapped.example.com", "admin", "mapped.example.com"), want: deny},
	} {
		out, log, err := ask(t, simple, tt.event)
		if got := outcomeOf(t, out, err, ""); got != tt.want || tt.want == broken && !strings.Contains(log.text("fix"), "$context.domainName") {
			t.Errorf("%s: got %s, want %s: %s, %v", tt.name, got, tt.want, out, log)
		}
	}
}

// What the router would redirect is no call of the route that it leads to: a
// handler may have another one there.
func TestARedirectIsNoMatch(t *testing.T) {
	check := authorizer.Routes(map[string]authorizer.Check{"ANY /files/{path+}": authorizer.Bearer(alice())})
	for path, want := range map[string]outcome{"/files": deny, "/files/": deny, "/files/a": allow} {
		out, log, err := ask(t, authorizer.Policy(check, authorizer.Uncached()), sampleOf("token").Set("/methodArn", stageARN+"GET"+path))
		if got := outcomeOf(t, out, err, stageARN+"GET"+path); got != want {
			t.Errorf("%s: got %s, want %s: %s, %v", path, got, want, out, log)
		}
	}
}

// The same inside the function, where the handler has a route of its own.
func TestARedirectIsNoMatchInTheHandler(t *testing.T) {
	check := authorizer.Routes(map[string]authorizer.Check{"ANY /files/{path+}": grants(&authorizer.Grant{Principal: "anyone"})})
	fn := httpapi.Routes(map[string]lambda.Handler{"GET /files": says("the list of all files"), "GET /files/{path...}": says("a file")})
	for name, cfg := range map[string]gateway.HTTPAPIConfig{"2.0": {}, "1.0": {Format: "1.0"}, "function URL": {FunctionURL: true}} {
		api, err := gateway.NewHTTPAPI(behind(fn, authorizer.Require(check)), cfg)
		server := serve(t, api, err)
		for target, want := range map[string]int{"GET /files": 403, "HEAD /files": 403, "GET /files/a": 200, "GET /files/": 200} {
			if status, body := call(t, server, target, ""); status != want || strings.Contains(body, "the list") {
				t.Errorf("%s: %s: got %d %s, want %d", name, target, status, body, want)
			}
		}
	}
}

// A route's literal may be spelt with any of its characters escaped.
func TestAKeptPolicyDeniesEverySpellingOfARefusedRoute(t *testing.T) {
	for _, literal := range []string{"export", "a+b", "a!b", "a@b", "a:b", "it's", "(a)", "a,b", "a$b", "a&b", "a=b", "a~b", "a_b", "a-b", "a.b", "é", "a b"} {
		check := authorizer.All(authorizer.Bearer(alice("s")), authorizer.Routes(map[string]authorizer.Check{
			"GET /health": authorizer.Scopes("s"), "GET /orders/{id}": authorizer.Scopes("s"), "GET /orders/" + literal: authorizer.Scopes("none"),
		}))
		out, log, err := ask(t, authorizer.Policy(check, authorizer.CompleteRoutes()), sampleOf("token").Set("/methodArn", stageARN+"GET/health"))
		if err != nil {
			t.Fatalf("%v, %v", log, err)
		}
		for i := range len(literal) {
			upper, lower := fmt.Sprintf("%02X", literal[i]), fmt.Sprintf("%02x", literal[i])
			for _, hex := range []string{upper, lower, upper[:1] + lower[1:], lower[:1] + upper[1:]} {
				spelt := literal[:i] + "%" + hex + literal[i+1:]
				if got := outcomeOf(t, out, err, stageARN+"GET/orders/"+spelt); got == allow {
					t.Errorf("GET /orders/%s, which may be %s, is allowed by %s", spelt, literal, out)
				}
			}
		}
		if outcomeOf(t, out, err, stageARN+"GET/orders/42") != allow {
			t.Errorf("GET /orders/42 is not allowed by %s", out)
		}
	}
}

// A path that no policy can name is the fault of who sent it, and what is kept is
// for others as well.
func TestAPathThatNoPolicyCanNameIsNoKeptDenial(t *testing.T) {
	byAddress := authorizer.SourceIP("203.0.113.0/24")
	behind := func(route string, sources ...string) sample.Event {
		return sampleOf("").Set("/routeKey", route).Set("/requestContext/routeKey", route).Set("/requestContext/stage", "prod").
			Set("/routeArn", stageARN+"GET/orders/*").Set("/rawPath", "/orders/*").Set("/requestContext/http/path", "/orders/*").Set("/identitySource", sources)
	}
	event := behind("$default", "203.0.113.7", "GET", "/orders/*", "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com")
	out, log, err := ask(t, authorizer.Policy(byAddress), event)
	if got := outcomeOf(t, out, err, arnOf(event)); got != broken || log.code() != "path_not_grantable" {
		t.Errorf("got %s, want an error that is not kept: %s, %v", got, out, log)
	}
	if out, log, err := ask(t, authorizer.Policy(byAddress, authorizer.Uncached()), event); outcomeOf(t, out, err, arnOf(event)) != deny || log.code() != "path_not_grantable" {
		t.Errorf("nothing kept: got %s, want a denial: %v", out, log)
	}
	// All of the route is allowed, and this path is below it.
	event = behind("$default", "203.0.113.7", "$default")
	out, log, err = ask(t, authorizer.Policy(authorizer.Routes(map[string]authorizer.Check{"$default": byAddress})), event)
	if got := outcomeOf(t, out, err, arnOf(event)); got != allow || log.text("decision") != "allow" {
		t.Errorf("behind $default: got %s, want it allowed and logged so: %s, %v", got, out, log)
	}
}

// GET takes HEAD as well, and so does what is kept.
func TestAKeptPolicyTakesHEADWithGET(t *testing.T) {
	check := authorizer.All(authorizer.Bearer(alice("s")), authorizer.Routes(map[string]authorizer.Check{
		"GET /a": authorizer.Scopes("s"), "GET /b/{id}": authorizer.Scopes("s"),
		"GET /c": authorizer.Scopes("s"), "HEAD /c": authorizer.Scopes("none"),
		"GET /d": authorizer.Scopes("none"), "ANY /d": authorizer.Scopes("s"),
	}))
	h := authorizer.Policy(check, authorizer.CompleteRoutes())
	calls := map[string]outcome{"HEAD/a": allow, "HEAD/b/1": allow, "GET/c": allow, "HEAD/c": deny, "GET/d": deny, "HEAD/d": deny, "POST/d": allow}
	for first := range calls {
		kept, _, err := ask(t, h, sampleOf("token").Set("/methodArn", stageARN+first))
		for call, want := range calls {
			if got := outcomeOf(t, kept, err, stageARN+call); got != want {
				t.Errorf("%s after %s: got %s, want %s: %s", call, first, got, want, kept)
			}
		}
	}
}

// A REST API takes a slash at the end for nothing, and the check goes by its word.
// A TOKEN authorizer has the path alone, and takes it as a handler does.
func TestAKeptPolicyTakesASlashAtTheEndAsTheCheckDoes(t *testing.T) {
	check := authorizer.All(authorizer.Bearer(alice("s")), authorizer.Routes(map[string]authorizer.Check{
		"GET /": authorizer.Scopes("s"), "GET /a": authorizer.Scopes("s"), "GET /a/{id}": authorizer.Scopes("s"), "GET /{id}/b/{other}": authorizer.Scopes("s"), "GET /c": authorizer.Scopes("none"),
	}))
	h := authorizer.Policy(check, authorizer.CompleteRoutes(), authorizer.IdentitySources("method.request.header.Authorization"))
	api := routeTable{"GET /", "GET /a", "GET /a/{id}", "GET /{id}/b/{other}", "GET /c"}
	calls := map[string]map[string]outcome{
		"request": {"/": allow, "/a": allow, "/a/": allow, "/a/1": allow, "/a/1/": allow, "/x/b/1": allow, "/x/b/1/": allow, "/c": deny, "/c/": deny},
		"token":   {"/": allow, "/a": allow, "/a/": allow, "/a/1": allow, "/a/1/": allow, "/x/b/1": allow, "/x/b/1/": allow, "/c": deny, "/c/": deny},
	}
	for variant, paths := range calls {
		for first := range paths {
			kept, _, err := ask(t, h, api.call(variant, "GET", first))
			for path, want := range paths {
				if got := outcomeOf(t, kept, err, stageARN+"GET"+path); got != want {
					t.Errorf("%s: GET %s after GET %s: got %s, want %s: %s", variant, path, first, got, want, kept)
				}
			}
		}
	}
}

// What stands before a greedy parameter is no path of its route, and so no kept
// policy allows it; the route that takes all paths is not to open it either.
func TestAKeptPolicyOpensNoPathBeforeAGreedyParameter(t *testing.T) {
	for _, tt := range []struct {
		routes []string
		path   string
		want   outcome // of what was kept of /b/c
	}{
		{routes: []string{"ANY /{p+}"}, path: "/a", want: allow},
		{routes: []string{"ANY /{p+}", "GET /a/{p+}"}, path: "/a", want: deny},
		{routes: []string{"ANY /{p+}", "GET /a/{p+}"}, path: "/a/", want: deny},
		{routes: []string{"ANY /{p+}", "GET /a/{p+}"}, path: "/a/b", want: allow},
		{routes: []string{"ANY /{p+}", "GET /a/{p+}", "GET /a"}, path: "/a", want: allow},
		{routes: []string{"ANY /{p+}", "GET /a/{p+}", "GET /{p}"}, path: "/a", want: allow},
		{routes: []string{"ANY /{p+}", "GET /{id}/{p+}"}, path: "/a", want: broken},
	} {
		table := map[string]authorizer.Check{}
		for _, route := range tt.routes {
			table[route] = authorizer.Bearer(alice())
		}
		h := authorizer.Policy(authorizer.Routes(table), authorizer.CompleteRoutes())
		out, _, err := ask(t, h, sampleOf("token").Set("/methodArn", stageARN+"GET/b/c"))
		if got := outcomeOf(t, out, err, stageARN+"GET"+tt.path); got != tt.want {
			t.Errorf("%q: %s: got %s, want %s: %s", tt.routes, tt.path, got, tt.want, out)
		}
	}
}
