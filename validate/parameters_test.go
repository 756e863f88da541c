package validate_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/validate"
)

const listParameters = `{
	"$defs": {"limit": {"type": "integer", "minimum": 1, "maximum": 100}},
	"properties": {
		"path": {"properties": {"id": {"pattern": "^o-[0-9]+$"}}, "required": ["id"]},
		"query": {
			"properties": {
				"limit": {"$ref": "#/$defs/limit"},
				"price": {"allOf": [{"type": "number"}, {"exclusiveMinimum": 0}]},
				"deep": {"type": "boolean"},
				"tag": {"type": "array", "items": {"type": "integer"}, "uniqueItems": true},
				"code": {"type": ["string", "integer"], "maxLength": 3},
				"edoc": {"type": ["integer", "string"], "maxLength": 3},
				"note": {"type": "string", "maxLength": 7}
			},
			"additionalProperties": false
		},
		"header": {"properties": {"x-tenant": {"pattern": "^t-"}}, "required": ["x-tenant"]}
	}
}`

func TestParameters(t *testing.T) {
	layer := validate.Parameters(mustCompile([]byte(listParameters)))
	for _, tt := range []struct{ query, values, want string }{
		{query: "", values: ``, want: ""},
		{query: "limit=20", values: `"limit":"20"`},
		{query: "limit=0", values: `"limit":"0"`, want: "/query/limit minimum: must be at least 1"},
		{query: "limit=1%20", values: `"limit":"1 "`, want: "/query/limit type: must be a whole number"},
		{values: `"limit":"0"`, want: "/query/limit minimum: must be at least 1"}, // what the gateway has read counts
		{query: "limit=1e1", values: `"limit":"1e1"`},
		{query: "limit=1.5", values: `"limit":"1.5"`, want: "/query/limit type: must be a whole number"},
		{query: "limit=0x10", values: `"limit":"0x10"`, want: "/query/limit type: must be a whole number"},
		{query: "limit=%2B1", values: `"limit":"+1"`, want: "/query/limit type: must be a whole number"},
		{query: "limit=01", values: `"limit":"01"`, want: "/query/limit type: must be a whole number"},
		{query: "limit=%201", values: `"limit":" 1"`, want: "/query/limit type: must be a whole number"},
		{query: "limit=", values: `"limit":""`, want: "/query/limit type: must be a whole number"},
		{query: "limit=null", values: `"limit":"null"`, want: "/query/limit type: must be a whole number"},
		{query: "limit=1&limit=2", values: `"limit":"1,2"`, want: "/query/limit type: must be a whole number"},
		{
			query:  "limit=1e1000001",
			values: `"limit":"1e1000001"`,
			want:   "/query/limit: must be a number of at most 512 digits, with an exponent of at most 512",
		},
		{query: "price=0.5", values: `"price":"0.5"`},
		{query: "price=0", values: `"price":"0"`, want: "/query/price exclusiveMinimum: must be more than 0"},
		{query: "deep=true", values: `"deep":"true"`},
		{query: "deep=TRUE", values: `"deep":"TRUE"`, want: "/query/deep type: must be a boolean"},
		{query: "tag=1&tag=2", values: `"tag":"1,2"`},
		{query: "tag=1", values: `"tag":"1"`},
		{query: "tag=1&tag=1.0", values: `"tag":"1,1.0"`, want: "/query/tag uniqueItems: must not have an item twice"},
		{query: "tag=1&tag=x", values: `"tag":"1,x"`, want: "/query/tag/1 type: must be a whole number"},
		{query: "code=1234", values: `"code":"1234"`, want: "/query/code maxLength: must have at most 3 characters"},
		{query: "edoc=1234", values: `"edoc":"1234"`, want: "/query/edoc maxLength: must have at most 3 characters"},
		{query: "hidden=1", want: "/query/hidden additionalProperties: is not allowed"},
		{query: "limit=0&limit=1", want: "/query/limit type: must be a whole number"},
		{query: "note=12345678", values: `"note":"12345678"`, want: "/query/note maxLength: must have at most 7 characters"},
		{query: "other=1", values: `"other":"1"`, want: "/query/other additionalProperties: is not allowed"},
	} {
		payload := fmt.Sprintf(`{"version":"2.0","rawQueryString":%q,"queryStringParameters":{%s},"pathParameters":{"id":"o-1"},`+
			`"headers":{"X-Tenant":"t-1","accept":"*/*"},"requestContext":{"http":{"method":"GET"}}}`, tt.query, tt.values)
		_, err := invoke(t, []byte(payload), layer)
		if got := listed(refusal(t, err)); got != tt.want {
			t.Errorf("%s: got %q, want %q: %v", tt.query, got, tt.want, err)
		}
	}
}

func TestParametersWithAnArrayOfItself(t *testing.T) {
	list := mustCompile([]byte(`{"properties":{"query":{"properties":{"a":{"$ref":"#/$defs/list"}}}},"$defs":{"list":{"type":"array","items":{"$ref":"#/$defs/list"}}}}`))
	payload := `{"version":"2.0","rawQueryString":"a=1&a=2","queryStringParameters":{"a":"1,2"},"requestContext":{"http":{"method":"GET"}}}`
	_, err := invoke(t, []byte(payload), validate.Parameters(list))
	if got, want := listed(refusal(t, err)), "/query/a/0 type: must be an array\n/query/a/1 type: must be an array"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestParametersThatAreMissing(t *testing.T) {
	layer := validate.Parameters(mustCompile([]byte(listParameters)))
	_, err := invoke(t, request(t, ``), layer)
	want := "/header/x-tenant required: is required\n/path/id required: is required"
	if got := listed(refusal(t, err)); got != want {
		t.Errorf("got %s", got)
	}
	if _, err := invoke(t, []byte(`{"Records":[]}`), layer); refusal(t, err).Code != "not_an_http_event" {
		t.Error(err)
	}
}

// The wildcards of a route of ours count as the gateway's do, wherever the
// schema names them.
func TestParametersOfARoute(t *testing.T) {
	for _, schema := range []string{
		`{"properties":{"path":{"properties":{"id":{"type":"integer"}},"required":["id"]}}}`,
		`{"properties":{"path":{"properties":{"id":{"type":"integer"}}}}}`,
		`{"properties":{"path":{"$ref":"#/$defs/path"}},"$defs":{"path":{"properties":{"id":{"$ref":"#/$defs/id"}}},"id":{"type":"integer"}}}`,
		`{"properties":{"path":{"allOf":[{"properties":{"other":{}}},{"properties":{"id":{"type":"integer"}}}]}}}`,
		`{"properties":{"path":{}},"allOf":[{"properties":{"path":{"properties":{"id":{"pattern":"^[0-9]$"}}}}}]}`,
		`{"properties":{"path":{"required":["id"],"additionalProperties":{"pattern":"^[0-9]$"}}}}`,
	} {
		layer := validate.Parameters(mustCompile([]byte(schema)))
		h := guard.Wrap(httpapi.Routes(map[string]lambda.Handler{"GET /orders/{id}": guard.Wrap(accept, layer)}))
		for path, ok := range map[string]bool{"/orders/7": true, "/orders/seven": false} {
			payload := fmt.Sprintf(`{"version":"2.0","rawPath":%q,"requestContext":{"http":{"method":"GET","path":%q}}}`, path, path)
			_, err := h.Invoke(context.Background(), []byte(payload))
			if (err == nil) != ok {
				t.Errorf("%s of %s: %v", schema, path, err)
			}
		}
	}
}

func TestAQueryThatCannotBeRead(t *testing.T) {
	layer := validate.Parameters(mustCompile([]byte(listParameters)))
	for _, query := range []string{"limit=1;limit=0", "limit=1&note=%zz"} {
		payload := fmt.Sprintf(`{"version":"2.0","rawQueryString":%q,"queryStringParameters":{"limit":"1"},"pathParameters":{"id":"o-1"},`+
			`"headers":{"x-tenant":"t-1"},"requestContext":{"http":{"method":"GET"}}}`, query)
		_, err := invoke(t, []byte(payload), layer)
		if e := refusal(t, err); e == nil || e.Code != "malformed_query" || e.Kind != guard.Invalid {
			t.Errorf("%s: %v", query, err)
		}
	}
}

// Two spellings of a name are what every other reader of the event sees.
func TestAHeaderInTwoSpellings(t *testing.T) {
	layer := validate.Parameters(mustCompile([]byte(`{"properties":{"header":{"properties":{"x-tenant":{"pattern":"^t-1$"}}}}}`)))
	payload := `{"version":"2.0","headers":{"X-Tenant":"t-2","x-tenant":"t-1"},"requestContext":{"http":{"method":"GET"}}}`
	for range 100 { // the order of a map
		if reached, err := invoke(t, []byte(payload), layer); reached {
			t.Fatalf("reached, error %v", err)
		}
	}
}
