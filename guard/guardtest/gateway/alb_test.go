package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
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

func newALB(t *testing.T, fn guardtest.Invoker, cfg gateway.ALBConfig) *gateway.ALB {
	t.Helper()
	alb, err := gateway.NewALB(fn, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return alb
}

func albEventFor(t *testing.T, cfg gateway.ALBConfig, r *http.Request) (raw []byte, event events.ALBTargetGroupRequest) {
	t.Helper()
	alb := newALB(t, invokerFunc(func(_ context.Context, call guardtest.Call) (guardtest.Result, error) {
		raw = call.Payload
		return guardtest.Result{Payload: []byte(`{"statusCode":200}`)}, nil
	}), cfg)
	alb.ServeHTTP(httptest.NewRecorder(), r)
	if err := json.Unmarshal(raw, &event); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return raw, event
}

func TestRequestBecomesAnEventOfALoadBalancer(t *testing.T) {
	request := func() *http.Request {
		r := httptest.NewRequest("POST", "/a%2Fb/%2561?x=1&x=a%20b&y%5B%5D=%26&empty", strings.NewReader(`{}`))
		r.Host = "shop.example.com:8080"
		r.RemoteAddr = "192.0.2.7:4711"
		r.Header = http.Header{"Content-Type": {"application/json"}, "X-Many": {"1", "2"}, "Cookie": {"a=1", "b=2"}, "X-Amzn-Trace-Id": {"Root=1-2-3"}}
		return r
	}
	raw, single := albEventFor(t, gateway.ALBConfig{}, request())
	if got := guard.EventOf(t.Context(), raw).Trigger(); got != guard.ALB {
		t.Errorf("trigger %s", got)
	}
	for name, pair := range map[string][2]any{
		"path":         {single.Path, "/a%2Fb/%2561"},
		"method":       {single.HTTPMethod, "POST"},
		"query":        {single.QueryStringParameters, map[string]string{"x": "a%20b", "y%5B%5D": "%26", "empty": ""}},
		"many queries": {single.MultiValueQueryStringParameters, map[string][]string(nil)},
		"headers": {single.Headers, map[string]string{
			"content-type": "application/json", "content-length": "2", "x-many": "2", "cookie": "b=2", "host": "shop.example.com:8080",
			"x-amzn-trace-id": "Root=1-2-3", "x-forwarded-for": "192.0.2.7", "x-forwarded-port": "8080", "x-forwarded-proto": "http",
		}},
		"many headers": {single.MultiValueHeaders, map[string][]string(nil)},
		"body":         {single.Body, "{}"},
		"base64":       {single.IsBase64Encoded, false},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("%s is %#v, want %#v", name, pair[0], pair[1])
		}
	}
	rawMulti, multi := albEventFor(t, gateway.ALBConfig{MultiValueHeaders: true}, request())
	for name, pair := range map[string][2]any{
		"queries": {multi.MultiValueQueryStringParameters, map[string][]string{"x": {"1", "a%20b"}, "y%5B%5D": {"%26"}, "empty": {""}}},
		"query":   {multi.QueryStringParameters, map[string]string(nil)},
		"cookies": {multi.MultiValueHeaders["cookie"], []string{"a=1", "b=2"}},
		"headers": {multi.Headers, map[string]string(nil)},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("multi-value: %s is %#v, want %#v", name, pair[0], pair[1])
		}
	}
	for name, pair := range map[string][2][]byte{
		"single":      {raw, sample.Of(guard.ALB).Bytes()},
		"multi-value": {rawMulti, sample.Of(guard.ALB, "multi-value").Bytes()},
	} {
		got, want := slices.Sorted(maps.Keys(members(t, pair[0]))), slices.Sorted(maps.Keys(members(t, pair[1])))
		if !slices.Equal(got, want) {
			t.Errorf("%s: members %q, the sample's are %q", name, got, want)
		}
	}
}

func TestALoadBalancerPacksWhatIsNotText(t *testing.T) {
	for _, tt := range []struct {
		name, contentType, encoding, body string
		packed                            bool
	}{
		{name: "JSON", contentType: "application/json; charset=utf-8", body: "{}"},
		{name: "text", contentType: "text/csv", body: "a"},
		{name: "a form", contentType: "application/x-www-form-urlencoded", body: "a=1", packed: true},
		{name: "JSON of another type", contentType: "application/problem+json", body: "{}", packed: true},
		{name: "compressed", contentType: "text/plain", encoding: "gzip", body: "a", packed: true},
		{name: "no UTF-8", contentType: "text/plain", body: "\xff", packed: true},
	} {
		r := httptest.NewRequest("POST", "/", strings.NewReader(tt.body))
		r.Header = http.Header{"Content-Type": {tt.contentType}}
		if tt.encoding != "" {
			r.Header.Set("Content-Encoding", tt.encoding)
		}
		if _, event := albEventFor(t, gateway.ALBConfig{}, r); event.IsBase64Encoded != tt.packed || (event.Body == tt.body) == tt.packed {
			t.Errorf("%s: body %q, base64 %t, want %t", tt.name, event.Body, event.IsBase64Encoded, tt.packed)
		}
	}
}

func TestAnswerOfALoadBalancersFunctionHasToBeInForm(t *testing.T) {
	for _, tt := range []struct {
		name, answer string
		multi        bool
		err          error
		status       int
		body         string
		header       http.Header
	}{
		{name: "a status alone", answer: `{"statusCode":204}`, status: 204},
		{name: "all", answer: `{"statusCode":201,"statusDescription":"201 Created","headers":{"X-A":"1","set-cookie":"a=1","Set-Cookie":"b=2"},"body":"YQ==","isBase64Encoded":true}`, status: 201, body: "a", header: http.Header{"X-A": {"1"}, "Set-Cookie": {"b=2", "a=1"}}},
		{name: "lists", multi: true, answer: `{"statusCode":200,"multiValueHeaders":{"X-A":["1","2"]},"body":"b"}`, status: 200, body: "b", header: http.Header{"X-A": {"1", "2"}}},
		{name: "lists beside the form that is taken", answer: `{"statusCode":200,"headers":{"X-A":"1"},"multiValueHeaders":{"X-A":["2"]}}`, status: 200, header: http.Header{"X-A": {"1"}}},
		{name: "lists where none are taken", answer: `{"statusCode":200,"multiValueHeaders":{"X-A":["1"]}}`},
		{name: "no lists where they are taken", multi: true, answer: `{"statusCode":200,"headers":{"X-A":"1"}}`},
		{name: "no status", answer: `{"body":"a"}`},
		{name: "a status in quotes", answer: `{"statusCode":"200"}`},
		{name: "a status that is none", answer: `{"statusCode":99}`},
		{name: "half a status", answer: `{"statusCode":200.5}`},
		{name: "a description that is null", answer: `{"statusCode":200,"statusDescription":null}`},
		{name: "a body that is null", answer: `{"statusCode":200,"body":null}`},
		{name: "a body that is an object", answer: `{"statusCode":200,"body":{}}`},
		{name: "headers that are null", answer: `{"statusCode":200,"headers":null}`},
		{name: "a header that is a boolean", answer: `{"statusCode":200,"headers":{"X-A":true}}`},
		{name: "a header that is null", answer: `{"statusCode":200,"headers":{"X-A":null}}`},
		{name: "a header that breaks the line", answer: `{"statusCode":200,"headers":{"X-A":"1\r\nX-B: 2"}}`},
		{name: "base64 that is none", answer: `{"statusCode":200,"body":"!","isBase64Encoded":true}`},
		{name: "no object", answer: `"a"`},
		{name: "no JSON", answer: `a`},
		{name: "over 1 MB", answer: `{"statusCode":200,"body":"` + strings.Repeat("a", 1<<20) + `"}`},
		{name: "an error", err: &guardtest.FunctionError{Type: guardtest.TypeExit}},
		{name: "a timeout", err: &guardtest.FunctionError{Type: guardtest.TypeTimeout}},
	} {
		told := 0
		alb := newALB(t, invokerFunc(func(context.Context, guardtest.Call) (guardtest.Result, error) {
			return guardtest.Result{Payload: []byte(tt.answer)}, tt.err
		}), gateway.ALBConfig{MultiValueHeaders: tt.multi, Failed: func(string, error) { told++ }})
		w := httptest.NewRecorder()
		alb.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		res := w.Result()
		body, _ := io.ReadAll(res.Body)
		if tt.status == 0 {
			if res.StatusCode != 502 || !strings.Contains(string(body), "<h1>502 Bad Gateway</h1>") || told != 1 {
				t.Errorf("%s: %s %s, called %d times, want 502", tt.name, res.Status, body, told)
			}
			continue
		}
		if res.StatusCode != tt.status || string(body) != tt.body || told != 0 {
			t.Errorf("%s: %s %s, called %d times, want %d %s", tt.name, res.Status, body, told, tt.status, tt.body)
		}
		for name, want := range tt.header {
			if got := res.Header[name]; !slices.Equal(got, want) {
				t.Errorf("%s: %s is %q, want %q", tt.name, name, got, want)
			}
		}
	}
}

func TestALoadBalancerRefusesWhatItCannotPassOn(t *testing.T) {
	alb := newALB(t, invokerFunc(func(context.Context, guardtest.Call) (guardtest.Result, error) {
		return guardtest.Result{Payload: []byte(`{"statusCode":200}`)}, nil
	}), gateway.ALBConfig{})
	upgrade := httptest.NewRequest("GET", "/", nil)
	upgrade.Header.Set("Upgrade", "websocket")
	for _, tt := range []struct {
		name    string
		request *http.Request
		want    int
	}{
		{name: "a body at the limit", request: httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("a", 1<<20))), want: 200},
		{name: "a body over it", request: httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("a", 1<<20+1))), want: 413},
		{name: "an upgrade", request: upgrade, want: 400},
	} {
		w := httptest.NewRecorder()
		alb.ServeHTTP(w, tt.request)
		if w.Code != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, w.Code, tt.want)
		}
	}
}

func TestALoadBalancerWaitsNoLongerThanItIsTold(t *testing.T) {
	var told error
	alb := newALB(t, invokerFunc(func(ctx context.Context, _ guardtest.Call) (guardtest.Result, error) {
		<-ctx.Done()
		return guardtest.Result{}, context.Cause(ctx)
	}), gateway.ALBConfig{Timeout: time.Millisecond, Failed: func(_ string, err error) { told = err }})
	w := httptest.NewRecorder()
	alb.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 502 || !errors.Is(told, context.DeadlineExceeded) {
		t.Errorf("%d, told %v", w.Code, told)
	}
	ctx, leave := context.WithCancel(t.Context())
	leave()
	told = nil
	alb.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", "/", nil))
	if told != nil {
		t.Errorf("told of a client that left: %v", told)
	}
	if _, err := gateway.NewALB(nil, gateway.ALBConfig{}); err == nil {
		t.Error("no function, and no error")
	}
	if _, err := gateway.NewALB(authorizerOf, gateway.ALBConfig{Timeout: -1}); err == nil {
		t.Error("a negative timeout, and no error")
	}
}
