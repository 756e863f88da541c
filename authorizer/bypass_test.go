package authorizer_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// says is a page that says which one it is.
func says(name string) lambda.Handler {
	return httpapi.Func(func(context.Context, struct{}) (string, error) { return name, nil })
}

// openPages lets everyone see a page, and nobody the admins'.
func openPages() authorizer.Check {
	return authorizer.Routes(map[string]authorizer.Check{
		"GET /{page}": grants(&authorizer.Grant{Principal: "anyone"}),
		"GET /admin":  fails(guard.Errorf(guard.Forbidden, "not_admin", "Admins alone.")),
		"$default":    grants(&authorizer.Grant{Principal: "anyone"}),
	})
}

func pages() lambda.Handler {
	return httpapi.Routes(map[string]lambda.Handler{
		"GET /{page}": says("a page"),
		"GET /admin":  says("the admins' page"),
		"/":           says("something else"),
	})
}

func pagesOfAMux() lambda.Handler {
	mux := http.NewServeMux()
	for pattern, text := range map[string]string{"GET /{page}": "a page", "GET /admin": "the admins' page", "/": "something else"} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })
	}
	return httpapi.Serve(mux)
}

// behind is a function with layers around it.
func behind(h lambda.Handler, layers ...guard.Middleware) guardtest.Invoker {
	return guardtest.NewInProcess(guard.Wrap(h, append([]guard.Middleware{httpapi.Problems(), guard.Recover()}, layers...)...), guardtest.Config{})
}

// A path that was decoded once is another one than the path that it decodes to.
func TestNoSpellingOfAPathPassesTheCheckOfAnother(t *testing.T) {
	routes := []string{"GET /{page}", "GET /admin", "$default"}
	simple := &gateway.Authorizer{Function: guarded(authorizer.Simple(openPages()), io.Discard), SimpleResponses: true}
	var apis []func(t *testing.T) (string, *httptest.Server)
	for _, format := range []string{"2.0", "1.0"} {
		for name, fn := range map[string]lambda.Handler{"Routes": pages(), "Serve": pagesOfAMux()} {
			for _, keys := range [][]string{routes, nil} {
				apis = append(apis, func(t *testing.T) (string, *httptest.Server) {
					api, err := gateway.NewHTTPAPI(behind(fn, authorizer.Require(openPages())), gateway.HTTPAPIConfig{Routes: keys, Format: format})
					return name + " behind Require " + format, serve(t, api, err)
				}, func(t *testing.T) (string, *httptest.Server) {
					a := *simple
					api, err := gateway.NewHTTPAPI(behind(fn, authorizer.FromGateway()), gateway.HTTPAPIConfig{Routes: keys, Format: format, Authorizer: &a})
					return name + " behind Simple " + format, serve(t, api, err)
				})
			}
		}
	}
	for name, fn := range map[string]lambda.Handler{"Routes": pages(), "Serve": pagesOfAMux()} {
		apis = append(apis, func(t *testing.T) (string, *httptest.Server) {
			api, err := gateway.NewHTTPAPI(behind(fn, authorizer.Require(openPages())), gateway.HTTPAPIConfig{FunctionURL: true})
			return name + " of a function URL", serve(t, api, err)
		}, func(t *testing.T) (string, *httptest.Server) {
			api, err := gateway.NewRESTAPI(behind(fn, authorizer.Require(openPages())), gateway.RESTAPIConfig{Routes: []string{"ANY /{proxy+}"}})
			return name + " of a REST API", serve(t, api, err)
		})
	}
	for _, open := range apis {
		name, server := open(t)
		for _, target := range []string{"/%2561dmin", "/%25%36%31dmin", "/%61dmin", "/admin", "/admin/", "//admin", "/./admin", "/x/../admin", "/%2e/admin", "/x/%2e%2e/admin", "/%2Fadmin", "/admin%2F", "/%5Cadmin", "/admin%00", "/admin%0A"} {
			status, body := call(t, server, "GET "+target, "")
			if status == 200 && strings.Contains(body, "the admins' page") {
				t.Errorf("%s: GET %s: got the admins' page", name, target)
			}
		}
		if status, body := call(t, server, "GET /about", ""); status != 200 || !strings.Contains(body, "a page") {
			t.Errorf("%s: GET /about: got %d %s, want a page", name, status, body)
		}
	}
}

// The handler of GET answers HEAD as well.
func TestHEADIsHeldToTheCheckOfGET(t *testing.T) {
	check := func() authorizer.Check {
		return authorizer.Routes(map[string]authorizer.Check{
			"GET /admin":    fails(guard.Errorf(guard.Forbidden, "not_admin", "Admins alone.")),
			"ANY /{proxy+}": grants(&authorizer.Grant{Principal: "anyone"}),
			"$default":      grants(&authorizer.Grant{Principal: "anyone"}),
		})
	}
	for _, keys := range [][]string{{"GET /admin", "ANY /{proxy+}"}, {"ANY /admin"}, {"GET /admin", "$default"}, nil} {
		ran := false
		fn := httpapi.Routes(map[string]lambda.Handler{
			"GET /admin": httpapi.Func(func(context.Context, struct{}) (string, error) {
				ran = true
				return "admins", nil
			}),
			"/": says("something else"),
		})
		for name, api := range map[string]func() (*gateway.HTTPAPI, error){
			"Require": func() (*gateway.HTTPAPI, error) {
				return gateway.NewHTTPAPI(behind(fn, authorizer.Require(check())), gateway.HTTPAPIConfig{Routes: keys})
			},
			"Simple": func() (*gateway.HTTPAPI, error) {
				return gateway.NewHTTPAPI(behind(fn, authorizer.FromGateway()), gateway.HTTPAPIConfig{Routes: keys, Authorizer: &gateway.Authorizer{
					Function: guarded(authorizer.Simple(check()), io.Discard), SimpleResponses: true,
				}})
			},
			"Policy": func() (*gateway.HTTPAPI, error) {
				return gateway.NewHTTPAPI(behind(fn, authorizer.FromGateway()), gateway.HTTPAPIConfig{Routes: keys, Authorizer: &gateway.Authorizer{
					Function: guarded(authorizer.Policy(check()), io.Discard),
				}})
			},
		} {
			a, err := api()
			status, _ := call(t, serve(t, a, err), "HEAD /admin", "")
			if ran || status == 200 {
				t.Errorf("%s, routes %q: got %d, ran %t, want HEAD refused as GET is", name, keys, status, ran)
			}
			ran = false
		}
	}
}

// An id may have any letters, however they have to be escaped on the way.
func TestIdsWithAnEscapeWork(t *testing.T) {
	check := authorizer.Routes(map[string]authorizer.Check{"GET /users/{name}": grants(&authorizer.Grant{Principal: "anyone"})})
	fn := httpapi.Routes(map[string]lambda.Handler{
		"GET /users/{name}": httpapi.Func(func(ctx context.Context, _ struct{}) (string, error) {
			r, _ := httpapi.RequestFrom(ctx)
			return r.PathValue("name"), nil
		}),
	})
	inner := behind(fn, authorizer.Require(check))
	url, err := gateway.NewHTTPAPI(inner, gateway.HTTPAPIConfig{FunctionURL: true})
	if err != nil {
		t.Fatal(err)
	}
	rest, err := gateway.NewRESTAPI(inner, gateway.RESTAPIConfig{Routes: []string{"ANY /{proxy+}", "GET /users/{name}"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, cfg := range map[string]gateway.HTTPAPIConfig{
		"2.0": {}, "1.0": {Format: "1.0"}, "2.0 by route": {Routes: []string{"GET /users/{name}"}}, "1.0 by route": {Routes: []string{"GET /users/{name}"}, Format: "1.0"},
		"2.0 greedy": {Routes: []string{"ANY /{proxy+}"}},
	} {
		api, err := gateway.NewHTTPAPI(inner, cfg)
		idsWithAnEscape(t, name, serve(t, api, err))
	}
	idsWithAnEscape(t, "function URL", serve(t, url, nil))
	idsWithAnEscape(t, "REST", serve(t, rest, nil))
}

func idsWithAnEscape(t *testing.T, name string, server *httptest.Server) {
	t.Helper()
	for escaped, want := range map[string]string{"M%C3%BCller": "Müller", "a%20b": "a b", "a+b": "a+b", "plain": "plain"} {
		status, body := call(t, server, "GET /users/"+escaped, "")
		var got string
		if json.Unmarshal([]byte(body), &got); status != 200 || got != want {
			t.Errorf("%s: GET /users/%s: got %d %s, want %q", name, escaped, status, body, want)
		}
	}
}

// A client that knows what somebody else's decision is kept by must not be able
// to have a refusal kept in its place.
func TestNobodyElsesRequestIsKeptAsADenial(t *testing.T) {
	for _, tt := range []struct {
		name    string
		check   authorizer.Check
		sources []string
		attack  http.Header
	}{
		{
			name: "the route's text in a header of no meaning", check: userRoutes(), sources: byTokenAndRoute,
			attack: http.Header{"X-Junk": {"GET /list-users"}},
		},
		{
			name: "the key in a second header", sources: []string{"$request.header.X-Api-Key"},
			check:  authorizer.APIKey("X-Api-Key", tokens{"user": {Principal: "ursula"}}),
			attack: http.Header{"X-Junk": {"user"}},
		},
		{
			name: "the address behind a proxy", sources: []string{"$context.identity.sourceIp"}, check: authorizer.SourceIP("127.0.0.0/8"),
			attack: http.Header{"X-Forwarded-For": {"127.0.0.1, 192.0.2.1"}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			api, err := gateway.NewHTTPAPI(allowAll(), gateway.HTTPAPIConfig{
				Routes: []string{"GET /list-users", "GET /list-admins"},
				Authorizer: &gateway.Authorizer{
					Function: guarded(authorizer.Simple(tt.check), io.Discard), SimpleResponses: true, IdentitySources: tt.sources, TTL: time.Minute,
				},
			})
			server := serve(t, api, err)
			get := func(extra http.Header) int {
				req, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+"/list-users", nil)
				if err != nil {
					t.Fatal(err)
				}
				req.Header = extra.Clone()
				if req.Header == nil {
					req.Header = http.Header{}
				}
				req.Host = "api.shop.example"
				req.Header.Set("Authorization", "Bearer user")
				req.Header.Set("X-Api-Key", "user")
				res, err := server.Client().Do(req)
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				return res.StatusCode
			}
			attacked := get(tt.attack)
			if got := get(nil); got != 200 {
				t.Errorf("got %d after another's request (which got %d), want 200", got, attacked)
			}
		})
	}
}

// What an edge adds to a request is not the client's to leave out.
func TestAnyCountsWhatAnEdgeSets(t *testing.T) {
	check := authorizer.Any(
		looks(func(r *authorizer.Request) bool { return r.Header("X-Waf-Verdict") == "trusted" }),
		authorizer.Bearer(alice()),
	)
	event := sample.Of(guard.Authorizer)
	if out, r, err := ask(t, authorizer.Simple(check), event); err != nil {
		t.Errorf("got %s, %v, %v, want what a client may send to be forgotten", out, r, err)
	}
	out, r, err := ask(t, authorizer.Simple(check, authorizer.EdgeHeaders("x-waf-verdict")), event)
	if err == nil || r.code() != "authorizer_cache_hazard" {
		t.Errorf("got %s, %s, %v, want authorizer_cache_hazard", out, r.code(), err)
	}
}

// AWS's own examples of TOKEN events have "*" for the stage.
func TestATokenEventMayHaveAnyStage(t *testing.T) {
	event := sample.Of(guard.Authorizer, "token").Set("/methodArn", "arn:aws:execute-api:us-west-2:123456789012:ymy8tbxw7b/*/GET/")
	for name, want := range map[string]outcome{token: allow, "another": unauthorized} {
		got, _, _ := ask(t, authorizer.Policy(authorizer.Bearer(alice())), event.Set("/authorizationToken", "Bearer "+name))
		if want == allow && !strings.Contains(got, `"Effect":"Allow"`) {
			t.Errorf("with %s: got %s, want it allowed", name, got)
		}
	}
	out, r, err := ask(t, authorizer.Policy(fails(guard.Errorf(guard.Forbidden, "no", "No."))), event)
	if err != nil || !strings.Contains(out, `"Effect":"Deny"`) {
		t.Errorf("got %s, %s, %v, want a denial", out, r.code(), err)
	}
}

// Whatever it was that refused the call, time may mend it.
func TestAppSyncKeepsNoDenial(t *testing.T) {
	for name, err := range map[string]error{
		"unauthenticated": guard.Errorf(guard.Unauthenticated, "token_not_yet_valid", "Not yet."),
		"forbidden":       guard.Errorf(guard.Forbidden, "no", "No."),
	} {
		out, _, _ := ask(t, authorizer.AppSync(fails(err)), sample.Of(guard.Authorizer, "appsync"))
		if out != `{"isAuthorized":false,"ttlOverride":0}` {
			t.Errorf("%s: got %s, want a denial that is not kept", name, out)
		}
	}
}

// An escaped slash behind a refused route may be that route to a gateway.
func TestAPolicyDeniesAnEscapedSlashBehindARefusedRoute(t *testing.T) {
	check := authorizer.All(authorizer.Bearer(alice("read")), authorizer.Routes(map[string]authorizer.Check{
		"GET /x":      authorizer.Scopes("admin"),
		"GET /x/{id}": authorizer.Scopes("read"),
	}))
	const base = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/GET/"
	event := sample.Of(guard.Authorizer).
		Set("/routeArn", base+"x/1").Set("/routeKey", "GET /x/{id}").Set("/requestContext/routeKey", "GET /x/{id}").
		Set("/rawPath", "/x/1").Set("/requestContext/http/path", "/x/1").Set("/requestContext/http/method", "GET").
		Set("/pathParameters", map[string]string{"id": "1"}).Set("/identitySource", []string{bearer})
	out, r, err := ask(t, authorizer.Policy(check, authorizer.CompleteRoutes()), event)
	if err != nil {
		t.Fatalf("%s: %v", r.code(), err)
	}
	var a answer
	if err := json.Unmarshal([]byte(out), &a); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{"x/1": true, "x/%2F": false, "x/%2f": false, "x/": false, "x": false} {
		if got := a.Policy.allows(base + path); got != want {
			t.Errorf("GET /%s: got allowed %t, want %t", path, got, want)
		}
	}
}

// Each arrangement of the two layers either is refused when it is built, or
// keeps callers apart.
func TestAStoredAnswerIsForItsCallerAlone(t *testing.T) {
	check := authorizer.Bearer(tokens{"alice": {Principal: "alice"}, "bob": {Principal: "bob"}})
	require := authorizer.Require(check)
	once := func() guard.Middleware {
		return idempotency.Once(idempotency.NewMemoryStore(), idempotency.Header("Idempotency-Key"))
	}
	hello := func() lambda.Handler {
		return httpapi.Func(func(ctx context.Context, _ struct{}) (string, error) {
			g, _ := authorizer.GrantFrom(ctx)
			return "for " + g.Principal, nil
		})
	}
	for name, build := range map[string]func() lambda.Handler{
		"Require outside Once": func() lambda.Handler { return guard.Wrap(hello(), httpapi.Problems(), require, once()) },
		"Once outside Require": func() lambda.Handler { return guard.Wrap(hello(), httpapi.Problems(), once(), require) },
		"Require of a route inside Once": func() lambda.Handler {
			return guard.Wrap(httpapi.Routes(map[string]lambda.Handler{"POST /": guard.Wrap(hello(), require)}), httpapi.Problems(), once())
		},
		"a foreign layer between": func() lambda.Handler {
			foreign := func(next lambda.Handler) lambda.Handler { return guard.HandlerFunc(next.Invoke) }
			inner := guard.Chain(foreign)(require(hello()))
			return guard.Wrap(inner, httpapi.Problems(), once())
		},
	} {
		t.Run(name, func(t *testing.T) {
			var h lambda.Handler
			refused := func() (refused any) {
				defer func() { refused = recover() }()
				h = build()
				return nil
			}()
			if refused != nil {
				if text, _ := refused.(string); !strings.Contains(text, "Once") || !strings.Contains(text, "Require") {
					t.Errorf("got the panic %v, want one that names both layers", refused)
				}
				return
			}
			server := serve(t, mustAPI(t, guardtest.NewInProcess(h, guardtest.Config{})), nil)
			for _, who := range []string{"alice", "bob", "", "alice"} {
				req, err := http.NewRequestWithContext(t.Context(), "POST", server.URL+"/", nil)
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Idempotency-Key", "k-1")
				if who != "" {
					req.Header.Set("Authorization", "Bearer "+who)
				}
				res, err := server.Client().Do(req)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(res.Body)
				if err != nil {
					t.Fatal(err)
				}
				_ = res.Body.Close()
				if res.StatusCode < 300 && string(body) != `"for `+who+`"` {
					t.Errorf("%q got %d %s, want an answer of its own or none", who, res.StatusCode, body)
				}
			}
		})
	}
}

func mustAPI(t *testing.T, fn guardtest.Invoker) *gateway.HTTPAPI {
	t.Helper()
	api, err := gateway.NewHTTPAPI(fn, gateway.HTTPAPIConfig{})
	if err != nil {
		t.Fatal(err)
	}
	return api
}
