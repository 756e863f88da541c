package policy_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/authorizer/policy"
)

var stage = policy.ARN{Partition: "aws", Region: "us-east-1", Account: "1", API: "a", Stage: "prod", Method: "GET", Path: "/orders/42"}

// prefix of the resources of the stage.
const prefix = "arn:aws:execute-api:us-east-1:1:a/prod/"

func TestAllowRoutes(t *testing.T) {
	get := func(key string, granted bool) policy.Route {
		return policy.Route{Key: key, Method: "GET", Granted: granted}
	}
	orders, export := get("GET /orders/{id}", true), get("GET /orders/export", false)
	for _, tt := range []struct {
		name           string
		gateway        policy.Gateway
		routes         []policy.Route
		allows, denies string // calls, separated by spaces
		overlap        string // the route that cannot be left out
	}{
		{name: "nothing", routes: []policy.Route{export}, denies: "GET/orders/export"},
		{name: "a path", routes: []policy.Route{get("GET /orders", true)}, allows: "GET/orders", denies: "GET/orders/ GET/orders/1 POST/orders"},
		{name: "a slash at the end", gateway: policy.RESTAPI, routes: []policy.Route{get("GET /orders", true)}, allows: "GET/orders GET/orders/"},
		{name: "the root", gateway: policy.RESTAPI, routes: []policy.Route{get("GET /", true)}, allows: "GET/", denies: "GET/a GET//"},
		{name: "a parameter", routes: []policy.Route{orders}, allows: "GET/orders/42 GET/orders/a%2Fb", denies: "GET/orders GET/users/1"},
		{
			name: "a literal below it", gateway: policy.RESTAPI, routes: []policy.Route{orders, export},
			allows: "GET/orders/42 GET/orders/M%C3%BCller", denies: "GET/orders/export GET/orders/export/ GET/orders/%65xport GET/orders//export GET/orders/./export GET/orders/../orders/export",
		},
		{
			name: "what it hangs from", gateway: policy.RESTAPI, routes: []policy.Route{orders, get("GET /orders", false)},
			allows: "GET/orders/42", denies: "GET/orders GET/orders/ GET/orders/%2F GET/orders/%2f",
		},
		{
			name: "by the path", gateway: policy.RESTToken, routes: []policy.Route{orders},
			allows: "GET/orders/42", denies: `GET/orders/ GET/orders/a%2Fb GET/orders/a%5Cb GET/orders/a\b GET/orders/%2e GET/orders/%00 GET/orders/%7f GET/orders/%2525 GET/orders/a//b GET/orders/./a GET/orders/..`,
		},
		{
			name: "a literal behind the parameter", gateway: policy.RESTToken, routes: []policy.Route{get("GET /orders/{id}/items", true)},
			allows: "GET/orders/1/items", denies: "GET/orders/1/%69tems",
		},
		{
			name: "a granted literal below it", gateway: policy.RESTToken, routes: []policy.Route{orders, get("GET /orders/export", true)},
			allows: "GET/orders/1 GET/orders/export", denies: "GET/orders/%65xport",
		},
		{
			name: "what it hangs from, granted", gateway: policy.RESTToken, routes: []policy.Route{orders, get("GET /orders", true)},
			allows: "GET/orders/1 GET/orders GET/orders/",
		},
		{
			name: "in front of a greedy parameter, below another", gateway: policy.RESTToken,
			routes: []policy.Route{get("GET /{a}/{b}", true), get("GET /files/{p+}", true)},
			allows: "GET/x/y GET/files/z", denies: "GET/files GET/files/",
		},
		{
			name: "in front of a greedy parameter", gateway: policy.RESTToken, routes: []policy.Route{get("GET /files/{p+}", true)},
			allows: "GET/files/a GET/files/a/b", denies: "GET/files GET/files/",
		},
		{
			name: "in front of a greedy parameter, another route", gateway: policy.RESTToken,
			routes: []policy.Route{get("GET /files/{p+}", true), get("GET /{folder}", true)},
			allows: "GET/files/a GET/files",
		},
		{
			name: "a catch-all that the function splits", gateway: policy.HTTPAPI,
			routes: []policy.Route{get("GET /{p+}", true), get("GET /users/{id}", true)},
			allows: "GET/users/1 GET/a", denies: "GET/a%20b GET/%75sers/1",
		},
		{name: "refused elsewhere", gateway: policy.RESTAPI, routes: []policy.Route{orders, get("GET /users/{id}", false)}, allows: "GET/orders/1", denies: "GET/orders/../users/1 GET/users/1"},
		{name: "another method", routes: []policy.Route{orders, {Key: "POST /orders/{id}", Method: "POST"}}, allows: "GET/orders/1", denies: "POST/orders/1"},
		{name: "no route", routes: []policy.Route{get("", true)}, allows: "GET/a/b GET/", denies: "POST/a"},
		{name: "a parameter below it", routes: []policy.Route{orders, get("GET /orders/{id}/refunds", false)}, overlap: "GET /orders/{id}/refunds"},
		{name: "a literal below a greedy one", routes: []policy.Route{get("GET /{p+}", true), get("GET /admin", false)}, overlap: "GET /admin"},
		{name: "a greedy one above it", routes: []policy.Route{orders, get("GET /{p+}", false)}, overlap: "GET /{p+}"},
		{
			name: "a greedy one behind a parameter", gateway: policy.RESTToken,
			routes:  []policy.Route{get("GET /a/{p+}", true), get("GET /a/{x}/{q+}", true)},
			overlap: "the path in front of the last parameter of GET /a/{x}/{q+}",
		},
		{name: "no route, without a table's", routes: []policy.Route{get("", true), export}, overlap: "GET /orders/export"},
	} {
		var doc policy.Document
		err := doc.AllowRoutes(stage, tt.routes, tt.gateway)
		var overlap *policy.OverlapError
		if errors.As(err, &overlap); err != nil && (overlap == nil || overlap.Refused != tt.overlap) || err == nil && tt.overlap != "" {
			t.Errorf("%s: got %v, want an overlap with %q", tt.name, err, tt.overlap)
		}
		if err != nil {
			continue
		}
		granted := slices.ContainsFunc(tt.routes, func(r policy.Route) bool { return r.Granted })
		if doc.Empty() == granted {
			t.Errorf("%s: empty: got %t, want %t", tt.name, doc.Empty(), !granted)
		}
		iam := newIAM(t, doc)
		for _, call := range strings.Fields(tt.allows) {
			if !iam.allows(prefix + call) {
				t.Errorf("%s: %s: got denied, want allowed by %v", tt.name, call, iam)
			}
		}
		for _, call := range strings.Fields(tt.denies) {
			if iam.allows(prefix + call) {
				t.Errorf("%s: %s: got allowed, want denied by %v", tt.name, call, iam)
			}
		}
	}
}

func TestAllowRoutesRefusesWhatCannotBeNamed(t *testing.T) {
	for name, route := range map[string]policy.Route{
		"a malformed key": {Key: "orders", Method: "GET", Granted: true},
		"no method":       {Key: "GET /orders", Granted: true},
		"a long path":     {Key: "GET /" + strings.Repeat("a", 512), Method: "GET", Granted: true},
	} {
		var doc policy.Document
		if err := doc.AllowRoutes(stage, []policy.Route{route}, policy.RESTAPI); err == nil || !doc.Empty() {
			t.Errorf("%s: got %v, want an error", name, err)
		}
	}
}

func TestTheStageOfASampleIsNoWildcard(t *testing.T) {
	a := stage
	a.Stage = "*"
	var strict policy.Document
	if err := strict.Allow(a); err == nil {
		t.Error("a star as stage: got no error")
	}
	sample := policy.Document{AnyStage: true}
	if err := sample.Allow(a); err != nil {
		t.Errorf("a star as stage, AnyStage: got %v", err)
	}
	a.Path = "/*"
	if err := sample.Allow(a); err == nil {
		t.Error("a star in the path, AnyStage: got no error")
	}
}
