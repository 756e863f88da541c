package authorizer_test

import (
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
)

// What the gateway keeps of one call must not let in another that the check
// refuses.
func TestAKeptPolicyAllowsNoOtherReadingOfAPath(t *testing.T) {
	complete := authorizer.CompleteRoutes()
	table := func(granted, refused string) authorizer.Check {
		return authorizer.All(authorizer.Bearer(alice("s")), authorizer.Routes(map[string]authorizer.Check{
			"GET /health": authorizer.Scopes("s"), granted: authorizer.Scopes("s"), refused: authorizer.Scopes("none"),
		}))
	}
	for name, tt := range map[string]struct {
		check authorizer.Check
		path  string // that must not be allowed
	}{
		"a slash too many":         {check: table("ANY /{proxy+}", "GET /admin"), path: "//admin"},
		"a dot segment":            {check: table("ANY /{proxy+}", "GET /admin"), path: "/x/../admin"},
		"an escape":                {check: table("ANY /{proxy+}", "GET /admin"), path: "/%61dmin"},
		"$default":                 {check: table("$default", "GET /admin"), path: "//admin"},
		"a slash, nothing refused": {check: table("GET /{proxy+}", "POST /admin"), path: "//admin"},
		"a backslash":              {check: table("GET /{proxy+}", "POST /admin"), path: `/x\..\admin`},
		"a slash in a parameter":   {check: table("GET /orders/{id}", "GET /orders/export"), path: "/orders//export"},
		"two slashes at the end":   {check: table("GET /orders/{id}", "GET /orders"), path: "/orders//"},
		"a detour":                 {check: table("GET /orders/{id}", "GET /users/{id}"), path: "/orders/../users/42"},
		"a detour, greedy":         {check: table("GET /files/{path+}", "GET /admin"), path: "/files/a/../../admin"},
		"a detour to its end":      {check: table("GET /orders/{id}", "GET /orders"), path: "/orders/42/.."},
		"an escape in a parameter": {check: table("GET /orders/{id}", "GET /orders/export"), path: "/orders/%65xport"},
		"an escape below one":      {check: table("GET /orders/{id}", "GET /orders/export/all"), path: "/orders/%65xport/all"},
	} {
		for _, variant := range []string{"token", "request"} {
			event := sampleOf(variant).Set("/methodArn", stageARN+"GET/health")
			if variant == "request" {
				event = event.Set("/resource", "/health").Set("/path", "/health")
			}
			out, _, err := ask(t, authorizer.Policy(tt.check, complete, authorizer.IdentitySources("method.request.header.Authorization")), event)
			if outcomeOf(t, out, err, stageARN+"GET"+tt.path) == allow {
				t.Errorf("%s, %s: %s is allowed by %s", name, variant, tt.path, out)
			}
		}
	}
}

// A TOKEN authorizer's check refuses a path that could be read as another's. So
// does what is kept of it.
func TestAKeptPolicyOfATokenAuthorizerRefusesWhatTheCheckRefuses(t *testing.T) {
	check := authorizer.Routes(map[string]authorizer.Check{"GET /files/{path+}": authorizer.Bearer(alice())})
	h := authorizer.Policy(check, authorizer.CompleteRoutes())
	kept, _, err := ask(t, h, sampleOf("token").Set("/methodArn", stageARN+"GET/files/a"))
	for path, want := range map[string]outcome{
		"/files/a": allow, "/files/a/b.c": allow, "/files/..a": allow, "/files/a/": allow, "/files/a;b": allow, "/files/a#b": allow, "/files/..;/admin": allow,
		"/files/../admin": broken, "/files/a/..": broken, "/files/./a": broken, "/files/.": broken, "/files//admin": broken, "/files/%2e%2e/admin": broken,
		"/files/%2fadmin": broken, "/files/a%2Fb": broken, "/files/%25": broken, "/files/a%00": broken, `/files/..\admin`: broken, `/files/%5cadmin`: broken,
	} {
		first, _, bad := ask(t, h, sampleOf("token").Set("/methodArn", stageARN+"GET"+path))
		if a, b := outcomeOf(t, kept, err, stageARN+"GET"+path), outcomeOf(t, first, bad, stageARN+"GET"+path); (a == allow) != (want == allow) || b != want {
			t.Errorf("%s: got %s when kept, %s at first, want %s", path, a, b, want)
		}
	}
}

// The routes of a table are not called like those of the gateway: names of
// parameters differ, and ANY. A check that looks at the name is not asked about
// the real one.
func TestACheckThatGoesByTheNameOfARouteIsNotSupposedToKnowIt(t *testing.T) {
	blocked := looks(func(r *authorizer.Request) bool { return r.RouteKey() != "GET /orders/{id}" })
	for _, key := range []string{"GET /orders/{order}", "ANY /orders/{id}"} {
		check := authorizer.All(blocked, authorizer.Routes(map[string]authorizer.Check{"GET /health": authorizer.Bearer(alice()), key: authorizer.Bearer(alice())}))
		health := sampleOf("").Set("/routeKey", "GET /health").Set("/routeArn", stageARN+"GET/health").Set("/rawPath", "/health")
		out, log, err := ask(t, authorizer.Policy(check, authorizer.CompleteRoutes()), health)
		if outcomeOf(t, out, err, stageARN+"GET/orders/42") != broken || log.code() != "authorizer_cache_hazard" || !strings.Contains(log.text("fix"), "routeKey") {
			t.Errorf("%s: %s, %v", key, out, log)
		}
	}
}

// A REST API keeps an answer by one of several values, and which one is not said.
func TestOneOfSeveralValuesIsNoIdentitySource(t *testing.T) {
	tenants := looks(func(r *authorizer.Request) bool { return strings.Contains(r.Header("x-tenant"), "own") })
	query := looks(func(r *authorizer.Request) bool { return strings.Contains(r.Query("tenant"), "own") })
	h := func(c authorizer.Check) *restAuthorizer {
		return &restAuthorizer{
			T:       t,
			check:   c,
			sources: []string{"method.request.header.x-tenant", "method.request.querystring.tenant"},
		}
	}
	base := sampleOf("request")
	h(tenants).must(base.Set("/multiValueHeaders/X-Tenant", []string{"own"}), allow)
	h(tenants).must(base.Set("/multiValueHeaders/X-Tenant", []string{"own,other"}), allow)
	h(tenants).must(base.Set("/multiValueHeaders/X-Tenant", []string{"own", "other"}), broken)
	h(tenants).must(base.Set("/multiValueHeaders/X-Tenant", []string{"own"}).Set("/multiValueHeaders/x-tenant", []string{"other"}), broken)
	h(tenants).must(base.Set("/multiValueHeaders", nil).Set("/headers", map[string]string{"X-Tenant": "own", "X-TENANT": "other"}), broken)
	h(query).must(base.Set("/multiValueQueryStringParameters/tenant", []string{"own"}), allow)
	h(query).must(base.Set("/multiValueQueryStringParameters/tenant", []string{"own", "other"}), broken)
}

// The path that a route behind a catch-all is found by does not have the base
// path of a domain, so two domains have two routes for one path.
func TestABasePathIsNoPartOfARoute(t *testing.T) {
	check := authorizer.All(authorizer.Bearer(alice("s")), authorizer.Routes(map[string]authorizer.Check{
		"GET /v1/{file}": authorizer.Scopes("s"), "GET /admin": authorizer.Scopes("none"),
	}))
	sources := []string{"method.request.header.Authorization", "context.resourcePath", "context.httpMethod", "context.path"}
	event := sampleOf("request").Set("/resource", "/{proxy+}").Set("/path", "/v1/admin").Set("/methodArn", stageARN+"GET/v1/admin")
	u := &restAuthorizer{T: t, check: check, sources: sources}
	u.must(event, broken)
	u.sources = append(u.sources, "context.domainName")
	u.must(event, allow)
	u.must(event.Set("/methodArn", stageARN+"GET/admin"), deny)

	simple := func(stage, path string, sources ...string) outcome {
		event := sampleOf("").Set("/routeKey", "$default").Set("/routeArn", strings.Replace(stageARN, "prod", stage, 1)+"GET/v1/admin").
			Set("/requestContext/stage", stage).Set("/rawPath", path).Set("/requestContext/http/path", path).Set("/identitySource", append(sources, bearer, "GET", path))
		out, _, err := ask(t, authorizer.Simple(check), event)
		return outcomeOf(t, out, err, "")
	}
	const domain = "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"
	if got := simple("prod", "/prod/v1/admin"); got != broken {
		t.Errorf("behind a stage: %s", got)
	}
	if got := simple("prod", "/prod/v1/admin", domain); got != allow {
		t.Errorf("behind a stage, by the domain: %s", got)
	}
	if got := simple("$default", "/v1/admin"); got != broken { // a domain may have put v1 in front
		t.Errorf("behind nothing: %s", got)
	}
	if got := simple("$default", "/v1/admin", domain); got != allow {
		t.Errorf("behind nothing, by the domain: %s", got)
	}
}

// The event of a REST API has the called method of a resource with ANY.
func TestACatchAllOfARESTAPIIsOneRoute(t *testing.T) {
	check := authorizer.Routes(map[string]authorizer.Check{"ANY /{proxy+}": authorizer.Bearer(alice())})
	u := &restAuthorizer{
		T:       t,
		check:   check,
		sources: []string{"method.request.header.Authorization", "context.resourcePath", "context.httpMethod"},
	}
	u.must(sampleOf("request").Set("/resource", "/{proxy+}").Set("/path", "/a%20b").Set("/methodArn", stageARN+"GET/a%20b"), allow)
}

// A restAuthorizer is a check in front of a REST API that keeps by sources.
type restAuthorizer struct {
	*testing.T
	check   authorizer.Check
	sources []string
}

func (u *restAuthorizer) must(event sample.Event, want outcome) {
	u.Helper()
	out, log, err := ask(u, authorizer.Policy(u.check, authorizer.IdentitySources(u.sources...)), event)
	if got := outcomeOf(u, out, err, arnOf(event)); got != want {
		u.Errorf("%s, want %s: %s, %v", got, want, out, log)
	}
}

// What is in no table can be granted too, by a check beside Routes.
func TestAPolicyAllowsWhatNoTableNames(t *testing.T) {
	listed := func(c authorizer.Check) authorizer.Check {
		return authorizer.Any(authorizer.Routes(map[string]authorizer.Check{"GET /a": c, "GET /a/{id}": c}), authorizer.Bearer(alice()))
	}
	gets := looks(func(r *authorizer.Request) bool { return r.Method() == "GET" })
	for name, tt := range map[string]struct {
		check             authorizer.Check
		hazard            bool
		granted, notAllow string
	}{
		"all": {
			check:   listed(authorizer.Bearer(alice())),
			granted: "GET/a GET/a/1 GET/b POST/a DELETE/b/c",
		},
		"one method": {
			check:    authorizer.Any(authorizer.Routes(map[string]authorizer.Check{"POST /a": authorizer.Bearer(alice())}), gets),
			granted:  "POST/a GET/a GET/b",
			notAllow: "POST/b DELETE/a",
		},
		"all but some": {
			check: authorizer.All(authorizer.Bearer(alice()), authorizer.Any(authorizer.Routes(map[string]authorizer.Check{"POST /a": authorizer.Scopes("s")}), gets)), granted: "GET/a GET/b", notAllow: "POST/a POST/b",
		},
		"another grant": {
			check:    listed(grants(&authorizer.Grant{Principal: "bob"})),
			hazard:   true,
			notAllow: "GET/a GET/b",
		},
	} {
		for _, first := range []string{"GET/a", "GET/b"} {
			out, log, err := ask(t, authorizer.Policy(tt.check), sampleOf("token").Set("/methodArn", stageARN+first))
			if (log.code() == "authorizer_cache_hazard") != tt.hazard {
				t.Errorf("%s, %s first: %v", name, first, log)
			}
			for call := range strings.FieldsSeq(tt.granted) {
				if outcomeOf(t, out, err, stageARN+call) != allow {
					t.Errorf("%s, %s first: %s is refused by %s", name, first, call, out)
				}
			}
			for call := range strings.FieldsSeq(tt.notAllow) {
				if outcomeOf(t, out, err, stageARN+call) == allow {
					t.Errorf("%s, %s first: %s is allowed by %s", name, first, call, out)
				}
			}
		}
	}
}
