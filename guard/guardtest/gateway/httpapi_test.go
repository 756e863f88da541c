package gateway_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
)

// invokerFunc answers with what a test says.
type invokerFunc func(ctx context.Context, call guardtest.Call) (guardtest.Result, error)

func (f invokerFunc) Do(ctx context.Context, call guardtest.Call) (guardtest.Result, error) {
	return f(ctx, call)
}

func newAPI(t *testing.T, fn guardtest.Invoker, cfg gateway.HTTPAPIConfig) *gateway.HTTPAPI {
	t.Helper()
	api, err := gateway.NewHTTPAPI(fn, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// eventFor returns the event that the API makes of the request, nil when it makes none.
func eventFor(t *testing.T, cfg gateway.HTTPAPIConfig, r *http.Request) []byte {
	t.Helper()
	var event []byte
	api := newAPI(t, invokerFunc(func(_ context.Context, call guardtest.Call) (guardtest.Result, error) {
		event = call.Payload
		return guardtest.Result{Payload: []byte(`{"statusCode":200}`)}, nil
	}), cfg)
	api.ServeHTTP(httptest.NewRecorder(), r)
	return event
}

func answerOf(t *testing.T, cfg gateway.HTTPAPIConfig, result guardtest.Result, err error) *http.Response {
	t.Helper()
	api := newAPI(t, invokerFunc(func(context.Context, guardtest.Call) (guardtest.Result, error) {
		return result, err
	}), cfg)
	w := httptest.NewRecorder()
	api.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	return w.Result()
}

func TestRequestBecomesAnEventOfFormat2(t *testing.T) {
	r := httptest.NewRequest("POST", "/orders/a%20b?x=1&y=a%2Cb&x=2&empty", strings.NewReader(`{"a":"<&>"}`))
	r.Host = "api.example.com:8080"
	r.RemoteAddr = "192.0.2.7:4711"
	r.Header = http.Header{
		"Content-Type":    {"application/json; charset=utf-8"},
		"User-Agent":      {"test/1"},
		"X-Many":          {"1", "2, 3"},
		"Authorization":   {"Bearer a,b"},
		"Cookie":          {"a=1; b=2", "c=3"},
		"Connection":      {"keep-alive, X-Private"},
		"X-Private":       {"for the gateway"},
		"X-Forwarded-For": {"10.0.0.1"},
		"X-Amzn-Trace-Id": {"Root=1-2-3"},
	}
	before := time.Now().Truncate(time.Millisecond)
	raw := eventFor(t, gateway.HTTPAPIConfig{Routes: []string{"POST /orders/{id}"}}, r)

	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.DisallowUnknownFields()
	var got events.APIGatewayV2HTTPRequest
	if err := dec.Decode(&got); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	at := time.UnixMilli(got.RequestContext.TimeEpoch)
	if at.Before(before) || time.Since(at) > time.Minute || got.RequestContext.Time != at.UTC().Format("02/Jan/2006:15:04:05 +0000") {
		t.Errorf("time %q, %v", got.RequestContext.Time, at)
	}
	if len(got.RequestContext.RequestID) != 16 {
		t.Errorf("request id %q", got.RequestContext.RequestID)
	}
	want := events.APIGatewayV2HTTPRequest{
		Version:        "2.0",
		RouteKey:       "POST /orders/{id}",
		RawPath:        "/orders/a b",
		RawQueryString: "x=1&y=a%2Cb&x=2&empty",
		Cookies:        []string{"a=1", "b=2", "c=3"},
		Headers: map[string]string{
			"content-type":      "application/json; charset=utf-8",
			"content-length":    "11",
			"user-agent":        "test/1",
			"x-many":            "1,2, 3",
			"authorization":     "Bearer a,b",
			"host":              "api.example.com:8080",
			"x-forwarded-for":   "10.0.0.1, 192.0.2.7",
			"x-forwarded-port":  "8080",
			"x-forwarded-proto": "http",
			"x-amzn-trace-id":   "Root=1-2-3",
		},
		QueryStringParameters: map[string]string{"x": "1,2", "y": "a,b", "empty": ""},
		PathParameters:        map[string]string{"id": "a b"},
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey:     "POST /orders/{id}",
			AccountID:    "123456789012",
			Stage:        "$default",
			RequestID:    got.RequestContext.RequestID,
			APIID:        "lambdarmor",
			DomainName:   "api.example.com:8080",
			DomainPrefix: "api",
			Time:         got.RequestContext.Time,
			TimeEpoch:    got.RequestContext.TimeEpoch,
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method: "POST", Path: "/orders/a b", Protocol: "HTTP/1.1", SourceIP: "192.0.2.7", UserAgent: "test/1",
			},
		},
		Body: `{"a":"<&>"}`,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("event\n%+v, want\n%+v", got, want)
	}
}

func TestWhatIsNotInARequestIsNotInItsEvent(t *testing.T) {
	raw := eventFor(t, gateway.HTTPAPIConfig{}, httptest.NewRequest("GET", "/", nil))
	var got map[string]any
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"cookies", "queryStringParameters", "pathParameters", "body"} {
		if value, ok := got[name]; ok {
			t.Errorf("%s is there: %v", name, value)
		}
	}
	if got["rawQueryString"] != "" || got["isBase64Encoded"] != false || got["routeKey"] != "$default" || got["rawPath"] != "/" {
		t.Errorf("%s", raw)
	}
	if trace := got["headers"].(map[string]any)["x-amzn-trace-id"].(string); !strings.HasPrefix(trace, "Root=1-") {
		t.Errorf("trace id %q", trace)
	}
}

func TestRequestBecomesAnEventOfFormat1(t *testing.T) {
	r := httptest.NewRequest("PUT", "/a/b/c?x=1&x=2", strings.NewReader("text"))
	r.Header = http.Header{"Content-Type": {"text/plain"}, "X-Many": {"1", "2"}, "Cookie": {"a=1; b=2"}}
	raw := eventFor(t, gateway.HTTPAPIConfig{Format: "1.0", Routes: []string{"ANY /a/{proxy+}"}}, r)
	var got events.APIGatewayProxyRequest
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	for name, pair := range map[string][2]any{
		"resource":     {got.Resource, "/a/{proxy+}"},
		"path":         {got.Path, "/a/b/c"},
		"method":       {got.HTTPMethod, "PUT"},
		"header":       {got.Headers["x-many"], "2"},
		"headers":      {got.MultiValueHeaders["x-many"], []string{"1", "2"}},
		"cookie":       {got.Headers["cookie"], "a=1; b=2"},
		"query":        {got.QueryStringParameters, map[string]string{"x": "2"}},
		"queries":      {got.MultiValueQueryStringParameters, map[string][]string{"x": {"1", "2"}}},
		"path values":  {got.PathParameters, map[string]string{"proxy": "b/c"}},
		"body":         {got.Body, "text"},
		"base64":       {got.IsBase64Encoded, false},
		"source ip":    {got.RequestContext.Identity.SourceIP, "192.0.2.1"},
		"resource id":  {got.RequestContext.ResourceID, "ANY /a/{proxy+}"},
		"context path": {got.RequestContext.Path, "/a/b/c"},
		"stage":        {got.RequestContext.Stage, "$default"},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("%s is %#v, want %#v", name, pair[0], pair[1])
		}
	}
	empty := string(eventFor(t, gateway.HTTPAPIConfig{Format: "1.0"}, httptest.NewRequest("GET", "/", nil)))
	for _, member := range []string{`"version":"1.0"`, `"body":null`, `"queryStringParameters":null`, `"pathParameters":null`, `"resource":"$default"`} {
		if !strings.Contains(empty, member) {
			t.Errorf("%s is not in %s", member, empty)
		}
	}
}

func TestFunctionURLKeepsThePathAsSent(t *testing.T) {
	raw := eventFor(t, gateway.HTTPAPIConfig{FunctionURL: true}, httptest.NewRequest("GET", "/a%2Fb%20c", nil))
	var got events.LambdaFunctionURLRequest
	if err := json.Unmarshal(raw, &got); err != nil || got.RawPath != "/a%2Fb%20c" || got.RequestContext.HTTP.Path != "/a%2Fb%20c" {
		t.Errorf("%v: %s", err, raw)
	}
}

func TestBodyIsBase64UnlessItsTypeIsTextual(t *testing.T) {
	tests := []struct {
		contentType, body string
		base64            bool
	}{
		{contentType: "text/plain", body: "x"},
		{contentType: "text/html; charset=utf-8", body: "x"},
		{contentType: "TEXT/CSV", body: "x"},
		{contentType: "application/json", body: "{}"},
		{contentType: "application/javascript", body: "x"},
		{contentType: "application/xml", body: "x"},
		{contentType: "application/problem+json", body: "{}"},
		{contentType: "application/atom+xml", body: "x"},
		{body: "x", base64: true},
		{contentType: "application/octet-stream", body: "x", base64: true},
		{contentType: "application/x-www-form-urlencoded", body: "a=b", base64: true},
		{contentType: "multipart/form-data; boundary=x", body: "x", base64: true},
		{contentType: "image/png", body: "x", base64: true},
		{contentType: "not a type", body: "x", base64: true},
		{contentType: "application/json", body: "\xff", base64: true}, // cannot stand in JSON
	}
	for _, tt := range tests {
		r := httptest.NewRequest("POST", "/", strings.NewReader(tt.body))
		r.Header.Set("Content-Type", tt.contentType)
		var got events.APIGatewayV2HTTPRequest
		if err := json.Unmarshal(eventFor(t, gateway.HTTPAPIConfig{}, r), &got); err != nil {
			t.Fatal(err)
		}
		if got.IsBase64Encoded != tt.base64 || (got.Body == tt.body) == tt.base64 {
			t.Errorf("%q: base64 %v, body %q", tt.contentType, got.IsBase64Encoded, got.Body)
		}
	}
}

func TestFailureIsAnsweredInAPIGatewaysWords(t *testing.T) {
	exit := &guardtest.FunctionError{Type: guardtest.TypeExit}
	timeout := &guardtest.FunctionError{Type: guardtest.TypeTimeout}
	asGateway := func(_ string, err error) int {
		if errors.Is(err, context.DeadlineExceeded) {
			return http.StatusGatewayTimeout
		}
		return http.StatusBadGateway
	}
	tests := []struct {
		name   string
		err    error
		failed func(string, error) int
		status int
		body   string
	}{
		{name: "a function's error", err: exit, status: 500, body: `{"message":"Internal Server Error"}`},
		{name: "a function's timeout", err: timeout, status: 500, body: `{"message":"Internal Server Error"}`},
		{
			name:   "a payload over Lambda's limit",
			err:    guardtest.ErrTooLarge,
			status: 413,
			body:   `{"message":"Request Entity Too Large"}`,
		},
		{
			name:   "a function's error, with a status of its own",
			err:    exit,
			failed: asGateway,
			status: 502,
			body:   `{"message":"Internal Server Error"}`,
		},
		{
			name:   "a function's timeout, with a status of its own",
			err:    timeout,
			failed: asGateway,
			status: 504,
			body:   `{"message":"Endpoint request timed out"}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := answerOf(t, gateway.HTTPAPIConfig{Failed: tt.failed}, guardtest.Result{}, tt.err)
			body := new(strings.Builder)
			_ = res.Write(body)
			if res.StatusCode != tt.status || !strings.HasSuffix(body.String(), tt.body) {
				t.Errorf("%d %s", res.StatusCode, body)
			}
		})
	}
}

func TestIntegrationTimeoutEndsTheWaitingOnly(t *testing.T) {
	for what, api := range map[string]func(fn guardtest.Invoker) http.Handler{
		"HTTP API": func(fn guardtest.Invoker) http.Handler {
			return newAPI(t, fn, gateway.HTTPAPIConfig{Timeout: time.Millisecond})
		},
		"REST API": func(fn guardtest.Invoker) http.Handler {
			return newREST(t, fn, gateway.RESTAPIConfig{Timeout: time.Millisecond})
		},
	} {
		w := httptest.NewRecorder()
		api(invokerFunc(func(ctx context.Context, _ guardtest.Call) (guardtest.Result, error) {
			if _, ok := ctx.Deadline(); ok {
				t.Errorf("%s: the function is given a deadline, which would end it", what)
			}
			<-ctx.Done()
			return guardtest.Result{}, context.Cause(ctx)
		})).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		status, text := http.StatusServiceUnavailable, `{"message":"Service Unavailable"}`
		if what == "REST API" {
			status, text = http.StatusGatewayTimeout, `{"message":"Endpoint request timed out"}`
		}
		if w.Code != status || w.Body.String() != text {
			t.Errorf("%s: %d %s, want %d %s", what, w.Code, w.Body, status, text)
		}
	}
}

func TestFailedIsToldOnceAndNotOfClientsThatLeave(t *testing.T) {
	var told []error
	inside := make(chan struct{})
	fn := invokerFunc(func(ctx context.Context, _ guardtest.Call) (guardtest.Result, error) {
		close(inside)
		<-ctx.Done()
		return guardtest.Result{}, ctx.Err()
	})
	api := newAPI(t, fn, gateway.HTTPAPIConfig{Failed: func(_ string, err error) int {
		told = append(told, err)
		return 0
	}})
	ctx, leave := context.WithCancel(t.Context())
	go func() {
		<-inside
		leave()
	}()
	api.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", "/", nil))
	if len(told) != 0 {
		t.Errorf("reported %v", told)
	}
}

func TestBodyOverTheLimitIsRefused(t *testing.T) {
	called := false
	fn := invokerFunc(func(context.Context, guardtest.Call) (guardtest.Result, error) {
		called = true
		return guardtest.Result{Payload: []byte(`{}`)}, nil
	})
	for size, status := range map[int]int{10 << 20: 200, 10<<20 + 1: 413} {
		called = false
		w := httptest.NewRecorder()
		newAPI(t, fn, gateway.HTTPAPIConfig{}).ServeHTTP(w, httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", size))))
		if w.Code != status || called != (status == 200) {
			t.Errorf("%d bytes: %d %s, function called: %v", size, w.Code, w.Body, called)
		}
	}
}

func TestConcurrentRequestsAreNotMixed(t *testing.T) {
	api := newAPI(t, guardtest.NewInProcess(echoHandler{}, guardtest.Config{Timeout: patient}), gateway.HTTPAPIConfig{Routes: []string{"GET /n/{n}"}})
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			n := strings.Repeat("n", i+1)
			w := httptest.NewRecorder()
			api.ServeHTTP(w, httptest.NewRequest("GET", "/n/"+n, nil))
			var got events.APIGatewayV2HTTPRequest
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.PathParameters["n"] != n {
				t.Errorf("%s: %v, %+v", n, err, got.PathParameters)
			}
		})
	}
	wg.Wait()
}

func TestMisconfiguredAPIIsRefused(t *testing.T) {
	fn := guardtest.NewInProcess(echoHandler{}, guardtest.Config{})
	for want, cfg := range map[string]gateway.HTTPAPIConfig{
		`payload format "3.0"`: {Format: "3.0"},
		"match the same":       {Routes: []string{"GET /a/{x}", "GET /a/{y}"}},
		"is not":               {Routes: []string{"/a"}},
		"function URL":         {FunctionURL: true, Routes: []string{"GET /a"}},
		"a function URL has":   {FunctionURL: true, Format: "1.0"},
		"names the stage":      {StageInPath: true, BasePath: "v1"},
		`matching "x"`:         {Matching: "x"},
		`domain path "x"`:      {DomainPath: "x"},
	} {
		if _, err := gateway.NewHTTPAPI(fn, cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want one with %q", cfg, err, want)
		}
	}
	if _, err := gateway.NewHTTPAPI(nil, gateway.HTTPAPIConfig{}); err == nil {
		t.Error("no function, and no error")
	}
}

// A client that sends less than it announced, or no chunk, may still be reading.
func TestBodyThatCannotBeReadIsABadRequest(t *testing.T) {
	fn := invokerFunc(func(context.Context, guardtest.Call) (guardtest.Result, error) {
		t.Error("the function is called")
		return guardtest.Result{}, nil
	})
	for name, api := range map[string]http.Handler{
		"HTTP API": newAPI(t, fn, gateway.HTTPAPIConfig{}),
		"REST API": newREST(t, fn, gateway.RESTAPIConfig{}),
	} {
		server := httptest.NewServer(api)
		defer server.Close()
		for _, body := range []string{
			"Content-Length: 10\r\n\r\nless",
			"Transfer-Encoding: chunked\r\n\r\nno size\r\n",
		} {
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: api.example.com\r\n"+body); err != nil {
				t.Fatal(err)
			}
			if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if text, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusBadRequest || string(text) != `{"message":"Bad Request"}` {
				t.Errorf("%s, %q: %s %s", name, body, res.Status, text)
			}
		}
	}
}
