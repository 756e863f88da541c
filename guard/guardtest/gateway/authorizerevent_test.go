package gateway_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
)

func TestAuthorizersEventIsTheSamples(t *testing.T) {
	for name, cfg := range map[string]gateway.Authorizer{
		"":         {SimpleResponses: true},
		"http-1.0": {Format: "1.0"},
	} {
		a := failing(errors.New("Unauthorized"))
		cfg.Function, cfg.IdentitySources = a, []string{"$request.header.Authorization"}
		r := httptest.NewRequest("GET", "/orders/42?expand=lines", nil)
		r.Host = "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"
		r.RemoteAddr = "203.0.113.7:4711"
		r.Header = http.Header{"Authorization": {"Bearer t0k3n"}, "User-Agent": {"guardtest/1"}, "Cookie": {"theme=dark"}}
		newAPI(t, authorizerOf, gateway.HTTPAPIConfig{Routes: []string{"GET /orders/{id}"}, Authorizer: &cfg}).ServeHTTP(httptest.NewRecorder(), r)

		event := sample.Of(guard.Authorizer)
		if name != "" {
			event = sample.Of(guard.Authorizer, name)
		}
		var got, want map[string]any
		if err := errors.Join(json.Unmarshal(*a.event.Load(), &got), json.Unmarshal(event.Bytes(), &want)); err != nil {
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
		if raw := string(*a.event.Load()); !strings.Contains(raw, `"identitySource":["Bearer t0k3n"]`) && (!strings.Contains(raw, `"identitySource":"Bearer t0k3n"`) || !strings.Contains(raw, `"authorizationToken":"Bearer t0k3n"`)) {
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
	s := serveAPI(t, gateway.HTTPAPIConfig{Authorizer: &gateway.Authorizer{
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
	for format, want := range map[string][]string{"2.0": {`"identitySource":null,`}, "1.0": {`"identitySource":null,`, `"authorizationToken":null,`}} {
		a := answering(policyFor("Allow", "*", ""))
		serveAPI(t, gateway.HTTPAPIConfig{Authorizer: &gateway.Authorizer{Function: a, Format: format}}).do("GET /")
		for _, part := range want {
			if event := string(*a.event.Load()); !strings.Contains(event, part) {
				t.Errorf("%s: %s is not in %s", format, part, event)
			}
		}
	}
}
