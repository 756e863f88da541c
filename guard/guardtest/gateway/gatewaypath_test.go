package gateway_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
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
func restEventFor(t *testing.T, cfg gateway.RESTAPIConfig, r *http.Request) []byte {
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
			cfg := gateway.HTTPAPIConfig{Format: format, Routes: []string{"GET /admin", "GET /{page}", "GET /files/{page+}"}}
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
	cfg := gateway.RESTAPIConfig{Routes: []string{"GET /admin", "GET /{page}", "GET /files/{page+}"}}
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
			{name: "HTTP API", event: eventFor(t, gateway.HTTPAPIConfig{Routes: tt.routes}, r)},
			{name: "REST API", event: restEventFor(t, gateway.RESTAPIConfig{Routes: tt.routes}, r)},
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
	fallback := eventFor(t, gateway.HTTPAPIConfig{Routes: []string{"GET /admin", "$default"}}, httptest.NewRequest("HEAD", "/admin", nil))
	if key := readPaths(t, fallback).RouteKey; key != "$default" {
		t.Errorf("beside $default: taken by %q", key)
	}
}

// What a function makes of its own address has to lead back to it.
func TestDomainNameKeepsThePort(t *testing.T) {
	r := httptest.NewRequest("GET", "/", nil)
	r.Host = "127.0.0.1:8080"
	for name, event := range map[string][]byte{
		"format 2.0": eventFor(t, gateway.HTTPAPIConfig{}, r),
		"format 1.0": eventFor(t, gateway.HTTPAPIConfig{Format: "1.0"}, r),
		"REST API":   restEventFor(t, gateway.RESTAPIConfig{}, r),
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
		if got := sample.Of(guard.Authorizer, tt.variant).Get("/methodArn"); got != tt.arn {
			t.Errorf("%s: %v, want %s", tt.variant, got, tt.arn)
		}
	}
}

func TestStageAndBasePathStandWhereTheServicesHaveThem(t *testing.T) {
	routes := []string{"GET /", "GET /orders/{id}"}
	type api = gateway.HTTPAPIConfig
	for _, tt := range []struct {
		name     string
		cfg      gateway.HTTPAPIConfig
		target   string
		path     string // in the event of format 2.0; "" when the function is not called
		path1    string // of format 1.0
		status   int
		variable string
	}{
		{name: "its own address", cfg: api{Stage: "dev", StageInPath: true}, target: "/dev/orders/1", path: "/dev/orders/1", path1: "/dev/orders/1", variable: "1"},
		{name: "the root of its own address", cfg: api{Stage: "dev", StageInPath: true}, target: "/dev", path: "/dev", path1: "/dev"},
		{name: "another stage", cfg: api{Stage: "dev", StageInPath: true}, target: "/prod/orders/1", status: 404},
		{name: "a stage's name that goes on", cfg: api{Stage: "dev", StageInPath: true}, target: "/develop/orders/1", status: 404},
		{name: "the default stage", cfg: api{StageInPath: true}, target: "/orders/1", path: "/orders/1", path1: "/orders/1", variable: "1"},
		{name: "a domain", cfg: api{Stage: "dev"}, target: "/orders/1", path: "/orders/1", path1: "/orders/1", variable: "1"},
		{name: "a base path", cfg: api{BasePath: "shop/v1"}, target: "/shop/v1/orders/1", path: "/orders/1", path1: "/shop/v1/orders/1", variable: "1"},
		{name: "the root of a base path", cfg: api{BasePath: "v1"}, target: "/v1", path: "/", path1: "/v1"},
		{name: "another base path", cfg: api{BasePath: "v1"}, target: "/v2/orders/1", status: 403},
		{name: "a base path that goes on", cfg: api{BasePath: "v1"}, target: "/v1x/orders/1", status: 403},
		{name: "kept", cfg: api{BasePath: "v1", DomainPath: gateway.PathAsSent}, target: "/v1/orders/1", path: "/v1/orders/1", path1: "/v1/orders/1", variable: "1"},
		{name: "taken off", cfg: api{BasePath: "v1", DomainPath: gateway.PathOfResource}, target: "/v1/orders/1", path: "/orders/1", path1: "/orders/1", variable: "1"},
		{name: "the stage instead", cfg: api{BasePath: "v1", Stage: "dev", DomainPath: gateway.PathWithStage}, target: "/v1/orders/1", path: "/dev/orders/1", path1: "/dev/orders/1", variable: "1"},
		{name: "the default stage instead", cfg: api{BasePath: "v1", DomainPath: gateway.PathWithStage}, target: "/v1/orders/1", path: "/orders/1", path1: "/orders/1", variable: "1"},
	} {
		for format, want := range map[string]string{"2.0": tt.path, "1.0": tt.path1} {
			cfg := tt.cfg
			cfg.Format, cfg.Routes = format, routes
			r := httptest.NewRequest("GET", tt.target, nil)
			if tt.status != 0 {
				w := httptest.NewRecorder()
				newAPI(t, answering(`{}`), cfg).ServeHTTP(w, r)
				if w.Code != tt.status {
					t.Errorf("%s: %d, want %d", tt.name, w.Code, tt.status)
				}
				continue
			}
			p := readPaths(t, eventFor(t, cfg, r))
			got, context := p.RawPath, p.RequestContext.HTTP.Path
			if format == "1.0" {
				got, context = p.Path, p.RequestContext.Path
			}
			if got != want || context != want || p.PathParameters["id"] != tt.variable {
				t.Errorf("%s, format %s: path %q and %q with %q, want %q with %q", tt.name, format, got, context, p.PathParameters["id"], want, tt.variable)
			}
		}
	}
	type rest = gateway.RESTAPIConfig
	for _, tt := range []struct {
		name          string
		cfg           gateway.RESTAPIConfig
		target        string
		path, context string // "" when the function is not called
	}{
		{name: "its own address", cfg: rest{Stage: "dev", StageInPath: true}, target: "/dev/orders/1", path: "/orders/1", context: "/dev/orders/1"},
		{name: "a slash at the end", cfg: rest{Stage: "dev", StageInPath: true}, target: "/dev/orders/1/", path: "/orders/1/", context: "/dev/orders/1/"},
		{name: "slashes after the stage", cfg: rest{Stage: "dev", StageInPath: true}, target: "/dev//orders/1", path: "/orders/1", context: "/dev//orders/1"},
		{name: "the root", cfg: rest{StageInPath: true}, target: "/prod", path: "/", context: "/prod"},
		{name: "another stage", cfg: rest{Stage: "dev", StageInPath: true}, target: "/prod/orders/1"},
		{name: "a domain", cfg: rest{Stage: "dev"}, target: "/orders/1", path: "/orders/1", context: "/orders/1"},
		{name: "a base path", cfg: rest{BasePath: "/v1/"}, target: "/v1/orders/1", path: "/v1/orders/1", context: "/v1/orders/1"},
		{name: "a base path without a stage", cfg: rest{BasePath: "v1", StageInPath: true}, target: "/v1/prod/orders/1", path: "/v1/prod/orders/1", context: "/v1/prod/orders/1"},
		{name: "another base path", cfg: rest{BasePath: "v1"}, target: "/v2/orders/1"},
	} {
		tt.cfg.Routes = routes
		r := httptest.NewRequest("GET", tt.target, nil)
		if tt.path == "" {
			w := httptest.NewRecorder()
			newREST(t, answering(`{}`), tt.cfg).ServeHTTP(w, r)
			if w.Code != 403 || w.Body.String() != `{"message":"Forbidden"}` {
				t.Errorf("REST, %s: %d %s, want 403", tt.name, w.Code, w.Body)
			}
			continue
		}
		p := readPaths(t, restEventFor(t, tt.cfg, r))
		if p.Path != tt.path || p.RequestContext.Path != tt.context {
			t.Errorf("REST, %s: path %q and %q, want %q and %q", tt.name, p.Path, p.RequestContext.Path, tt.path, tt.context)
		}
	}
}

// What public sources tell in two ways, or not at all, can be had in each.
func TestEachWayOfReadingAPathCanBeChosen(t *testing.T) {
	routes := []string{"GET /", "GET /admin", "GET /{page}", "GET /files/{page+}"}
	type api = gateway.HTTPAPIConfig
	for _, tt := range []struct {
		name, target          string
		cfg                   gateway.HTTPAPIConfig
		route, variable, path string // the route is "" when there is none
	}{
		{name: "decoded", target: "/%61dmin", cfg: api{}, route: "GET /admin", path: "/admin"},
		{name: "decoded segments", target: "/%61dmin", cfg: api{Matching: gateway.MatchSegments}, route: "GET /admin", path: "/admin"},
		{name: "sent", target: "/%61dmin", cfg: api{Matching: gateway.MatchSent}, route: "GET /{page}", variable: "admin", path: "/admin"},
		{name: "an escaped slash, decoded", target: "/a%2Fb", cfg: api{}},
		{name: "an escaped slash, by segments", target: "/a%2Fb", cfg: api{Matching: gateway.MatchSegments}, route: "GET /{page}", variable: "a/b", path: "/a/b"},
		{name: "several slashes", target: "/files//a//b", cfg: api{}, route: "GET /files/{page+}", variable: "a/b", path: "/files/a/b"},
		{name: "several slashes, escaped", target: "/files/%2F%2Fa", cfg: api{}, route: "GET /files/{page+}", variable: "a", path: "/files/a"},
		{name: "several slashes, kept", target: "/files//a", cfg: api{KeepSlashes: true}, route: "GET /files/{page+}", variable: "/a", path: "/files//a"},
		{name: "slashes before the path, kept", target: "//admin", cfg: api{KeepSlashes: true}, path: "//admin"},
		{name: "an escaped prefix, sent", target: "/%64ev/%61dmin", cfg: api{Stage: "dev", StageInPath: true, Matching: gateway.MatchSent}, route: "GET /{page}", variable: "admin", path: "/dev/admin"},
		{name: "an escaped prefix, by segments", target: "/v%31/x/%61dmin", cfg: api{BasePath: "v1/x", Matching: gateway.MatchSegments}, route: "GET /admin", path: "/admin"},
		{name: "an escaped slash after the stage, sent", target: "/dev%2Fadmin", cfg: api{Stage: "dev", StageInPath: true, Matching: gateway.MatchSent}},
		{name: "an escaped slash after the stage, decoded", target: "/dev%2Fadmin", cfg: api{Stage: "dev", StageInPath: true}, route: "GET /admin", path: "/dev/admin"},
		{name: "slashes after the stage, kept", target: "/dev//admin", cfg: api{Stage: "dev", StageInPath: true, KeepSlashes: true}},
		{name: "slashes after the stage", target: "/dev//admin", cfg: api{Stage: "dev", StageInPath: true}, route: "GET /admin", path: "/dev/admin"},
		{name: "a slash at the end", target: "/admin/", cfg: api{}},
		{name: "a slash at the end, ignored", target: "/admin/", cfg: api{IgnoreTrailingSlash: true}, route: "GET /admin", path: "/admin/"},
		{name: "a question mark", target: "/admin%3Fx=1", cfg: api{}, route: "GET /admin", path: "/admin"},
		{name: "a fragment", target: "/a%23b", cfg: api{}, route: "GET /{page}", variable: "a#b", path: "/a#b"},
	} {
		tt.cfg.Routes = routes
		event := eventFor(t, tt.cfg, httptest.NewRequest("GET", "http://api.example.com"+tt.target, nil))
		if tt.route == "" {
			if event != nil {
				t.Errorf("%s: the function is called with %s", tt.name, event)
			}
			continue
		}
		if p := readPaths(t, event); p.RouteKey != tt.route || p.PathParameters["page"] != tt.variable || p.RawPath != tt.path {
			t.Errorf("%s: path %q of %q with %q, want %q of %q with %q", tt.name, p.RawPath, p.RouteKey, p.PathParameters["page"], tt.path, tt.route, tt.variable)
		}
	}
	type rest = gateway.RESTAPIConfig
	for _, tt := range []struct {
		name, target       string
		cfg                gateway.RESTAPIConfig
		resource, variable string // the resource is "" when there is none
	}{
		{name: "sent", target: "/%61dmin", cfg: rest{}, resource: "/{page}", variable: "%61dmin"},
		{name: "decoded segments", target: "/%61dmin", cfg: rest{Matching: gateway.MatchSegments}, resource: "/admin"},
		{name: "decoded", target: "/%61dmin", cfg: rest{Matching: gateway.MatchDecoded}, resource: "/admin"},
		{name: "an escaped slash, decoded", target: "/a%2Fb", cfg: rest{Matching: gateway.MatchDecoded}},
		{name: "an escaped slash, sent", target: "/a%2Fb", cfg: rest{}, resource: "/{page}", variable: "a%2Fb"},
		{name: "an escaped slash, sent, parameters decoded", target: "/a%2Fb", cfg: rest{DecodedParameters: true}, resource: "/{page}", variable: "a/b"},
		{name: "an escape of an escape, parameters decoded", target: "/%2561dmin", cfg: rest{DecodedParameters: true}, resource: "/{page}", variable: "%61dmin"},
		{name: "a slash at the end of a greedy variable", target: "/files/a/b/", cfg: rest{}, resource: "/files/{page+}", variable: "a/b"},
		{name: "slashes within", target: "/files/a//b", cfg: rest{}, resource: "/files/{page+}", variable: "a//b"},
	} {
		tt.cfg.Routes = routes
		event := restEventFor(t, tt.cfg, httptest.NewRequest("GET", tt.target, nil))
		if tt.resource == "" {
			if event != nil {
				t.Errorf("REST, %s: the function is called with %s", tt.name, event)
			}
			continue
		}
		if p := readPaths(t, event); p.Resource != tt.resource || p.PathParameters["page"] != tt.variable || p.Path != tt.target {
			t.Errorf("REST, %s: path %q of %q with %q, want %q of %q with %q", tt.name, p.Path, p.Resource, p.PathParameters["page"], tt.target, tt.resource, tt.variable)
		}
	}
}

func TestHeaderNamesAreSpeltAsTheServicesSpellThem(t *testing.T) {
	r := httptest.NewRequest("POST", "/", nil)
	r.Header = http.Header{"content-type": {"text/plain"}, "tEsT-HEADeR": {"a"}, "aUThorization": {"b"}, "X-Two": {"1"}, "x-two": {"2"}}
	for name, tt := range map[string]struct {
		event []byte
		want  map[string]string
	}{
		"REST API": {
			event: restEventFor(t, gateway.RESTAPIConfig{}, r),
			want:  map[string]string{"content-type": "text/plain", "tEsT-HEADeR": "a", "Authorization": "b"},
		},
		"format 2.0": {
			event: eventFor(t, gateway.HTTPAPIConfig{}, r),
			want:  map[string]string{"content-type": "text/plain", "test-header": "a", "authorization": "b", "x-two": "1,2"},
		},
		"format 1.0": {
			event: eventFor(t, gateway.HTTPAPIConfig{Format: "1.0"}, r),
			want:  map[string]string{"content-type": "text/plain", "test-header": "a", "authorization": "b", "x-two": "2"},
		},
	} {
		var event struct{ Headers map[string]string }
		if err := json.Unmarshal(tt.event, &event); err != nil {
			t.Fatal(err)
		}
		for header, want := range tt.want {
			if got := event.Headers[header]; got != want {
				t.Errorf("%s: %s is %q, want %q, in %v", name, header, got, want, event.Headers)
			}
		}
	}
}
