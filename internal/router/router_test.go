package router_test

import (
	"net/http"
	"testing"

	"github.com/lambdarmor/lambdarmor/internal/router"
)

// call is a request as an event reports it.
type call struct {
	path, query, host string
	ambiguous, slash  bool // slash: one at the end of the path was dropped
	sent              []string
}

func (c call) Path() (string, bool) { return c.path, !c.ambiguous }
func (c call) Sent() []string       { return c.sent }
func (c call) RawQuery() string     { return c.query }
func (c call) Host() string         { return c.host }
func (c call) IgnoresSlash() bool   { return c.slash }

func table(t *testing.T) *router.Table[string] {
	t.Helper()
	table := new(router.Table[string])
	for _, pattern := range []string{"POST /orders", "GET /orders/{id}", "GET /orders/new", "/files/", "GET api.shop.example/own", "GET /a-b/{x}", "GET /a%20b"} {
		if err := table.Add(pattern, "value of "+pattern); err != nil {
			t.Fatal(err)
		}
	}
	return table
}

func TestFind(t *testing.T) {
	for _, tc := range []struct {
		rule, method string
		call         call
		pattern      string // "" if nothing matches
		status       int
		allow        string
		location     string
	}{
		{rule: "a method and a path", method: "POST", call: call{path: "/orders"}, pattern: "POST /orders"},
		{rule: "a wildcard", method: "GET", call: call{path: "/orders/7"}, pattern: "GET /orders/{id}"},
		{rule: "the most specific pattern", method: "GET", call: call{path: "/orders/new"}, pattern: "GET /orders/new"},
		{rule: "HEAD by GET", method: "HEAD", call: call{path: "/orders/7"}, pattern: "GET /orders/{id}"},
		{rule: "all below a slash", method: "PUT", call: call{path: "/files/a/b"}, pattern: "/files/"},
		{rule: "a host", method: "GET", call: call{path: "/own", host: "api.shop.example"}, pattern: "GET api.shop.example/own"},
		{rule: "another host", method: "GET", call: call{path: "/own", host: "shop.example"}, status: http.StatusNotFound},
		{rule: "no pattern", method: "GET", call: call{path: "/"}, status: http.StatusNotFound},
		{rule: "another method", method: "DELETE", call: call{path: "/orders/7"}, status: http.StatusMethodNotAllowed, allow: "GET, HEAD"},
		{
			rule: "a redirect to the slash", method: "GET", call: call{path: "/files", query: "a=b"},
			status: http.StatusTemporaryRedirect, location: "files/?a=b",
		},
		{rule: "no redirect if the slash was dropped", method: "GET", call: call{path: "/files", slash: true}, pattern: "/files/"},
		{rule: "a literal as it was sent", method: "GET", call: call{path: "/a-b/x", sent: []string{"a-b", "%78"}}, pattern: "GET /a-b/{x}"},
		{rule: "a literal that needs its escape", method: "GET", call: call{path: "/a b", sent: []string{"a%20b"}}, pattern: "GET /a%20b"},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			m, ok := table(t).Find(tc.call, tc.method)
			if !ok {
				t.Fatal("got an ambiguous path")
			}
			if m.Pattern != tc.pattern || m.Pattern != "" && m.Value != "value of "+tc.pattern {
				t.Errorf("got %q with %q, want %q", m.Pattern, m.Value, tc.pattern)
			}
			if tc.pattern == "" && m.Status/100 != tc.status/100 || m.Allow() != tc.allow || m.Location() != tc.location {
				t.Errorf("got %d, Allow %q, Location %q, want %d, %q, %q", m.Status, m.Allow(), m.Location(), tc.status, tc.allow, tc.location)
			}
		})
	}
}

func TestAnAmbiguousPathHasNoRoute(t *testing.T) {
	for name, c := range map[string]call{
		"by the event":     {path: "/orders/7", ambiguous: true},
		"a literal, coded": {path: "/orders/7", sent: []string{"%6frders", "7"}},
	} {
		if m, ok := table(t).Find(c, "GET"); ok {
			t.Errorf("%s: got %q, want it refused", name, m.Pattern)
		}
	}
}

func TestWildcardsHaveValues(t *testing.T) {
	m, _ := table(t).Find(call{path: "/orders/7"}, "GET")
	if got := m.Request.PathValue("id"); got != "7" {
		t.Errorf("got %q, want 7", got)
	}
}

func TestAddRefusesAPattern(t *testing.T) {
	for _, pattern := range []string{"", "orders", "POST /orders", "GET /orders/{id", "/orders/{a}/{a}"} {
		if err := table(t).Add(pattern, ""); err == nil {
			t.Errorf("%q: got no error", pattern)
		}
	}
}
