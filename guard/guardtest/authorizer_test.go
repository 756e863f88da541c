package guardtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
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

// toldOf answers what a function was told: the authorizer in its event, "absent" without one.
var toldOf = guardtest.NewInProcess(lambda.NewHandler(func(_ context.Context, event struct {
	RequestContext map[string]json.RawMessage
},
) (map[string]any, error) {
	told, ok := event.RequestContext["authorizer"]
	if !ok {
		told = json.RawMessage("absent")
	}
	return map[string]any{"statusCode": 200, "body": string(told)}, nil
}), guardtest.Config{})

// A site is an API over real HTTP.
type site struct {
	t *testing.T
	*httptest.Server
}

func serve(t *testing.T, api http.Handler) site {
	t.Helper()
	s := site{t, httptest.NewServer(api)}
	t.Cleanup(s.Close)
	return s
}

func serveAPI(t *testing.T, cfg guardtest.HTTPAPIConfig) site {
	t.Helper()
	return serve(t, newAPI(t, toldOf, cfg))
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
	simple, policy, old := guardtest.Authorizer{SimpleResponses: true}, guardtest.Authorizer{}, guardtest.Authorizer{Format: "1.0"}
	tests := []struct {
		name       string
		cfg        guardtest.Authorizer
		authorizer *authorizer
		status     int
		body       string
	}{
		{"simple, allowed", simple, answering(`{"isAuthorized":true,"context":{"a":"b","n":1.50,"t":true,"l":["x"],"m":{"k":null}}}`), 200, `{"lambda":{"a":"b","l":["x"],"m":{"k":null},"n":1.50,"t":true}}`},
		{"simple, allowed without a context", simple, answering(`{"isAuthorized":true}`), 200, `{"lambda":null}`},
		{"simple, with members that nobody knows", simple, answering(`{"isAuthorized":true,"context":{},"other":1}`), 200, `{"lambda":{}}`},
		{"simple, a context that is a string of JSON", simple, answering(`{"isAuthorized":true,"context":{"claims":"{\"a\":1}"}}`), 200, `{"lambda":{"claims":"{\"a\":1}"}}`},
		{"simple, denied", simple, answering(`{"isAuthorized":false,"context":{"a":"b"}}`), 403, forbidden},
		{"simple, a string for the boolean", simple, answering(`{"isAuthorized":"true"}`), 500, serverError},
		{"simple, null for the boolean", simple, answering(`{"isAuthorized":null}`), 500, serverError},
		{"simple, another case of the name", simple, answering(`{"isauthorized":true}`), 500, serverError},
		{"simple, a context that is no object", simple, answering(`{"isAuthorized":true,"context":"a"}`), 500, serverError},
		{"simple, a policy", simple, answering(policyFor("Allow", "*", "")), 500, serverError},
		{"simple, null", simple, answering(`null`), 500, serverError},
		{"simple, an array", simple, answering(`[{"isAuthorized":true}]`), 500, serverError},

		{"policy, allowed", policy, answering(policyFor("Allow", apiARN+"$default/GET/orders/42", `,"context":{"a":"b"}`)), 200, `{"lambda":{"a":"b"}}`},
		{"policy, allowed by wildcards", policy, answering(policyFor("Allow", apiARN+"*/GE?/*", "")), 200, `{"lambda":null}`},
		{"policy, denied", policy, answering(policyFor("Deny", "*", "")), 403, forbidden},
		{"policy, for another route", policy, answering(policyFor("Allow", apiARN+"$default/GET/orders/43", "")), 403, forbidden},
		{"policy, with a condition", policy, answering(`{"principalId":"u","policyDocument":{"Statement":[{"Action":"*","Effect":"Allow","Resource":"*","Condition":{}}]}}`), 500, serverError},
		{"policy, without a principal", policy, answering(strings.Replace(policyFor("Allow", "*", ""), "u-1", "", 1)), 500, serverError},
		{"policy, without a document", policy, answering(`{"principalId":"u"}`), 500, serverError},
		{"policy, a simple response", policy, answering(`{"isAuthorized":true}`), 500, serverError},

		{"format 1.0, allowed", old, answering(policyFor("Allow", "*", `,"context":{"a":"b"}`)), 200, `{"lambda":{"a":"b"}}`},
		{"format 1.0, denied", old, answering(policyFor("Deny", "*", "")), 403, forbidden},

		{"the error that is exactly Unauthorized", simple, failing(errors.New("Unauthorized")), 401, unauthorized},
		{"an error that is nearly Unauthorized", simple, failing(errors.New("Unauthorized: expired")), 500, serverError},
		{"an error that is unauthorized in lower case", policy, failing(errors.New("unauthorized")), 500, serverError},
		{"any other error", simple, failing(errors.New("no database")), 500, serverError},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var reasons []error
			tt.cfg.Function = tt.authorizer
			tt.cfg.Failed = func(_ string, err error) { reasons = append(reasons, err) }
			status, body := serveAPI(t, guardtest.HTTPAPIConfig{Authorizer: &tt.cfg}).do("GET /orders/42")
			if status != tt.status || body != tt.body {
				t.Errorf("%d %s, want %d %s; %v", status, body, tt.status, tt.body, reasons)
			}
			if (len(reasons) == 1) != (tt.status == 500) {
				t.Errorf("told of %v", reasons)
			}
		})
	}
}

func TestFunctionOfFormat1IsToldInItsPlace(t *testing.T) {
	for answer, want := range map[string]string{
		`{"isAuthorized":true,"context":{"a":"b","n":1}}`: `{"a":"b","n":1}`,
		`{"isAuthorized":true}`:                           `absent`,
	} {
		s := serveAPI(t, guardtest.HTTPAPIConfig{Format: "1.0", Authorizer: &guardtest.Authorizer{Function: answering(answer), SimpleResponses: true}})
		if status, body := s.do("GET /"); status != 200 || body != want {
			t.Errorf("%s: %d %s, want %s", answer, status, body, want)
		}
	}
	s := serveAPI(t, guardtest.HTTPAPIConfig{Format: "1.0", Authorizer: &guardtest.Authorizer{Function: answering(policyFor("Allow", "*", `,"context":{"a":"b"}`))}})
	if _, body := s.do("GET /"); body != `{"a":"b","principalId":"u-1"}` {
		t.Errorf("a policy: %s", body)
	}
}

func TestRequestWithoutItsIdentityIsRefusedWithoutACall(t *testing.T) {
	cfg := guardtest.Authorizer{IdentitySources: []string{"$request.header.Authorization", "$request.querystring.tenant", "$stageVariables.env", "$context.routeKey"}}
	tests := []struct {
		name, target string
		header       []string
		calls        int64
	}{
		{"all there", "GET /a?tenant=t", []string{"authorization", "x"}, 1},
		{"no header", "GET /a?tenant=t", nil, 0},
		{"an empty header", "GET /a?tenant=t", []string{"Authorization", ""}, 0},
		{"no query", "GET /a", []string{"Authorization", "x"}, 0},
		{"an empty query", "GET /a?tenant=", []string{"Authorization", "x"}, 0},
		{"another case in the query", "GET /a?Tenant=t", []string{"Authorization", "x"}, 0},
	}
	for _, ttl := range []time.Duration{0, time.Minute} {
		for _, tt := range tests {
			a := answering(`{"isAuthorized":true}`)
			cfg.Function, cfg.SimpleResponses, cfg.TTL = a, true, ttl
			s := serveAPI(t, guardtest.HTTPAPIConfig{Authorizer: &cfg, StageVariables: map[string]string{"env": "test"}})
			status, body := s.do(tt.target, tt.header...)
			if a.calls.Load() != tt.calls || (status == 200) != (tt.calls == 1) || tt.calls == 0 && body != unauthorized {
				t.Errorf("TTL %s, %s: %d calls, %d %s", ttl, tt.name, a.calls.Load(), status, body)
			}
		}
	}
	a := answering(`{"isAuthorized":true}`)
	cfg.Function, cfg.TTL = a, 0
	if status, _ := serveAPI(t, guardtest.HTTPAPIConfig{Authorizer: &cfg}).do("GET /a?tenant=t", "Authorization", "x"); status != 401 || a.calls.Load() != 0 {
		t.Errorf("no stage variable: %d after %d calls", status, a.calls.Load())
	}
}

func TestAuthorizersEventIsTheSamples(t *testing.T) {
	for name, cfg := range map[string]guardtest.Authorizer{
		"":         {SimpleResponses: true},
		"http-1.0": {Format: "1.0"},
	} {
		a := failing(errors.New("Unauthorized"))
		cfg.Function, cfg.IdentitySources = a, []string{"$request.header.Authorization"}
		r := httptest.NewRequest("GET", "/orders/42?expand=lines", nil)
		r.Host = "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"
		r.RemoteAddr = "203.0.113.7:4711"
		r.Header = http.Header{"Authorization": {"Bearer t0k3n"}, "User-Agent": {"guardtest/1"}, "Cookie": {"theme=dark"}}
		newAPI(t, toldOf, guardtest.HTTPAPIConfig{Routes: []string{"GET /orders/{id}"}, Authorizer: &cfg}).ServeHTTP(httptest.NewRecorder(), r)

		sample := guardtest.Sample(guard.Authorizer)
		if name != "" {
			sample = guardtest.Sample(guard.Authorizer, name)
		}
		var got, want map[string]any
		if err := errors.Join(json.Unmarshal(*a.event.Load(), &got), json.Unmarshal(sample.Bytes(), &want)); err != nil {
			t.Fatal(err)
		}
		if g, w := slices.Sorted(paths("", got)), slices.Sorted(paths("", want)); !slices.Equal(g, w) {
			t.Errorf("%s: members\n%v, want\n%v", name, g, w)
		}
		for _, member := range []string{"version", "type", "routeKey", "rawPath", "rawQueryString", "resource", "path", "httpMethod"} {
			if got[member] != want[member] {
				t.Errorf("%s: %s is %v, want %v", name, member, got[member], want[member])
			}
		}
		for member, value := range map[string]any{"routeArn": got["routeArn"], "methodArn": got["methodArn"]} {
			if value != nil && value != apiARN+"$default/GET/orders/42" {
				t.Errorf("%s: %s is %v", name, member, value)
			}
		}
		if raw := string(*a.event.Load()); !strings.Contains(raw, `"identitySource":["Bearer t0k3n"]`) && !strings.Contains(raw, `"identitySource":"Bearer t0k3n","authorizationToken":"Bearer t0k3n"`) {
			t.Errorf("%s: %s", name, raw)
		}
	}
}

// paths goes through the members of an event; headers, of which each request has its own, are one.
func paths(prefix string, value map[string]any) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for name, member := range value {
			at := prefix + "/" + name
			inner, ok := member.(map[string]any)
			if !ok || name == "headers" {
				if !yield(at) {
					return
				}
				continue
			}
			for path := range paths(at, inner) {
				if !yield(path) {
					return
				}
			}
		}
	}
}

func TestEventHoldsTheIdentityAsThePolicyKnowsIt(t *testing.T) {
	a := answering(`{"isAuthorized":true}`)
	s := serveAPI(t, guardtest.HTTPAPIConfig{Authorizer: &guardtest.Authorizer{
		Function: a, SimpleResponses: true,
		IdentitySources: []string{"$request.header.x-many", "$request.querystring.q", "$context.httpMethod", "$context.identity.sourceIp", "$context.path", "$context.stage"},
	}})
	s.do("POST /a%2Fb/c?q=1&q=2", "X-Many", "a", "X-Many", "b,c")
	var got events.APIGatewayV2CustomAuthorizerV2Request
	if err := json.Unmarshal(*a.event.Load(), &got); err != nil {
		t.Fatal(err)
	}
	if want := []string{"a,b,c", "1,2", "POST", "127.0.0.1", "/a/b/c", "$default"}; !slices.Equal(got.IdentitySource, want) {
		t.Errorf("identity %q, want %q", got.IdentitySource, want)
	}
	if got.RouteArn != apiARN+"$default/POST/a/b/c" || got.RawPath != "/a/b/c" || got.RouteKey != "$default" {
		t.Errorf("%+v", got)
	}
}

func TestEventWithoutIdentitySourcesHasNone(t *testing.T) {
	for format, want := range map[string]string{"2.0": `"identitySource":null,`, "1.0": `"identitySource":null,"authorizationToken":null,`} {
		a := answering(policyFor("Allow", "*", ""))
		serveAPI(t, guardtest.HTTPAPIConfig{Authorizer: &guardtest.Authorizer{Function: a, Format: format}}).do("GET /")
		if event := string(*a.event.Load()); !strings.Contains(event, want) {
			t.Errorf("%s is not in %s", want, event)
		}
	}
}

func TestAuthorizerThatTakesTooLongIsNotWaitedFor(t *testing.T) {
	for name, decide := range map[string]func(context.Context, json.RawMessage) (any, error){
		"one that heeds its context": func(ctx context.Context, _ json.RawMessage) (any, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
		"one that allows too late": func(ctx context.Context, _ json.RawMessage) (any, error) {
			<-ctx.Done()
			return map[string]bool{"isAuthorized": true}, nil
		},
	} {
		var reason error
		s := serveAPI(t, guardtest.HTTPAPIConfig{Authorizer: &guardtest.Authorizer{
			Function: newAuthorizer(decide), SimpleResponses: true, Timeout: 30 * time.Millisecond,
			Failed: func(_ string, err error) { reason = err },
		}})
		if status, body := s.do("GET /"); status != 500 || body != serverError || !errors.Is(reason, context.DeadlineExceeded) {
			t.Errorf("%s: %d %s, %v", name, status, body, reason)
		}
	}
}

func TestClientThatLeavesAnAuthorizerIsNoFailure(t *testing.T) {
	inside, left := make(chan struct{}), make(chan struct{})
	a := newAuthorizer(func(ctx context.Context, _ json.RawMessage) (any, error) {
		close(inside)
		<-ctx.Done()
		return map[string]bool{"isAuthorized": true}, nil
	})
	api := newAPI(t, invokerFunc(func(context.Context, guardtest.Call) (guardtest.Result, error) {
		t.Error("the function is called")
		return guardtest.Result{}, nil
	}), guardtest.HTTPAPIConfig{Authorizer: &guardtest.Authorizer{
		Function: a, SimpleResponses: true, TTL: time.Minute, IdentitySources: []string{"$request.header.Authorization"},
		Failed: func(_ string, err error) { t.Error(err) },
	}})
	ctx, leave := context.WithCancel(t.Context())
	r := httptest.NewRequestWithContext(ctx, "GET", "/", nil)
	r.Header.Set("Authorization", "x")
	w := httptest.NewRecorder()
	go func() {
		defer close(left)
		api.ServeHTTP(w, r)
	}()
	<-inside
	leave()
	<-left
	if w.Body.Len() > 0 {
		t.Errorf("answered %s", w.Body)
	}
}

func TestConcurrentRequestsGetTheirOwnRuling(t *testing.T) {
	a := newAuthorizer(func(_ context.Context, raw json.RawMessage) (any, error) {
		var event events.APIGatewayV2CustomAuthorizerV2Request
		err := json.Unmarshal(raw, &event)
		who := event.IdentitySource[0]
		return map[string]any{"isAuthorized": !strings.HasSuffix(who, "0"), "context": map[string]string{"who": who}}, err
	})
	s := serveAPI(t, guardtest.HTTPAPIConfig{Authorizer: &guardtest.Authorizer{
		Function: a, SimpleResponses: true, TTL: time.Minute, IdentitySources: []string{"$request.header.Authorization"},
	}})
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			who := string(rune('a'+i%5)) + string(rune('0'+i%2))
			status, body := s.do("GET /", "Authorization", who)
			if i%2 == 0 && status != 403 || i%2 == 1 && body != `{"lambda":{"who":"`+who+`"}}` {
				t.Errorf("%s: %d %s", who, status, body)
			}
		})
	}
	wg.Wait()
	if n := a.calls.Load(); n < 10 || n > 100 {
		t.Errorf("%d calls for 10 identities", n)
	}
}

func TestMisconfiguredAuthorizerIsRefused(t *testing.T) {
	fn, header := answering(`{}`), []string{"$request.header.Authorization"}
	refused := map[string]guardtest.Authorizer{
		"needs a function":        {},
		`payload format "3.0"`:    {Function: fn, Format: "3.0"},
		"simple responses are":    {Function: fn, Format: "1.0", SimpleResponses: true},
		"without identity source": {Function: fn, TTL: time.Second},
		"TTL of 1h0m1s":           {Function: fn, IdentitySources: header, TTL: time.Hour + time.Second},
		"TTL of -1s":              {Function: fn, IdentitySources: header, TTL: -time.Second},
		"TTL of 1.5s":             {Function: fn, IdentitySources: header, TTL: 1500 * time.Millisecond},
		"timeout of 11s":          {Function: fn, Timeout: 11 * time.Second},
		"timeout of -1s":          {Function: fn, Timeout: -time.Second},
		"is there twice":          {Function: fn, IdentitySources: append(header, header...)},
	}
	for _, source := range []string{
		"", "Authorization", "$request.header.", "$request.header", "$request.headers.a", "request.header.a", "method.request.header.a",
		"$request.header.a b", "$request.header.a,b", " $request.header.a", "$request.body.a", "$request.path.id", "$stageVariables.", "$context.", "$REQUEST.header.a",
	} {
		maps.Copy(refused, map[string]guardtest.Authorizer{`identity source "` + source + `"`: {Function: fn, IdentitySources: []string{source}}})
	}
	for _, name := range []string{"routekey", "authorizer.principalId", "identity.user", "status", "resourcePath"} {
		maps.Copy(refused, map[string]guardtest.Authorizer{`"$context.` + name + `": no such`: {Function: fn, IdentitySources: []string{"$context." + name}}})
	}
	for want, cfg := range refused {
		if _, err := guardtest.NewHTTPAPI(toldOf, guardtest.HTTPAPIConfig{Authorizer: &cfg}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want one with %q", cfg, err, want)
		}
	}
	if _, err := guardtest.NewHTTPAPI(toldOf, guardtest.HTTPAPIConfig{FunctionURL: true, Authorizer: &guardtest.Authorizer{Function: fn}}); err == nil {
		t.Error("a function URL takes an authorizer")
	}
}
