package authorizer_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

const (
	bearer   = "Bearer t0k3n"
	routeKey = "GET /orders/{id}"
	pem      = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
)

func withCertificate(e guardtest.Event) guardtest.Event {
	return e.Set("/requestContext/authentication", map[string]any{"clientCert": map[string]any{
		"clientCertPem": pem, "subjectDN": "CN=alice", "issuerDN": "CN=ca", "serialNumber": "1",
		"validity": map[string]any{"notBefore": "May 28 12:30:02 2019 GMT", "notAfter": "Aug  5 09:36:04 2121 GMT"},
	}})
}

func onRoute(c authorizer.Check) authorizer.Check {
	return authorizer.Routes(map[string]authorizer.Check{routeKey: c})
}

// What a grant depended on, and the identity sources by which the gateway keeps
// it. The checks of the first part are somebody's own and know nothing of it.
var hazards = []struct {
	name    string
	check   authorizer.Check
	change  func(guardtest.Event) guardtest.Event
	sources []string // their values
	fix     string   // "" where there is no hazard
}{
	{"nothing", looks(func(*authorizer.Request) bool { return true }), nil, []string{bearer}, ""},
	{"the token", looks(func(r *authorizer.Request) bool { return r.Header("Authorization") == bearer }), nil, []string{bearer}, ""},
	{"the token, which is no source", looks(func(r *authorizer.Request) bool { return r.Header("Authorization") == bearer }), nil, []string{"x"}, "add $request.header.authorization to"},
	{"the token, one of several sources", looks(func(r *authorizer.Request) bool { return r.Header("Authorization") == bearer }), nil, []string{"x", bearer}, ""},
	{"the token, a part of a source", looks(func(r *authorizer.Request) bool { return r.Header("Authorization") == bearer }), nil, []string{bearer + "x"}, "authorization"},
	{"the route", looks(func(r *authorizer.Request) bool { return r.RouteKey() == routeKey }), nil, []string{bearer}, "add $context.routeKey to"},
	{"the route, a source", looks(func(r *authorizer.Request) bool { return r.RouteKey() == routeKey }), nil, []string{bearer, routeKey}, ""},
	{"the method", looks(func(r *authorizer.Request) bool { return r.Method() == "GET" }), nil, []string{bearer, routeKey}, "add $context.httpMethod to"},
	{"the method, a source", looks(func(r *authorizer.Request) bool { return r.Method() == "GET" }), nil, []string{bearer, "GET"}, ""},
	{"the path behind a route", looks(func(r *authorizer.Request) bool { return r.Path() == "/orders/42" }), nil, []string{bearer, routeKey}, "add $context.path to"},
	{"the path, a source", looks(func(r *authorizer.Request) bool { return r.Path() == "/orders/42" }), nil, []string{bearer, "/orders/42"}, ""},
	{"a value in the path", looks(func(r *authorizer.Request) bool { return r.PathValue("id") == "42" }), nil, []string{bearer, routeKey, "42"}, "add $context.path to"},
	{"a value in the path, route and path are sources", looks(func(r *authorizer.Request) bool { return r.PathValue("id") == "42" }), nil, []string{routeKey, "/orders/42"}, ""},
	{
		"a greedy value", looks(func(r *authorizer.Request) bool { return r.PathValue("proxy") == "orders/42" }),
		func(e guardtest.Event) guardtest.Event {
			return e.Set("/routeKey", "GET /{proxy+}").Set("/pathParameters", map[string]string{"proxy": "orders/42"})
		},
		[]string{"GET /{proxy+}", "/orders/42"},
		"do not read a greedy parameter",
	},
	{"the ARN", looks(func(r *authorizer.Request) bool { return r.ARN().Method == "GET" }), nil, []string{bearer, routeKey}, "add $context.httpMethod and $context.path and $context.domainName to"},
	{"the ARN, method and path are sources", looks(func(r *authorizer.Request) bool { return r.ARN().Method == "GET" }), nil, []string{"GET", "/orders/42"}, "add $context.domainName to"},
	{
		"the ARN, method, path and domain are sources", looks(func(r *authorizer.Request) bool { return r.ARN().Method == "GET" }), nil,
		[]string{"GET", "/orders/42", "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"},
		"",
	},
	{
		"the ARN behind $default", looks(func(r *authorizer.Request) bool { return r.ARN().Method == "GET" }),
		func(e guardtest.Event) guardtest.Event { return e.Set("/routeKey", "$default") },
		[]string{"GET", "/orders/42"},
		"add $context.domainName to",
	},
	{
		"the ARN behind a stage in the path", looks(func(r *authorizer.Request) bool { return r.ARN().Path == "/orders/42" }),
		func(e guardtest.Event) guardtest.Event {
			return e.Set("/routeArn", stageARN+"GET/orders/42").Set("/requestContext/stage", "prod").Set("/rawPath", "/prod/orders/42").Set("/requestContext/http/path", "/prod/orders/42")
		},
		[]string{"GET", "/prod/orders/42"},
		"add $context.domainName to",
	},
	{"the query", looks(func(r *authorizer.Request) bool { return r.Query("expand") == "lines" }), nil, []string{bearer}, "add $request.querystring.expand to"},
	{"the query, a source", looks(func(r *authorizer.Request) bool { return r.Query("expand") == "lines" }), nil, []string{bearer, "lines"}, ""},
	{"a header", looks(func(r *authorizer.Request) bool { return r.Header("X-Amzn-Trace-Id") != "" }), nil, []string{bearer}, "add $request.header.x-amzn-trace-id to"},
	{"that a header is not there", looks(func(r *authorizer.Request) bool { return r.Header("X-Blocked") == "" }), nil, []string{bearer}, "do not read the header x-blocked that is not there"},
	{"that a query value is not there", looks(func(r *authorizer.Request) bool { return r.Query("block") == "" }), nil, []string{bearer}, "do not read the query's block"},
	{"that there is no certificate", looks(func(r *authorizer.Request) bool { return r.ClientCert() == nil }), nil, []string{bearer}, "do not read the client certificate"},
	{"a cookie", looks(func(r *authorizer.Request) bool { c, ok := r.Cookie("theme"); return ok && c == "dark" }), nil, []string{bearer, "dark"}, "add $request.header.cookie to"},
	{"a cookie, all of the header a source", looks(func(r *authorizer.Request) bool { _, ok := r.Cookie("theme"); return ok }), nil, []string{"theme=dark"}, ""},
	{"the address", looks(func(r *authorizer.Request) bool { return r.SourceIP() != "" }), nil, []string{bearer}, "add $context.identity.sourceIp to"},
	{"the address, a source", looks(func(r *authorizer.Request) bool { return r.SourceIP() != "" }), nil, []string{bearer, "203.0.113.7"}, ""},
	{"the certificate", looks(func(r *authorizer.Request) bool { return r.ClientCert() != nil }), withCertificate, []string{bearer, "CN=alice"}, "add $context.identity.clientCert.clientCertPem to"},
	{"the certificate, a source", looks(func(r *authorizer.Request) bool { return r.ClientCert() != nil }), withCertificate, []string{pem}, ""},
	{"what is the same for all of a stage", looks(func(r *authorizer.Request) bool {
		return r.StageVariable("a") == "" && r.Stage() != "" && r.APIID() != "" && r.AccountID() != "" && r.Format() == authorizer.HTTP2
	}), nil, []string{bearer}, ""},
	{"several", looks(func(r *authorizer.Request) bool {
		return r.RouteKey() != "" && r.SourceIP() != "" && r.Query("expand") != ""
	}), nil, []string{bearer}, "add $context.routeKey and $context.identity.sourceIp and $request.querystring.expand to"},
	{"what goroutines look at", looks(func(r *authorizer.Request) bool {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() { r.RouteKey(); r.Header("a"); r.SourceIP() })
		}
		wg.Wait()
		return true
	}), nil, []string{bearer}, "header a"},

	{"Bearer", authorizer.Bearer(alice()), nil, []string{bearer}, ""},
	{"Bearer by another source", authorizer.Bearer(alice()), nil, []string{"203.0.113.7"}, "authorization"},
	{"Routes", onRoute(authorizer.Bearer(alice())), nil, []string{bearer}, "add $context.routeKey to"},
	{"Routes by the route", onRoute(authorizer.Bearer(alice())), nil, []string{bearer, routeKey}, ""},
	{"Routes whose ANY has no other method", authorizer.Routes(map[string]authorizer.Check{"ANY /orders/{order}": authorizer.Bearer(alice())}), nil, []string{bearer, routeKey}, ""},
	{
		"ANY of the gateway, taken apart", onRoute(authorizer.Bearer(alice())),
		func(e guardtest.Event) guardtest.Event { return e.Set("/routeKey", "ANY /orders/{id}") },
		[]string{bearer, "ANY /orders/{id}"},
		"add $context.httpMethod to",
	},
	{
		"a catch-all, taken apart", onRoute(authorizer.Bearer(alice())),
		func(e guardtest.Event) guardtest.Event { return e.Set("/routeKey", "$default") },
		[]string{bearer, "$default", "GET"},
		"add $context.path and $context.domainName to",
	},
	{
		"a catch-all, taken apart by method and path", onRoute(authorizer.Bearer(alice())),
		func(e guardtest.Event) guardtest.Event { return e.Set("/routeKey", "$default") },
		[]string{bearer, "GET", "/orders/42"},
		"add $context.domainName to",
	},
	{
		"a catch-all, taken apart by method, domain and path", onRoute(authorizer.Bearer(alice())),
		func(e guardtest.Event) guardtest.Event { return e.Set("/routeKey", "$default") },
		[]string{bearer, "GET", "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com", "/orders/42"},
		"",
	},
	{
		"a catch-all of its own", authorizer.Routes(map[string]authorizer.Check{"ANY /{proxy+}": authorizer.Bearer(alice())}),
		func(e guardtest.Event) guardtest.Event { return e.Set("/routeKey", "ANY /{proxy+}") },
		[]string{bearer, "ANY /{proxy+}"},
		"",
	},
	{
		"a route that is named like the stage", authorizer.Routes(map[string]authorizer.Check{"$default": authorizer.Bearer(alice())}),
		func(e guardtest.Event) guardtest.Event { return e.Set("/routeKey", "$default") },
		[]string{bearer, "$default"},
		"do not read the route where the request has the same value in another place",
	},
	{"SourceIP", authorizer.All(authorizer.Bearer(alice()), authorizer.SourceIP("203.0.113.0/24")), nil, []string{bearer}, "sourceIp"},
	{"SourceIP by the address", authorizer.All(authorizer.Bearer(alice()), authorizer.SourceIP("203.0.113.0/24")), nil, []string{bearer, "203.0.113.7"}, ""},
	{"ClientCert", authorizer.ClientCert("CN=alice"), withCertificate, []string{bearer}, "clientCertPem"},
	{"ClientCert by the certificate", authorizer.ClientCert("CN=alice"), withCertificate, []string{pem}, ""},
	{"APIKey", authorizer.APIKey("x-key", authorizer.Keys(authorizer.Key{Hash: authorizer.HashKey("k1"), Principal: "alice"})), func(e guardtest.Event) guardtest.Event { return e.Set("/headers/x-key", "k1") }, []string{bearer}, "x-key"},
	{"Any forgets what did not grant", authorizer.Any(authorizer.APIKey("x-key", authorizer.Keys()), authorizer.Bearer(alice())), nil, []string{bearer}, ""},
	{"Any remembers the route of what did not", authorizer.Any(authorizer.Routes(map[string]authorizer.Check{"GET /": authorizer.Bearer(alice())}), authorizer.Bearer(alice())), nil, []string{bearer}, "add $context.routeKey to"},
	{"Any remembers the address of what did not", authorizer.Any(authorizer.SourceIP("192.0.2.1"), authorizer.Bearer(alice())), nil, []string{bearer}, "sourceIp"},
	{"Any remembers what did", authorizer.Any(authorizer.APIKey("x-key", authorizer.Keys()), onRoute(authorizer.Bearer(alice()))), nil, []string{bearer}, "add $context.routeKey to"},
	{"All remembers all", authorizer.All(looks(func(r *authorizer.Request) bool { return r.Query("expand") != "" }), authorizer.Bearer(alice())), nil, []string{bearer}, "expand"},

	// A client that can fill one identity source makes another look like one.
	{
		"a header with the route in it", onRoute(authorizer.Bearer(alice())),
		func(e guardtest.Event) guardtest.Event { return e.Set("/headers/x-any", routeKey) },
		[]string{bearer, routeKey},
		"do not read the route where",
	},
	{
		"a header twice, the route among its values", onRoute(authorizer.Bearer(alice())),
		func(e guardtest.Event) guardtest.Event { return e.Set("/headers/x-any", "a, "+routeKey+" ,b") },
		[]string{bearer, routeKey},
		"do not read the route where",
	},
	{
		"a query value with the route in it", onRoute(authorizer.Bearer(alice())),
		func(e guardtest.Event) guardtest.Event {
			return e.Set("/queryStringParameters/any", routeKey)
		},
		[]string{bearer, routeKey},
		"do not read the route where",
	},
	{
		"cookies with the token in them", authorizer.Bearer(alice()),
		func(e guardtest.Event) guardtest.Event { return e.Set("/cookies", []string{bearer}) },
		[]string{bearer},
		"authorization",
	},
	{
		"a cookie that is like the route", onRoute(authorizer.Bearer(alice())),
		func(e guardtest.Event) guardtest.Event { return e.Set("/cookies", []string{"a=b", routeKey}) },
		[]string{bearer, routeKey},
		"do not read the route where",
	},
	{
		"a path like a header", looks(func(r *authorizer.Request) bool { return r.Header("x-path") != "" }),
		func(e guardtest.Event) guardtest.Event { return e.Set("/headers/x-path", "/orders/42") },
		[]string{bearer, "/orders/42"},
		"x-path",
	},
	{
		"a stage like a header", looks(func(r *authorizer.Request) bool { return r.Header("x-tenant") != "" }),
		func(e guardtest.Event) guardtest.Event { return e.Set("/headers/x-tenant", "$default") },
		[]string{bearer, "$default"},
		"x-tenant",
	},
	{
		"a subdomain like a header", looks(func(r *authorizer.Request) bool { return r.Header("x-tenant") != "" }),
		func(e guardtest.Event) guardtest.Event {
			return e.Set("/headers/x-tenant", "acme").Set("/requestContext/domainPrefix", "acme")
		},
		[]string{bearer, "acme"},
		"x-tenant",
	},
	{
		"a domain like a header", looks(func(r *authorizer.Request) bool { return r.Header("x-tenant") != "" }),
		func(e guardtest.Event) guardtest.Event {
			return e.Set("/headers/x-tenant", "acme.example.com").Set("/requestContext/domainName", "acme.example.com")
		},
		[]string{bearer, "acme.example.com"},
		"x-tenant",
	},
	{
		"the name in a certificate like a header", looks(func(r *authorizer.Request) bool { return r.Header("x-client") != "" }),
		func(e guardtest.Event) guardtest.Event {
			return withCertificate(e).Set("/headers/x-client", "CN=alice")
		},
		[]string{"CN=alice"},
		"x-client",
	},
	{
		"a certificate like a header", looks(func(r *authorizer.Request) bool { return r.Header("x-cert") != "" }),
		func(e guardtest.Event) guardtest.Event { return withCertificate(e).Set("/headers/x-cert", pem) },
		[]string{pem},
		"x-cert",
	},
	{
		"a stage variable like a header", looks(func(r *authorizer.Request) bool { return r.Header("x-tenant") != "" }),
		func(e guardtest.Event) guardtest.Event {
			return e.Set("/headers/x-tenant", "acme").Set("/stageVariables", map[string]string{"tenant": "acme"})
		},
		[]string{bearer, "acme"},
		"x-tenant",
	},
	{
		"an address that a client claims as well", authorizer.SourceIP("203.0.113.0/24"),
		func(e guardtest.Event) guardtest.Event { return e.Set("/headers/x-real-ip", "203.0.113.7") },
		[]string{"203.0.113.7"},
		"do not read the source address where",
	},
}

func TestAGrantMayDependOnIdentitySourcesAlone(t *testing.T) {
	for _, tt := range hazards {
		t.Run(tt.name, func(t *testing.T) {
			event := sample("")
			if tt.change != nil {
				event = tt.change(event)
			}
			event = event.Set("/identitySource", tt.sources)
			want, code := allow, ""
			if tt.fix != "" {
				want, code = broken, "authorizer_cache_hazard"
			}
			simple := authorizer.Simple(tt.check)
			out, log, err := ask(t, simple, event)
			if got := outcomeOf(t, out, err, arnOf(event)); got != want || log.code() != code || !strings.Contains(log.text("fix"), tt.fix) {
				t.Errorf("%s, want %s; %s; the record: %v", got, want, out, log)
			}
			if tt.fix != "" && (log.text("level") != "ERROR" || log.text("decision") != "fail" || out != "") {
				t.Errorf("%s; the record: %v", out, log)
			}
			// Where nothing is kept there is no hazard.
			for name, h := range map[string]lambda.Handler{
				"Uncached":            authorizer.Simple(tt.check, authorizer.Uncached()),
				"no identity sources": authorizer.Simple(tt.check),
			} {
				e := event
				if name != "Uncached" {
					e = e.Set("/identitySource", nil)
				}
				if out, log, err := ask(t, h, e); outcomeOf(t, out, err, "") != allow || log.code() != "" || log["fix"] != nil {
					t.Errorf("%s: %s; the record: %v", name, out, log)
				}
			}
		})
	}
}
