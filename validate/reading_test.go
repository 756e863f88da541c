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
		{`{"type":"string"}`, `1`, "type: must be a string"},
		{`{"type":["integer","null"]}`, `"1"`, "type: must be a whole number or null"},
		{`{"type":["object","array"]}`, `1`, "type: must be an object or an array"},
		{`{"const":"a"}`, `"b"`, "const: must be the one value that is allowed"},
		{`{"enum":["a","b"]}`, `"c"`, "enum: must be one of the values that are allowed"},
		{`{"minimum":2}`, `1`, "minimum: must be at least 2"},
		{`{"maximum":2.50}`, `3`, "maximum: must be at most 2.5"},
		{`{"exclusiveMinimum":-2}`, `-2`, "exclusiveMinimum: must be more than -2"},
		{`{"exclusiveMaximum":9007199254740992}`, `9007199254740992`, "exclusiveMaximum: must be less than 9007199254740992"},
		{`{"$schema":"http://json-schema.org/draft-04/schema#","minimum":1,"exclusiveMinimum":true}`, `1`, "exclusiveMinimum: must be more than 1"},
		{`{"maximum":1e300}`, `1e301`, "maximum: must be at most 1e+300"},
		{`{"multipleOf":0.01}`, `0.015`, "multipleOf: must be a multiple of 0.01"},
		{`{"minLength":1}`, `""`, "minLength: must have at least 1 character"},
		{`{"maxLength":2}`, `"äöü"`, "maxLength: must have at most 2 characters"},
		{`{"pattern":"^a"}`, `"b"`, "pattern: must match the pattern"},
		{`{"format":"date-time"}`, `"b"`, "format: must be in the format date-time"},
		{`{"minItems":1}`, `[]`, "minItems: must have at least 1 item"},
		{`{"maxItems":1}`, `[1,2]`, "maxItems: must have at most 1 item"},
		{`{"uniqueItems":true}`, `[1,1.0]`, "uniqueItems: must not have an item twice"},
		{`{"contains":{"type":"string"}}`, `[1,2]`, "contains: must have an item of the kind that is asked for"},
		{`{"contains":{"type":"string"},"minContains":2}`, `["a",2]`, "minContains: must have at least 2 items of the kind that is asked for"},
		{`{"contains":{"type":"string"},"maxContains":1}`, `["a","b"]`, "maxContains: must have at most 1 item of one kind"},
		{`{"prefixItems":[{}],"items":false}`, `[1,2]`, "/1 items: is not allowed"},
		{`{"$schema":"http://json-schema.org/draft-07/schema#","items":[{}],"additionalItems":false}`, `[1,2]`, "additionalItems: must have at most 1 item"},
		{`{"minProperties":1}`, `{}`, "minProperties: must have at least 1 member"},
		{`{"maxProperties":1}`, `{"a":1,"b":2}`, "maxProperties: must have at most 1 member"},
		{`{"required":["b","a","c/d"]}`, `{"a":1}`, "/b required: is required\n/c~1d required: is required"},
		{`{"properties":{"a":{}},"patternProperties":{"^x-":{}},"additionalProperties":false}`, `{"a":1,"x-b":2,"c":3,"b~/%20":4}`, "/b~0~1%20 additionalProperties: is not allowed\n/c additionalProperties: is not allowed"},
		{`{"additionalProperties":{"type":"string"}}`, `{"a b":1}`, "/a b type: must be a string"},
		{`{"propertyNames":{"maxLength":1}}`, `{"ab":1}`, "/ab maxLength: the name must have at most 1 character"},
		{`{"properties":{"a":false}}`, `{"a":1}`, "/a properties: is not allowed"},
		{`{"unevaluatedProperties":false}`, `{"a":1}`, "/a unevaluatedProperties: is not allowed"},
		{`{"dependentRequired":{"a":["b"]}}`, `{"a":1}`, "/b dependentRequired: is required beside another member"},
		{`{"$schema":"http://json-schema.org/draft-07/schema#","dependencies":{"a/ b":["c"]}}`, `{"a/ b":1}`, "/c dependencies: is required beside another member"},
		{`{"not":{"type":"string"}}`, `"a"`, "not: must not be of this form"},
		{`{"oneOf":[{"type":"string"},{"maxLength":3}]}`, `"a"`, "oneOf: must have exactly one of the forms that are allowed"},
		{`{"anyOf":[{"type":"string"},{"type":"object","properties":{"a":{"maximum":1}}}]}`, `{"a":2}`, "/a maximum: must be at most 1"},
		{`{"anyOf":[{"type":"string"},{"type":"null"}]}`, `1`, "type: must be a string\ntype: must be null"},
		{`{"allOf":[{"required":["a"]},{"required":["a","b"]}]}`, `{}`, "/a required: is required\n/b required: is required"},
		{`{"if":{"required":["a"]},"then":{"required":["b"]},"else":{"required":["c"]}}`, `{"a":1}`, "/b required: is required"},
		{`{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"minimum":3}}}`, `1`, "minimum: must be at least 3"},
		{`{"$id":"https://example.com/tree","$dynamicAnchor":"node","properties":{"n":{"$dynamicRef":"#node"},"v":{"type":"integer"}}}`, `{"n":{"n":{"v":"x"}}}`, "/n/n/v type: must be a whole number"},
		{`{"contentEncoding":"base64"}`, `"!"`, "contentEncoding: must be encoded in base64"},
		{`{"contentMediaType":"application/json"}`, `"{"`, "contentMediaType: must hold application/json"},
		{`{"contentMediaType":"application/json","contentSchema":{"type":"object"}}`, `"1"`, "contentSchema: must hold what its schema asks for"},
	} {
		_, err := invoke(t, request(t, tt.body), validate.Body(validate.MustCompile([]byte(tt.schema))))
		if got := listed(refusal(t, err)); got != tt.want {
			t.Errorf("%s of %s:\ngot  %s\nwant %s", tt.schema, tt.body, got, tt.want)
		}
	}
}

func TestPlacesAreSortedAndCounted(t *testing.T) {
	schema := validate.MustCompile([]byte(`{"properties":{"n":{"type":"string"},"items":{"items":{"properties":{"q":{"maximum":9}}}}},"required":["z"]}`))
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
		if e.Detail != "32 places of the input break a rule; these are 20 of them, and 12 are left out." {
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
		{`{"maximum":9007199254740992}`, "9007199254740993", false},
		{`{"maximum":9007199254740992}`, "9007199254740992", true},
		{`{"minimum":-9007199254740992}`, "-9007199254740993", false},
		{`{"type":"number"}`, "1e400", true},
		{`{"type":"integer"}`, "1e400", true},
		{`{"maximum":1e399}`, "1e400", false},
		{`{"maximum":1e400}`, "1e400", true},
		{`{"type":"integer"}`, "1.0", true},
		{`{"type":"integer"}`, "1.5", false},
		{`{"type":"integer"}`, "15e-1", false},
		{`{"type":"integer"}`, "150e-1", true},
		{`{"maximum":99}`, "99.0000000000000000001", false},
		{`{"exclusiveMaximum":99}`, "98.9999999999999999999", true},
		{`{"minimum":0.1}`, "0.1", true},
		{`{"minimum":0.1}`, "0.09", false},
		{`{"exclusiveMinimum":0.1}`, "0.10", false},
		{`{"minimum":0}`, "-0", true},
		{`{"exclusiveMinimum":0}`, "-0.0", false},
		{`{"maximum":12.5}`, "12.50", true},
		{`{"maximum":12.5}`, "12.51", false},
		{`{"maximum":12.5}`, "-12.51", true},
		{`{"maximum":0.999999999}`, "18446744074", false}, // in billionths, just above 2^64
		{`{"minimum":-0.999999999}`, "-18446744074", false},
		{`{"maximum":5}`, "18446744073709551617", false}, // 2^64 + 1
		{`{"minimum":-5}`, "-18446744073709551617", false},
		{`{"const":1}`, "1.0", true},
		{`{"enum":[100]}`, "1e2", true},
		{`{"multipleOf":0.1}`, "0.3", true},
		{`{"type":"number"}`, "1e512", true},
		{`{"type":"number"}`, "1e513", false},
		{`{"type":"number"}`, "1e-513", false},
		{`{"type":"number"}`, "1e1000000", false},
		{`{"type":"integer"}`, "1e1000001", false},
		{`{"const":1}`, "1e99999999999999999999", false},
		{`{}`, "1e1000001", false},
		{`{}`, strings.Repeat("7", 512), true},
		{`{}`, strings.Repeat("7", 513), false},
	} {
		body := validate.Body(validate.MustCompile([]byte(tt.schema)))
		_, err := invoke(t, request(t, tt.number), body)
		if (err == nil) != tt.valid {
			t.Errorf("%s of %.40s: %v", tt.schema, tt.number, err)
		}
		if e := refusal(t, err); e != nil && e.Code != "validation_failed" {
			t.Errorf("%s of %.40s: %v", tt.schema, tt.number, err)
		}
	}
	_, err := invoke(t, request(t, `{"b":[0,1e600],"a":1e-600}`), validate.Body(validate.MustCompile([]byte(`{}`))))
	if e := refusal(t, err); e == nil || len(e.Violations) != 2 || e.Violations[0].Pointer != "/b/1" || e.Violations[1].Pointer != "/a" {
		t.Error(listed(e))
	}
}

// Nothing of the input is in an error but the names of members, and those only
// in pointers.
func TestNoValueIsRepeated(t *testing.T) {
	const secret = "s3cr3t"
	schema := validate.MustCompile([]byte(`{"additionalProperties":{"anyOf":[
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
	_, err := invoke(t, request(t, `{"s3cr3t":5}`), validate.Body(validate.MustCompile([]byte(`{"additionalProperties":false}`))))
	e := refusal(t, err)
	if listed(e) != "/s3cr3t additionalProperties: is not allowed" || strings.Contains(e.Detail+err.Error(), secret) {
		t.Errorf("%s: %v", listed(e), err)
	}
	long, _ := json.Marshal(map[string]int{strings.Repeat("ä", 4000): 1})
	_, err = invoke(t, request(t, string(long)), validate.Body(validate.MustCompile([]byte(`{"additionalProperties":false}`))))
	if e := refusal(t, err); len(e.Violations[0].Pointer) > 300 {
		t.Errorf("a pointer of %d bytes", len(e.Violations[0].Pointer))
	}
}
