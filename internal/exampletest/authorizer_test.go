package exampletest_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// gated is a run with an authorizer, and the tokens that it has printed.
type gated struct {
	localRun
	write, read string
}

var tokens = regexp.MustCompile(`(?m)^authorizer: orders:(write|read) .*?(\S+)$`)

// authorize runs orders behind the authorizer, and reads its tokens.
func authorize(t *testing.T, flags ...string) gated {
	t.Helper()
	g := gated{localRun: runLocally(t, append(append([]string{"-authorizer", "./examples/authorizer"}, flags...), "./examples/orders")...)}
	g.console.has(t, "authorizer: curl")
	for _, found := range tokens.FindAllStringSubmatch(g.console.String(), -1) {
		if found[1] == "write" {
			g.write = found[2]
		} else {
			g.read = found[2]
		}
	}
	return g
}

func (r gated) call(t *testing.T, method, path, token string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, r.url+path,
		strings.NewReader(`{"customer":"c-42","items":[{"sku":"KB-101","quantity":2}]}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", "k-1")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, _ := do(t, req)
	return res.StatusCode
}

func TestAuthorizerGuardsOrders(t *testing.T) {
	t.Parallel()
	r := authorize(t, "-identity", "$request.header.Authorization,$context.routeKey", "-ttl", "300s")
	edited := r.write[:len(r.write)-8] + strings.Repeat("A", 8)
	for _, c := range []struct {
		name, method, path, token string
		want                      int
	}{
		{name: "no token", method: "POST", path: "/orders", want: 401},
		{name: "junk", method: "POST", path: "/orders", token: "junk", want: 403},
		{name: "the scope", method: "POST", path: "/orders", token: r.write, want: 201},
		{name: "another scope", method: "POST", path: "/orders", token: r.read, want: 403},
		{name: "another scope, once more", method: "POST", path: "/orders", token: r.read, want: 403},
		{name: "its own route", method: "GET", path: "/orders/nothing", token: r.read, want: 404},
		{name: "a forged signature", method: "POST", path: "/orders", token: edited, want: 403},
		{name: "a token cut short", method: "POST", path: "/orders", token: r.write[:len(r.write)/2], want: 403},
		{name: "the scope, from the cache", method: "POST", path: "/orders", token: r.write, want: 201},
		{name: "no route of the API", method: "DELETE", path: "/orders/1", token: r.write, want: 500},
	} {
		if got := r.call(t, c.method, c.path, c.token); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	if t.Failed() {
		t.Log(r.console)
	}
}

func TestAuthorizerSaysWhatItsIdentitySourcesLack(t *testing.T) {
	t.Parallel()
	r := authorize(t, "-identity", "$request.header.Authorization", "-ttl", "300s")
	if got := r.call(t, "POST", "/orders", r.write); got != 500 {
		t.Errorf("got %d, want 500", got)
	}
	r.console.has(t, "authorizer_cache_hazard")
	r.console.has(t, "$context.routeKey")
	if strings.Contains(r.console.String(), r.write[len(r.write)-20:]+`"`) {
		t.Error("the log has a token in it")
	}
}
