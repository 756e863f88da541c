package authorizer_test

import (
	"math"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard"
)

type text string

// What gateways do not pass on is refused when the answer is built, with the
// reason in the log, on every kind of gateway.
func TestContextValues(t *testing.T) {
	for _, tt := range []struct {
		name   string
		value  any
		reason string // "" where it is passed on
	}{
		{"a string", "free", ""},
		{"an empty string", "", ""},
		{"a string with quotes in it", `say "a"`, ""},
		{"a string like a number", "42", ""},
		{"a string like a truth", "true", ""},
		{"a string like a null", "null", ""},
		{"a bool", true, ""},
		{"an int", 3, ""},
		{"an int32", int32(3), ""},
		{"an int64", int64(3), ""},
		{"a float", 1.5, ""},
		{"the largest whole number", int64(1) << 53, ""},
		{"a brace that opens nothing", "{not json}", ""},
		{"an object as string", `{"sub":"u-1"}`, "a string that is itself JSON"},
		{"an array as string", ` [1,2] `, "a string that is itself JSON"},
		{"a string as string", `"a"`, "a string that is itself JSON"},
		{"an object with a member twice", `{"a":1,"a":2}`, "a string that is itself JSON"},
		{"a number too large to be exact", int64(1)<<53 + 1, "an integer beyond 2^53"},
		{"a number too small to be exact", -1<<53 - 1, "an integer beyond 2^53"},
		{"not a number", math.NaN(), "a number that is not finite"},
		{"infinity", math.Inf(1), "a number that is not finite"},
		{"nil", nil, "nil: leave the name out"},
		{"a slice", []string{"a"}, "a []string: gateways pass on"},
		{"a map", map[string]any{"a": 1}, "a map[string]interface {}: gateways pass on"},
		{"a pointer", new(string), "a *string: gateways pass on"},
		{"a string of another type", text("a"), "authorizer_test.text: gateways pass on"},
		{"invalid UTF-8", "a\xff", "not UTF-8"},
		{"more than there is room for", strings.Repeat("a", 5<<20), "the context has more than"},
	} {
		for _, s := range samples {
			c := grants(&authorizer.Grant{Principal: "alice", Context: map[string]any{"value": tt.value}})
			event := sample(s.variant)
			out, log, err := ask(t, handlerFor(s.variant, s.simple, c), event, guard.UnsafeErrorTexts())
			want := broken
			if tt.reason == "" {
				want = allow
			}
			e, _ := log["error"].(map[string]any)
			cause, _ := e["cause"].(string)
			if got := outcomeOf(t, out, err, arnOf(event)); got != want || !strings.Contains(cause, tt.reason) {
				t.Errorf("%s for %s: %s, want %s: %.200s, %.200v", tt.name, s.variant, got, want, out, log)
			}
		}
	}
}

func TestGrantsThatCannotTravel(t *testing.T) {
	context := func(name string) authorizer.Grant {
		return authorizer.Grant{Principal: "alice", Context: map[string]any{name: "a"}}
	}
	for _, tt := range []struct {
		reason string
		grant  authorizer.Grant
	}{
		{"without a principal", authorizer.Grant{}},
		{"principal: not UTF-8", authorizer.Grant{Principal: "\xff"}},
		{"principal: a string that is", authorizer.Grant{Principal: `["alice"]`}},
		{"with a scope that is none", authorizer.Grant{Principal: "alice", Scopes: []string{"a b"}}},
		{"with a scope that is none", authorizer.Grant{Principal: "alice", Scopes: []string{""}}},
		{"scopes: a string that is itself", authorizer.Grant{Principal: "alice", Scopes: []string{"[1]"}}},
		{"usage key: not UTF-8", authorizer.Grant{Principal: "alice", UsageKey: "\xff"}},
		{"with a group without a name", authorizer.Grant{Principal: "alice", Groups: []string{""}}},
		{`"principalId": the name is`, context("principalId")},
		{`"scope": the name is taken`, context("scope")},
		{`"groups": the name is taken`, context("groups")},
		{`"expires": the name is taken`, context("expires")},
		{`"claims": the name is taken`, context("claims")},
		{`"integrationLatency": the name`, context("integrationLatency")},
		{"a value without a name", context("")},
		{"a value without a name", context("\xff")},
	} {
		out, log, err := ask(t, authorizer.Simple(grants(&tt.grant)), sample(""), guard.UnsafeErrorTexts())
		e, _ := log["error"].(map[string]any)
		cause, _ := e["cause"].(string)
		if outcomeOf(t, out, err, "") != broken || !strings.Contains(cause, tt.reason) {
			t.Errorf("%q: %s, %v", tt.reason, out, log)
		}
	}
}

// A set of keys would fail at its first use.
func TestKeysWhoseGrantsCannotTravelPanic(t *testing.T) {
	mustPanic(t, "no principal", "without a principal", func() { authorizer.Keys(authorizer.Key{Hash: authorizer.HashKey("a")}) })
}

// What is told to a backend may be mapped to a header, where a line break would
// begin another one.
func TestControlCharactersTravelNowhere(t *testing.T) {
	for _, c := range []string{"\r", "\n", "\r\nX-Admin: 1", "\x00", "\t", "\x1b", "\x7f", "\u0085", "\u009f"} {
		text := "alice" + c
		for where, grant := range map[string]authorizer.Grant{
			"principal":     {Principal: text},
			"a scope":       {Principal: "alice", Scopes: []string{"read", text}},
			"a group":       {Principal: "alice", Groups: []string{"staff", text}},
			"a value":       {Principal: "alice", Context: map[string]any{"plan": text}},
			"a name":        {Principal: "alice", Context: map[string]any{text: "free"}},
			"the usage key": {Principal: "alice", UsageKey: text},
		} {
			err := grant.Validate()
			if err == nil {
				t.Errorf("%q in %s is passed on", c, where)
			} else if strings.Contains(err.Error(), c) {
				t.Errorf("%q in %s is in the error: %v", c, where, err)
			}
		}
	}
	grant := authorizer.Grant{
		Principal: "Zo\u00eb \U0001F600", Scopes: []string{"a:b/c"}, Groups: []string{"\u0434\u0430\u043d\u0430 x"}, UsageKey: "k 1",
		Context: map[string]any{"na\u00efve name": "5 \u20ac, \u201cwith\u201d \u00a0 spaces"},
	}
	if err := grant.Validate(); err != nil {
		t.Errorf("text without one: %v", err)
	}
}
