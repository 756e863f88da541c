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
		{name: "a string", value: "free"},
		{name: "an empty string", value: ""},
		{name: "a string with quotes in it", value: `say "a"`},
		{name: "a string like a number", value: "42"},
		{name: "a string like a truth", value: "true"},
		{name: "a string like a null", value: "null"},
		{name: "a bool", value: true},
		{name: "an int", value: 3},
		{name: "an int32", value: int32(3)},
		{name: "an int64", value: int64(3)},
		{name: "a float", value: 1.5},
		{name: "the largest whole number", value: int64(1) << 53},
		{name: "a brace that opens nothing", value: "{not json}"},
		{name: "an object as string", value: `{"sub":"u-1"}`, reason: "a string that is itself JSON"},
		{name: "an array as string", value: ` [1,2] `, reason: "a string that is itself JSON"},
		{name: "a string as string", value: `"a"`, reason: "a string that is itself JSON"},
		{name: "an object with a member twice", value: `{"a":1,"a":2}`, reason: "a string that is itself JSON"},
		{name: "a number too large to be exact", value: int64(1)<<53 + 1, reason: "an integer beyond 2^53"},
		{name: "a number too small to be exact", value: -1<<53 - 1, reason: "an integer beyond 2^53"},
		{name: "not a number", value: math.NaN(), reason: "a number that is not finite"},
		{name: "infinity", value: math.Inf(1), reason: "a number that is not finite"},
		{name: "nil", reason: "nil: leave out the name"},
		{name: "a slice", value: []string{"a"}, reason: "a []string: gateways pass on"},
		{name: "a map", value: map[string]any{"a": 1}, reason: "a map[string]interface {}: gateways pass on"},
		{name: "a pointer", value: new(string), reason: "a *string: gateways pass on"},
		{name: "a string of another type", value: text("a"), reason: "authorizer_test.text: gateways pass on"},
		{name: "invalid UTF-8", value: "a\xff", reason: "not UTF-8"},
		{name: "more than there is room for", value: strings.Repeat("a", 5<<20), reason: "the context has more than"},
	} {
		for _, s := range samples {
			c := grants(&authorizer.Grant{Principal: "alice", Context: map[string]any{"value": tt.value}})
			event := sampleOf(s.variant)
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
		{reason: "without a principal", grant: authorizer.Grant{}},
		{reason: "principal: not UTF-8", grant: authorizer.Grant{Principal: "\xff"}},
		{reason: "principal: a string that is", grant: authorizer.Grant{Principal: `["alice"]`}},
		{reason: "with a malformed scope", grant: authorizer.Grant{Principal: "alice", Scopes: []string{"a b"}}},
		{reason: "with a malformed scope", grant: authorizer.Grant{Principal: "alice", Scopes: []string{""}}},
		{reason: "scopes: a string that is itself", grant: authorizer.Grant{Principal: "alice", Scopes: []string{"[1]"}}},
		{reason: "usage key: not UTF-8", grant: authorizer.Grant{Principal: "alice", UsageKey: "\xff"}},
		{reason: "a group that is empty", grant: authorizer.Grant{Principal: "alice", Groups: []string{""}}},
		{reason: `"principalId": the name is`, grant: context("principalId")},
		{reason: `"scope": the name is reserved`, grant: context("scope")},
		{reason: `"groups": the name is reserved`, grant: context("groups")},
		{reason: `"expires": the name is reserved`, grant: context("expires")},
		{reason: `"claims": the name is reserved`, grant: context("claims")},
		{reason: `"integrationLatency": the name`, grant: context("integrationLatency")},
		{reason: "a name that is empty", grant: context("")},
		{reason: "a name that is empty", grant: context("\xff")},
	} {
		out, log, err := ask(t, authorizer.Simple(grants(&tt.grant)), sampleOf(""), guard.UnsafeErrorTexts())
		e, _ := log["error"].(map[string]any)
		cause, _ := e["cause"].(string)
		if outcomeOf(t, out, err, "") != broken || !strings.Contains(cause, tt.reason) {
			t.Errorf("%q: %s, %v", tt.reason, out, log)
		}
	}
}

// A set of keys would fail at its first use.
func TestKeysWhoseGrantsCannotTravelPanic(t *testing.T) {
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
