package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"testing"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

// holder stands for a verifier: the token is its scope.
type holder struct{}

func (holder) Verify(_ context.Context, token string) (*authorizer.Grant, error) {
	switch token {
	case "":
		return nil, guard.Errorf(guard.Unauthenticated, "token_malformed", "")
	case "down":
		return nil, guard.Errorf(guard.Unavailable, "token_keys_unavailable", "")
	}
	return &authorizer.Grant{Principal: "c-42", Scopes: []string{"orders:" + token}}, nil
}

// event is a call of a route, as an authorizer gets it that has the header and
// the route among its identity sources.
func event(method, path, route, token string) []byte {
	return fmt.Appendf(nil, `{"version":"2.0","type":"REQUEST",
		"routeArn":"arn:aws:execute-api:us-east-1:123456789012:api/$default/%[1]s%[2]s",
		"identitySource":["Bearer %[4]s",%[3]q],"routeKey":%[3]q,"rawPath":%[2]q,"rawQueryString":"",
		"headers":{"authorization":"Bearer %[4]s"},
		"requestContext":{"accountId":"123456789012","apiId":"api","stage":"$default","routeKey":%[3]q,
			"http":{"method":%[1]q,"path":%[2]q,"protocol":"HTTP/1.1","sourceIp":"192.0.2.1","userAgent":"test"}}}`,
		method, path, route, token)
}

func TestWhoMayCallWhat(t *testing.T) {
	const place, get = "POST /orders", "GET /orders/{id}"
	for _, c := range []struct {
		route, method, path, token string
		allowed                    bool
	}{
		{route: place, method: "POST", path: "/orders", token: "write", allowed: true},
		{route: place, method: "POST", path: "/orders", token: "read"},
		{route: get, method: "GET", path: "/orders/42", token: "read", allowed: true},
		{route: get, method: "GET", path: "/orders/42", token: "write"},
		{route: "DELETE /orders/{id}", method: "DELETE", path: "/orders/42", token: "write"},
		{route: place, method: "POST", path: "/orders"},
		{route: place, method: "POST", path: "/orders", token: "write2"},
	} {
		h := gate(logging.New(io.Discard), holder{})
		out, err := h.Invoke(t.Context(), event(c.method, c.path, c.route, c.token))
		if err != nil {
			t.Fatalf("%+v: %v", c, err)
		}
		var answer struct {
			IsAuthorized *bool
			Context      map[string]any
		}
		if err := json.Unmarshal(out, &answer); err != nil || answer.IsAuthorized == nil {
			t.Fatalf("%+v: %s", c, out)
		}
		if *answer.IsAuthorized != c.allowed {
			t.Errorf("%+v: %s", c, out)
		}
		if c.allowed && answer.Context["principalId"] != "c-42" {
			t.Errorf("%+v: the function does not get the principal: %s", c, out)
		}
	}
}

// What a gateway would keep for all that comes to $default is no answer for a path.
func TestNothingIsKeptForARouteThatTakesAllPaths(t *testing.T) {
	h := gate(logging.New(io.Discard), holder{})
	if out, err := h.Invoke(t.Context(), event("GET", "/admin", "$default", "read")); err == nil {
		t.Errorf("got %s, which the gateway would keep, want an error", out)
	}
}

func TestNobodyIsLetInOrKeptOutWhileTheIssuerIsDown(t *testing.T) {
	h := gate(logging.New(io.Discard), holder{})
	if out, err := h.Invoke(t.Context(), event("POST", "/orders", "POST /orders", "down")); err == nil {
		t.Errorf("answered %s, which the gateway would keep", out)
	}
}
