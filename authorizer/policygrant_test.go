package authorizer_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer"
)

func TestGrantsOfOnePolicyAreTheSame(t *testing.T) {
	later := time.Now().Add(time.Hour)
	grant := func(change func(*authorizer.Grant)) authorizer.Check {
		g := &authorizer.Grant{Principal: "alice", Scopes: []string{"s"}, Context: map[string]any{"plan": "free"}}
		change(g)
		return grants(g)
	}
	for name, tt := range map[string]struct {
		change func(*authorizer.Grant)
		hazard bool
	}{
		"the same":          {change: func(*authorizer.Grant) {}},
		"an earlier end":    {change: func(g *authorizer.Grant) { g.Expires = later }},
		"no end":            {change: func(g *authorizer.Grant) { g.Expires = time.Time{} }},
		"another principal": {change: func(g *authorizer.Grant) { g.Principal = "bob" }, hazard: true},
		"other scopes":      {change: func(g *authorizer.Grant) { g.Scopes = nil }, hazard: true},
		"another context":   {change: func(g *authorizer.Grant) { g.Context = map[string]any{"plan": "paid"} }, hazard: true},
		"other groups":      {change: func(g *authorizer.Grant) { g.Groups = []string{"g"} }, hazard: true},
	} {
		end := later
		if name != "no end" {
			end = later.Add(time.Hour)
		}
		ends := func(g *authorizer.Grant) { g.Expires = end }
		other := func(g *authorizer.Grant) { ends(g); tt.change(g) }
		for _, c := range []authorizer.Check{
			authorizer.Routes(map[string]authorizer.Check{"GET /a": grant(ends), "GET /b": grant(other)}),
			authorizer.Routes(map[string]authorizer.Check{"GET /a": grant(other), "GET /b": grant(ends)}),
		} {
			for _, path := range []string{"/a", "/b"} {
				out, log, err := ask(t, authorizer.Policy(c), sampleOf("token").Set("/methodArn", stageARN+"GET"+path))
				if (log.code() == "authorizer_cache_hazard") != tt.hazard || (err != nil) != tt.hazard {
					t.Errorf("%s: %s, %v", name, out, log)
				}
				if strings.HasSuffix(name, " end") && parse(t, out).Context["expires"] != float64(later.Unix()) {
					t.Errorf("%s: %s", name, out)
				}
			}
		}
	}
}

// Method and path are in a policy as they are called where the gateway keeps
// decisions apart by them.
func TestAPolicyIsForWhatTheIdentitySourcesHold(t *testing.T) {
	for sources, want := range map[string]string{
		"":                                "*",
		"context.httpMethod":              "GET/*",
		"context.path":                    "*",
		"context.path context.httpMethod": "GET/*",
		"context.path context.domainName": "DELETE/orders/42 GET/orders/42 HEAD/orders/42 OPTIONS/orders/42 PATCH/orders/42 POST/orders/42 PUT/orders/42",
		"context.httpMethod context.path context.domainName": "GET/orders/42",
	} {
		declared := append(strings.Fields(sources), "method.request.header.Authorization")
		out, _, err := ask(t, authorizer.Policy(authorizer.Bearer(alice()), authorizer.IdentitySources(declared...)), sampleOf("request"))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range parse(t, out).Policy.Statement {
			for _, resource := range s.Resource {
				got = append(got, strings.TrimPrefix(resource, stageARN))
			}
		}
		if slices.Sort(got); strings.Join(got, " ") != want {
			t.Errorf("by %q: %q, want %q", sources, got, want)
		}
	}
}

// The check of a route that was not called breaks: nothing is to be kept.
func TestABrokenCheckOfAnotherRouteIsNoDenial(t *testing.T) {
	c := authorizer.Routes(map[string]authorizer.Check{"GET /a": authorizer.Bearer(alice()), "GET /b": fails(errBroken)})
	out, log, err := ask(t, authorizer.Policy(c), sampleOf("token").Set("/methodArn", stageARN+"GET/a"))
	if outcomeOf(t, out, err, "") != broken || log.text("decision") != "fail" {
		t.Errorf("%s, %v, %v", out, log, err)
	}
}

// A token is verified once, however many routes there are.
func TestACredentialIsCheckedOncePerDecision(t *testing.T) {
	asked := 0
	v := verifierFunc(func(context.Context, string) (*authorizer.Grant, error) {
		asked++
		return &authorizer.Grant{Principal: "alice"}, nil
	})
	routes := map[string]authorizer.Check{}
	for i := range 20 {
		routes[fmt.Sprintf("GET /%d", i)] = authorizer.Groups("none")
	}
	if _, _, err := ask(t, authorizer.Policy(authorizer.All(authorizer.Bearer(v), authorizer.Routes(routes))), sampleOf("token")); err != nil || asked != 1 {
		t.Errorf("asked %d times: %v", asked, err)
	}
}

type verifierFunc func(context.Context, string) (*authorizer.Grant, error)

func (f verifierFunc) Verify(ctx context.Context, token string) (*authorizer.Grant, error) {
	return f(ctx, token)
}
