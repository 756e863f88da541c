package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
)

func serveREST(t *testing.T, cfg gateway.RESTAuthorizer) site {
	t.Helper()
	return serve(t, newREST(t, authorizerOf, gateway.RESTAPIConfig{Authorizer: &cfg, StageVariables: map[string]string{"env": "test"}}))
}

const (
	notAllowed  = `{"Message":"User is not authorized to access this resource"}`
	deniedByIt  = `{"Message":"User is not authorized to access this resource with an explicit deny"}`
	nullMessage = `{"message":null}`
)

func TestPolicyOfARESTAuthorizerDecides(t *testing.T) {
	const latency = `"integrationLatency":\d+`
	tests := []struct {
		name       string
		authorizer *authorizer
		status     int
		body       string // a pattern
	}{
		{
			name:       "allowed",
			authorizer: answering(policyFor("Allow", apiARN+"prod/GET/orders/42", "")),
			status:     200,
			body:       `{` + latency + `,"principalId":"u-1"}`,
		},
		{
			name:       "allowed with a context, all strings",
			authorizer: answering(policyFor("Allow", "*", `,"context":{"s":"a\"b","n":1.50,"t":true,"z":null}`)),
			status:     200,
			body:       `{` + latency + `,"n":"1.50","principalId":"u-1","s":"a\\"b","t":"true"}`,
		},
		{
			name:       "allowed with an API key",
			authorizer: answering(policyFor("Allow", "*", `,"usageIdentifierKey":"k"`)),
			status:     200,
			body:       `{` + latency + `,"principalId":"u-1"}`,
		},
		{
			name:       "allowed with a string of JSON",
			authorizer: answering(policyFor("Allow", "*", `,"context":{"s":"{}"}`)),
			status:     200,
			body:       `{` + latency + `,"principalId":"u-1","s":"{}"}`,
		},
		{
			name:       "not allowed",
			authorizer: answering(policyFor("Allow", apiARN+"prod/GET/orders/43", "")),
			status:     403,
			body:       regexp.QuoteMeta(notAllowed),
		},
		{name: "denied", authorizer: answering(policyFor("Deny", "*", "")), status: 403, body: regexp.QuoteMeta(deniedByIt)},
		{
			name:       "an object in the context",
			authorizer: answering(policyFor("Allow", "*", `,"context":{"a":{}}`)),
			status:     500,
			body:       regexp.QuoteMeta(nullMessage),
		},
		{
			name:       "an array in the context",
			authorizer: answering(policyFor("Allow", "*", `,"context":{"a":["b"]}`)),
			status:     500,
			body:       regexp.QuoteMeta(nullMessage),
		},
		{
			name:       "an API key that is none",
			authorizer: answering(policyFor("Allow", "*", `,"usageIdentifierKey":1`)),
			status:     500,
			body:       regexp.QuoteMeta(nullMessage),
		},
		{
			name:       "a simple response",
			authorizer: answering(`{"isAuthorized":true}`),
			status:     500,
			body:       regexp.QuoteMeta(nullMessage),
		},
		{name: "no policy", authorizer: answering(`{"principalId":"u-1"}`), status: 500, body: regexp.QuoteMeta(nullMessage)},
		{
			name:       "exactly Unauthorized",
			authorizer: failing(errors.New("Unauthorized")),
			status:     401,
			body:       regexp.QuoteMeta(unauthorized),
		},
		{
			name:       "another error",
			authorizer: failing(errors.New("Unauthorized.")),
			status:     500,
			body:       regexp.QuoteMeta(nullMessage),
		},
	}
	for _, kind := range []gateway.RESTAuthorizer{{}, {Type: "REQUEST", TTL: -1}} {
		for _, tt := range tests {
			kind.Function = tt.authorizer
			status, body := serveREST(t, kind).do("GET /orders/42", "Authorization", "x")
			if status != tt.status || !regexp.MustCompile("^"+tt.body+"$").MatchString(body) {
				t.Errorf("%s %s: %d %s, want %d %s", kind.Type, tt.name, status, body, tt.status, tt.body)
			}
		}
	}
}

func TestTokenThatIsMissingOrOutOfFormIsRefusedWithoutACall(t *testing.T) {
	for _, ttl := range []time.Duration{0, -1} {
		a := answering(policyFor("Allow", "*", ""))
		s := serveREST(t, gateway.RESTAuthorizer{Function: a, IdentitySources: []string{"method.request.header.X-Token"}, TokenValidation: "Bearer [a-z]+|Basic", TTL: ttl})
		for _, token := range []string{"", "Bearer", "Bearer a1", "xBearer a", "Bearer a b", "Basic2"} {
			if status, body := s.do("GET /", "X-Token", token); status != 401 || body != unauthorized {
				t.Errorf("%q: %d %s", token, status, body)
			}
		}
		if status, _ := s.do("GET /"); status != 401 || a.calls.Load() != 0 {
			t.Errorf("no token: %d, %d calls", status, a.calls.Load())
		}
		for _, token := range []string{"Bearer a", "Basic"} {
			if status, body := s.do("GET /", "x-token", token); status != 200 {
				t.Errorf("%q: %d %s", token, status, body)
			}
		}
	}
}

func TestIdentityOfARESTRequestIsRequiredWhileItIsCached(t *testing.T) {
	cfg := gateway.RESTAuthorizer{Type: "REQUEST", IdentitySources: []string{
		"method.request.header.Authorization", "method.request.querystring.tenant", "stageVariables.env", "context.resourcePath",
	}}
	for _, tt := range []struct {
		ttl    time.Duration
		target string
		status int
		calls  int64
	}{
		{target: "GET /", status: 401},
		{target: "GET /?tenant=", status: 401},
		{target: "GET /?tenant=t", status: 200, calls: 1},
		{ttl: -1, target: "GET /", status: 200, calls: 1},
	} {
		a := answering(policyFor("Allow", "*", ""))
		cfg.Function, cfg.TTL = a, tt.ttl
		if status, body := serveREST(t, cfg).do(tt.target, "Authorization", "x"); status != tt.status || a.calls.Load() != tt.calls {
			t.Errorf("%+v: %d %s after %d calls", tt, status, body, a.calls.Load())
		}
	}
}

func TestPolicyOfARESTAuthorizerIsKeptByItsIdentity(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	a := answering(policyFor("Allow", apiARN+"prod/GET/users", `,"context":{"a":"{}"}`))
	s := serveREST(t, gateway.RESTAuthorizer{Function: a, Now: func() time.Time { return now }})
	for i, step := range []struct {
		after  time.Duration
		target string
		token  string
		status int
		calls  int64
	}{
		{target: "GET /users", token: "a", status: 200, calls: 1},
		{target: "GET /admins", token: "a", status: 403, calls: 1}, // evaluated anew
		{target: "GET /users", token: "b", status: 200, calls: 2},
		{after: 5*time.Minute - 1, target: "GET /users", token: "a", status: 200, calls: 2}, // the default of a REST API
		{after: 1, target: "GET /users", token: "a", status: 200, calls: 3},
	} {
		now = now.Add(step.after)
		status, body := s.do(step.target, "Authorization", step.token)
		if status != step.status || a.calls.Load() != step.calls {
			t.Errorf("step %d: %d %s after %d calls", i, status, body, a.calls.Load())
		}
		if i == 3 && body != `{"a":"{}","integrationLatency":0,"principalId":"u-1"}` {
			t.Errorf("from the cache: %s", body)
		}
	}
}

func TestRESTAuthorizersEventIsTheSamples(t *testing.T) {
	for name, cfg := range map[string]gateway.RESTAuthorizer{
		"token":   {},
		"request": {Type: "REQUEST", TTL: -1},
	} {
		a := failing(errors.New("Unauthorized"))
		cfg.Function = a
		r := httptest.NewRequest("GET", "/orders/42?expand=lines", strings.NewReader("a body"))
		r.Header = http.Header{"Authorization": {"Bearer t0k3n"}}
		newREST(t, authorizerOf, gateway.RESTAPIConfig{Routes: []string{"GET /orders/{id}"}, Authorizer: &cfg}).ServeHTTP(httptest.NewRecorder(), r)

		var got, want map[string]any
		if err := errors.Join(json.Unmarshal(*a.event.Load(), &got), json.Unmarshal(sample.Of(guard.Authorizer, name).Bytes(), &want)); err != nil {
			t.Fatal(err)
		}
		delete(got, "multiValueHeaders")
		delete(want, "multiValueHeaders")
		if g, w := slices.Sorted(paths("", got)), slices.Sorted(paths("", want)); !slices.Equal(g, w) {
			t.Errorf("%s: members\n%v, want\n%v", name, g, w)
		}
		for _, member := range []string{"type", "authorizationToken", "resource", "path", "httpMethod"} {
			if got[member] != want[member] {
				t.Errorf("%s: %s is %v, want %v", name, member, got[member], want[member])
			}
		}
		if got["methodArn"] != apiARN+"prod/GET/orders/42" {
			t.Errorf("%s: methodArn is %v", name, got["methodArn"])
		}
	}
	a := failing(errors.New("Unauthorized"))
	serveREST(t, gateway.RESTAuthorizer{Function: a, Type: "REQUEST", TTL: -1}).do("GET /")
	for _, member := range []string{`"queryStringParameters":{}`, `"multiValueQueryStringParameters":{}`, `"pathParameters":{}`, `"stageVariables":{"env":"test"}`, apiARN + `prod/GET/"`} {
		if event := string(*a.event.Load()); !strings.Contains(event, member) {
			t.Errorf("%s is not in %s", member, event)
		}
	}
}

func TestARNOfARESTRequestIsLimited(t *testing.T) {
	a := answering(policyFor("Allow", "*", ""))
	s := serveREST(t, gateway.RESTAuthorizer{Function: a})
	room := 1600 - len(apiARN+"prod/GET/")
	if status, _ := s.do("GET /"+strings.Repeat("a", room), "Authorization", "x"); status != 200 {
		t.Errorf("at the limit: %d", status)
	}
	if status, body := s.do("GET /"+strings.Repeat("a", room+1), "Authorization", "y"); status != 414 || a.calls.Load() != 1 {
		t.Errorf("over the limit: %d %s", status, body)
	}
}

func TestRESTAuthorizerThatTakesTooLongIsAConfigurationError(t *testing.T) {
	var reason error
	s := serveREST(t, gateway.RESTAuthorizer{
		Function: newAuthorizer(func(ctx context.Context, _ json.RawMessage) (any, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}),
		Timeout: time.Millisecond, Failed: func(_ string, err error) { reason = err },
	})
	if status, body := s.do("GET /", "Authorization", "x"); status != 500 || body != nullMessage || !errors.Is(reason, context.DeadlineExceeded) {
		t.Errorf("%d %s, %v", status, body, reason)
	}
}
