package authorizer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/authorizer/policy"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// backend is a function behind layers; it keeps the grant that it is called with.
type backend struct {
	grant *authorizer.Grant
	calls int
}

func (b *backend) handler(log io.Writer, layers ...guard.Middleware) lambda.Handler {
	h := httpapi.Handler(func(ctx context.Context, _ *httpapi.Request) (httpapi.Response, error) {
		b.calls++
		b.grant, _ = authorizer.GrantFrom(ctx)
		return httpapi.Response{Status: 201}, nil
	})
	return guard.Wrap(h, append([]guard.Middleware{guard.Log(logging.New(log)), httpapi.Problems(), guard.Recover()}, layers...)...)
}

type response struct {
	StatusCode int
	Headers    map[string]string
	Body       string
}

func mustRespond(t *testing.T, h lambda.Handler, event sample.Event) (r response) {
	t.Helper()
	out, err := h.Invoke(t.Context(), event.Bytes())
	if err == nil {
		err = json.Unmarshal(out, &r)
	}
	if err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	return r
}

// The gateway's part: what an authorizer has answered stands in the event of
// the function, of a REST API with every value a string.
func TestAGrantTravelsWhole(t *testing.T) {
	expires := time.Now().Add(time.Hour).Truncate(time.Second)
	grant := &authorizer.Grant{
		Principal: "alice", Scopes: []string{"orders:read", "orders:write"}, Groups: []string{"admins", "sales team", "a,b%"},
		Context: map[string]any{"plan": "free", "seats": 3.0, "trial": true}, Expires: expires,
	}
	simple, _, _ := ask(t, authorizer.Simple(grants(grant)), sampleOf(""))
	policy, _, _ := ask(t, authorizer.Policy(grants(grant), authorizer.Uncached()), sampleOf("request"))
	told := parse(t, policy)
	told.Context["principalId"] = told.PrincipalID // as the gateway does
	told.Context["integrationLatency"] = 12
	texts := map[string]any{}
	for name, value := range told.Context {
		text, _ := json.Marshal(value)
		texts[name] = strings.Trim(string(text), `"`)
	}
	for name, event := range map[string]sample.Event{
		"HTTP API":       sample.Of(guard.HTTPAPI).Set("/requestContext/authorizer", map[string]any{"lambda": parse(t, simple).Context}),
		"format 1.0":     sample.Of(guard.HTTPAPI, "format-1.0").Set("/requestContext/authorizer", parse(t, simple).Context),
		"REST":           sample.Of(guard.REST).Set("/requestContext/authorizer", told.Context),
		"REST, as texts": sample.Of(guard.REST).Set("/requestContext/authorizer", texts),
		"WebSocket":      sample.Of(guard.WebSocket).Set("/requestContext/authorizer", told.Context),
	} {
		var got *authorizer.Grant
		var principal string
		h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			got, _ = authorizer.GrantFrom(ctx)
			principal = guard.Principal(ctx)
			return nil, nil
		}), authorizer.FromGateway("plan", "scope"))
		if _, err := h.Invoke(t.Context(), event.Bytes()); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := *grant
		if name == "REST, as texts" {
			want.Context = map[string]any{"plan": "free", "seats": "3", "trial": "true"}
		}
		if !reflect.DeepEqual(got, &want) || principal != "alice" {
			t.Errorf("%s: %+v, want %+v; %s", name, got, want, principal)
		}
	}
}

func TestARequestThatHasComePastTheAuthorizerIsRefused(t *testing.T) {
	http2, http1, rest := sample.Of(guard.HTTPAPI), sample.Of(guard.HTTPAPI, "format-1.0"), sample.Of(guard.REST)
	at := func(e sample.Event, value any) sample.Event { return e.Set("/requestContext/authorizer", value) }
	grant := map[string]any{"principalId": "alice", "plan": "free"}
	for name, tt := range map[string]struct {
		event  sample.Event
		status int
		code   string
	}{
		"allowed":       {event: at(http2, map[string]any{"lambda": grant}), status: 201},
		"allowed, 1.0":  {event: at(http1, grant), status: 201},
		"allowed, REST": {event: at(rest, grant), status: 201},
		"none":          {event: http2, status: 401, code: "authorizer_context_missing"},
		"null":          {event: at(http2, nil), status: 401, code: "authorizer_context_missing"},
		"empty": {
			event:  at(http2, map[string]any{"lambda": map[string]any{}}),
			status: 401,
			code:   "authorizer_context_missing",
		},
		"a null context": {
			event:  at(http2, map[string]any{"lambda": nil}),
			status: 401,
			code:   "authorizer_context_missing",
		},
		"not in its place": {event: at(http2, grant), status: 401, code: "authorizer_context_missing"},
		"another case": {
			event:  at(http2, map[string]any{"Lambda": grant}),
			status: 401,
			code:   "authorizer_context_missing",
		},
		"another case within": {
			event:  at(http2, map[string]any{"lambda": map[string]any{"PrincipalId": "alice", "plan": "free"}}),
			status: 401,
			code:   "authorizer_context_missing",
		},
		"of a JWT authorizer": {
			event:  at(http2, map[string]any{"jwt": map[string]any{"claims": grant}}),
			status: 401,
			code:   "authorizer_context_missing",
		},
		"of a user pool": {
			event:  at(rest, map[string]any{"claims": grant}),
			status: 401,
			code:   "authorizer_context_missing",
		},
		"1.0, none": {
			event:  http1.Set("/requestContext/authorizer", nil),
			status: 401,
			code:   "authorizer_context_missing",
		},
		"no principal": {
			event:  at(rest, map[string]any{"principalId": "", "plan": "free"}),
			status: 401,
			code:   "authorizer_context_missing",
		},
		"a list": {event: at(rest, []any{}), status: 401, code: "authorizer_context_missing"},
		"a name is missing": {
			event:  at(rest, map[string]any{"principalId": "alice"}),
			status: 401,
			code:   "authorizer_context_missing",
		},
		"expired": {
			event:  at(rest, map[string]any{"principalId": "alice", "plan": "free", "expires": "1577934245"}),
			status: 401,
			code:   "credential_expired",
		},
		"no time": {
			event:  at(rest, map[string]any{"principalId": "alice", "plan": "free", "expires": "soon"}),
			status: 401,
			code:   "authorizer_context_missing",
		},
		"no text as principal": {
			event:  at(http2, map[string]any{"lambda": map[string]any{"principalId": 9007199254740993, "plan": "free"}}),
			status: 401,
			code:   "authorizer_context_missing",
		},
		"a principal of objects": {
			event:  at(http2, map[string]any{"lambda": map[string]any{"principalId": map[string]any{"a": "b"}, "plan": "free"}}),
			status: 401,
			code:   "authorizer_context_missing",
		},
		"a name that is null": {
			event:  at(http2, map[string]any{"lambda": map[string]any{"principalId": "alice", "plan": nil}}),
			status: 401,
			code:   "authorizer_context_missing",
		},
		"an empty end": {
			event:  at(rest, map[string]any{"principalId": "alice", "plan": "free", "expires": ""}),
			status: 401,
			code:   "authorizer_context_missing",
		},
		"an end that is null": {
			event:  at(http2, map[string]any{"lambda": map[string]any{"principalId": "alice", "plan": "free", "expires": nil}}),
			status: 401,
			code:   "authorizer_context_missing",
		},
		"an end of objects": {
			event:  at(http2, map[string]any{"lambda": map[string]any{"principalId": "alice", "plan": "free", "expires": map[string]any{}}}),
			status: 401,
			code:   "authorizer_context_missing",
		},
		"no number": {
			event:  at(rest, map[string]any{"principalId": "alice", "plan": "free", "expires": "NaN"}),
			status: 401,
			code:   "authorizer_context_missing",
		},
		"no end": {
			event:  at(rest, map[string]any{"principalId": "alice", "plan": "free", "expires": "Inf"}),
			status: 401,
			code:   "authorizer_context_missing",
		},
		"groups that are none": {
			event:  at(rest, map[string]any{"principalId": "alice", "plan": "free", "groups": "%zz"}),
			status: 401,
			code:   "authorizer_context_missing",
		},
		"a function URL's": {event: sample.Of(guard.FunctionURL), status: 401, code: "authorizer_context_missing"},
		"VPC Lattice's":    {event: sample.Of(guard.VPCLattice), status: 401, code: "authorizer_context_missing"},
		"VPC Lattice's, forged": {
			event:  at(sample.Of(guard.VPCLattice), map[string]any{"lambda": grant}),
			status: 401,
			code:   "authorizer_context_missing",
		},
		"a header of a client's": {
			event:  http2.Set("/headers/principalid", "alice"),
			status: 401,
			code:   "authorizer_context_missing",
		},
	} {
		b := new(backend)
		r := mustRespond(t, b.handler(io.Discard, authorizer.FromGateway("plan")), tt.event)
		if r.StatusCode != tt.status || !strings.Contains(r.Body, tt.code) || (b.calls == 1) != (tt.status == 201) {
			t.Errorf("%s: %+v after %d calls", name, r, b.calls)
		}
	}
}

func TestRequireDecidesInTheHandler(t *testing.T) {
	check := authorizer.All(
		authorizer.Bearer(alice("orders:read")),
		authorizer.Routes(map[string]authorizer.Check{
			"POST /orders":     authorizer.Scopes("orders:write"),
			"GET /orders/{id}": authorizer.Scopes("orders:read"),
		}),
	)
	for name, base := range map[string]struct {
		event sample.Event
		auth  string
	}{
		"HTTP API":     {event: sample.Of(guard.HTTPAPI), auth: "/headers/authorization"},
		"function URL": {event: sample.Of(guard.FunctionURL), auth: "/headers/authorization"},
		"REST":         {event: sample.Of(guard.REST), auth: "/multiValueHeaders/Authorization"},
		"VPC Lattice":  {event: sample.Of(guard.VPCLattice), auth: "/headers/Authorization"},
	} {
		set := func(method, path, route, authorization string) sample.Event {
			e := base.event
			if name == "VPC Lattice" {
				return e.Set(base.auth, []string{authorization}).Set("/method", method).Set("/path", path+"?a=/orders")
			}
			if name == "REST" {
				if strings.Contains(route, "{id}") {
					e = e.Set("/pathParameters", map[string]string{"id": "42"})
				}
				return e.Set(base.auth, []string{authorization}).Set("/httpMethod", method).Set("/path", path).Set("/resource", strings.TrimPrefix(route, method+" "))
			}
			if name == "function URL" {
				route = "$default"
			}
			if strings.Contains(route, "{id}") {
				e = e.Set("/pathParameters", map[string]string{"id": "42"})
			}
			return e.Set(base.auth, authorization).Set("/requestContext/http/method", method).Set("/rawPath", path).Set("/routeKey", route)
		}
		for _, tt := range []struct {
			event                   sample.Event
			status                  int
			code, detail, challenge string
		}{
			{event: set("GET", "/orders/42", "GET /orders/{id}", bearer), status: 201},
			{
				event:     set("POST", "/orders", "POST /orders", bearer),
				status:    403,
				code:      "insufficient_scope",
				detail:    "The credential of alice lacks the scope orders:write.",
				challenge: `Bearer error="insufficient_scope", scope="orders:write"`,
			},
			{event: set("GET", "/users", "GET /users", bearer), status: 403, code: "route_unknown"},
			{
				event:     set("GET", "/orders/42", "GET /orders/{id}", "Bearer other"),
				status:    401,
				code:      "token_unknown",
				challenge: `Bearer error="invalid_token"`,
			},
			{
				event:     set("GET", "/orders/42", "GET /orders/{id}", ""),
				status:    401,
				code:      "credential_missing",
				detail:    "A bearer token is required.",
				challenge: "Bearer",
			},
			{
				event:     set("GET", "/orders/42", "GET /orders/{id}", bearer+","+bearer),
				status:    401,
				code:      "credential_malformed",
				challenge: `Bearer error="invalid_request"`,
			},
		} {
			var log bytes.Buffer
			b := new(backend)
			r := mustRespond(t, b.handler(&log, authorizer.Require(check)), tt.event)
			challenge := r.Headers["www-authenticate"]
			if name == "REST" {
				challenge = tt.challenge // which has its headers in another form
			}
			if r.StatusCode != tt.status || !strings.Contains(r.Body, tt.code) || !strings.Contains(r.Body, tt.detail) || challenge != tt.challenge {
				t.Errorf("%s: %+v, want %+v", name, r, tt)
			}
			if ok := tt.status == 201; ok != (b.calls == 1) || ok && b.grant.Principal != "alice" || ok != strings.Contains(log.String(), `"principal":"alice"`) && tt.status != 403 {
				t.Errorf("%s: %d calls, %v, %s", name, b.calls, b.grant, log.String())
			}
			if decision := map[bool]string{true: "allow", false: "deny"}[tt.status == 201]; !strings.Contains(log.String(), `"decision":"`+decision+`"`) {
				t.Errorf("%s: no decision %s: %s", name, decision, log.String())
			}
			if strings.Contains(log.String(), token) {
				t.Errorf("the credential is in the log: %s", log.String())
			}
		}
	}
}

// A request may be decided by all that is in it: nothing is kept.
func TestRequireMayLookAtAllOfTheRequest(t *testing.T) {
	seen := false
	check := looks(func(r *authorizer.Request) bool {
		seen = true
		c, _ := r.Cookie("theme")
		cert := r.ClientCert()
		return r.Header("NONE") == "" && r.Query("expand") == "lines" && c == "dark" && r.PathValue("id") == "42" &&
			r.SourceIP() == "203.0.113.7" && r.RouteKey() == routeKey && r.Method() == "GET" && r.Path() == "/orders/42" && cert != nil && cert.SubjectDN == "CN=alice" && r.ARN() == (policy.ARN{})
	})
	event := withCertificate(sample.Of(guard.HTTPAPI)).Set("/rawPath", "/orders/42").Set("/routeKey", routeKey).Set("/pathParameters", map[string]string{"id": "42"}).
		Set("/queryStringParameters", map[string]string{"expand": "lines"}).Set("/rawQueryString", "expand=lines").Set("/cookies", []string{"a=b", "theme=dark"}).
		Set("/requestContext/http/method", "GET").Set("/requestContext/http/sourceIp", "203.0.113.7")
	if r := mustRespond(t, new(backend).handler(io.Discard, authorizer.Require(check)), event); r.StatusCode != 201 || !seen {
		t.Errorf("%+v", r)
	}
}

// Lattice sends less. The handler sees what it sends.
func TestRequireOverLatticeSeesWhatTheHandlerSees(t *testing.T) {
	event := sample.HTTP("GET", "/orders/42?expand=lines&expand=a%20b").VPCLattice().SourceIP("203.0.113.7").
		Header("Authorization", "Bearer a").Header("authorization", "Bearer b").Cookie("theme", "dark").Cookie("theme", "light").
		IAM("arn:aws:iam::123456789012:role/r").Event()
	var checked string
	check := looks(func(r *authorizer.Request) bool {
		cookie, _ := r.Cookie("theme")
		checked = strings.Join([]string{r.Method(), r.Path(), r.Header("AUTHORIZATION"), cookie, r.Query("expand")}, " ")
		return r.SourceIP() == "" && r.ClientCert() == nil && r.RouteKey() == "" && r.PathValue("id") == "" &&
			r.Stage()+r.APIID() == "" && r.ARN() == (policy.ARN{})
	})
	var handled string
	h := httpapi.Handler(func(_ context.Context, r *httpapi.Request) (httpapi.Response, error) {
		cookie, _ := r.Cookie("theme")
		handled = strings.Join([]string{r.Method, r.Path, r.Header("AUTHORIZATION"), cookie, strings.Join(r.Query()["expand"], ",")}, " ")
		return httpapi.Response{Status: 201}, nil
	})
	r := mustRespond(t, guard.Wrap(h, httpapi.Problems(), guard.Recover(), authorizer.Require(check)), event)
	if want := "GET /orders/42 Bearer a,Bearer b dark lines,a b"; r.StatusCode != 201 || checked != want || handled != want {
		t.Errorf("%+v, the check has seen %q, the handler %q, want %q", r, checked, handled, want)
	}
	for name, c := range map[string]authorizer.Check{"an address": authorizer.SourceIP("203.0.113.0/24"), "a certificate": authorizer.ClientCert()} {
		b := new(backend)
		if r := mustRespond(t, b.handler(io.Discard, authorizer.Require(c)), event); r.StatusCode < 401 || r.StatusCode > 403 || b.calls != 0 {
			t.Errorf("%s, which Lattice does not send: %+v", name, r)
		}
	}
	if r := mustRespond(t, new(backend).handler(io.Discard, authorizer.Require(check)), event.Set("/headers/accept", 1)); r.StatusCode != 400 {
		t.Errorf("a request that cannot be read: %+v", r)
	}
}

// SECURITY: Closed when broken.
func TestABrokenCheckInAHandlerLetsNobodyIn(t *testing.T) {
	for name, c := range map[string]authorizer.Check{
		"an error": fails(errBroken), "neither": grants(nil), "nobody": grants(&authorizer.Grant{}),
		"a panic": func(context.Context, *authorizer.Request) (*authorizer.Grant, error) { panic(token) },
	} {
		var log bytes.Buffer
		b := new(backend)
		if r := mustRespond(t, b.handler(&log, authorizer.Require(c)), sample.Of(guard.HTTPAPI)); r.StatusCode != 500 || b.calls != 0 || !strings.Contains(log.String(), `"decision":"fail"`) {
			t.Errorf("%s: %+v after %d calls: %s", name, r, b.calls, log.String())
		}
	}
	b := new(backend)
	if r := mustRespond(t, b.handler(io.Discard, authorizer.Require(fails(guard.Errorf(guard.Unavailable, "no_keys", "")))), sample.Of(guard.HTTPAPI)); r.StatusCode != 503 || b.calls != 0 {
		t.Errorf("unavailable: %+v after %d calls", r, b.calls)
	}
	if _, err := b.handler(io.Discard, authorizer.Require(grants(&authorizer.Grant{Principal: "alice"}))).Invoke(t.Context(), sample.Of(guard.SQS).Bytes()); err == nil || b.calls != 0 {
		t.Errorf("a queue's message: %v after %d calls", err, b.calls)
	}
}

// The key of a request is its caller's, for every way to authenticate.
func TestIdempotencyGoesByTheGrant(t *testing.T) {
	b, store := new(backend), idempotency.NewMemoryStore()
	h := b.handler(io.Discard, authorizer.Require(authorizer.Bearer(tokens{"a": {Principal: "alice"}, "a2": {Principal: "alice"}, "b": {Principal: "bob"}})),
		idempotency.Once(store, idempotency.Header("Idempotency-Key")))
	event := sample.Of(guard.FunctionURL).Set("/headers/idempotency-key", "k").Set("/requestContext/http/method", "POST")
	for i, want := range []struct {
		token string
		calls int
	}{{token: "a", calls: 1}, {token: "a", calls: 1}, {token: "b", calls: 2}, {token: "a2", calls: 2}, {token: "b", calls: 2}} {
		if r := mustRespond(t, h, event.Set("/headers/authorization", "Bearer "+want.token)); r.StatusCode != 201 || b.calls != want.calls {
			t.Errorf("%d: %+v after %d calls, want %d", i, r, b.calls, want.calls)
		}
	}
}
