package authorizer_test

import (
	"context"
	"slices"
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
	_, _ = authorizer.Simple(seen).Invoke(t.Context(), sample("").Bytes())
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
	missing := authorizer.APIKey("x-none", authorizer.Keys())
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
		{"the first", []authorizer.Check{good, other}, "alice"},
		{"the second", []authorizer.Check{missing, good}, "alice"},
		{"after a broken one", []authorizer.Check{broken, good}, "alice"},
		{"after one that has expired", []authorizer.Check{expired, good}, "alice"},
		{"after one that cannot be told", []authorizer.Check{grants(&authorizer.Grant{}), good}, "alice"},
		{"forbidden after missing", []authorizer.Check{missing, forbidden}, "no"},
		{"forbidden before missing", []authorizer.Check{forbidden, invalid, missing}, "no"},
		{"invalid after missing", []authorizer.Check{missing, invalid}, "token_unknown"},
		{"invalid before missing", []authorizer.Check{invalid, missing}, "token_unknown"},
		{"missing twice", []authorizer.Check{missing, missing}, "credential_missing"},
		{"broken is no denial", []authorizer.Check{broken, forbidden, invalid}, "internal"},
		{"broken after a denial", []authorizer.Check{forbidden, broken}, "internal"},
		{"neither", []authorizer.Check{grants(nil), invalid}, "internal"},
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
		{"one scope", authorizer.Scopes("a"), ""},
		{"all scopes", authorizer.Scopes("b", "a"), ""},
		{"one is lacking", authorizer.Scopes("a", "c"), "The credential of alice lacks the scope c."},
		{"another case", authorizer.Scopes("A"), "The credential of alice lacks the scope A."},
		{"one of the groups", authorizer.Groups("none", "admins"), ""},
		{"none of the groups", authorizer.Groups("none"), "alice is in none of the groups that are allowed this."},
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
		{[]string{"203.0.113.0/24"}, "203.0.113.7", true},
		{[]string{"203.0.113.7"}, "203.0.113.7", true},
		{[]string{"203.0.113.8"}, "203.0.113.7", false},
		{[]string{"192.0.2.0/24", "203.0.113.0/24"}, "203.0.113.7", true},
		{[]string{"203.0.113.0/24"}, "::ffff:203.0.113.7", true},
		{[]string{"2001:db8::/32"}, "2001:db8::1", true},
		{[]string{"2001:db8::/32"}, "2001:db9::1", false},
		{[]string{"0.0.0.0/0"}, "2001:db8::1", false},
		{[]string{"0.0.0.0/0"}, "", false},
		{[]string{"0.0.0.0/0"}, "203.0.113.7, 192.0.2.1", false},
		{[]string{"0.0.0.0/0"}, "203.0.113.7:443", false},
	} {
		h := authorizer.Simple(authorizer.SourceIP(tt.networks...), authorizer.Uncached())
		out, log, err := ask(t, h, sample("").Set("/requestContext/http/sourceIp", tt.address).Set("/headers/x-forwarded-for", "203.0.113.7"))
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
		"any":             {nil, "", nil, allow, ""},
		"the subject":     {[]string{"CN=bob", "CN=alice"}, "", nil, allow, ""},
		"another subject": {[]string{"CN=bob"}, "", nil, deny, "client_certificate"},
		"none":            {nil, certificate, nil, deny, "credential_missing"},
		"no subject":      {nil, certificate + "/subjectDN", "", deny, "credential_missing"},
		"expired":         {nil, certificate + "/validity/notAfter", "Aug  5 09:36:04 2021 GMT", deny, "credential_expired"},
		"without an end":  {nil, certificate + "/validity/notAfter", "", allow, ""},
		"no such end":     {nil, certificate + "/validity/notAfter", "tomorrow", broken, "internal"},
	} {
		event := withCertificate(sample(""))
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
		{"authorizer: All of no checks", func() { authorizer.All() }},
		{"authorizer: All with a nil check", func() { authorizer.All(ok, nil) }},
		{"authorizer: Any of no checks", func() { authorizer.Any() }},
		{"authorizer: Any with a nil check", func() { authorizer.Any(nil) }},
		{"authorizer: Bearer", func() { authorizer.Bearer(nil) }},
		{"authorizer: APIKey", func() { authorizer.APIKey("", authorizer.Keys()) }},
		{"authorizer: APIKey", func() { authorizer.APIKey("x", nil) }},
		{"authorizer: Scopes without", func() { authorizer.Scopes() }},
		{"authorizer: Scopes with a scope", func() { authorizer.Scopes("a b") }},
		{"authorizer: Groups", func() { authorizer.Groups() }},
		{"authorizer: Groups", func() { authorizer.Groups("") }},
		{"authorizer: SourceIP without", func() { authorizer.SourceIP() }},
		{"authorizer: ClientCert", func() { authorizer.ClientCert("") }},
		{"authorizer: Require", func() { authorizer.Require(nil) }},
		{"authorizer: FromGateway", func() { authorizer.FromGateway("") }},
		{"authorizer: Keys: the hash of", func() { authorizer.Keys(authorizer.Key{Hash: "ab", Principal: "a"}) }},
		{"authorizer: PepperedKeys with", func() { authorizer.PepperedKeys([]byte("short")) }},
		{"authorizer: SecretKeys without", func() { authorizer.SecretKeys(nil, nil) }},
		{"authorizer: Routes with a nil", func() { authorizer.Routes(map[string]authorizer.Check{"GET /a": nil}) }},
		{`authorizer: Routes with "get /a"`, func() { authorizer.Routes(map[string]authorizer.Check{"get /a": ok}) }},
		{`authorizer: Routes with both "GET /a/{`, func() {
			authorizer.Routes(map[string]authorizer.Check{"GET /a/{x}": ok, "GET /a/{y}": ok})
		}},
	} {
		mustPanic(t, tt.with, tt.with, tt.f)
	}
}
