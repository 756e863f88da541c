package validate_test

import (
	"testing"

	"github.com/lambdarmor/lambdarmor/validate"
)

func TestAMemberWithoutAName(t *testing.T) {
	for _, tt := range []struct{ schema, body, want string }{
		{schema: `{"additionalProperties":{"required":["a"]}}`, body: `{"":{},"a":{"a":1}}`, want: "//a required: is required"},
		{schema: `{"patternProperties":{"":{"required":["a"]}}}`, body: `{"":{"":{}},"a":{"a":1}}`, want: "//a required: is required"},
		{
			schema: `{"additionalProperties":{"properties":{"":{},"q":{}},"additionalProperties":false}}`,
			body:   `{"":{"x":1},"q":{}}`,
			want:   "//x additionalProperties: is not allowed",
		},
		{schema: `{"properties":{"":{"type":"string"}}}`, body: `{"":1}`, want: "/ type: must be a string"},
		{schema: `{"items":{"additionalProperties":{"required":["a"]}}}`, body: `[{"":{},"a":{"a":1}}]`, want: "/0//a required: is required"},
	} {
		_, err := invoke(t, request(t, tt.body), validate.Body(mustCompile([]byte(tt.schema))))
		if got := listed(refusal(t, err)); got != tt.want {
			t.Errorf("%s of %s: got %q, want %q", tt.schema, tt.body, got, tt.want)
		}
	}
}
