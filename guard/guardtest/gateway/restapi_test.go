package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
)

func newREST(t *testing.T, fn guardtest.Invoker, cfg gateway.RESTAPIConfig) *gateway.RESTAPI {
	t.Helper()
	api, err := gateway.NewRESTAPI(fn, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return api
}

func TestRequestBecomesAnEventOfARESTAPI(t *testing.T) {
	var raw []byte
	api := newREST(t, invokerFunc(func(_ context.Context, call guardtest.Call) (guardtest.Result, error) {
		raw = call.Payload
		return guardtest.Result{Payload: []byte(`{"statusCode":200}`)}, nil
	}), gateway.RESTAPIConfig{Routes: []string{"PUT /orders/{id}"}, Stage: "dev", StageVariables: map[string]string{"env": "test"}})
	r := httptest.NewRequest("PUT", "/orders/4%202?x=1&x=2", strings.NewReader(`a=ü`))
	r.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "X-Many": {"1", "2"}}
	w := httptest.NewRecorder()
	api.ServeHTTP(w, r)

	var want, members map[string]any
	if err := errors.Join(json.Unmarshal(raw, &members), json.Unmarshal(sample.Of(guard.REST).Bytes(), &want)); err != nil {
		t.Fatal(err)
	}
	if _, ok := members["version"]; ok {
		t.Error("it has a version, as only an HTTP API's has")
	}
	for _, name := range []string{"headers", "multiValueHeaders", "queryStringParameters", "multiValueQueryStringParameters", "stageVariables"} {
		delete(members, name)
		delete(want, name)
	}
	if got, want := slices.Sorted(paths("", members)), slices.Sorted(paths("", want)); !slices.Equal(got, want) {
		t.Errorf("members\n%v, want\n%v", got, want)
	}
	var got events.APIGatewayProxyRequest
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	c := got.RequestContext
	if got.Resource != "/orders/{id}" || got.Path != "/orders/4%202" || got.Body != "a=ü" || got.IsBase64Encoded || got.StageVariables["env"] != "test" ||
		got.PathParameters["id"] != "4%202" || got.QueryStringParameters["x"] != "2" || len(got.MultiValueHeaders["X-Many"]) != 2 || got.Headers["Content-Length"] != "" ||
		c.Stage != "dev" || c.Path != "/orders/4%202" || c.HTTPMethod != "PUT" || c.ResourceID == "" || c.RequestID != w.Header().Get("X-Amzn-Requestid") {
		t.Errorf("%s", raw)
	}
}

func TestMoreGeneralResourceStepsInForOneThatLacksTheMethod(t *testing.T) {
	s := serve(t, newREST(t, guardtest.NewInProcess(echoResource{}, guardtest.Config{}), gateway.RESTAPIConfig{
		Routes: []string{"ANY /{proxy+}", "ANY /files/{path+}", "GET /orders/{id}", "ANY /orders/{id}/lines", "POST /orders/{id}/lines"},
	}))
	const missing = `{"message":"Missing Authentication Token"}`
	for target, want := range map[string]string{
		"GET /orders/1":         "/orders/{id}",
		"POST /orders/1":        "/{proxy+}",
		"GET /orders/1/":        "/orders/{id}",
		"GET //orders/1":        "/orders/{id}",
		"GET /orders/1/lines":   "/orders/{id}/lines",
		"POST /orders/1/lines":  "/orders/{id}/lines",
		"PUT /orders/1/lines/2": "/{proxy+}",
		"GET /":                 missing,
		"GET /files/a":          "/files/{path+}",
		"GET /files/":           "/{proxy+}",
	} {
		status, body := s.do(target)
		if body != want || (status == 200) != (want != missing) || status != 200 && status != 403 {
			t.Errorf("%s: %d %s, want %s", target, status, body, want)
		}
	}
	all := serve(t, newREST(t, guardtest.NewInProcess(echoResource{}, guardtest.Config{}), gateway.RESTAPIConfig{}))
	for target, want := range map[string]string{"GET /": "/", "PATCH /a/b": "/{proxy+}"} {
		if _, body := all.do(target); body != want {
			t.Errorf("without routes, %s: %s", target, body)
		}
	}
}

type echoResource struct{}

func (echoResource) Invoke(_ context.Context, payload []byte) ([]byte, error) {
	var event events.APIGatewayProxyRequest
	err := json.Unmarshal(payload, &event)
	answer, _ := json.Marshal(map[string]any{"statusCode": 200, "body": event.Resource})
	return answer, err
}

func TestFailureOfARESTAPIsFunctionIsAnsweredInItsWords(t *testing.T) {
	tests := []struct {
		name   string
		result string
		err    error
		status int
		body   string
	}{
		{name: "an answer", result: `{"statusCode":201,"body":"{}"}`, status: 201, body: `{}`},
		{name: "an answer out of form", result: `{"ok":true}`, status: 502, body: `{"message":"Internal server error"}`},
		{
			name:   "an error",
			err:    &guardtest.FunctionError{Type: guardtest.TypeExit},
			status: 502,
			body:   `{"message":"Internal server error"}`,
		},
		{
			name:   "a timeout of the function",
			err:    &guardtest.FunctionError{Type: guardtest.TypeTimeout},
			status: 502,
			body:   `{"message":"Internal server error"}`,
		},
		{name: "too much", err: guardtest.ErrTooLarge, status: 413, body: `{"message":"Request Too Long"}`},
	}
	for _, tt := range tests {
		told := 0
		api := newREST(t, invokerFunc(func(context.Context, guardtest.Call) (guardtest.Result, error) {
			return guardtest.Result{Payload: []byte(tt.result)}, tt.err
		}), gateway.RESTAPIConfig{Failed: func(string, error) { told++ }})
		w := httptest.NewRecorder()
		api.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		if w.Code != tt.status || w.Body.String() != tt.body || w.Header().Get("Content-Type") != "application/json" || (told == 1) != (tt.status != 201) {
			t.Errorf("%s: %d %s %v, called %d times", tt.name, w.Code, w.Body, w.Header(), told)
		}
	}
	slow := newREST(t, invokerFunc(func(ctx context.Context, _ guardtest.Call) (guardtest.Result, error) {
		<-ctx.Done()
		return guardtest.Result{}, context.Cause(ctx)
	}), gateway.RESTAPIConfig{Timeout: time.Millisecond})
	w := httptest.NewRecorder()
	slow.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 504 || w.Body.String() != `{"message":"Endpoint request timed out"}` {
		t.Errorf("a timeout of the integration: %d %s", w.Code, w.Body)
	}
	w = httptest.NewRecorder()
	slow.ServeHTTP(w, httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", 10<<20+1))))
	if w.Code != 413 {
		t.Errorf("a body over the limit: %d %s", w.Code, w.Body)
	}
}

func TestMisconfiguredRESTAPIIsRefused(t *testing.T) {
	fn, header := answering(`{}`), []string{"method.request.header.A"}
	for want, cfg := range map[string]gateway.RESTAPIConfig{
		"no $default":                {Routes: []string{"$default"}},
		"is not":                     {Routes: []string{"/a"}},
		"match the same requests":    {Routes: []string{"GET /a/{x}", "GET /a/{y}"}},
		"match the same paths":       {Routes: []string{"GET /a/{x}", "POST /a/{y}"}},
		"needs a function":           {Authorizer: &gateway.RESTAuthorizer{}},
		`type "token"`:               {Authorizer: &gateway.RESTAuthorizer{Function: fn, Type: "token"}},
		"one header":                 {Authorizer: &gateway.RESTAuthorizer{Function: fn, IdentitySources: append(header, "method.request.header.B")}},
		"one header, not from [\"co": {Authorizer: &gateway.RESTAuthorizer{Function: fn, IdentitySources: []string{"context.path"}}},
		"TokenValidation is for":     {Authorizer: &gateway.RESTAuthorizer{Function: fn, Type: "REQUEST", IdentitySources: header, TokenValidation: "x"}},
		"TokenValidation: ":          {Authorizer: &gateway.RESTAuthorizer{Function: fn, TokenValidation: "("}},
		`matching "x"`:               {Matching: "x"},
		"negative TTL":               {Authorizer: &gateway.RESTAuthorizer{Function: fn, Type: "REQUEST"}},
		"TTL of 2h":                  {Authorizer: &gateway.RESTAuthorizer{Function: fn, TTL: 2 * time.Hour}},
		"timeout of 1m":              {Authorizer: &gateway.RESTAuthorizer{Function: fn, Timeout: time.Minute}},
		"identity source \"$request": {Authorizer: &gateway.RESTAuthorizer{Function: fn, Type: "REQUEST", IdentitySources: []string{"$request.header.A"}}},
		"no such context variable":   {Authorizer: &gateway.RESTAuthorizer{Function: fn, Type: "REQUEST", IdentitySources: []string{"context.routeKey"}}},
	} {
		if _, err := gateway.NewRESTAPI(authorizerOf, cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	if _, err := gateway.NewRESTAPI(nil, gateway.RESTAPIConfig{}); err == nil {
		t.Error("no function, and no error")
	}
}
