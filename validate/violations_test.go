package validate_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/validate"
)

// Every keyword says where it is broken and what it asks for.
func TestViolations(t *testing.T) {
	for _, tt := range []struct{ schema, body, want string }{
		{schema: `{"type":"string"}`, body: `1`, want: "type: must be a string"},
		{schema: `{"type":["integer","null"]}`, body: `"1"`, want: "type: must be a whole number or null"},
		{schema: `{"type":["object","array"]}`, body: `1`, want: "type: must be an array or an object"},
		{schema: `{"const":"a"}`, body: `"b"`, want: "const: must be the one value that is allowed"},
		{schema: `{"enum":["a","b"]}`, body: `"c"`, want: "enum: must be one of the values that are allowed"},
		{schema: `{"minimum":2}`, body: `1`, want: "minimum: must be at least 2"},
		{schema: `{"maximum":2.50}`, body: `3`, want: "maximum: must be at most 2.5"},
		{schema: `{"exclusiveMinimum":-2}`, body: `-2`, want: "exclusiveMinimum: must be more than -2"},
		{
			schema: `{"exclusiveMaximum":9007199254740992}`,
			body:   `9007199254740992`,
			want:   "exclusiveMaximum: must be less than 9007199254740992",
		},
		{
			schema: `{"$schema":"http://json-schema.org/draft-04/schema#","minimum":1,"exclusiveMinimum":true}`,
			body:   `1`,
			want:   "exclusiveMinimum: must be more than 1",
		},
		{schema: `{"maximum":1e300}`, body: `1e301`, want: "maximum: must be at most 1e300"},
		{schema: `{"multipleOf":0.01}`, body: `0.015`, want: "multipleOf: must be a multiple of 0.01"},
		{schema: `{"minLength":1}`, body: `""`, want: "minLength: must have at least 1 character"},
		{schema: `{"maxLength":2}`, body: `"äöü"`, want: "maxLength: must have at most 2 characters"},
		{schema: `{"pattern":"^a"}`, body: `"b"`, want: "pattern: must match the pattern"},
		{schema: `{"format":"date-time"}`, body: `"b"`, want: "format: must be in the format date-time"},
		{schema: `{"minItems":1}`, body: `[]`, want: "minItems: must have at least 1 item"},
		{schema: `{"maxItems":1}`, body: `[1,2]`, want: "maxItems: must have at most 1 item"},
		{schema: `{"uniqueItems":true}`, body: `[1,1.0]`, want: "uniqueItems: must not have an item twice"},
		{
			schema: `{"contains":{"type":"string"}}`,
			body:   `[1,2]`,
			want:   "contains: must have an item of the kind that is asked for",
		},
		{
			schema: `{"contains":{"type":"string"},"minContains":2}`,
			body:   `["a",2]`,
			want:   "minContains: must have at least 2 items of the kind that is asked for",
		},
		{
			schema: `{"contains":{"type":"string"},"maxContains":1}`,
			body:   `["a","b"]`,
			want:   "maxContains: must have at most 1 item of one kind",
		},
		{schema: `{"prefixItems":[{}],"items":false}`, body: `[1,2]`, want: "/1 items: is not allowed"},
		{
			schema: `{"$schema":"http://json-schema.org/draft-07/schema#","items":[{}],"additionalItems":false}`,
			body:   `[1,2]`,
			want:   "/1 additionalItems: is not allowed",
		},
		{schema: `{"minProperties":1}`, body: `{}`, want: "minProperties: must have at least 1 member"},
		{schema: `{"maxProperties":1}`, body: `{"a":1,"b":2}`, want: "maxProperties: must have at most 1 member"},
		{schema: `{"required":["b","a","c/d"]}`, body: `{"a":1}`, want: "/b required: is required\n/c~1d required: is required"},
		{
			schema: `{"properties":{"a":{}},"patternProperties":{"^x-":{}},"additionalProperties":false}`,
			body:   `{"a":1,"x-b":2,"c":3,"b~/%20":4}`,
			want:   "/b~0~1%20 additionalProperties: is not allowed\n/c additionalProperties: is not allowed",
		},
		{schema: `{"additionalProperties":{"type":"string"}}`, body: `{"a b":1}`, want: "/a b type: must be a string"},
		{
			schema: `{"propertyNames":{"maxLength":1}}`,
			body:   `{"ab":1}`,
			want:   "/ab maxLength: the name must have at most 1 character",
		},
		{schema: `{"properties":{"a":false}}`, body: `{"a":1}`, want: "/a properties: is not allowed"},
		{schema: `{"unevaluatedProperties":false}`, body: `{"a":1}`, want: "/a unevaluatedProperties: is not allowed"},
		{
			schema: `{"dependentRequired":{"a":["b"]}}`,
			body:   `{"a":1}`,
			want:   "/b dependentRequired: is required beside another member",
		},
		{
			schema: `{"$schema":"http://json-schema.org/draft-07/schema#","dependencies":{"a/ b":["c"]}}`,
			body:   `{"a/ b":1}`,
			want:   "/c dependencies: is required beside another member",
		},
		{schema: `{"not":{"type":"string"}}`, body: `"a"`, want: "not: must not be of this form"},
		{
			schema: `{"oneOf":[{"type":"string"},{"maxLength":3}]}`,
			body:   `"a"`,
			want:   "oneOf: must have exactly one of the forms that are allowed",
		},
		{
			schema: `{"anyOf":[{"type":"string"},{"type":"object","properties":{"a":{"maximum":1}}}]}`,
			body:   `{"a":2}`,
			want:   "/a maximum: must be at most 1",
		},
		{
			schema: `{"anyOf":[{"$ref":"#/$defs/text"},{"$ref":"#/$defs/object"}],"$defs":{"text":{"type":"string"},"object":{"type":"object","required":["a"]}}}`,
			body:   `{}`,
			want:   "/a required: is required",
		},
		{
			schema: `{"$schema":"https://json-schema.org/draft/2019-09/schema","contains":{"type":"string"},"unevaluatedItems":false}`,
			body:   `["a"]`,
			want:   "/0 unevaluatedItems: is not allowed",
		},
		{schema: `{"contains":{"type":"string"},"unevaluatedItems":false}`, body: `["a"]`},
		{schema: `{"allOf":[{"unevaluatedItems":{"type":"integer"}}],"unevaluatedItems":false}`, body: `[1]`},
		{schema: `{"allOf":[{"unevaluatedProperties":{"type":"integer"}}],"unevaluatedProperties":false}`, body: `{"a":1}`},
		{schema: `{"anyOf":[{"properties":{"a":true}},{"properties":{"b":true}}],"unevaluatedProperties":false}`, body: `{"a":1,"b":2}`},
		{schema: `{"anyOf":[{"type":"string"},{"type":"null"}]}`, body: `1`, want: "type: must be a string\ntype: must be null"},
		{
			schema: `{"allOf":[{"required":["a"]},{"required":["a","b"]}]}`,
			body:   `{}`,
			want:   "/a required: is required\n/b required: is required",
		},
		{
			schema: `{"if":{"required":["a"]},"then":{"required":["b"]},"else":{"required":["c"]}}`,
			body:   `{"a":1}`,
			want:   "/b required: is required",
		},
		{
			schema: `{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"minimum":3}}}`,
			body:   `1`,
			want:   "minimum: must be at least 3",
		},
		{
			schema: `{"$id":"https://example.com/tree","$dynamicAnchor":"node","properties":{"n":{"$dynamicRef":"#node"},"v":{"type":"integer"}}}`,
			body:   `{"n":{"n":{"v":"x"}}}`,
			want:   "/n/n/v type: must be a whole number",
		},
		{schema: `{"contentEncoding":"base64"}`, body: `"!"`, want: "contentEncoding: must be encoded in base64"},
		{schema: `{"contentMediaType":"application/json"}`, body: `"{"`, want: "contentMediaType: must hold application/json"},
		{
			schema: `{"contentMediaType":"application/json","contentSchema":{"type":"object"}}`,
			body:   `"1"`,
			want:   "contentSchema: must hold what its schema asks for",
		},
	} {
		_, err := invoke(t, request(t, tt.body), validate.Body(mustCompile([]byte(tt.schema))))
		if got := listed(refusal(t, err)); got != tt.want {
			t.Errorf("%s of %s:\ngot  %s\nwant %s", tt.schema, tt.body, got, tt.want)
		}
	}
}

func TestPlacesAreSortedAndCounted(t *testing.T) {
	schema := mustCompile([]byte(`{"properties":{"n":{"type":"string"},"items":{"items":{"properties":{"q":{"maximum":9}}}}},"required":["z"]}`))
	var items []string
	for i := range 30 {
		items = append(items, fmt.Sprintf(`{"q":%d}`, 10+i))
	}
	body := `{"n":1,"items":[` + strings.Join(items, ",") + `]}`
	var first string
	for range 20 {
		_, err := invoke(t, request(t, body), validate.Body(schema))
		e := refusal(t, err)
		if len(e.Violations) != 20 || e.Violations[0].Pointer != "/items/0/q" || e.Violations[19].Pointer != "/items/19/q" {
			t.Fatalf("%d violations: %s", len(e.Violations), listed(e))
		}
		if e.Detail != "More than 20 places of the input break a rule. The first are listed." {
			t.Fatal(e.Detail)
		}
		if first == "" {
			first = shown(err)
		}
		if shown(err) != first {
			t.Fatal("the answer is another one each time")
		}
	}
	_, err := invoke(t, request(t, body), validate.Body(schema, validate.MaxViolations(31)))
	if e := refusal(t, err); len(e.Violations) != 31 || e.Violations[30].Pointer != "/n" {
		t.Error(listed(e))
	}
	_, err = invoke(t, request(t, `{"n":1,"z":1}`), validate.Body(schema))
	if e := refusal(t, err); e.Detail != "One place of the input breaks a rule." {
		t.Error(e.Detail)
	}
}

// Numbers are judged as they are written, and never as a float64.
func TestNumbersAsWritten(t *testing.T) {
	for _, tt := range []struct {
		schema, number string
		valid          bool
	}{
		{schema: `{"maximum":9007199254740992}`, number: "9007199254740993"},
		{schema: `{"maximum":9007199254740992}`, number: "9007199254740992", valid: true},
		{schema: `{"minimum":-9007199254740992}`, number: "-9007199254740993"},
		{schema: `{"type":"number"}`, number: "1e400", valid: true},
		{schema: `{"type":"integer"}`, number: "1e400", valid: true},
		{schema: `{"maximum":1e399}`, number: "1e400"},
		{schema: `{"maximum":1e400}`, number: "1e400", valid: true},
		{schema: `{"type":"integer"}`, number: "1.0", valid: true},
		{schema: `{"type":"integer"}`, number: "1.5"},
		{schema: `{"type":"integer"}`, number: "15e-1"},
		{schema: `{"type":"integer"}`, number: "150e-1", valid: true},
		{schema: `{"maximum":99}`, number: "99.0000000000000000001"},
		{schema: `{"exclusiveMaximum":99}`, number: "98.9999999999999999999", valid: true},
		{schema: `{"minimum":0.1}`, number: "0.1", valid: true},
		{schema: `{"minimum":0.1}`, number: "0.09"},
		{schema: `{"exclusiveMinimum":0.1}`, number: "0.10"},
		{schema: `{"minimum":0}`, number: "-0", valid: true},
		{schema: `{"exclusiveMinimum":0}`, number: "-0.0"},
		{schema: `{"maximum":12.5}`, number: "12.50", valid: true},
		{schema: `{"maximum":12.5}`, number: "12.51"},
		{schema: `{"maximum":12.5}`, number: "-12.51", valid: true},
		{schema: `{"maximum":0.999999999}`, number: "18446744074"}, // in billionths, just above 2^64
		{schema: `{"minimum":-0.999999999}`, number: "-18446744074"},
		{schema: `{"maximum":5}`, number: "18446744073709551617"}, // 2^64 + 1
		{schema: `{"minimum":-5}`, number: "-18446744073709551617"},
		{schema: `{"const":1}`, number: "1.0", valid: true},
		{schema: `{"enum":[100]}`, number: "1e2", valid: true},
		{schema: `{"multipleOf":0.1}`, number: "0.3", valid: true},
		{schema: `{"type":"number"}`, number: "1e512", valid: true},
		{schema: `{"type":"number"}`, number: "1e513"},
		{schema: `{"type":"number"}`, number: "1e-513"},
		{schema: `{"type":"number"}`, number: "1e1000000"},
		{schema: `{"type":"integer"}`, number: "1e1000001"},
		{schema: `{"const":1}`, number: "1e99999999999999999999"},
		{schema: `{}`, number: "1e1000001"},
		{schema: `{}`, number: strings.Repeat("7", 512), valid: true},
		{schema: `{}`, number: strings.Repeat("7", 513)},
	} {
		body := validate.Body(mustCompile([]byte(tt.schema)))
		_, err := invoke(t, request(t, tt.number), body)
		if (err == nil) != tt.valid {
			t.Errorf("%s of %.40s: %v", tt.schema, tt.number, err)
		}
		if e := refusal(t, err); e != nil && e.Code != "validation_failed" {
			t.Errorf("%s of %.40s: %v", tt.schema, tt.number, err)
		}
	}
	_, err := invoke(t, request(t, `{"b":[0,1e600],"a":1e-600}`), validate.Body(mustCompile([]byte(`{}`))))
	if e := refusal(t, err); e == nil || len(e.Violations) != 2 || e.Violations[0].Pointer != "/b/1" || e.Violations[1].Pointer != "/a" {
		t.Error(listed(e))
	}
}

// Nothing of the input is in an error but the names of members, and those only
// in pointers.
func TestNoValueIsRepeated(t *testing.T) {
	const secret = "s3cr3t"
	schema := mustCompile([]byte(`{"additionalProperties":{"anyOf":[
		{"enum":["a"]},{"const":"b"},{"pattern":"^c$"},{"format":"email"},{"maxLength":3},{"minLength":99},{"type":"object"},{"contentEncoding":"base64"}]},
		"propertyNames":{"pattern":"^$"},"dependentRequired":{"k":["other"]}}`))
	for _, body := range []string{
		`{"k":"s3cr3t s3cr3t"}`, `{"k":["s3cr3t"],"l":[["s3cr3t"]]}`, `{"k":{"x":"s3cr3t"}}`, `"s3cr3t"`, `["s3cr3t"`, `{"k":"s3cr3t`, `{"k":s3cr3t}`,
	} {
		_, err := invoke(t, request(t, body), validate.Body(schema))
		if err == nil {
			continue
		}
		if strings.Contains(shown(err), secret) {
			t.Errorf("%s: %s", body, shown(err))
		}
	}
	_, err := invoke(t, request(t, `{"s3cr3t":5}`), validate.Body(mustCompile([]byte(`{"additionalProperties":false}`))))
	e := refusal(t, err)
	if listed(e) != "/s3cr3t additionalProperties: is not allowed" || strings.Contains(e.Detail+err.Error(), secret) {
		t.Errorf("%s: %v", listed(e), err)
	}
	long, _ := json.Marshal(map[string]int{strings.Repeat("ä", 4000): 1})
	_, err = invoke(t, request(t, string(long)), validate.Body(mustCompile([]byte(`{"additionalProperties":false}`))))
	if e := refusal(t, err); len(e.Violations[0].Pointer) > 300 {
		t.Errorf("a pointer of %d bytes", len(e.Violations[0].Pointer))
	}
}
