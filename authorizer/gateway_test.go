package authorizer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

var (
	byToken         = []string{"$request.header.Authorization"}
	byTokenAndRoute = []string{"$request.header.Authorization", "$context.routeKey"}
)

// userRoutes lets everyone list users, and admins alone list admins.
func userRoutes() authorizer.Check {
	return authorizer.All(
		authorizer.Bearer(tokens{
			"user":  {Principal: "ursula", Scopes: []string{"users:read"}},
			"admin": {Principal: "ada", Scopes: []string{"users:read", "admins:read"}},
		}),
		authorizer.Routes(map[string]authorizer.Check{
			"GET /list-users":  authorizer.Scopes("users:read"),
			"GET /list-admins": authorizer.Scopes("admins:read"),
		}),
	)
}

// naive decides by the route as well, and answers as the usual blueprint does.
func naive(ctx context.Context, payload []byte) ([]byte, error) {
	var event struct {
		RouteKey string
		Headers  map[string]string
	}
	err := json.Unmarshal(payload, &event)
	may := event.Headers["authorization"] == "Bearer admin" || event.RouteKey == "GET /list-users"
	if may {
		return []byte(`{"isAuthorized":true}`), err
	}
	return []byte(`{"isAuthorized":false}`), err
}

// logbook is a log that several invocations write to.
type logbook struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *logbook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

// guarded is an authorizer as it is deployed.
func guarded(h lambda.Handler, log io.Writer) guardtest.Invoker {
	h = guard.Wrap(h, guard.Log(logging.New(log)), guard.Errors(), guard.Recover(), guard.Limit(guard.Limits{}), guard.Deadline(300*time.Millisecond))
	return guardtest.NewInProcess(h, guardtest.Config{})
}

// greeter is a backend that answers with the principal.
func greeter() guardtest.Invoker {
	h := httpapi.Func(func(ctx context.Context, _ struct{}) (map[string]string, error) {
		g, _ := authorizer.GrantFrom(ctx)
		return map[string]string{"hello": g.Principal}, nil
	})
	return guardtest.NewInProcess(guard.Wrap(h, httpapi.Problems(), guard.Recover(), authorizer.FromGateway()), guardtest.Config{})
}

// call sends one request over HTTP.
func call(t *testing.T, server *httptest.Server, target, authorization string) (int, string) {
	t.Helper()
	method, path, _ := strings.Cut(target, " ")
	req, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	res, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func serve(t *testing.T, h http.Handler, err error) *httptest.Server {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server
}

// The hole: a gateway keeps a simple response for the token, and answers every
// route with it.
func TestTheGatewaysCacheOpensNoOtherRoute(t *testing.T) {
	const ttl = 5 * time.Minute
	for _, tt := range []struct {
		name          string
		authorizer    lambda.Handler
		sources       []string
		ttl           time.Duration
		users, admins int // status of the two calls of one who may list users
		fix           string
	}{
		{
			name:       "a naive one, by the token alone, lets the user in",
			authorizer: guard.HandlerFunc(naive),
			sources:    byToken,
			ttl:        ttl,
			users:      200,
			admins:     200,
		},
		{
			name:       "ours refuses and says why",
			authorizer: authorizer.Simple(userRoutes()),
			sources:    byToken,
			ttl:        ttl,
			users:      500,
			admins:     500,
			fix:        "add $context.routeKey to the authorizer's identity sources",
		},
		{
			name:       "a naive one, by the route too",
			authorizer: guard.HandlerFunc(naive),
			sources:    byTokenAndRoute,
			ttl:        ttl,
			users:      200,
			admins:     403,
		},
		{
			name:       "ours, by the route too",
			authorizer: authorizer.Simple(userRoutes()),
			sources:    byTokenAndRoute,
			ttl:        ttl,
			users:      200,
			admins:     403,
		},
		{
			name:       "ours, without a cache",
			authorizer: authorizer.Simple(userRoutes(), authorizer.Uncached()),
			sources:    byToken,
			users:      200,
			admins:     403,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log := new(logbook)
			api, err := gateway.NewHTTPAPI(allowAll(), gateway.HTTPAPIConfig{
				Routes: []string{"GET /list-users", "GET /list-admins"},
				Authorizer: &gateway.Authorizer{
					Function: guarded(tt.authorizer, log), SimpleResponses: true, IdentitySources: tt.sources, TTL: tt.ttl,
				},
			})
			server := serve(t, api, err)
			for range 2 { // the second time from the cache
				users, _ := call(t, server, "GET /list-users", "Bearer user")
				admins, _ := call(t, server, "GET /list-admins", "Bearer user")
				if users != tt.users || admins != tt.admins {
					t.Errorf("users %d, admins %d, want %d and %d", users, admins, tt.users, tt.admins)
				}
			}
			if hazard := strings.Contains(log.String(), `"code":"authorizer_cache_hazard"`); hazard != (tt.fix != "") || !strings.Contains(log.String(), tt.fix) {
				t.Errorf("the log: %s", log.String())
			}
			if strings.Contains(log.String(), "Bearer user") {
				t.Errorf("the credential is in the log: %s", log.String())
			}
		})
	}
}

// allowAll is a backend that asks nothing.
func allowAll() guardtest.Invoker {
	return guardtest.NewInProcess(guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return []byte(`"hello"`), nil }), guardtest.Config{})
}

func TestAGrantTravelsThroughAnHTTPAPI(t *testing.T) {
	for _, tt := range []struct {
		name       string
		authorizer gateway.Authorizer
	}{
		{
			name:       "simple",
			authorizer: gateway.Authorizer{Function: guarded(authorizer.Simple(userRoutes()), io.Discard), SimpleResponses: true, IdentitySources: byTokenAndRoute, TTL: time.Minute},
		},
		{
			name:       "policy 2.0",
			authorizer: gateway.Authorizer{Function: guarded(authorizer.Policy(userRoutes()), io.Discard), IdentitySources: byToken, TTL: time.Minute},
		},
		{
			name:       "policy 1.0",
			authorizer: gateway.Authorizer{Function: guarded(authorizer.Policy(userRoutes()), io.Discard), IdentitySources: byToken, TTL: time.Minute, Format: "1.0"},
		},
		{
			name:       "policy 2.0 by the route",
			authorizer: gateway.Authorizer{Function: guarded(authorizer.Policy(userRoutes()), io.Discard), IdentitySources: byTokenAndRoute, TTL: time.Minute},
		},
		{
			name:       "policy, no cache",
			authorizer: gateway.Authorizer{Function: guarded(authorizer.Policy(userRoutes(), authorizer.Uncached()), io.Discard), IdentitySources: byToken},
		},
		{
			name:       "policy, no identity sources",
			authorizer: gateway.Authorizer{Function: guarded(authorizer.Policy(userRoutes()), io.Discard)},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			simple := tt.authorizer.SimpleResponses
			for _, format := range []string{"2.0", "1.0"} {
				a := tt.authorizer
				api, err := gateway.NewHTTPAPI(greeter(), gateway.HTTPAPIConfig{
					Routes: []string{"GET /list-users", "GET /list-admins"}, Format: format, Authorizer: &a,
				})
				server := serve(t, api, err)
				bad := 401
				if simple {
					bad = 403
				}
				for range 2 {
					mustCall(t, server, "GET /list-users", "Bearer user", 200, `{"hello":"ursula"}`)
					mustCall(t, server, "GET /list-admins", "Bearer user", 403, "")
					mustCall(t, server, "GET /list-users", "Bearer admin", 200, `{"hello":"ada"}`)
					mustCall(t, server, "GET /list-admins", "Bearer admin", 200, `{"hello":"ada"}`)
					mustCall(t, server, "GET /list-admins", "Bearer nobody", bad, "")
					mustCall(t, server, "GET /list-admins", "Basic dTpw", bad, "")
					mustCall(t, server, "GET /list-users", "Bearer a,b", bad, "")
					if len(a.IdentitySources) > 0 {
						mustCall(t, server, "GET /list-users", "", 401, "")
					}
				}
			}
		})
	}
}

func mustCall(t *testing.T, server *httptest.Server, target, authorization string, status int, body string) {
	t.Helper()
	got, text := call(t, server, target, authorization)
	if got != status || body != "" && text != body {
		t.Errorf("%s with %q: %d %s, want %d %s", target, authorization, got, text, status, body)
	}
}

func TestAPolicyOfARESTAPICoversWhatTheCheckAllows(t *testing.T) {
	restSources := []string{"method.request.header.Authorization"}
	for _, tt := range []struct {
		name       string
		authorizer gateway.RESTAuthorizer
	}{
		{name: "TOKEN", authorizer: gateway.RESTAuthorizer{Function: guarded(authorizer.Policy(userRoutes()), io.Discard)}},
		{name: "REQUEST", authorizer: gateway.RESTAuthorizer{
			Function: guarded(authorizer.Policy(userRoutes(), authorizer.IdentitySources(restSources...)), io.Discard), Type: "REQUEST", IdentitySources: restSources,
		}},
		{name: "REQUEST without a cache", authorizer: gateway.RESTAuthorizer{
			Function: guarded(authorizer.Policy(userRoutes(), authorizer.Uncached()), io.Discard), Type: "REQUEST", IdentitySources: restSources, TTL: -1,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, first := range []string{"GET /list-users", "GET /list-admins"} {
				a := tt.authorizer
				api, err := gateway.NewRESTAPI(greeter(), gateway.RESTAPIConfig{
					Routes: []string{"GET /list-users", "GET /list-admins", "GET /list-guests"}, Authorizer: &a,
				})
				server := serve(t, api, err)
				call(t, server, first, "Bearer user") // whatever it was that was kept first
				for range 2 {
					mustCall(t, server, "GET /list-users", "Bearer user", 200, `{"hello":"ursula"}`)
					mustCall(t, server, "GET /list-admins", "Bearer user", 403, "")
					mustCall(t, server, "GET /list-guests", "Bearer user", 403, "")
					mustCall(t, server, "GET /list-admins", "Bearer admin", 200, `{"hello":"ada"}`)
					mustCall(t, server, "GET /list-users", "Bearer nobody", 401, "")
					mustCall(t, server, "GET /list-users", "", 401, "")
				}
			}
		})
	}
}

// One answer of the authorizer serves every order of a caller, and nothing else.
func TestOnePolicyServesARouteWithAParameter(t *testing.T) {
	table := map[string]authorizer.Check{
		"GET /orders":             authorizer.Scopes("read"),
		"POST /orders":            authorizer.Scopes("write"),
		"GET /orders/export":      authorizer.Scopes("export"),
		"GET /orders/{id}":        authorizer.Scopes("read"),
		"DELETE /orders/{id}":     authorizer.Scopes("write"),
		"GET /orders/{id}/items":  authorizer.Scopes("read"),
		"POST /orders/{id}/items": authorizer.Scopes("write"),
	}
	calls := 0
	h := authorizer.Policy(authorizer.All(authorizer.Bearer(alice("read")), authorizer.Routes(table)), authorizer.CompleteRoutes())
	counted := guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
		calls++
		return h.Invoke(ctx, payload)
	})
	for _, first := range []string{"GET /orders/1", "POST /orders", "GET /orders/export"} {
		calls = 0
		api, err := gateway.NewRESTAPI(greeter(), gateway.RESTAPIConfig{
			Routes:     slices.Collect(maps.Keys(table)),
			Authorizer: &gateway.RESTAuthorizer{Function: guarded(counted, io.Discard)},
		})
		server := serve(t, api, err)
		call(t, server, first, bearer)
		for target, status := range map[string]int{
			"GET /orders": 200, "GET /orders/1": 200, "GET /orders/2": 200, "GET /orders/2/items": 200,
			"POST /orders": 403, "GET /orders/export": 403, "DELETE /orders/1": 403, "POST /orders/1/items": 403,
			"GET /orders/1/secrets": 403,
		} {
			mustCall(t, server, target, bearer, status, "")
		}
		if calls != 1 {
			t.Errorf("%s first: the authorizer was asked %d times", first, calls)
		}
	}
}
