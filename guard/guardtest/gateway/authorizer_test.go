package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
)

// An authorizer is a naive one: it answers what the test says and counts.
type authorizer struct {
	*guardtest.InProcess
	calls atomic.Int64
	event atomic.Pointer[[]byte] // the last one
}

func newAuthorizer(decide func(ctx context.Context, event json.RawMessage) (any, error)) *authorizer {
	a := &authorizer{}
	a.InProcess = guardtest.NewInProcess(lambda.NewHandler(func(ctx context.Context, event json.RawMessage) (any, error) {
		a.calls.Add(1)
		a.event.Store((*[]byte)(&event))
		return decide(ctx, event)
	}), guardtest.Config{Timeout: patient})
	return a
}

// answering is an authorizer that answers the same to all.
func answering(answer string) *authorizer {
	return newAuthorizer(func(context.Context, json.RawMessage) (any, error) { return json.RawMessage(answer), nil })
}

func failing(err error) *authorizer {
	return newAuthorizer(func(context.Context, json.RawMessage) (any, error) { return nil, err })
}

// authorizerOf returns the authorizer in the event of a function, "absent" without one.
var authorizerOf = guardtest.NewInProcess(lambda.NewHandler(func(_ context.Context, event struct {
	RequestContext map[string]json.RawMessage
},
) (map[string]any, error) {
	found, ok := event.RequestContext["authorizer"]
	if !ok {
		found = json.RawMessage("absent")
	}
	return map[string]any{"statusCode": 200, "body": string(found)}, nil
}), guardtest.Config{Timeout: patient})

// A site is an API over real HTTP.
type site struct {
	t *testing.T
	*httptest.Server
}

func serve(t *testing.T, api http.Handler) site {
	t.Helper()
	s := site{t: t, Server: httptest.NewServer(api)}
	t.Cleanup(s.Close)
	return s
}

func serveAPI(t *testing.T, cfg gateway.HTTPAPIConfig) site {
	t.Helper()
	return serve(t, newAPI(t, authorizerOf, cfg))
}

// do sends a request; header holds names and values by turns.
func (s site) do(target string, header ...string) (status int, body string) {
	s.t.Helper()
	method, path, _ := strings.Cut(target, " ")
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	res, err := s.Client().Do(req)
	if err != nil {
		s.t.Errorf("%s: %v", target, err)
		return 0, ""
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Errorf("%s: %v", target, err)
	}
	return res.StatusCode, string(content)
}

// ask sends a request without a network.
func ask(api http.Handler, token string) {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", token)
	api.ServeHTTP(httptest.NewRecorder(), r)
}

const (
	apiARN       = "arn:aws:execute-api:us-east-1:123456789012:lambdarmor/"
	unauthorized = `{"message":"Unauthorized"}`
	forbidden    = `{"message":"Forbidden"}`
	serverError  = `{"message":"Internal Server Error"}`
)

// policyFor is a policy of one statement.
func policyFor(effect, resource, more string) string {
	return `{"principalId":"u-1","policyDocument":{"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke","Effect":"` +
		effect + `","Resource":"` + resource + `"}]}` + more + `}`
}

func TestAnswerOfAnAuthorizerDecides(t *testing.T) {
	simple, policy, old := gateway.Authorizer{SimpleResponses: true}, gateway.Authorizer{}, gateway.Authorizer{Format: "1.0"}
	tests := []struct {
		name       string
		cfg        gateway.Authorizer
		authorizer *authorizer
		status     int
		body       string
	}{
		{
			name:       "simple, allowed",
			cfg:        simple,
			authorizer: answering(`{"isAuthorized":true,"context":{"a":"b","n":1.50,"t":true,"l":["x"],"m":{"k":null}}}`),
			status:     200,
			body:       `{"lambda":{"a":"b","l":["x"],"m":{"k":null},"n":1.50,"t":true}}`,
		},
		{
			name:       "simple, allowed without a context",
			cfg:        simple,
			authorizer: answering(`{"isAuthorized":true}`),
			status:     200,
			body:       `{"lambda":null}`,
		},
		{
			name:       "simple, with members that nobody knows",
			cfg:        simple,
			authorizer: answering(`{"isAuthorized":true,"context":{},"other":1}`),
			status:     200,
			body:       `{"lambda":{}}`,
		},
		{
			name:       "simple, a context that is a string of JSON",
			cfg:        simple,
			authorizer: answering(`{"isAuthorized":true,"context":{"claims":"{\"a\":1}"}}`),
			status:     200,
			body:       `{"lambda":{"claims":"{\"a\":1}"}}`,
		},
		{
			name:       "simple, denied",
			cfg:        simple,
			authorizer: answering(`{"isAuthorized":false,"context":{"a":"b"}}`),
			status:     403,
			body:       forbidden,
		},
		{
			name:       "simple, a string for the boolean",
			cfg:        simple,
			authorizer: answering(`{"isAuthorized":"true"}`),
			status:     500,
			body:       serverError,
		},
		{
			name:       "simple, null for the boolean",
			cfg:        simple,
			authorizer: answering(`{"isAuthorized":null}`),
			status:     500,
			body:       serverError,
		},
		{
			name:       "simple, another case of the name",
			cfg:        simple,
			authorizer: answering(`{"isauthorized":true}`),
			status:     500,
			body:       serverError,
		},
		{
			name:       "simple, a context that is no object",
			cfg:        simple,
			authorizer: answering(`{"isAuthorized":true,"context":"a"}`),
			status:     500,
			body:       serverError,
		},
		{
			name:       "simple, a policy",
			cfg:        simple,
			authorizer: answering(policyFor("Allow", "*", "")),
			status:     500,
			body:       serverError,
		},
		{name: "simple, null", cfg: simple, authorizer: answering(`null`), status: 500, body: serverError},
		{name: "simple, an array", cfg: simple, authorizer: answering(`[{"isAuthorized":true}]`), status: 500, body: serverError},

		{
			name:       "policy, allowed",
			cfg:        policy,
			authorizer: answering(policyFor("Allow", apiARN+"$default/GET/orders/42", `,"context":{"a":"b"}`)),
			status:     200,
			body:       `{"lambda":{"a":"b"}}`,
		},
		{
			name:       "policy, allowed by wildcards",
			cfg:        policy,
			authorizer: answering(policyFor("Allow", apiARN+"*/GE?/*", "")),
			status:     200,
			body:       `{"lambda":null}`,
		},
		{name: "policy, denied", cfg: policy, authorizer: answering(policyFor("Deny", "*", "")), status: 403, body: forbidden},
		{
			name:       "policy, for another route",
			cfg:        policy,
			authorizer: answering(policyFor("Allow", apiARN+"$default/GET/orders/43", "")),
			status:     403,
			body:       forbidden,
		},
		{
			name:       "policy, with a condition",
			cfg:        policy,
			authorizer: answering(`{"principalId":"u","policyDocument":{"Statement":[{"Action":"*","Effect":"Allow","Resource":"*","Condition":{}}]}}`),
			status:     500,
			body:       serverError,
		},
		{
			name:       "policy, without a principal",
			cfg:        policy,
			authorizer: answering(strings.Replace(policyFor("Allow", "*", ""), "u-1", "", 1)),
			status:     500,
			body:       serverError,
		},
		{
			name:       "policy, without a document",
			cfg:        policy,
			authorizer: answering(`{"principalId":"u"}`),
			status:     500,
			body:       serverError,
		},
		{
			name:       "policy, a simple response",
			cfg:        policy,
			authorizer: answering(`{"isAuthorized":true}`),
			status:     500,
			body:       serverError,
		},

		{
			name:       "format 1.0, allowed",
			cfg:        old,
			authorizer: answering(policyFor("Allow", "*", `,"context":{"a":"b"}`)),
			status:     200,
			body:       `{"lambda":{"a":"b"}}`,
		},
		{name: "format 1.0, denied", cfg: old, authorizer: answering(policyFor("Deny", "*", "")), status: 403, body: forbidden},

		{
			name:       "the error that is exactly Unauthorized",
			cfg:        simple,
			authorizer: failing(errors.New("Unauthorized")),
			status:     401,
			body:       unauthorized,
		},
		{
			name:       "an error that is nearly Unauthorized",
			cfg:        simple,
			authorizer: failing(errors.New("Unauthorized: expired")),
			status:     500,
			body:       serverError,
		},
		{
			name:       "an error that is unauthorized in lower case",
			cfg:        policy,
			authorizer: failing(errors.New("unauthorized")),
			status:     500,
			body:       serverError,
		},
		{name: "any other error", cfg: simple, authorizer: failing(errors.New("no database")), status: 500, body: serverError},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var reasons []error
			tt.cfg.Function = tt.authorizer
			tt.cfg.Failed = func(_ string, err error) { reasons = append(reasons, err) }
			status, body := serveAPI(t, gateway.HTTPAPIConfig{Authorizer: &tt.cfg}).do("GET /orders/42")
			if status != tt.status || body != tt.body {
				t.Errorf("%d %s, want %d %s; %v", status, body, tt.status, tt.body, reasons)
			}
			if (len(reasons) == 1) != (tt.status == 500) {
				t.Errorf("reported %v", reasons)
			}
		})
	}
}

func TestFunctionOfFormat1IsToldInItsPlace(t *testing.T) {
	for answer, want := range map[string]string{
		`{"isAuthorized":true,"context":{"a":"b","n":1}}`: `{"a":"b","n":1}`,
		`{"isAuthorized":true}`:                           `absent`,
	} {
		s := serveAPI(t, gateway.HTTPAPIConfig{Format: "1.0", Authorizer: &gateway.Authorizer{Function: answering(answer), SimpleResponses: true}})
		if status, body := s.do("GET /"); status != 200 || body != want {
			t.Errorf("%s: %d %s, want %s", answer, status, body, want)
		}
	}
	s := serveAPI(t, gateway.HTTPAPIConfig{Format: "1.0", Authorizer: &gateway.Authorizer{Function: answering(policyFor("Allow", "*", `,"context":{"a":"b"}`))}})
	if _, body := s.do("GET /"); body != `{"a":"b","principalId":"u-1"}` {
		t.Errorf("a policy: %s", body)
	}
}

func TestRequestWithoutItsIdentityIsRefusedWithoutACall(t *testing.T) {
	cfg := gateway.Authorizer{IdentitySources: []string{"$request.header.Authorization", "$request.querystring.tenant", "$stageVariables.env", "$context.routeKey"}}
	tests := []struct {
		name, target string
		header       []string
		calls        int64
	}{
		{name: "all there", target: "GET /a?tenant=t", header: []string{"authorization", "x"}, calls: 1},
		{name: "no header", target: "GET /a?tenant=t"},
		{name: "an empty header", target: "GET /a?tenant=t", header: []string{"Authorization", ""}},
		{name: "no query", target: "GET /a", header: []string{"Authorization", "x"}},
		{name: "an empty query", target: "GET /a?tenant=", header: []string{"Authorization", "x"}},
		{name: "another case in the query", target: "GET /a?Tenant=t", header: []string{"Authorization", "x"}},
	}
	for _, ttl := range []time.Duration{0, time.Minute} {
		for _, tt := range tests {
			a := answering(`{"isAuthorized":true}`)
			cfg.Function, cfg.SimpleResponses, cfg.TTL = a, true, ttl
			s := serveAPI(t, gateway.HTTPAPIConfig{Authorizer: &cfg, StageVariables: map[string]string{"env": "test"}})
			status, body := s.do(tt.target, tt.header...)
			if a.calls.Load() != tt.calls || (status == 200) != (tt.calls == 1) || tt.calls == 0 && body != unauthorized {
				t.Errorf("TTL %s, %s: %d calls, %d %s", ttl, tt.name, a.calls.Load(), status, body)
			}
		}
	}
	a := answering(`{"isAuthorized":true}`)
	cfg.Function, cfg.TTL = a, 0
	if status, _ := serveAPI(t, gateway.HTTPAPIConfig{Authorizer: &cfg}).do("GET /a?tenant=t", "Authorization", "x"); status != 401 || a.calls.Load() != 0 {
		t.Errorf("no stage variable: %d after %d calls", status, a.calls.Load())
	}
}

func TestMisconfiguredAuthorizerIsRefused(t *testing.T) {
	fn, header := answering(`{}`), []string{"$request.header.Authorization"}
	refused := map[string]gateway.Authorizer{
		"needs a function":        {},
		`payload format "3.0"`:    {Function: fn, Format: "3.0"},
		"simple responses are":    {Function: fn, Format: "1.0", SimpleResponses: true},
		"without identity source": {Function: fn, TTL: time.Second},
		"TTL of 1h0m1s":           {Function: fn, IdentitySources: header, TTL: time.Hour + time.Second},
		"TTL of -1s":              {Function: fn, IdentitySources: header, TTL: -time.Second},
		"TTL of 1.5s":             {Function: fn, IdentitySources: header, TTL: 1500 * time.Millisecond},
		"timeout of 11s":          {Function: fn, Timeout: 11 * time.Second},
		"timeout of -1s":          {Function: fn, Timeout: -time.Second},
		"is listed twice":         {Function: fn, IdentitySources: append(header, header...)},
	}
	for _, source := range []string{
		"", "Authorization", "$request.header.", "$request.header", "$request.headers.a", "request.header.a", "method.request.header.a",
		"$request.header.a b", "$request.header.a,b", " $request.header.a", "$request.body.a", "$request.path.id", "$stageVariables.", "$context.", "$REQUEST.header.a",
	} {
		maps.Copy(refused, map[string]gateway.Authorizer{`identity source "` + source + `"`: {Function: fn, IdentitySources: []string{source}}})
	}
	for _, name := range []string{"routekey", "authorizer.principalId", "identity.user", "status", "resourcePath"} {
		maps.Copy(refused, map[string]gateway.Authorizer{`"$context.` + name + `": this API has no such`: {Function: fn, IdentitySources: []string{"$context." + name}}})
	}
	for want, cfg := range refused {
		if _, err := gateway.NewHTTPAPI(authorizerOf, gateway.HTTPAPIConfig{Authorizer: &cfg}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want one with %q", cfg, err, want)
		}
	}
	if _, err := gateway.NewHTTPAPI(authorizerOf, gateway.HTTPAPIConfig{FunctionURL: true, Authorizer: &gateway.Authorizer{Function: fn}}); err == nil {
		t.Error("a function URL takes an authorizer")
	}
}
