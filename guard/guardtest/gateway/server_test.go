package gateway_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
)

// echoed answers with the request, and a status and a header of its own.
var echoed = invokerFunc(func(_ context.Context, call guardtest.Call) (guardtest.Result, error) {
	answer, err := json.Marshal(map[string]any{"statusCode": 307, "headers": map[string]string{"Location": "/elsewhere"}, "body": string(call.Payload)})
	return guardtest.Result{Payload: answer}, err
})

func TestClientSendsWhatItIsGiven(t *testing.T) {
	api := gateway.Start(t, echoed, gateway.HTTPAPIConfig{Routes: []string{"PUT /a", "GET /a"}})
	for what, tt := range map[string]struct {
		method, body string
		headers      []string
		contentType  string
	}{
		"a body is JSON":                    {method: "PUT", body: "{}", contentType: "application/json"},
		"no body has no type":               {method: "GET"},
		"another type":                      {method: "PUT", body: "a", headers: []string{"content-type", "text/plain"}, contentType: "text/plain"},
		"a type that is taken away":         {method: "PUT", body: "a", headers: []string{"Content-Type", ""}},
		"a name without a value is ignored": {method: "GET", headers: []string{"X-Odd"}},
	} {
		got := api.Do(tt.method, "/a?q=1", tt.body, append([]string{"X-Many", "1", "X-Many", "2"}, tt.headers...)...)
		if got.Status != 307 || got.Header.Get("Location") != "/elsewhere" {
			t.Errorf("%s: %d %v, want 307 and its Location, not followed", what, got.Status, got.Header)
		}
		var event events.APIGatewayV2HTTPRequest
		if err := json.Unmarshal([]byte(got.Body), &event); err != nil {
			t.Fatalf("%s: %v: %s", what, err, got.Body)
		}
		if event.RouteKey != tt.method+" /a" || event.RawQueryString != "q=1" || event.Headers["x-many"] != "1,2" || event.Headers["content-type"] != tt.contentType {
			t.Errorf("%s: got %+v", what, event)
		}
	}
}

// recorded is a test that fails without ending the test that it is in.
type recorded struct {
	testing.TB
	errors []string
}

func (r *recorded) Error(args ...any) { r.errors = append(r.errors, "error") }

func TestRequestWithoutAnAnswerFailsTheTest(t *testing.T) {
	tb := &recorded{TB: t}
	api := gateway.Start(tb, echoed, gateway.HTTPAPIConfig{})
	if got := api.Do("BAD METHOD", "/", ""); got.Status != 0 || len(tb.errors) != 1 {
		t.Errorf("got %+v and %q, want no answer and an error", got, tb.errors)
	}
	api.Close()
	if got := api.Do("GET", "/", strings.Repeat("x", 10)); got.Status != 0 || len(tb.errors) != 2 {
		t.Errorf("got %+v and %q, want no answer and an error", got, tb.errors)
	}
}
