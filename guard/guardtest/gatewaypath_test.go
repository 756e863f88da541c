package guardtest_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

// pathsOf are the places of an event that hold a path, and what is made of one.
type pathsOf struct {
	RawPath        string
	Path           string
	Resource       string
	RouteKey       string
	PathParameters map[string]string
	RequestContext struct {
		DomainName string
		Path       string
		HTTP       struct{ Path string }
	}
}

// restEventFor returns the event that a REST API makes of the request, nil when
// it makes none.
func restEventFor(t *testing.T, cfg guardtest.RESTAPIConfig, r *http.Request) []byte {
	t.Helper()
	var event []byte
	api := newREST(t, invokerFunc(func(_ context.Context, call guardtest.Call) (guardtest.Result, error) {
		event = call.Payload
		return guardtest.Result{Payload: []byte(`{"statusCode":200}`)}, nil
	}), cfg)
	api.ServeHTTP(httptest.NewRecorder(), r)
	return event
}

func readPaths(t *testing.T, event []byte) (p pathsOf) {
	t.Helper()
	if event == nil {
		t.Fatal("the function is not called")
	}
	if err := json.Unmarshal(event, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAnHTTPAPIDecodesThePathOnce(t *testing.T) {
	for _, tt := range []struct{ name, target, path, route, variable string }{
		{name: "an escape", target: "/%61dmin", path: "/admin", route: "GET /admin"},
		{name: "an escape of an escape", target: "/%2561dmin", path: "/%61dmin", route: "GET /{page}", variable: "%61dmin"},
		{name: "a space", target: "/a%20b", path: "/a b", route: "GET /{page}", variable: "a b"},
		{name: "an escaped slash", target: "/files/a%2Fb", path: "/files/a/b", route: "GET /files/{page+}", variable: "a/b"},
	} {
		for _, format := range []string{"2.0", "1.0"} {
			cfg := guardtest.HTTPAPIConfig{Format: format, Routes: []string{"GET /admin", "GET /{page}", "GET /files/{page+}"}}
			p := readPaths(t, eventFor(t, cfg, httptest.NewRequest("GET", tt.target, nil)))
			path, key := p.RawPath, p.RouteKey
			if format == "1.0" {
				path, key = p.Path, "GET "+p.Resource
			}
			if path != tt.path || key != tt.route || p.PathParameters["page"] != tt.variable {
				t.Errorf("%s, format %s: path %q of %q with %q, want %q of %q with %q",
					tt.name, format, path, key, p.PathParameters["page"], tt.path, tt.route, tt.variable)
			}
		}
	}
}

func TestARESTAPIPassesThePathAsSent(t *testing.T) {
	cfg := guardtest.RESTAPIConfig{Routes: []string{"GET /admin", "GET /{page}", "GET /files/{page+}"}}
	for _, tt := range []struct{ name, target, resource, variable string }{
		{name: "an escape", target: "/%61dmin", resource: "/{page}", variable: "%61dmin"},
		{name: "an escape of an escape", target: "/%2561dmin", resource: "/{page}", variable: "%2561dmin"},
		{name: "an escaped slash", target: "/a%2Fb", resource: "/{page}", variable: "a%2Fb"},
		{name: "an escape below a greedy variable", target: "/files/x/a%2Bb", resource: "/files/{page+}", variable: "x/a%2Bb"},
	} {
		p := readPaths(t, restEventFor(t, cfg, httptest.NewRequest("GET", tt.target, nil)))
		if p.Path != tt.target || p.Resource != tt.resource || p.PathParameters["page"] != tt.variable {
			t.Errorf("%s: path %q of %q with %q, want %q of %q with %q",
				tt.name, p.Path, p.Resource, p.PathParameters["page"], tt.target, tt.resource, tt.variable)
		}
	}
}

func TestHEADIsNotOfAGETRoute(t *testing.T) {
	for _, tt := range []struct {
		name   string
		routes []string
		want   string // the route key; none when empty
	}{
		{name: "GET alone", routes: []string{"GET /admin"}},
		{name: "ANY", routes: []string{"GET /admin", "ANY /admin"}, want: "ANY /admin"},
		{name: "a greedy variable", routes: []string{"GET /admin", "ANY /{proxy+}"}, want: "ANY /{proxy+}"},
		{name: "HEAD itself", routes: []string{"GET /admin", "HEAD /admin"}, want: "HEAD /admin"},
	} {
		r := httptest.NewRequest("HEAD", "/admin", nil)
		for _, gateway := range []struct {
			name  string
			event []byte
		}{
			{"HTTP API", eventFor(t, guardtest.HTTPAPIConfig{Routes: tt.routes}, r)},
			{"REST API", restEventFor(t, guardtest.RESTAPIConfig{Routes: tt.routes}, r)},
		} {
			if tt.want == "" || gateway.event == nil {
				if (tt.want == "") != (gateway.event == nil) {
					t.Errorf("%s, %s: called: %v", tt.name, gateway.name, gateway.event != nil)
				}
				continue
			}
			p := readPaths(t, gateway.event)
			if p.RouteKey != tt.want && tt.want[len(tt.want)-len(p.Resource):] != p.Resource {
				t.Errorf("%s, %s: taken by %q %q, want %q", tt.name, gateway.name, p.RouteKey, p.Resource, tt.want)
			}
		}
	}
	fallback := eventFor(t, guardtest.HTTPAPIConfig{Routes: []string{"GET /admin", "$default"}}, httptest.NewRequest("HEAD", "/admin", nil))
	if key := readPaths(t, fallback).RouteKey; key != "$default" {
		t.Errorf("beside $default: taken by %q", key)
	}
}

// What a function makes of its own address has to lead back to it.
func TestDomainNameKeepsThePort(t *testing.T) {
	r := httptest.NewRequest("GET", "/", nil)
	r.Host = "127.0.0.1:8080"
	for name, event := range map[string][]byte{
		"format 2.0":   eventFor(t, guardtest.HTTPAPIConfig{}, r),
		"format 1.0":   eventFor(t, guardtest.HTTPAPIConfig{Format: "1.0"}, r),
		"function URL": eventFor(t, guardtest.HTTPAPIConfig{FunctionURL: true}, r),
		"REST API":     restEventFor(t, guardtest.RESTAPIConfig{}, r),
	} {
		if got := readPaths(t, event).RequestContext.DomainName; got != r.Host {
			t.Errorf("%s: domain %q, want %q", name, got, r.Host)
		}
	}
}

// AWS's own samples of a TOKEN authorizer's event name every stage, or a
// resource instead of a path.
func TestSamplesOfTokensAreThoseThatAWSPublishes(t *testing.T) {
	for _, tt := range []struct{ variant, arn string }{
		{variant: "token-any-stage", arn: "arn:aws:execute-api:us-west-2:123456789012:ymy8tbxw7b/*/GET/"},
		{variant: "token-console", arn: "arn:aws:execute-api:us-east-1:123456789012:example/prod/POST/{proxy+}"},
		{variant: "request-documented", arn: "arn:aws:execute-api:us-east-1:123456789012:abcdef123/test/GET/request"},
	} {
		if got := guardtest.Sample(guard.Authorizer, tt.variant).Get("/methodArn"); got != tt.arn {
			t.Errorf("%s: %v, want %s", tt.variant, got, tt.arn)
		}
	}
}
