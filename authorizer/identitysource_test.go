package authorizer_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

// Format 1.0 joins the values of the identity sources, and a comma in one of
// them looks like a border.
func TestJoinedIdentitySources(t *testing.T) {
	x := func(value string) func(guardtest.Event) guardtest.Event {
		return func(e guardtest.Event) guardtest.Event { return e.Set("/headers/X-Any", value) }
	}
	readsAddress := looks(func(r *authorizer.Request) bool { return r.SourceIP() != "" })
	readsX := looks(func(r *authorizer.Request) bool { return r.Header("x-any") != "" })
	for _, tt := range []struct {
		name   string
		check  authorizer.Check
		change func(guardtest.Event) guardtest.Event
		joined string
		want   outcome
	}{
		{"alone", authorizer.Bearer(alice()), nil, bearer, allow},
		{"one of two", authorizer.Bearer(alice()), nil, "a," + bearer, allow},
		{"another", authorizer.Bearer(alice()), nil, "a,b", broken},
		{"a part of a part", authorizer.Bearer(alice()), nil, "a" + bearer, broken},
		{"the route", looks(func(r *authorizer.Request) bool { return r.RouteKey() == routeKey }), nil, bearer + "," + routeKey, allow},
		{"a client's header with the route", looks(func(r *authorizer.Request) bool { return r.RouteKey() != "" }), x("a," + routeKey), bearer + ",a," + routeKey, broken},
		{"a value with a comma", readsX, x("a,b"), "a,b", broken},
		{"a value with a comma beside another", readsX, x("a,b"), bearer + ",a,b", broken},
		{"a value without", readsX, x("a"), bearer + ",a", allow},
		{"none", readsX, x("a"), "", allow},
		{
			"a path with an address in it", readsAddress, func(e guardtest.Event) guardtest.Event { return e.Set("/path", "/orders/4,203.0.113.7") },
			bearer + ",/orders/4,203.0.113.7", broken,
		},
		{
			"a stage variable with an address in it", readsAddress,
			func(e guardtest.Event) guardtest.Event {
				return e.Set("/stageVariables", map[string]string{"offices": "203.0.113.7,203.0.113.9"})
			},
			bearer + ",203.0.113.7,203.0.113.9", broken,
		},
		{
			"a subject with an address in it", readsAddress,
			func(e guardtest.Event) guardtest.Event {
				return e.Set("/requestContext/identity/clientCert", map[string]any{"subjectDN": "CN=alice,203.0.113.7"})
			},
			bearer + ",CN=alice,203.0.113.7", broken,
		},
		{"an empty one, and none in the request", looks(func(r *authorizer.Request) bool { return r.Header("x-any") == "" }), nil, bearer + ",,a", broken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			event := sample("http-1.0")
			if tt.change != nil {
				event = tt.change(event)
			}
			event = event.Set("/identitySource", tt.joined)
			out, log, err := ask(t, authorizer.Policy(tt.check), event)
			if got := outcomeOf(t, out, err, arnOf(event)); got != tt.want || (log.code() == "authorizer_cache_hazard") != (tt.want == broken) {
				t.Errorf("%s, want %s: %s, %v", got, tt.want, out, log)
			}
		})
	}
}

// A REST API does not tell the values of its identity sources.
func TestIdentitySourcesOfARESTAPIAreDeclared(t *testing.T) {
	header := "method.request.header.Authorization"
	certificate := func(e guardtest.Event) guardtest.Event {
		return e.Set("/requestContext/identity/clientCert", map[string]any{"clientCertPem": pem, "subjectDN": "CN=alice"})
	}
	for _, tt := range []struct {
		name     string
		check    authorizer.Check
		declared []string
		fix      string
	}{
		{"nothing is declared", authorizer.Bearer(alice()), nil, "add method.request.header.authorization to the authorizer's identity sources and to IdentitySources"},
		{"the header is", authorizer.Bearer(alice()), []string{header}, ""},
		{"as an HTTP API has it", authorizer.Bearer(alice()), []string{"$request.header.Authorization"}, ""},
		{"another is", authorizer.Bearer(alice()), []string{"method.request.header.Cookie"}, "authorization"},
		{"nothing is read", looks(func(*authorizer.Request) bool { return true }), nil, ""},
		{"the query", looks(func(r *authorizer.Request) bool { return r.Query("expand") != "" }), []string{"method.request.querystring.expand"}, ""},
		{"that it is not there", looks(func(r *authorizer.Request) bool { return r.Query("none") == "" }), []string{"method.request.querystring.none"}, "do not read the query's none"},
		{"the route", looks(func(r *authorizer.Request) bool { return r.RouteKey() == routeKey }), []string{header}, "add context.httpMethod and context.resourcePath to"},
		{"the resource without the method", looks(func(r *authorizer.Request) bool { return r.RouteKey() == routeKey }), []string{"context.resourcePath"}, "context.httpMethod"},
		{"the resource and the method", looks(func(r *authorizer.Request) bool { return r.RouteKey() == routeKey }), []string{"context.resourcePath", "context.httpMethod"}, ""},
		{"the path", looks(func(r *authorizer.Request) bool { return r.Path() != "" }), []string{"context.path"}, ""},
		{"the address", authorizer.SourceIP("203.0.113.7"), []string{"context.identity.sourceIp", "stageVariables.a"}, ""},
		{"the certificate", authorizer.ClientCert(), []string{"context.identity.clientCert.clientCertPem"}, ""},
		{"the certificate, not declared", authorizer.ClientCert(), []string{header}, "clientCertPem"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			event := certificate(sample("request"))
			out, log, err := ask(t, authorizer.Policy(tt.check, authorizer.IdentitySources(tt.declared...)), event)
			want := allow
			if tt.fix != "" {
				want = broken
			}
			if got := outcomeOf(t, out, err, arnOf(event)); got != want || !strings.Contains(log.text("fix"), tt.fix) {
				t.Errorf("%s, want %s: %s, %v", got, want, out, log)
			}
			out, _, err = ask(t, authorizer.Policy(tt.check, authorizer.Uncached()), event)
			if got := outcomeOf(t, out, err, arnOf(event)); got != allow {
				t.Errorf("uncached: %s: %s", got, out)
			}
		})
	}
	for _, bad := range []string{"", "Authorization", "method.request.header.", "method.request.body", "$context.requestId", "method.request.path.id", "context.routeKey"} {
		mustPanic(t, bad, "authorizer: IdentitySources with", func() { authorizer.IdentitySources(bad) })
	}
}

// A TOKEN authorizer's cache knows the token and nothing else.
func TestATokenAuthorizerDependsOnItsToken(t *testing.T) {
	event := sample("token")
	for name, tt := range map[string]struct {
		check authorizer.Check
		want  outcome
	}{
		"the token":            {authorizer.Bearer(alice()), allow},
		"the path":             {looks(func(r *authorizer.Request) bool { return r.Path() == "/orders/42" }), broken},
		"the method":           {looks(func(r *authorizer.Request) bool { return r.Method() == "GET" }), broken},
		"a header":             {looks(func(r *authorizer.Request) bool { return r.Header("x") == "" }), broken},
		"no route that is one": {looks(func(r *authorizer.Request) bool { return r.RouteKey() == "" }), broken},
	} {
		out, log, err := ask(t, authorizer.Policy(tt.check), event)
		if got := outcomeOf(t, out, err, arnOf(event)); got != tt.want || tt.want == broken && !strings.Contains(log.text("fix"), "do not read") {
			t.Errorf("%s: %s, want %s: %s, %v", name, got, tt.want, out, log)
		}
	}
}

// The connection is what a WebSocket API asks about, each time.
func TestAWebSocketAPIKeepsNothing(t *testing.T) {
	event := sample("websocket")
	check := looks(func(r *authorizer.Request) bool {
		return r.RouteKey() == "$connect" && r.Query("topic") == "orders" && r.SourceIP() == "203.0.113.7" && r.Header("none") == ""
	})
	out, log, err := ask(t, authorizer.Policy(check), event)
	a := parse(t, out)
	if outcomeOf(t, out, err, arnOf(event)) != allow || log.code() != "" || a.Policy.allows(strings.Replace(arnOf(event), "$connect", "$disconnect", 1)) {
		t.Errorf("%s, %v", out, log)
	}
}

// AppSync is told how long to keep a decision, so none has to be refused.
func TestAppSyncKeepsWhatDependsOnTheTokenAlone(t *testing.T) {
	none := 0
	for name, tt := range map[string]struct {
		check authorizer.Check
		want  *int
	}{
		"the token":     {authorizer.Bearer(alice()), nil},
		"the operation": {looks(func(r *authorizer.Request) bool { return r.Operation().Name == "Order" }), &none},
		"a header":      {looks(func(r *authorizer.Request) bool { return r.Header("host") != "" }), &none},
		"no header":     {looks(func(r *authorizer.Request) bool { return r.Header("x") == "" }), &none},
		"a denial":      {looks(func(r *authorizer.Request) bool { return r.Header("x") != "" }), &none},
	} {
		out, _, err := ask(t, authorizer.AppSync(tt.check), sample("appsync"))
		a := parse(t, out)
		if err != nil || (a.TTLOverride == nil) != (tt.want == nil) || tt.want != nil && *a.TTLOverride != 0 || *a.IsAuthorized == (name == "a denial") {
			t.Errorf("%s: %s, %v", name, out, err)
		}
	}
}

// Requests do not share what they remember.
func TestDecisionsAreIndependent(t *testing.T) {
	check := func(ctx context.Context, r *authorizer.Request) (*authorizer.Grant, error) {
		if r.Header("x") != "" {
			r.RouteKey()
		}
		return authorizer.Bearer(alice())(ctx, r)
	}
	h := authorizer.Simple(authorizer.Any(authorizer.Bearer(alice()), check))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				out, err := h.Invoke(t.Context(), sample("").Bytes())
				if err != nil || !strings.HasPrefix(string(out), `{"isAuthorized":true`) {
					t.Errorf("%s, %v", out, err)
				}
			}
		})
	}
	wg.Wait()
}
