package authorizer_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard"
)

// decide asks a check about the sample's request, without what an authorizer
// makes of it.
func decide(t *testing.T, c authorizer.Check) (g *authorizer.Grant, err error) {
	t.Helper()
	seen := func(ctx context.Context, r *authorizer.Request) (*authorizer.Grant, error) {
		g, err = c(ctx, r)
		return g, err
	}
	_, _ = authorizer.Simple(seen).Invoke(t.Context(), sampleOf("").Bytes())
	return g, err
}

func TestAllAsksInOrderAndEachKnowsTheGrantSoFar(t *testing.T) {
	var order []string
	named := func(name string) authorizer.Check {
		return func(ctx context.Context, _ *authorizer.Request) (*authorizer.Grant, error) {
			so := ""
			if g, ok := authorizer.GrantFrom(ctx); ok {
				so = g.Principal
			}
			order = append(order, so+">"+name)
			return &authorizer.Grant{Principal: name}, nil
		}
	}
	g, err := decide(t, authorizer.All(named("a"), authorizer.All(named("b"), named("c")), named("d")))
	if want := []string{">a", "a>b", "b>c", "c>d"}; err != nil || g.Principal != "d" || !slices.Equal(order, want) {
		t.Errorf("%v, %v, %v", g, err, order)
	}
}

func TestAllEndsWithTheFirstError(t *testing.T) {
	never := func(context.Context, *authorizer.Request) (*authorizer.Grant, error) {
		t.Error("asked after an error")
		return nil, nil
	}
	for name, c := range map[string]authorizer.Check{"denied": fails(guard.Errorf(guard.Forbidden, "no", "")), "broken": fails(errBroken), "neither": grants(nil)} {
		if g, err := decide(t, authorizer.All(authorizer.Bearer(alice()), c, never)); g != nil {
			t.Errorf("%s: %v, %v", name, g, err)
		}
	}
}

func TestAllEndsWithTheEarliestOfItsGrants(t *testing.T) {
	soon, late := time.Now().Add(time.Minute).Round(0), time.Now().Add(time.Hour).Round(0)
	ending := func(at time.Time) *authorizer.Grant { return &authorizer.Grant{Principal: "alice", Expires: at} }
	for _, tt := range [][3]time.Time{{soon, late, soon}, {late, soon, soon}, {soon, {}, soon}, {{}, soon, soon}, {{}, {}, {}}} {
		last := ending(tt[1])
		g, err := decide(t, authorizer.All(grants(ending(tt[0])), grants(last)))
		if err != nil || !g.Expires.Equal(tt[2]) || !last.Expires.Equal(tt[1]) {
			t.Errorf("%v: %v, %v", tt, g, err)
		}
	}
}

func TestAnyTakesTheFirstGrantAndElseTheMostTellingDenial(t *testing.T) {
	missing := authorizer.APIKey("x-none", tokens{})
	invalid := authorizer.Bearer(tokens{})
	forbidden := fails(guard.Errorf(guard.Forbidden, "no", ""))
	broken := fails(errBroken)
	good, other := authorizer.Bearer(alice()), grants(&authorizer.Grant{Principal: "bob"})
	expired := grants(&authorizer.Grant{Principal: "carol", Expires: longAgo})
	for _, tt := range []struct {
		name   string
		checks []authorizer.Check
		want   string // principal, or code
	}{
		{name: "the first", checks: []authorizer.Check{good, other}, want: "alice"},
		{name: "the second", checks: []authorizer.Check{missing, good}, want: "alice"},
		{name: "after a broken one", checks: []authorizer.Check{broken, good}, want: "alice"},
		{name: "after one that has expired", checks: []authorizer.Check{expired, good}, want: "alice"},
		{name: "after one that cannot be told", checks: []authorizer.Check{grants(&authorizer.Grant{}), good}, want: "alice"},
		{name: "forbidden after missing", checks: []authorizer.Check{missing, forbidden}, want: "no"},
		{name: "forbidden before missing", checks: []authorizer.Check{forbidden, invalid, missing}, want: "no"},
		{name: "invalid after missing", checks: []authorizer.Check{missing, invalid}, want: "token_unknown"},
		{name: "invalid before missing", checks: []authorizer.Check{invalid, missing}, want: "token_unknown"},
		{name: "missing twice", checks: []authorizer.Check{missing, missing}, want: "credential_missing"},
		{name: "broken is no denial", checks: []authorizer.Check{broken, forbidden, invalid}, want: "internal"},
		{name: "broken after a denial", checks: []authorizer.Check{forbidden, broken}, want: "internal"},
		{name: "neither", checks: []authorizer.Check{grants(nil), invalid}, want: "internal"},
	} {
		g, err := decide(t, authorizer.Any(tt.checks...))
		got := guard.Public(err).Code
		if err == nil {
			got = g.Principal
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s (%v, %v)", tt.name, got, tt.want, g, err)
		}
	}
}

func TestScopesAndGroups(t *testing.T) {
	who := grants(&authorizer.Grant{Principal: "alice", Scopes: []string{"a", "b"}, Groups: []string{"sales", "admins"}})
	for _, tt := range []struct {
		name   string
		check  authorizer.Check
		detail string // of the denial
	}{
		{name: "one scope", check: authorizer.Scopes("a")},
		{name: "all scopes", check: authorizer.Scopes("b", "a")},
		{name: "one is lacking", check: authorizer.Scopes("a", "c"), detail: "The credential of alice lacks the scope c."},
		{name: "another case", check: authorizer.Scopes("A"), detail: "The credential of alice lacks the scope A."},
		{name: "one of the groups", check: authorizer.Groups("none", "admins")},
		{
			name:   "none of the groups",
			check:  authorizer.Groups("none"),
			detail: "alice is in none of the groups that are allowed this.",
		},
	} {
		g, err := decide(t, authorizer.All(who, tt.check))
		switch {
		case tt.detail == "" && (err != nil || g.Principal != "alice"):
			t.Errorf("%s: %v, %v", tt.name, g, err)
		case tt.detail != "" && (guard.KindOf(err) != guard.Forbidden || guard.Public(err).Detail != tt.detail):
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestSourceIP(t *testing.T) {
	for _, tt := range []struct {
		networks []string
		address  string
		ok       bool
	}{
		{networks: []string{"203.0.113.0/24"}, address: "203.0.113.7", ok: true},
		{networks: []string{"203.0.113.7"}, address: "203.0.113.7", ok: true},
		{networks: []string{"203.0.113.8"}, address: "203.0.113.7"},
		{networks: []string{"192.0.2.0/24", "203.0.113.0/24"}, address: "203.0.113.7", ok: true},
		{networks: []string{"203.0.113.0/24"}, address: "::ffff:203.0.113.7", ok: true},
		{networks: []string{"2001:db8::/32"}, address: "2001:db8::1", ok: true},
		{networks: []string{"2001:db8::/32"}, address: "2001:db9::1"},
		{networks: []string{"0.0.0.0/0"}, address: "2001:db8::1"},
		{networks: []string{"0.0.0.0/0"}},
		{networks: []string{"0.0.0.0/0"}, address: "203.0.113.7, 192.0.2.1"},
		{networks: []string{"0.0.0.0/0"}, address: "203.0.113.7:443"},
	} {
		h := authorizer.Simple(authorizer.SourceIP(tt.networks...), authorizer.Uncached())
		out, log, err := ask(t, h, sampleOf("").Set("/requestContext/http/sourceIp", tt.address).Set("/headers/x-forwarded-for", "203.0.113.7"))
		if (outcomeOf(t, out, err, "") == allow) != tt.ok || !tt.ok && log.code() != "source_address" {
			t.Errorf("%v: %s, %v", tt, out, log)
		}
	}
	for _, bad := range []string{"", "203.0.113.7/24", "203.0.113", "::ffff:203.0.113.0/120", "fe80::1%eth0", "example.com"} {
		mustPanic(t, bad, "authorizer: SourceIP", func() { authorizer.SourceIP(bad) })
	}
	g, err := decide(t, authorizer.All(authorizer.Bearer(alice("s")), authorizer.SourceIP("203.0.113.0/24")))
	if err != nil || g.Principal != "alice" || !slices.Equal(g.Scopes, []string{"s"}) {
		t.Errorf("the grant so far is lost: %v, %v", g, err)
	}
}

func TestClientCert(t *testing.T) {
	certificate := "/requestContext/authentication/clientCert"
	for name, tt := range map[string]struct {
		subjects []string
		pointer  string
		value    any
		want     outcome
		code     string
	}{
		"any":             {want: allow},
		"the subject":     {subjects: []string{"CN=bob", "CN=alice"}, want: allow},
		"another subject": {subjects: []string{"CN=bob"}, want: deny, code: "client_certificate"},
		"none":            {pointer: certificate, want: deny, code: "credential_missing"},
		"no subject":      {pointer: certificate + "/subjectDN", value: "", want: deny, code: "credential_missing"},
		"expired": {
			pointer: certificate + "/validity/notAfter",
			value:   "Aug  5 09:36:04 2021 GMT",
			want:    deny,
			code:    "credential_expired",
		},
		"without an end": {pointer: certificate + "/validity/notAfter", value: "", want: allow},
		"no such end": {
			pointer: certificate + "/validity/notAfter",
			value:   "tomorrow",
			want:    broken,
			code:    "internal",
		},
	} {
		event := withCertificate(sampleOf(""))
		if tt.pointer != "" {
			event = event.Set(tt.pointer, tt.value)
		}
		out, log, err := ask(t, authorizer.Simple(authorizer.ClientCert(tt.subjects...), authorizer.Uncached()), event)
		if got := outcomeOf(t, out, err, ""); got != tt.want || log.code() != tt.code {
			t.Errorf("%s: %s, want %s: %v", name, got, tt.want, log)
		}
	}
}

func TestMisconfigurationPanics(t *testing.T) {
	ok := authorizer.Bearer(alice())
	for _, tt := range []struct {
		with string
		f    func()
	}{
		{with: "authorizer: All of no checks", f: func() { authorizer.All() }},
		{with: "authorizer: All with a nil check", f: func() { authorizer.All(ok, nil) }},
		{with: "authorizer: Any of no checks", f: func() { authorizer.Any() }},
		{with: "authorizer: Any with a nil check", f: func() { authorizer.Any(nil) }},
		{with: "authorizer: Bearer", f: func() { authorizer.Bearer(nil) }},
		{with: "authorizer: APIKey", f: func() { authorizer.APIKey("", tokens{}) }},
		{with: "authorizer: APIKey", f: func() { authorizer.APIKey("x", nil) }},
		{with: "authorizer: Scopes without", f: func() { authorizer.Scopes() }},
		{with: "authorizer: Scopes without a scope, or with a malformed one: [\"a b\"]", f: func() { authorizer.Scopes("a b") }},
		{with: "authorizer: Groups", f: func() { authorizer.Groups() }},
		{with: "authorizer: Groups", f: func() { authorizer.Groups("") }},
		{with: "authorizer: SourceIP without", f: func() { authorizer.SourceIP() }},
		{with: "authorizer: ClientCert", f: func() { authorizer.ClientCert("") }},
		{with: "authorizer: Require", f: func() { authorizer.Require(nil) }},
		{with: "authorizer: FromGateway", f: func() { authorizer.FromGateway("") }},
		{with: "authorizer: Routes with a nil", f: func() { authorizer.Routes(map[string]authorizer.Check{"GET /a": nil}) }},
		{with: `authorizer: Routes with "get /a"`, f: func() { authorizer.Routes(map[string]authorizer.Check{"get /a": ok}) }},
		{with: `authorizer: Routes with both "GET /a/{`, f: func() {
			authorizer.Routes(map[string]authorizer.Check{"GET /a/{x}": ok, "GET /a/{y}": ok})
		}},
	} {
		mustPanic(t, tt.with, tt.with, tt.f)
	}
}

// A read that does not count in a failed check of Any counts if another check reads the
// same, before it or after.
//
// SECURITY: Kept apart.
func TestAReadInsideAnyAndOutsideCounts(t *testing.T) {
	reads := looks(func(r *authorizer.Request) bool { return r.Header("x-tenant") != "" })
	anyOf := authorizer.Any(
		looks(func(r *authorizer.Request) bool { return r.Header("x-tenant") == "another" }),
		authorizer.Bearer(alice()),
	)
	for name, check := range map[string]authorizer.Check{
		"before": authorizer.All(reads, anyOf),
		"after":  authorizer.All(anyOf, reads),
	} {
		event := sampleOf("").Set("/headers/x-tenant", "blue").Set("/identitySource", []string{bearer})
		out, log, err := ask(t, authorizer.Simple(check), event)
		if got := outcomeOf(t, out, err, ""); got != broken || !strings.Contains(log.text("fix"), "$request.header.x-tenant") {
			t.Errorf("%s: got %s, %s, want the hazard: %v", name, got, out, log)
		}
	}
}

func TestAReadOfAFailedCheckInsideTwoAnysDoesNotCount(t *testing.T) {
	for name, fails := range map[string]func(*authorizer.Request) bool{
		"header":      func(r *authorizer.Request) bool { return r.Header("x-tenant") == "another" },
		"query":       func(r *authorizer.Request) bool { return r.Query("tenant") == "another" },
		"certificate": func(r *authorizer.Request) bool { return r.ClientCert() != nil },
	} {
		anyOf := authorizer.Any(looks(fails), authorizer.Bearer(alice()))
		event := sampleOf("").Set("/headers/x-tenant", "blue").Set("/requestContext/authentication", nil).Set("/identitySource", []string{bearer})
		out, log, err := ask(t, authorizer.Simple(authorizer.Any(anyOf)), event)
		if got := outcomeOf(t, out, err, ""); got != allow {
			t.Errorf("%s: got %s, %s, want it allowed: %v", name, got, out, log)
		}
	}
}
