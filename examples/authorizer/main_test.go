package main

import (
	"context"
	"encoding/base64"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
)

// binary is the authorizer as it is deployed, built once for all tests.
var binary string

func TestMain(m *testing.M) { os.Exit(guardtest.Main(m, ".", &binary)) }

// deployment is an API with two routes behind the authorizer.
type deployment struct {
	api         *gateway.Server
	authorizer  *guardtest.Function
	write, read string // tokens
}

var issued = regexp.MustCompile(`(?m)^orders:(write|read) .*?(\S+)$`)

func deploy(t *testing.T, identity ...string) deployment {
	t.Helper()
	d := deployment{authorizer: guardtest.Start(t, binary, guardtest.Config{
		Env: []string{"AWS_SAM_LOCAL=true"}, Timeout: 10 * time.Second,
	})}
	if err := d.authorizer.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.authorizer.WaitLog(t.Context(), "curl"); err != nil {
		t.Fatal(err)
	}
	for _, found := range issued.FindAllStringSubmatch(d.authorizer.Log(), -1) {
		if found[1] == "write" {
			d.write = found[2]
		} else {
			d.read = found[2]
		}
	}
	created := guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) {
		return []byte(`{"statusCode":201}`), nil
	})
	d.api = gateway.Start(t, guardtest.NewInProcess(created, guardtest.Config{}), gateway.HTTPAPIConfig{
		Routes: []string{"POST /orders", "GET /orders/{id}", "DELETE /orders/{id}"},
		Authorizer: &gateway.Authorizer{
			Function: d.authorizer, IdentitySources: identity, TTL: 300 * time.Second, SimpleResponses: true,
		},
	})
	return d
}

func (d deployment) call(method, path, authorization string) int {
	return d.api.Do(method, path, "", "Authorization", authorization).Status
}

var bothSources = []string{"$request.header.Authorization", "$context.routeKey"}

func TestEachRouteAsksForItsScope(t *testing.T) {
	d := deploy(t, bothSources...)
	// Each twice: the second time the gateway answers from its cache.
	for range 2 {
		for _, c := range []struct {
			method, path, token string
			want                int
		}{
			{method: "POST", path: "/orders", token: d.write, want: 201},
			{method: "GET", path: "/orders/42", token: d.write, want: 201},
			{method: "GET", path: "/orders/42", token: d.read, want: 201},
			{method: "POST", path: "/orders", token: d.read, want: 403},
			{method: "DELETE", path: "/orders/42", token: d.write, want: 403},
		} {
			if got := d.call(c.method, c.path, "Bearer "+c.token); got != c.want {
				t.Errorf("%s %s: %d, want %d", c.method, c.path, got, c.want)
			}
		}
	}
}

func TestNoOtherTokenWillDo(t *testing.T) {
	d := deploy(t, bothSources...)
	part := strings.Split(d.write, ".")
	reheaded := func(header string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + part[1] + "." + part[2]
	}
	claims, err := base64.RawURLEncoding.DecodeString(part[1])
	if err != nil {
		t.Fatal(err)
	}
	admin := strings.Replace(string(claims), `"sub":"c-42"`, `"sub":"c-1"`, 1)
	for name, c := range map[string]struct {
		authorization string
		want          int
	}{
		"none":           {want: 401},
		"junk":           {authorization: "junk", want: 403},
		"another scheme": {authorization: "Basic " + d.write, want: 403},
		"an edited payload": {
			authorization: "Bearer " + part[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(admin)) + "." + part[2],
			want:          403,
		},
		"a signature cut off": {authorization: "Bearer " + part[0] + "." + part[1] + ".", want: 403},
		"a byte of it changed": {
			authorization: "Bearer " + part[0] + "." + part[1] + "." + strings.Repeat("A", len(part[2])),
			want:          403,
		},
		"alg none": {authorization: "Bearer " + reheaded(`{"alg":"none","typ":"at+jwt"}`), want: 403},
		"alg HS256": {
			authorization: "Bearer " + reheaded(`{"alg":"HS256","typ":"at+jwt","kid":"https://issuer.example"}`),
			want:          403,
		},
		"a token of its own key":  {authorization: "Bearer " + deploy(t, bothSources...).write, want: 403},
		"two in one header":       {authorization: "Bearer " + d.write + ",Bearer " + d.write, want: 403},
		"a good one with a space": {authorization: "Bearer " + d.write + " x", want: 403},
	} {
		if got := d.call("POST", "/orders", c.authorization); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	if got := d.call("POST", "/orders", "Bearer "+d.write); got != 201 {
		t.Errorf("the token itself: %d", got)
	}
}

// With the header alone the gateway would keep one answer for all routes.
func TestItFailsWhereTheGatewayWouldKeepTooLittleApart(t *testing.T) {
	d := deploy(t, "$request.header.Authorization")
	if got := d.call("POST", "/orders", "Bearer "+d.write); got != 500 {
		t.Errorf("got %d, want 500", got)
	}
	for _, text := range []string{"authorizer_cache_hazard", "$context.routeKey"} {
		if err := d.authorizer.WaitLog(t.Context(), text); err != nil {
			t.Error(err)
		}
	}
}

func TestNothingMissingAtTheStart(t *testing.T) {
	for missing, env := range map[string][]string{
		"ISSUER":   {},
		"AUDIENCE": {"AWS_SAM_LOCAL=true", "ISSUER=https://issuer.example"},
	} {
		fn := guardtest.Start(t, binary, guardtest.Config{Env: env})
		if _, err := fn.Invoke(t.Context(), []byte(`{}`)); err == nil {
			t.Fatalf("the function started without %s", missing)
		}
		if err := fn.WaitLog(t.Context(), missing+" is not set"); err != nil {
			t.Error(err)
		}
	}
}
