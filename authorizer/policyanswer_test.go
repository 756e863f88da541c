package authorizer_test

import (
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer"
)

// A path is a client's, and no place for wildcards.
func TestAPathThatNoPolicyCanNameIsRefused(t *testing.T) {
	for _, path := range []string{"/orders/*", "/orders/?", "/${aws:username}", "/" + strings.Repeat("a", 512)} {
		for _, variant := range []string{"token", "request", "http-1.0", ""} {
			event := sampleOf(variant)
			pointer := "/methodArn"
			if variant == "" {
				pointer = "/routeArn"
			}
			event = event.Set(pointer, stageARN+"GET"+path)
			out, log, err := ask(t, authorizer.Policy(authorizer.Bearer(alice()), authorizer.Uncached()), event)
			if outcomeOf(t, out, err, stageARN+"GET"+path) != deny || log.code() != "path_not_grantable" || log.text("level") != "WARN" {
				t.Errorf("%s %s: %s, %v", variant, path, out, log)
			}
		}
	}
}

func TestAnswersOfPolicies(t *testing.T) {
	g := &authorizer.Grant{
		Principal: "alice", Scopes: []string{"a", "b"}, Groups: []string{"admins", "sales team"},
		Context: map[string]any{"plan": "free", "seats": 3, "trial": true}, UsageKey: "key-1",
	}
	const (
		context = `{"groups":"admins sales%20team","plan":"free","scope":"a b","seats":3,"trial":true}`
		whole   = `{"groups":"admins sales%20team","plan":"free","principalId":"alice","scope":"a b","seats":3,"trial":true}`
	)
	for variant, want := range map[string]string{
		"":          `"context":` + whole + `}`,
		"http-1.0":  `"context":` + whole + `}`,
		"token":     `"context":` + context + `,"usageIdentifierKey":"key-1"}`,
		"request":   `"context":` + context + `,"usageIdentifierKey":"key-1"}`,
		"websocket": `"context":` + context + `}`,
	} {
		out, _, err := ask(t, authorizer.Policy(grants(g)), sampleOf(variant))
		if err != nil || !strings.HasPrefix(out, `{"principalId":"alice","policyDocument":{"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke","Effect":"Allow","Resource":[`) || !strings.HasSuffix(out, want) {
			t.Errorf("%s: %s, %v", variant, out, err)
		}
	}
	out, _, err := ask(t, authorizer.Simple(grants(g)), sampleOf(""))
	if want := `{"isAuthorized":true,"context":` + whole + `}`; err != nil || out != want {
		t.Errorf("%s, want %s, %v", out, want, err)
	}
	out, _, err = ask(t, authorizer.AppSync(grants(g), authorizer.DeniedFields(func(*authorizer.Grant) []string { return []string{"Order.total", "Event.note"} }), authorizer.AppSyncTTL(10*time.Second)), sampleOf("appsync"))
	if want := `{"isAuthorized":true,"resolverContext":{"groups":"admins sales%20team","plan":"free","principalId":"alice","scope":"a b","seats":"3","trial":"true"},"deniedFields":["Event.note","Order.total"],"ttlOverride":10}`; err != nil || out != want {
		t.Errorf("%s, want %s, %v", out, want, err)
	}
}

func TestAWebSocketAnswerIsBounded(t *testing.T) {
	g := &authorizer.Grant{Principal: "alice", Context: map[string]any{"a": strings.Repeat("a", 8<<10)}}
	if out, _, err := ask(t, authorizer.Policy(grants(g)), sampleOf("websocket")); outcomeOf(t, out, err, "") != broken {
		t.Error(out)
	}
	if out, _, err := ask(t, authorizer.Policy(grants(g)), sampleOf("token")); outcomeOf(t, out, err, arnOf(sampleOf("token"))) != allow {
		t.Error(out, err)
	}
}

// AppSync keeps no grant for longer than it lasts.
func TestAppSyncForgetsWithTheGrant(t *testing.T) {
	ending := func(in time.Duration) authorizer.Check {
		return grants(&authorizer.Grant{Principal: "alice", Expires: time.Now().Add(in)})
	}
	for name, tt := range map[string]struct {
		check authorizer.Check
		opts  []authorizer.AppSyncOption
		least int
		most  int
	}{
		"soon": {check: ending(30 * time.Second), least: 1, most: 30},
		"late": {check: ending(48 * time.Hour), least: 3600, most: 3600},
		"soon, longer kept": {
			check: ending(30 * time.Second),
			opts:  []authorizer.AppSyncOption{authorizer.AppSyncTTL(time.Hour)},
			least: 1,
			most:  30,
		},
		"late, kept short": {
			check: ending(48 * time.Hour),
			opts:  []authorizer.AppSyncOption{authorizer.AppSyncTTL(time.Minute)},
			least: 60,
			most:  60,
		},
		"not kept": {
			check: ending(48 * time.Hour),
			opts:  []authorizer.AppSyncOption{authorizer.AppSyncTTL(0)},
		},
	} {
		out, _, err := ask(t, authorizer.AppSync(tt.check, tt.opts...), sampleOf("appsync"))
		if a := parse(t, out); err != nil || a.TTLOverride == nil || *a.TTLOverride < tt.least || *a.TTLOverride > tt.most {
			t.Errorf("%s: %s, %v", name, out, err)
		}
	}
	for _, name := range []string{"", "Order.\xff", "Order.a\nb"} {
		denied := authorizer.DeniedFields(func(*authorizer.Grant) []string { return []string{"Order.total", name} })
		if out, _, err := ask(t, authorizer.AppSync(ending(time.Hour), denied), sampleOf("appsync")); outcomeOf(t, out, err, "") != broken {
			t.Errorf("the denied field %q: got %s, want an error", name, out)
		}
	}
	mustPanic(t, "negative", "authorizer: AppSyncTTL", func() { authorizer.AppSyncTTL(-1) })
	mustPanic(t, "not whole", "authorizer: AppSyncTTL", func() { authorizer.AppSyncTTL(1500 * time.Millisecond) })
	mustPanic(t, "too long", "authorizer: AppSyncTTL", func() { authorizer.AppSyncTTL(2 * time.Hour) })
	mustPanic(t, "nil fields", "authorizer: DeniedFields", func() { authorizer.DeniedFields(nil) })
	mustPanic(t, "nil check", "authorizer: AppSync", func() { authorizer.AppSync(nil) })
	mustPanic(t, "nil check", "authorizer: Simple", func() { authorizer.Simple(nil) })
	mustPanic(t, "nil check", "authorizer: Policy", func() { authorizer.Policy(nil) })
}
