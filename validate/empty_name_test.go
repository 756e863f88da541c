package validate_test

import (
	"testing"

	"github.com/lambdarmor/lambdarmor/validate"
)

// The library leaves a member without a name out of its pointers. What it
// refuses there is refused, whatever else stands at the pointer that is left.
func TestWhatIsRefusedInAMemberWithoutAName(t *testing.T) {
	for _, tt := range []struct{ schema, body string }{
		{schema: `{"additionalProperties":{"required":["a"]}}`, body: `{"":{},"a":{"a":1}}`},
		{schema: `{"patternProperties":{"":{"required":["a"]}}}`, body: `{"":{"":{}},"a":{"a":1}}`},
		{schema: `{"properties":{"a":{"additionalProperties":{"required":["b"]}}}}`, body: `{"a":{"":{},"b":{"b":1}}}`},
		{
			schema: `{"additionalProperties":{"properties":{"":{},"q":{}},"additionalProperties":false}}`,
			body:   `{"":{"x":1},"q":{}}`,
		},
		{schema: `{"properties":{"":{"type":"string"}}}`, body: `{"":1}`},
		{schema: `{"items":{"additionalProperties":{"required":["a"]}}}`, body: `[{"":{},"a":{"a":1}}]`},
	} {
		_, err := invoke(t, request(t, tt.body), validate.Body(mustCompile([]byte(tt.schema))))
		if e := refusal(t, err); e == nil || e.Code != "validation_failed" || e.Detail == "" {
			t.Errorf("%s of %s: %v", tt.schema, tt.body, err)
		}
	}
}
