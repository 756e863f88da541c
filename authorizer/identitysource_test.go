package authorizer_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
)

// Format 1.0 joins the values of the identity sources, and a comma in one of
// them looks like a border.
func TestJoinedIdentitySources(t *testing.T) {
	x := func(value string) func(sample.Event) sample.Event {
		return func(e sample.Event) sample.Event { return e.Set("/headers/X-Any", value) }
	}
	readsAddress := looks(func(r *authorizer.Request) bool { return r.SourceIP() != "" })
	readsX := looks(func(r *authorizer.Request) bool { return r.Header("x-any") != "" })
	for _, tt := range []struct {
		name   string
		check  authorizer.Check
		change func(sample.Event) sample.Event
		joined string
		want   outcome
	}{
		{name: "alone", check: authorizer.Bearer(alice()), joined: bearer, want: allow},
		{name: "one of two", check: authorizer.Bearer(alice()), joined: "a," + bearer, want: allow},
		{name: "another", check: authorizer.Bearer(alice()), joined: "a,b", want: broken},
		{name: "a part of a part", check: authorizer.Bearer(alice()), joined: "a" + bearer, want: broken},
		{
			name:   "the route",
			check:  looks(func(r *authorizer.Request) bool { return r.RouteKey() == routeKey }),
			joined: bearer + "," + routeKey,
			want:   allow,
		},
		{
			name:   "a client's header with the route",
			check:  looks(func(r *authorizer.Request) bool { return r.RouteKey() != "" }),
			change: x("a," + routeKey),
			joined: bearer + ",a," + routeKey,
			want:   broken,
		},
		{name: "a value with a comma", check: readsX, change: x("a,b"), joined: "a,b", want: broken},
		{name: "a value with a comma beside another", check: readsX, change: x("a,b"), joined: bearer + ",a,b", want: broken},
		{name: "a value without", check: readsX, change: x("a"), joined: bearer + ",a", want: allow},
		{name: "none", check: readsX, change: x("a"), want: allow},
		{
			name: "a path with an address in it", check: readsAddress, change: func(e sample.Event) sample.Event { return e.Set("/path", "/orders/4,203.0.113.7") },
			joined: bearer + ",/orders/4,203.0.113.7", want: broken,
		},
		{
			name: "a stage variable with an address in it", check: readsAddress,
			change: func(e sample.Event) sample.Event {
				return e.Set("/stageVariables", map[string]string{"offices": "203.0.113.7,203.0.113.9"})
			},
			joined: bearer + ",203.0.113.7,203.0.113.9", want: broken,
		},
		{
			name: "a subject with an address in it", check: readsAddress,
			change: func(e sample.Event) sample.Event {
				return e.Set("/requestContext/identity/clientCert", map[string]any{"subjectDN": "CN=alice,203.0.113.7"})
			},
			joined: bearer + ",CN=alice,203.0.113.7", want: broken,
		},
		{
			name:   "an empty one, and none in the request",
			check:  looks(func(r *authorizer.Request) bool { return r.Header("x-any") == "" }),
			joined: bearer + ",,a",
			want:   broken,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			event := sampleOf("http-1.0")
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

// A REST API's event does not have the values of its identity sources.
func TestIdentitySourcesOfARESTAPIAreDeclared(t *testing.T) {
	header := "method.request.header.Authorization"
	certificate := func(e sample.Event) sample.Event {
		return e.Set("/requestContext/identity/clientCert", map[string]any{"clientCertPem": pem, "subjectDN": "CN=alice"})
	}
	for _, tt := range []struct {
		name     string
		check    authorizer.Check
		declared []string
		fix      string
	}{
		{
			name:  "nothing is declared",
			check: authorizer.Bearer(alice()),
			fix:   "add method.request.header.authorization to the authorizer's identity sources and to IdentitySources",
		},
		{name: "the header is", check: authorizer.Bearer(alice()), declared: []string{header}},
		{
			name:     "another is",
			check:    authorizer.Bearer(alice()),
			declared: []string{"method.request.header.Cookie"},
			fix:      "authorization",
		},
		{name: "nothing is read", check: looks(func(*authorizer.Request) bool { return true })},
		{
			name:     "the query",
			check:    looks(func(r *authorizer.Request) bool { return r.Query("expand") != "" }),
			declared: []string{"method.request.querystring.expand"},
		},
		{
			name:     "that it is not there",
			check:    looks(func(r *authorizer.Request) bool { return r.Query("none") == "" }),
			declared: []string{"method.request.querystring.none"},
			fix:      "do not read the query's none",
		},
		{
			name:     "the route",
			check:    looks(func(r *authorizer.Request) bool { return r.RouteKey() == routeKey }),
			declared: []string{header},
			fix:      "add context.httpMethod and context.resourcePath to",
		},
		{
			name:     "the resource without the method",
			check:    looks(func(r *authorizer.Request) bool { return r.RouteKey() == routeKey }),
			declared: []string{"context.resourcePath"},
			fix:      "context.httpMethod",
		},
		{
			name:     "the resource and the method",
			check:    looks(func(r *authorizer.Request) bool { return r.RouteKey() == routeKey }),
			declared: []string{"context.resourcePath", "context.httpMethod"},
		},
		{
			name:     "the path",
			check:    looks(func(r *authorizer.Request) bool { return r.Path() != "" }),
			declared: []string{"context.path"},
		},
		{
			name:     "the address",
			check:    authorizer.SourceIP("203.0.113.7"),
			declared: []string{"context.identity.sourceIp", "stageVariables.a"},
		},
		{
			name:     "the certificate",
			check:    authorizer.ClientCert(),
			declared: []string{"context.identity.clientCert.clientCertPem"},
		},
		{name: "the certificate, not declared", check: authorizer.ClientCert(), declared: []string{header}, fix: "clientCertPem"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			event := certificate(sampleOf("request"))
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
	for _, bad := range []string{"", "Authorization", "$request.header.Authorization", "$context.path", "context.pathx", "method.request.header.", "method.request.body", "$context.requestId", "method.request.path.id", "context.routeKey"} {
		mustPanic(t, bad, "authorizer: IdentitySources with", func() { authorizer.IdentitySources(bad) })
	}
}

// A TOKEN authorizer's cache knows the token and nothing else.
func TestATokenAuthorizerDependsOnItsToken(t *testing.T) {
	event := sampleOf("token")
	for name, tt := range map[string]struct {
		check authorizer.Check
		want  outcome
	}{
		"the token":            {check: authorizer.Bearer(alice()), want: allow},
		"the path":             {check: looks(func(r *authorizer.Request) bool { return r.Path() == "/orders/42" }), want: broken},
		"the method":           {check: looks(func(r *authorizer.Request) bool { return r.Method() == "GET" }), want: broken},
		"a header":             {check: looks(func(r *authorizer.Request) bool { return r.Header("x") == "" }), want: broken},
		"no route that is one": {check: looks(func(r *authorizer.Request) bool { return r.RouteKey() == "" }), want: broken},
	} {
		out, log, err := ask(t, authorizer.Policy(tt.check), event)
		if got := outcomeOf(t, out, err, arnOf(event)); got != tt.want || tt.want == broken && !strings.Contains(log.text("fix"), "do not read") {
			t.Errorf("%s: %s, want %s: %s, %v", name, got, tt.want, out, log)
		}
	}
}

// The connection is what a WebSocket API asks about, each time.
func TestAWebSocketAPIKeepsNothing(t *testing.T) {
	event := sampleOf("websocket")
	check := looks(func(r *authorizer.Request) bool {
		return r.RouteKey() == "$connect" && r.Query("topic") == "orders" && r.SourceIP() == "203.0.113.7" && r.Header("none") == ""
	})
	out, log, err := ask(t, authorizer.Policy(check), event)
	a := parse(t, out)
	if outcomeOf(t, out, err, arnOf(event)) != allow || log.code() != "" || a.Policy.allows(strings.Replace(arnOf(event), "$connect", "$disconnect", 1)) {
		t.Errorf("%s, %v", out, log)
	}
}

// The answer to AppSync says how long to keep a decision, so none has to be
// refused.
func TestAppSyncKeepsWhatDependsOnTheTokenAlone(t *testing.T) {
	none := 0
	for name, tt := range map[string]struct {
		check authorizer.Check
		want  *int
	}{
		"the token":     {check: authorizer.Bearer(alice())},
		"the operation": {check: looks(func(r *authorizer.Request) bool { name, _, _ := r.GraphQL(); return name == "Order" }), want: &none},
		"a header":      {check: looks(func(r *authorizer.Request) bool { return r.Header("host") != "" }), want: &none},
		"no header":     {check: looks(func(r *authorizer.Request) bool { return r.Header("x") == "" }), want: &none},
		"a denial":      {check: looks(func(r *authorizer.Request) bool { return r.Header("x") != "" }), want: &none},
	} {
		out, _, err := ask(t, authorizer.AppSync(tt.check), sampleOf("appsync"))
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
				out, err := h.Invoke(t.Context(), sampleOf("").Bytes())
				if err != nil || !strings.HasPrefix(string(out), `{"isAuthorized":true`) {
					t.Errorf("%s, %v", out, err)
				}
			}
		})
	}
	wg.Wait()
}

// What an edge adds counts in each form of answer, however deep the check stands.
func TestEdgeHeadersCountInEachAnswer(t *testing.T) {
	waf := looks(func(r *authorizer.Request) bool { return r.Header("x-waf-verdict") == "trusted" })
	deep := authorizer.All(authorizer.Any(authorizer.All(authorizer.Any(waf, authorizer.APIKey("x-key", tokens{})), authorizer.Groups("g")), authorizer.Bearer(alice("s"))), authorizer.Scopes("s"))
	table := authorizer.All(deep, authorizer.Routes(map[string]authorizer.Check{"GET /orders/{id}": authorizer.Scopes("s"), "GET /orders": authorizer.Scopes("none")}))
	edge := authorizer.EdgeHeaders("Other", "X-WAF-Verdict")
	for _, s := range samples {
		if s.variant == "appsync" || s.variant == "websocket" || s.variant == "token" { // which has no headers
			continue
		}
		for name, check := range map[string]authorizer.Check{"a check": deep, "a table": table} {
			opts := []authorizer.Option{authorizer.IdentitySources("method.request.header.Authorization"), authorizer.CompleteRoutes()}
			handler := func(opts ...authorizer.Option) lambda.Handler {
				if s.simple {
					return authorizer.Simple(deep, opts...)
				}
				return authorizer.Policy(check, opts...)
			}
			event := sampleOf(s.variant)
			if out, log, err := ask(t, handler(opts...), event); outcomeOf(t, out, err, arnOf(event)) != allow {
				t.Errorf("%s, %s: got %s, %v, want what a client may send ignored", s.variant, name, out, log)
			}
			if out, log, err := ask(t, handler(append(opts, edge)...), event); outcomeOf(t, out, err, arnOf(event)) != broken || !strings.Contains(log.text("fix"), "x-waf-verdict") || strings.Contains(log.text("fix"), "x-key") {
				t.Errorf("%s, %s, by an edge: got %s, %v, want a hazard", s.variant, name, out, log)
			}
		}
	}
	mustPanic(t, "an empty name", "authorizer: EdgeHeaders", func() { authorizer.EdgeHeaders("a", "") })
}

// A 401 is an error, which the gateway does not store.
func TestAnswer401(t *testing.T) {
	both := authorizer.Any(authorizer.APIKey("x-key", tokens{}), authorizer.Bearer(alice("s"))) // depends on a key that is not there
	for _, tt := range []struct {
		name       string
		check      authorizer.Check
		token      string
		with, want outcome
	}{
		{name: "a grant", check: authorizer.Bearer(alice()), token: bearer, with: allow, want: allow},
		{name: "another token", check: authorizer.Bearer(alice()), token: "Bearer other", with: unauthorized, want: deny},
		{name: "no token", check: authorizer.Bearer(alice()), token: "Basic YTpi", with: unauthorized, want: deny},
		{
			name:  "forbidden",
			check: authorizer.All(authorizer.Bearer(alice()), authorizer.Scopes("s")),
			token: bearer,
			with:  deny,
			want:  deny,
		},
		{name: "broken", check: fails(errBroken), token: bearer, with: broken, want: broken},
		{name: "another token, beside a key", check: both, token: "Bearer other", with: unauthorized, want: broken},
		{
			name:  "forbidden, beside a key",
			check: authorizer.All(both, authorizer.Scopes("none")),
			token: bearer,
			with:  deny,
			want:  deny,
		},
	} {
		event := identified(sampleOf("").Set("/headers/authorization", tt.token), "", tt.token)
		if out, log, err := ask(t, authorizer.Simple(tt.check, authorizer.Answer401()), event); outcomeOf(t, out, err, "") != tt.with {
			t.Errorf("%s: got %s, %v, %v, want %s", tt.name, out, err, log, tt.with)
		}
		if out, log, err := ask(t, authorizer.Simple(tt.check), event); outcomeOf(t, out, err, "") != tt.want {
			t.Errorf("%s, without: got %s, %v, %v, want %s", tt.name, out, err, log, tt.want)
		}
	}
}
