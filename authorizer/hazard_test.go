package authorizer_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
)

const (
	bearer   = "Bearer t0k3n"
	routeKey = "GET /orders/{id}"
	pem      = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
)

func withCertificate(e sample.Event) sample.Event {
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
	change  func(sample.Event) sample.Event
	sources []string // their values
	fix     string   // "" where there is no hazard
}{
	{
		name:    "nothing",
		check:   looks(func(*authorizer.Request) bool { return true }),
		sources: []string{bearer},
	},
	{
		name:    "the token",
		check:   looks(func(r *authorizer.Request) bool { return r.Header("Authorization") == bearer }),
		sources: []string{bearer},
	},
	{
		name:    "the token, which is no source",
		check:   looks(func(r *authorizer.Request) bool { return r.Header("Authorization") == bearer }),
		sources: []string{"x"},
		fix:     "add $request.header.authorization to",
	},
	{
		name:    "the token, one of several sources",
		check:   looks(func(r *authorizer.Request) bool { return r.Header("Authorization") == bearer }),
		sources: []string{"x", bearer},
	},
	{
		name:    "the token, a part of a source",
		check:   looks(func(r *authorizer.Request) bool { return r.Header("Authorization") == bearer }),
		sources: []string{bearer + "x"},
		fix:     "authorization",
	},
	{
		name:    "the route",
		check:   looks(func(r *authorizer.Request) bool { return r.RouteKey() == routeKey }),
		sources: []string{bearer},
		fix:     "add $context.routeKey to",
	},
	{
		name:    "the route, a source",
		check:   looks(func(r *authorizer.Request) bool { return r.RouteKey() == routeKey }),
		sources: []string{bearer, routeKey},
	},
	{
		name:    "the method",
		check:   looks(func(r *authorizer.Request) bool { return r.Method() == "GET" }),
		sources: []string{bearer, routeKey},
		fix:     "add $context.httpMethod to",
	},
	{
		name:    "the method, a source",
		check:   looks(func(r *authorizer.Request) bool { return r.Method() == "GET" }),
		sources: []string{bearer, "GET"},
	},
	{
		name:    "the path behind a route",
		check:   looks(func(r *authorizer.Request) bool { return r.Path() == "/orders/42" }),
		sources: []string{bearer, routeKey},
		fix:     "add $context.path to",
	},
	{
		name:    "the path, a source",
		check:   looks(func(r *authorizer.Request) bool { return r.Path() == "/orders/42" }),
		sources: []string{bearer, "/orders/42"},
	},
	{
		name:    "a value in the path",
		check:   looks(func(r *authorizer.Request) bool { return r.PathValue("id") == "42" }),
		sources: []string{bearer, routeKey, "42"},
		fix:     "add $context.path to",
	},
	{
		name:    "a value in the path, route and path are sources",
		check:   looks(func(r *authorizer.Request) bool { return r.PathValue("id") == "42" }),
		sources: []string{routeKey, "/orders/42"},
	},
	{
		name: "a greedy value", check: looks(func(r *authorizer.Request) bool { return r.PathValue("proxy") == "orders/42" }),
		change: func(e sample.Event) sample.Event {
			return e.Set("/routeKey", "GET /{proxy+}").Set("/pathParameters", map[string]string{"proxy": "orders/42"})
		},
		sources: []string{"GET /{proxy+}", "/orders/42"},
		fix:     "do not read a greedy parameter",
	},
	{
		name:    "the ARN",
		check:   looks(func(r *authorizer.Request) bool { return r.ARN().Method == "GET" }),
		sources: []string{bearer, routeKey},
		fix:     "add $context.domainName and $context.httpMethod and $context.path to",
	},
	{
		name:    "the ARN, method and path are sources",
		check:   looks(func(r *authorizer.Request) bool { return r.ARN().Method == "GET" }),
		sources: []string{"GET", "/orders/42"},
		fix:     "add $context.domainName to",
	},
	{
		name: "the ARN, method, path and domain are sources", check: looks(func(r *authorizer.Request) bool { return r.ARN().Method == "GET" }),
		sources: []string{"GET", "/orders/42", "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"},
	},
	{
		name: "the ARN behind $default", check: looks(func(r *authorizer.Request) bool { return r.ARN().Method == "GET" }),
		change:  func(e sample.Event) sample.Event { return e.Set("/routeKey", "$default") },
		sources: []string{"GET", "/orders/42"},
		fix:     "add $context.domainName to",
	},
	{
		name: "the ARN behind a stage in the path", check: looks(func(r *authorizer.Request) bool { return r.ARN().Path == "/orders/42" }),
		change: func(e sample.Event) sample.Event {
			return e.Set("/routeArn", stageARN+"GET/orders/42").Set("/requestContext/stage", "prod").Set("/rawPath", "/prod/orders/42").Set("/requestContext/http/path", "/prod/orders/42")
		},
		sources: []string{"GET", "/prod/orders/42"},
		fix:     "add $context.domainName to",
	},
	{
		name:    "the query",
		check:   looks(func(r *authorizer.Request) bool { return r.Query("expand") == "lines" }),
		sources: []string{bearer},
		fix:     "add $request.querystring.expand to",
	},
	{
		name:    "the query, a source",
		check:   looks(func(r *authorizer.Request) bool { return r.Query("expand") == "lines" }),
		sources: []string{bearer, "lines"},
	},
	{
		name:    "a header",
		check:   looks(func(r *authorizer.Request) bool { return r.Header("X-Amzn-Trace-Id") != "" }),
		sources: []string{bearer},
		fix:     "add $request.header.x-amzn-trace-id to",
	},
	{
		name:    "that a header is not there",
		check:   looks(func(r *authorizer.Request) bool { return r.Header("X-Blocked") == "" }),
		sources: []string{bearer},
		fix:     "do not read the header x-blocked that is absent",
	},
	{
		name:    "that a query value is not there",
		check:   looks(func(r *authorizer.Request) bool { return r.Query("block") == "" }),
		sources: []string{bearer},
		fix:     "do not read the query's block",
	},
	{
		name:    "that there is no certificate",
		check:   looks(func(r *authorizer.Request) bool { return r.ClientCert() == nil }),
		sources: []string{bearer},
		fix:     "do not read the client certificate",
	},
	{
		name:    "a cookie",
		check:   looks(func(r *authorizer.Request) bool { c, ok := r.Cookie("theme"); return ok && c == "dark" }),
		sources: []string{bearer, "dark"},
		fix:     "add $request.header.cookie to",
	},
	{
		name:    "a cookie, all of the header a source",
		check:   looks(func(r *authorizer.Request) bool { _, ok := r.Cookie("theme"); return ok }),
		sources: []string{"theme=dark"},
	},
	{
		name:    "the address",
		check:   looks(func(r *authorizer.Request) bool { return r.SourceIP() != "" }),
		sources: []string{bearer},
		fix:     "add $context.identity.sourceIp to",
	},
	{
		name:    "the address, a source",
		check:   looks(func(r *authorizer.Request) bool { return r.SourceIP() != "" }),
		sources: []string{bearer, "203.0.113.7"},
	},
	{
		name:    "the certificate",
		check:   looks(func(r *authorizer.Request) bool { return r.ClientCert() != nil }),
		change:  withCertificate,
		sources: []string{bearer, "CN=alice"},
		fix:     "add $context.identity.clientCert.clientCertPem to",
	},
	{
		name:    "the certificate, a source",
		check:   looks(func(r *authorizer.Request) bool { return r.ClientCert() != nil }),
		change:  withCertificate,
		sources: []string{pem},
	},
	{name: "what is the same for all of a stage", check: looks(func(r *authorizer.Request) bool {
		return r.StageVariable("a") == "" && r.Stage() != "" && r.APIID() != ""
	}), sources: []string{bearer}},
	{name: "several", check: looks(func(r *authorizer.Request) bool {
		return r.RouteKey() != "" && r.SourceIP() != "" && r.Query("expand") != ""
	}), sources: []string{bearer}, fix: "add $context.identity.sourceIp and $context.routeKey and $request.querystring.expand to"},
	{name: "what goroutines look at", check: looks(func(r *authorizer.Request) bool {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() { r.RouteKey(); r.Header("a"); r.SourceIP() })
		}
		wg.Wait()
		return true
	}), sources: []string{bearer}, fix: "header a"},

	{name: "Bearer", check: authorizer.Bearer(alice()), sources: []string{bearer}},
	{
		name:    "Bearer by another source",
		check:   authorizer.Bearer(alice()),
		sources: []string{"203.0.113.7"},
		fix:     "authorization",
	},
	{
		name:    "Routes",
		check:   onRoute(authorizer.Bearer(alice())),
		sources: []string{bearer},
		fix:     "add $context.routeKey to",
	},
	{
		name:    "Routes by the route",
		check:   onRoute(authorizer.Bearer(alice())),
		sources: []string{bearer, routeKey},
	},
	{
		name:    "Routes whose ANY has no other method",
		check:   authorizer.Routes(map[string]authorizer.Check{"ANY /orders/{order}": authorizer.Bearer(alice())}),
		sources: []string{bearer, routeKey},
	},
	{
		name: "ANY of the gateway, taken apart", check: onRoute(authorizer.Bearer(alice())),
		change:  func(e sample.Event) sample.Event { return e.Set("/routeKey", "ANY /orders/{id}") },
		sources: []string{bearer, "ANY /orders/{id}"},
		fix:     "add $context.httpMethod to",
	},
	{
		name: "a catch-all, taken apart", check: onRoute(authorizer.Bearer(alice())),
		change:  func(e sample.Event) sample.Event { return e.Set("/routeKey", "$default") },
		sources: []string{bearer, "$default", "GET"},
		fix:     "add $context.domainName and $context.path to",
	},
	{
		name: "a catch-all, taken apart by method and path", check: onRoute(authorizer.Bearer(alice())),
		change:  func(e sample.Event) sample.Event { return e.Set("/routeKey", "$default") },
		sources: []string{bearer, "GET", "/orders/42"},
		fix:     "add $context.domainName to",
	},
	{
		name: "a catch-all, taken apart by method, domain and path", check: onRoute(authorizer.Bearer(alice())),
		change:  func(e sample.Event) sample.Event { return e.Set("/routeKey", "$default") },
		sources: []string{bearer, "GET", "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com", "/orders/42"},
	},
	{
		name: "a catch-all of its own", check: authorizer.Routes(map[string]authorizer.Check{"ANY /{proxy+}": authorizer.Bearer(alice())}),
		change:  func(e sample.Event) sample.Event { return e.Set("/routeKey", "ANY /{proxy+}") },
		sources: []string{bearer, "ANY /{proxy+}"},
	},
	{
		name: "a route that is named like the stage", check: authorizer.Routes(map[string]authorizer.Check{"$default": authorizer.Bearer(alice())}),
		change:  func(e sample.Event) sample.Event { return e.Set("/routeKey", "$default") },
		sources: []string{bearer, "$default"},
		fix:     "do not read the route if the request has the same value in another place",
	},
	{
		name:    "SourceIP",
		check:   authorizer.All(authorizer.Bearer(alice()), authorizer.SourceIP("203.0.113.0/24")),
		sources: []string{bearer},
		fix:     "sourceIp",
	},
	{
		name:    "SourceIP by the address",
		check:   authorizer.All(authorizer.Bearer(alice()), authorizer.SourceIP("203.0.113.0/24")),
		sources: []string{bearer, "203.0.113.7"},
	},
	{
		name:    "ClientCert",
		check:   authorizer.ClientCert("CN=alice"),
		change:  withCertificate,
		sources: []string{bearer},
		fix:     "clientCertPem",
	},
	{
		name:    "ClientCert by the certificate",
		check:   authorizer.ClientCert("CN=alice"),
		change:  withCertificate,
		sources: []string{pem},
	},
	{
		name:    "APIKey",
		check:   authorizer.APIKey("x-key", tokens{"k1": {Principal: "alice"}}),
		change:  func(e sample.Event) sample.Event { return e.Set("/headers/x-key", "k1") },
		sources: []string{bearer},
		fix:     "x-key",
	},
	{
		name:    "Any forgets what did not grant",
		check:   authorizer.Any(authorizer.APIKey("x-key", tokens{}), authorizer.Bearer(alice())),
		sources: []string{bearer},
	},
	{
		name:    "Any remembers the route of what did not",
		check:   authorizer.Any(authorizer.Routes(map[string]authorizer.Check{"GET /": authorizer.Bearer(alice())}), authorizer.Bearer(alice())),
		sources: []string{bearer},
		fix:     "add $context.routeKey to",
	},
	{
		name:    "Any remembers the address of what did not",
		check:   authorizer.Any(authorizer.SourceIP("192.0.2.1"), authorizer.Bearer(alice())),
		sources: []string{bearer},
		fix:     "sourceIp",
	},
	{
		name:    "Any remembers what did",
		check:   authorizer.Any(authorizer.APIKey("x-key", tokens{}), onRoute(authorizer.Bearer(alice()))),
		sources: []string{bearer},
		fix:     "add $context.routeKey to",
	},
	{
		name:    "All remembers all",
		check:   authorizer.All(looks(func(r *authorizer.Request) bool { return r.Query("expand") != "" }), authorizer.Bearer(alice())),
		sources: []string{bearer},
		fix:     "expand",
	},

	// A client that can fill one identity source makes another look like one.
	{
		name: "a header with the route in it", check: onRoute(authorizer.Bearer(alice())),
		change:  func(e sample.Event) sample.Event { return e.Set("/headers/x-any", routeKey) },
		sources: []string{bearer, routeKey},
		fix:     "do not read the route if",
	},
	{
		name: "a header twice, the route among its values", check: onRoute(authorizer.Bearer(alice())),
		change:  func(e sample.Event) sample.Event { return e.Set("/headers/x-any", "a, "+routeKey+" ,b") },
		sources: []string{bearer, routeKey},
		fix:     "do not read the route if",
	},
	{
		name: "a query value with the route in it", check: onRoute(authorizer.Bearer(alice())),
		change: func(e sample.Event) sample.Event {
			return e.Set("/queryStringParameters/any", routeKey)
		},
		sources: []string{bearer, routeKey},
		fix:     "do not read the route if",
	},
	{
		name: "cookies with the token in them", check: authorizer.Bearer(alice()),
		change:  func(e sample.Event) sample.Event { return e.Set("/cookies", []string{bearer}) },
		sources: []string{bearer},
		fix:     "authorization",
	},
	{
		name: "a cookie that is like the route", check: onRoute(authorizer.Bearer(alice())),
		change:  func(e sample.Event) sample.Event { return e.Set("/cookies", []string{"a=b", routeKey}) },
		sources: []string{bearer, routeKey},
		fix:     "do not read the route if",
	},
	{
		name: "a path like a header", check: looks(func(r *authorizer.Request) bool { return r.Header("x-path") != "" }),
		change:  func(e sample.Event) sample.Event { return e.Set("/headers/x-path", "/orders/42") },
		sources: []string{bearer, "/orders/42"},
		fix:     "x-path",
	},
	{
		name: "a stage like a header", check: looks(func(r *authorizer.Request) bool { return r.Header("x-tenant") != "" }),
		change:  func(e sample.Event) sample.Event { return e.Set("/headers/x-tenant", "$default") },
		sources: []string{bearer, "$default"},
		fix:     "x-tenant",
	},
	{
		name: "a subdomain like a header", check: looks(func(r *authorizer.Request) bool { return r.Header("x-tenant") != "" }),
		change: func(e sample.Event) sample.Event {
			return e.Set("/headers/x-tenant", "acme").Set("/requestContext/domainPrefix", "acme")
		},
		sources: []string{bearer, "acme"},
		fix:     "x-tenant",
	},
	{
		name: "a domain like a header", check: looks(func(r *authorizer.Request) bool { return r.Header("x-tenant") != "" }),
		change: func(e sample.Event) sample.Event {
			return e.Set("/headers/x-tenant", "acme.example.com").Set("/requestContext/domainName", "acme.example.com")
		},
		sources: []string{bearer, "acme.example.com"},
		fix:     "x-tenant",
	},
	{
		name: "the name in a certificate like a header", check: looks(func(r *authorizer.Request) bool { return r.Header("x-client") != "" }),
		change: func(e sample.Event) sample.Event {
			return withCertificate(e).Set("/headers/x-client", "CN=alice")
		},
		sources: []string{"CN=alice"},
		fix:     "x-client",
	},
	{
		name: "a certificate like a header", check: looks(func(r *authorizer.Request) bool { return r.Header("x-cert") != "" }),
		change:  func(e sample.Event) sample.Event { return withCertificate(e).Set("/headers/x-cert", pem) },
		sources: []string{pem},
		fix:     "x-cert",
	},
	{
		name: "a stage variable like a header", check: looks(func(r *authorizer.Request) bool { return r.Header("x-tenant") != "" }),
		change: func(e sample.Event) sample.Event {
			return e.Set("/headers/x-tenant", "acme").Set("/stageVariables", map[string]string{"tenant": "acme"})
		},
		sources: []string{bearer, "acme"},
		fix:     "x-tenant",
	},
	{
		name: "an address that a client claims as well", check: authorizer.SourceIP("203.0.113.0/24"),
		change:  func(e sample.Event) sample.Event { return e.Set("/headers/x-real-ip", "203.0.113.7") },
		sources: []string{"203.0.113.7"},
		fix:     "do not read the source address if",
	},
}

func TestAGrantMayDependOnIdentitySourcesAlone(t *testing.T) {
	for _, tt := range hazards {
		t.Run(tt.name, func(t *testing.T) {
			event := sampleOf("")
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
