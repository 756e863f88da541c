package validate_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/validate"
)

// many writes n texts with a comma between them.
func many(n int, text func(i int) string) string {
	list := make([]string, n)
	for i := range list {
		list[i] = text(i)
	}
	return strings.Join(list, ",")
}

func nested(depth int) string {
	return strings.Repeat(`{"a":`, depth) + "{}" + strings.Repeat("}", depth)
}

func countries(i int) string { return fmt.Sprintf("%q", fmt.Sprintf("%c%c", 'A'+i/26, 'A'+i%26)) }

// signs is an array of ones, each with or without a sign: the library's hash of
// all of them is the same.
func signs(i int) string {
	return "[" + many(11, func(bit int) string {
		if i>>bit&1 == 1 {
			return "-1"
		}
		return "1"
	}) + "]"
}

const twice = `"anyOf":[{"properties":{"a":{"$ref":"%[1]s"}},"required":["x"]},{"properties":{"a":{"$ref":"%[1]s"}},"required":["y"]}]`

// Each of these takes the library seconds to hours, or hundreds of MB. Here a
// verdict is reached with the steps that an input may take, or they are refused.
func TestHostileInputs(t *testing.T) {
	for name, tt := range map[string]struct {
		schema, small, hostile string
		tooCostly              bool
	}{
		"what a branch that fails has left unevaluated": {
			schema: `{"anyOf":[{"properties":{"a":true},"required":["x"]},{"required":["z"]}],"unevaluatedProperties":{"allOf":[{"$ref":"#"},{"$ref":"#"}]}}`,
			small:  nested(2), hostile: nested(60),
		},
		"elements that a branch that fails has left unevaluated": {
			schema: `{"anyOf":[{"prefixItems":[true],"minItems":9},{"minItems":8}],"unevaluatedItems":{"allOf":[{"$ref":"#"},{"$ref":"#"}]}}`,
			small:  `[[[]]]`, hostile: strings.Repeat("[", 60) + strings.Repeat("]", 60),
		},
		"texts with a schema for their content": {
			schema: `{"items":{"contentMediaType":"application/json","contentSchema":{"$ref":"#/$defs/r"}},"$defs":{"r":{` + fmt.Sprintf(twice, "#/$defs/r") + `}}}`,
			small:  fmt.Sprintf(`[%q]`, nested(2)), hostile: "[" + many(100, func(int) string { return fmt.Sprintf("%q", nested(12)) }) + "]",
		},
		"elements that are looked for by several ways": {
			schema: `{"contains":{"allOf":[{"$ref":"#"},{"$ref":"#"}]}}`, small: `[[[]]]`, hostile: strings.Repeat("[", 60) + strings.Repeat("]", 60),
		},
		"texts with many values": {
			schema: `{"items":{"contentMediaType":"application/json","contentSchema":{"items":{"enum":[` +
				many(250, func(i int) string { return fmt.Sprint(i) }) + `]}}}}`,
			small: `["[999]"]`, hostile: "[" + many(50, func(int) string { return `"[` + strings.Repeat("999,", 2000) + `999]"` }) + "]",
		},
		"elements with one hash that are to be unique": {
			schema: `{"uniqueItems":true,"maxItems":1}`, small: "[1,2]", hostile: "[" + many(2000, signs) + "]",
		},
		"few and large elements that are to be unique": {
			schema: `{"uniqueItems":true,"maxItems":1}`, small: "[1,2]",
			hostile: "[" + many(20, func(i int) string { return "[" + strings.Repeat("1,", 4900) + fmt.Sprint(i) + "]" }) + "]",
		},
		"numbers that are compared with many": {
			schema: `{"items":{"enum":[` + many(250, func(i int) string { return fmt.Sprint(i) }) + `]}}`,
			small:  "[999]", hostile: "[" + strings.Repeat("999,", 20_000) + "999]",
		},
		"objects that are compared with many": {
			schema: `{"items":{"enum":[` + many(250, func(i int) string { return fmt.Sprintf(`{"n":%d}`, i) }) + `]}}`,
			small:  `[{"n":999}]`, hostile: "[" + strings.Repeat(`{"n":999},`, 20_000) + "{}]",
		},
		"refusals that list an enumeration": {
			schema: `{"items":{"enum":[` + many(250, countries) + `]}}`, small: `["x"]`, hostile: "[" + strings.Repeat(`"x",`, 90_000) + `"x"]`,
		},
		"refusals that list a pattern": {
			schema: `{"items":{"pattern":"^` + strings.Repeat("a?", 1000) + `$"}}`, small: `["x"]`, hostile: "[" + strings.Repeat(`"x",`, 90_000) + `"x"]`,
		},
		"objects without what is required": {
			schema: `{"items":{"required":[` + many(100, countries) + `]}}`, small: `[{}]`, hostile: "[" + strings.Repeat(`{},`, 90_000) + `{}]`,
		},
		"objects without what is required beside another member": {
			schema: `{"items":{"dependentRequired":{"a":[` + many(100, countries) + `]}}}`, small: `[{"a":1}]`, hostile: "[" + strings.Repeat(`{"a":1},`, 40_000) + `{}]`,
		},
		"objects without what is required beside another member, of draft 7": {
			schema: `{"$schema":"http://json-schema.org/draft-07/schema#","items":{"dependencies":{"a":[` + many(100, countries) + `]}}}`,
			small:  `[{"a":1}]`, hostile: "[" + strings.Repeat(`{"a":1},`, 40_000) + `{}]`,
		},
		"objects for which many members are known": {
			schema: `{"items":{"minProperties":1,"properties":{` + many(600, func(i int) string { return fmt.Sprintf(`"p%d":{}`, i) }) + `}}}`,
			small:  `[{}]`, hostile: "[" + strings.Repeat(`{},`, 90_000) + `{}]`,
		},
		"names that are matched with many patterns": {
			schema: `{"maxProperties":1,"patternProperties":{` + many(100, func(i int) string { return fmt.Sprintf(`"x%dy":{}`, i) }) + `}}`,
			small:  `{"a":1,"b":2}`, hostile: "{" + many(40_000, func(i int) string { return fmt.Sprintf(`"m%d":1`, i) }) + "}",
		},
		"members that are unknown to many": {
			schema: `{"anyOf":[` + many(20, func(int) string { return `{"additionalProperties":false}` }) + `]}`,
			small:  `{"a":1}`, hostile: "{" + many(40_000, func(i int) string { return fmt.Sprintf(`"m%d":1`, i) }) + "}",
		},
		"a long text for many patterns": {
			schema: `{"anyOf":[` + many(100, func(i int) string { return fmt.Sprintf(`{"pattern":"x%d$"}`, i) }) + `]}`,
			small:  `"a"`, hostile: `"` + strings.Repeat("a", 900_000) + `"`, tooCostly: true,
		},
		"a text for a pattern with many repetitions": {
			schema: `{"pattern":".{900}x"}`, small: `"a"`, hostile: `"` + strings.Repeat("a", 1_000_000) + `"`, tooCostly: true,
		},
		"a text that must not match such a pattern": {
			schema: `{"not":{"pattern":"^.{3}|.{900}x"}}`, small: `"aaa"`, hostile: `"` + strings.Repeat("a", 1_000_000) + `"`, tooCostly: true,
		},
		"texts that are regular expressions": {
			schema: `{"items":{"format":"regex"}}`, small: `["("]`,
			hostile: "[" + many(20, func(int) string { return `"` + strings.Repeat(`\\pL`, 5000) + `"` }) + "]", tooCostly: true,
		},
		"a text that is a regular expression of one large class": {
			schema: `{"format":"regex"}`, small: `"["`, hostile: `"[` + strings.Repeat(`\\pL`, 15_000) + `]"`, tooCostly: true,
		},
		"names that are matched at each level": {
			schema: `{"patternProperties":{"^[a-zA-Z0-9._-]{1,64}$":{"$ref":"#"}},"additionalProperties":false}`, small: `{"":1}`,
			hostile: "{" + many(500, func(i int) string {
				return fmt.Sprintf(`"k%d":`, i) + strings.Repeat(`{"abcdef":`, 60) + `{"":1}` + strings.Repeat(`}`, 60)
			}) + "}",
		},
		"many verdicts to remember": {
			schema: `{"$defs":{"n":{"items":{"allOf":[` + many(50, func(i int) string { return fmt.Sprintf(`{"$ref":"#/$defs/n%d"},{"$ref":"#/$defs/n%d"}`, i, i) }) + `]}},` +
				many(50, func(i int) string { return fmt.Sprintf(`"n%d":{"items":{"maximum":%d}}`, i, i) }) + `},"$ref":"#/$defs/n"}`, small: `[[99]]`,
			hostile: "[" + many(6000, func(int) string { return "[0]" }) + "]", tooCostly: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			body := validate.Body(mustCompile([]byte(tt.schema)))
			_, err := invoke(t, request(t, tt.small), body)
			if e := refusal(t, err); e == nil || e.Code != "validation_failed" {
				t.Errorf("%s: %v", tt.small, err)
			}
			_, err = invoke(t, request(t, tt.hostile), body)
			code := "validation_failed"
			if tt.tooCostly {
				code = "validation_too_costly"
			}
			if e := refusal(t, err); e == nil || e.Code != code {
				t.Errorf("got %v, want %s", err, code)
			}
		})
	}
}

// What grows with the input alone is not too costly.
func TestLargeInputsThatAreValid(t *testing.T) {
	for name, tt := range map[string]struct{ schema, body string }{
		"a tree in which all is judged": {
			schema: `{"properties":{"a":{"$ref":"#"}},"unevaluatedProperties":{"$ref":"#"}}`, body: nested(60),
		},
		"a tree in which all else is judged": {
			schema: `{"additionalProperties":{"$ref":"#"},"unevaluatedProperties":{"$ref":"#"}}`, body: nested(60),
		},
		"elements that are listed": {
			schema: `{"items":{"enum":[` + many(250, countries) + `]}}`, body: "[" + many(60_000, func(i int) string { return countries(i % 250) }) + "]",
		},
		"objects with what is required": {
			schema: `{"items":{"required":[` + many(40, countries) + `],"dependentRequired":{"x":["y"]}}}`,
			body:   "[" + many(2000, func(int) string { return "{" + many(40, func(i int) string { return countries(i) + ":1" }) + "}" }) + "]",
		},
		"elements that are unique": {
			schema: `{"uniqueItems":true}`, body: "[" + many(20_000, func(i int) string { return fmt.Sprintf(`{"n":%d}`, i) }) + "]",
		},
		"sets of a few texts": {
			schema: `{"items":{"uniqueItems":true,"items":{"type":"string"}}}`,
			body:   "[" + many(4000, func(int) string { return "[" + many(20, countries) + "]" }) + "]",
		},
		"identifiers of a fixed length": {
			schema: `{"items":{"pattern":"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}}`,
			body:   "[" + many(25_000, func(i int) string { return fmt.Sprintf(`"%08x-e89b-12d3-a456-426614174000"`, i) }) + "]",
		},
		"names of a limited length": {
			schema: `{"items":{"pattern":"^[a-zA-Z0-9._-]{1,64}$"}}`,
			body:   "[" + many(40_000, func(i int) string { return fmt.Sprintf(`"customer-number-%06d"`, i) }) + "]",
		},
		"a long text": {
			schema: `{"pattern":"a$"}`, body: `"` + strings.Repeat("a", 900_000) + `"`,
		},
		"texts with JSON of their own": {
			schema: `{"items":{"contentMediaType":"application/json","contentSchema":{"properties":{"a":{"type":"object"}}}}}`,
			body:   "[" + many(5000, func(int) string { return fmt.Sprintf("%q", nested(3)) }) + "]",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := invoke(t, request(t, tt.body), validate.Body(mustCompile([]byte(tt.schema)))); err != nil {
				t.Error(err)
			}
		})
	}
}
