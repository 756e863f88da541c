package guard_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/lambdarmor/lambdarmor/guard"
)

type line struct {
	SKU      string `json:"sku"`
	Quantity int    `json:"quantity"`
}

type order struct {
	Role  string `json:"role"`
	Skew  string `json:"skew"`
	Lines []line `json:"lines"`
	First line   `json:"first"`
	Any   any    `json:"any"`
}

// strictness is what encoding/json accepts, or takes too much for, and a
// defended handler refuses.
var strictness = []struct {
	rule, text    string
	kind          guard.Kind
	code, pointer string
}{
	{
		rule:    "a member twice",
		text:    `{"role":"user","role":"admin"}`,
		kind:    guard.Invalid,
		code:    "duplicate_member",
		pointer: "/role",
	},
	{
		rule:    "a member twice, once escaped",
		text:    `{"role":"user","\u0072ole":"admin"}`,
		kind:    guard.Invalid,
		code:    "duplicate_member",
		pointer: "/role",
	},
	{
		rule:    "a member twice in what the type does not know",
		text:    `{"new":[{"a":1,"a":2}]}`,
		kind:    guard.Invalid,
		code:    "duplicate_member",
		pointer: "/new/0/a",
	},
	{
		rule:    "a member twice in an any",
		text:    `{"any":{"a":1,"a":2}}`,
		kind:    guard.Invalid,
		code:    "duplicate_member",
		pointer: "/any/a",
	},
	{
		rule:    "a case variant beside the member",
		text:    `{"role":"user","ROLE":"admin"}`,
		kind:    guard.Invalid,
		code:    "case_variant_member",
		pointer: "/ROLE",
	},
	{
		rule:    "a case variant alone",
		text:    `{"Role":"admin"}`,
		kind:    guard.Invalid,
		code:    "case_variant_member",
		pointer: "/Role",
	},
	{
		rule:    "a case variant in an array",
		text:    `{"lines":[{"sku":"a"},{"SKU":"b"}]}`,
		kind:    guard.Invalid,
		code:    "case_variant_member",
		pointer: "/lines/1/SKU",
	},
	{rule: "the long s", text: `{"ſkew":"x"}`, kind: guard.Invalid, code: "case_variant_member", pointer: "/ſkew"},
	{
		rule:    "the Kelvin sign",
		text:    "{\"s\u212Aew\":\"x\"}",
		kind:    guard.Invalid,
		code:    "case_variant_member",
		pointer: "/s\u212Aew",
	},
	{rule: "a second value", text: `{"role":"a"}{"role":"b"} junk`, kind: guard.Invalid, code: "trailing_data"},
	{rule: "junk behind the value", text: `{"role":"a"} junk`, kind: guard.Invalid, code: "trailing_data"},
	{
		rule:    "invalid UTF-8 in a value",
		text:    "{\"role\":\"\xff\"}",
		kind:    guard.Invalid,
		code:    "invalid_utf8",
		pointer: "/role",
	},
	{rule: "invalid UTF-8 in a name", text: "{\"\xff\":1}", kind: guard.Invalid, code: "invalid_utf8"},
	{rule: "half a surrogate pair", text: `{"role":"\ud800"}`, kind: guard.Invalid, code: "malformed_json", pointer: "/role"},
	{rule: "null for the whole", text: `null`, kind: guard.Invalid, code: "wrong_type"},
	{rule: "null for an object", text: `{"first":null}`, kind: guard.Invalid, code: "wrong_type", pointer: "/first"},
	{
		rule:    "null for an object in an array",
		text:    `{"lines":[null]}`,
		kind:    guard.Invalid,
		code:    "wrong_type",
		pointer: "/lines/0",
	},
	{
		rule:    "a string for a number",
		text:    `{"lines":[{"quantity":"1"}]}`,
		kind:    guard.Invalid,
		code:    "wrong_type",
		pointer: "/lines/0/quantity",
	},
	{rule: "nothing", kind: guard.Invalid, code: "malformed_json"},
	{
		rule:    "a name that needs escaping in the pointer",
		text:    `{"new":{"a/b~c":1,"a/b~c":2}}`,
		kind:    guard.Invalid,
		code:    "duplicate_member",
		pointer: "/new/a~1b~0c",
	},
	{
		rule:    "65 levels",
		text:    `{"any":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`,
		kind:    guard.Invalid,
		code:    "json_too_deep",
		pointer: "/any" + strings.Repeat("/0", 63),
	},
	{
		rule:    "65 levels that never end",
		text:    strings.Repeat("[", 65),
		kind:    guard.Invalid,
		code:    "json_too_deep",
		pointer: strings.Repeat("/0", 64),
	},
	{
		rule:    "100 001 values",
		text:    `{"any":[` + strings.Repeat("0,", 99_998) + `0]}`,
		kind:    guard.Invalid,
		code:    "json_too_many_values",
		pointer: "/any/99998",
	},
}

func wantViolation(t *testing.T, err error, kind guard.Kind, code, pointer string) {
	t.Helper()
	if wantError(t, err, kind, code); t.Failed() {
		return
	}
	e := guard.Public(err)
	if len(e.Violations) != 1 || e.Violations[0].Pointer != pointer || e.Violations[0].Detail == "" || e.Detail == "" {
		t.Errorf("%q, violations %+v, want one at %q", e.Detail, e.Violations, pointer)
	}
}

// SECURITY: One meaning.
func TestFuncRefuses(t *testing.T) {
	for _, tc := range strictness {
		t.Run(tc.rule, func(t *testing.T) {
			h := guard.Func(func(_ context.Context, in order) (any, error) {
				t.Errorf("called with %+v", in)
				return nil, nil
			})
			_, err := h.Invoke(t.Context(), []byte(tc.text))
			wantViolation(t, err, tc.kind, tc.code, tc.pointer)
		})
	}
}

// SECURITY: One meaning.
func TestDecodeBodyRefusesPlainAndBase64(t *testing.T) {
	for _, tc := range strictness {
		for form, encoded := range map[string]bool{"plain": false, "base64": true} {
			t.Run(tc.rule+" "+form, func(t *testing.T) {
				pointer := tc.pointer
				if !encoded && !utf8.ValidString(tc.text) {
					pointer = "/body" // the event itself is no JSON then
				}
				var in order
				err := guard.EventOf(t.Context(), httpEvent(tc.text, encoded)).DecodeBody(&in)
				wantViolation(t, err, tc.kind, tc.code, pointer)
			})
		}
	}
}

// What no type has a say in, the trees refuse as well.
//
// SECURITY: One meaning.
func TestTreesRefuse(t *testing.T) {
	for _, tc := range strictness {
		if tc.code == "case_variant_member" || tc.code == "wrong_type" {
			continue
		}
		t.Run(tc.rule, func(t *testing.T) {
			_, err := guard.EventOf(t.Context(), []byte(tc.text)).Tree()
			wantViolation(t, err, tc.kind, tc.code, tc.pointer)
			_, err = guard.EventOf(t.Context(), httpEvent(tc.text, true)).BodyTree()
			wantViolation(t, err, tc.kind, tc.code, tc.pointer)
		})
	}
}

func TestOneMoreThanAllowedIsRefusedAndAsManyAreNot(t *testing.T) {
	for _, text := range []string{
		strings.Repeat("[", 64) + strings.Repeat("]", 64),
		`[` + strings.Repeat("0,", 99_998) + `0]`,
	} {
		if _, err := guard.EventOf(t.Context(), []byte(text)).Tree(); err != nil {
			t.Errorf("%.20s…: %v", text, err)
		}
	}
}

func TestRefusalsRepeatNoValue(t *testing.T) {
	const marker = "s3cr3t"
	for _, text := range []string{
		`{"role":"` + marker + `","role":"` + marker + `"}`, `{"lines":"` + marker + `"}`,
		`{"role":"` + marker + "\xff\"}", `{"role":"a"} ` + marker, `{"role":` + marker + `}`,
	} {
		_, err := guard.Func(func(context.Context, order) (any, error) { return nil, nil }).Invoke(t.Context(), []byte(text))
		shown, marshalErr := json.Marshal(guard.Public(err))
		if err == nil || marshalErr != nil || strings.Contains(string(shown)+err.Error(), marker) {
			t.Errorf("%s: %s, %v", text, shown, err)
		}
	}
}

func TestUnknownMembersAreIgnoredUnlessRefused(t *testing.T) {
	text := []byte(`{"role":"user","lines":[{"sku":"a","colour":"red"}]}`)
	echo := func(_ context.Context, in order) (string, error) { return in.Role, nil }
	if out, err := guard.Func(echo).Invoke(t.Context(), text); string(out) != `"user"` || err != nil {
		t.Errorf("%s, %v", out, err)
	}
	_, err := guard.Func(echo, guard.RejectUnknownMembers()).Invoke(t.Context(), text)
	wantViolation(t, err, guard.Invalid, "unknown_member", "/lines/0/colour")
}

// AWS sends null for an object where it has nothing to say; its own types take
// it, a type of the caller's around them does not.
func TestEventsOfAWSTakeNullForAnObject(t *testing.T) {
	text := []byte(strings.Replace(string(readSample(t, "apigw-request.json")), `"identity": {`, `"identity": null, "x": {`, 1))
	if !strings.Contains(string(text), `"identity": null`) {
		t.Fatal("the sample has changed")
	}
	req, err := guard.EventOf(t.Context(), text).HTTP()
	if err != nil || req.RequestContext.HTTP.SourceIP != "" {
		t.Errorf("%+v, %v", req, err)
	}
}
