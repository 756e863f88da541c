package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"net/http"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
)

type order struct {
	Customer string         `json:"customer"`
	Role     string         `json:"role,omitempty"`
	Key      string         `json:"key,omitempty"`
	Lines    []line         `json:"lines,omitempty"`
	Any      map[string]any `json:"any,omitempty"`
}

type line struct {
	SKU string `json:"sku"`
	N   int    `json:"n"`
}

func echo(_ context.Context, in order) (order, error) { return in, nil }

func TestFuncTakesJSONBodiesAlone(t *testing.T) {
	const body = `{"customer":"c-1"}`
	for _, tt := range []struct {
		contentType string
		status      int
		code        string
	}{
		{contentType: "application/json", status: 200},
		{contentType: "application/json; charset=utf-8", status: 200},
		{contentType: "Application/JSON ;charset=UTF-8", status: 200},
		{contentType: "application/vnd.shop.order+json", status: 200},
		{contentType: "application/merge-patch+json; v=1", status: 200},
		{contentType: "text/plain", status: 415, code: "unsupported_media_type"},
		{contentType: "text/json", status: 415, code: "unsupported_media_type"},
		{contentType: "application/x-www-form-urlencoded", status: 415, code: "unsupported_media_type"},
		{contentType: "application/jsonp", status: 415, code: "unsupported_media_type"},
		{contentType: "application/json, text/plain", status: 415, code: "unsupported_media_type"},
		{contentType: "text/plain+json", status: 415, code: "unsupported_media_type"},
		{contentType: "application/json;;", status: 415, code: "unsupported_media_type"},
		{status: 415, code: "unsupported_media_type"},
	} {
		c := jsonCall(body)
		c.headers["content-type"] = tt.contentType
		if tt.contentType == "" {
			delete(c.headers, "content-type")
		}
		a := send(t, c, httpapi.Func(echo))
		if a.status != tt.status {
			t.Errorf("%q: %d %s", tt.contentType, a.status, a.body)
		}
		if tt.code != "" && a.problem(t).Code != tt.code {
			t.Errorf("%q: %s", tt.contentType, a.body)
		}
	}
}

func TestFuncJudgesTheBodyBeforeTheFunction(t *testing.T) {
	// The event around a body has 25 values, and none is deeper than 4.
	limits := guard.Limit(guard.Limits{Body: 256, Depth: 8, Nodes: 60})
	long := strings.Repeat("x", 257)
	for name, tt := range map[string]struct {
		body    string
		opts    []httpapi.Option
		status  int
		code    string
		pointer string
	}{
		"an object":         {body: `{"customer":"c"}`, status: 200},
		"an unknown member": {body: `{"customer":"c","more":1}`, status: 200},
		"an unknown member, refused": {
			body:    `{"customer":"c","lines":[{"x":1}]}`,
			opts:    []httpapi.Option{httpapi.RejectUnknownMembers()},
			status:  400,
			code:    "unknown_member",
			pointer: "/lines/0/x",
		},
		"no body":     {status: 400, code: "body_missing"},
		"white space": {body: "  \n ", status: 400, code: "malformed_json"},
		"not JSON": {
			body:    `{"customer":`,
			status:  400,
			code:    "malformed_json",
			pointer: "/customer",
		},
		"a member twice": {
			body:    `{"role":"user","role":"admin"}`,
			status:  400,
			code:    "duplicate_member",
			pointer: "/role",
		},
		"a member twice, deep": {
			body:    `{"any":{"a":[{"b":1,"b":2}]}}`,
			status:  400,
			code:    "duplicate_member",
			pointer: "/any/a/0/b",
		},
		"a member in two cases": {
			body:    `{"role":"user","ROLE":"admin"}`,
			status:  400,
			code:    "case_variant_member",
			pointer: "/ROLE",
		},
		"a member in the wrong case": {
			body:    `{"Customer":"c"}`,
			status:  400,
			code:    "case_variant_member",
			pointer: "/Customer",
		},
		"a long s": {
			body:    `{"customer":"c","cuſtomer":"d"}`,
			status:  400,
			code:    "case_variant_member",
			pointer: "/cuſtomer",
		},
		"a Kelvin sign": {
			body:    "{\"\u212aey\":\"k\"}",
			status:  400,
			code:    "case_variant_member",
			pointer: "/\u212aey",
		},
		"a case variant further in": {
			body:    `{"lines":[{"sku":"a","SKU":"b"}]}`,
			status:  400,
			code:    "case_variant_member",
			pointer: "/lines/0/SKU",
		},
		"two values": {
			body:   `{"customer":"a"}{"customer":"b"}`,
			status: 400,
			code:   "trailing_data",
		},
		"junk after the value": {
			body:   `{"customer":"a"} junk`,
			status: 400,
			code:   "trailing_data",
		},
		"invalid UTF-8": {
			body:    "{\"customer\":\"\xff\"}",
			status:  400,
			code:    "invalid_utf8",
			pointer: "/customer",
		},
		"null for the object": {body: `null`, status: 400, code: "wrong_type"},
		"null for an object inside": {
			body:    `{"lines":[null]}`,
			status:  400,
			code:    "wrong_type",
			pointer: "/lines/0",
		},
		"a number for a string": {body: `{"customer":1}`, status: 400, code: "wrong_type", pointer: "/customer"},
		"a fraction for a whole": {
			body:    `{"lines":[{"n":1.5}]}`,
			status:  400,
			code:    "wrong_type",
			pointer: "/lines/0/n",
		},
		"nested too deep": {
			body:    `{"any":{"a":[[[[[[[[]]]]]]]]}}`,
			status:  400,
			code:    "json_too_deep",
			pointer: "/any/a/0/0/0/0/0/0",
		},
		"too many values": {
			body:    `{"any":{"a":[0` + strings.Repeat(",0", 60) + `]}}`,
			status:  400,
			code:    "json_too_many_values",
			pointer: "/any/a/57",
		},
		"more bytes than allowed": {
			body:   `{"customer":"` + long + `"}`,
			status: 413,
			code:   "body_too_large",
		},
		"as many bytes as allowed": {
			body:   `{"customer":"` + strings.Repeat("x", 256-15) + `"}`,
			status: 200,
		},
		"one byte more than allowed": {
			body:   `{"customer":"` + strings.Repeat("x", 257-15) + `"}`,
			status: 413,
			code:   "body_too_large",
		},
		"fewer bytes than its escapes": {
			body:   `{"customer":"` + strings.Repeat(`\"`, 100) + `"}`,
			status: 200,
		},
		"more bytes, all escaped": {
			body:   `{"customer":"` + strings.Repeat(`\"`, 130) + `"}`,
			status: 413,
			code:   "body_too_large",
		},
	} {
		for _, encoded := range []bool{false, true} {
			called := false
			h := httpapi.Func(func(_ context.Context, in order) (order, error) {
				called = true
				return in, nil
			}, tt.opts...)
			c := jsonCall(tt.body)
			c.base64 = encoded
			out, err := guard.Wrap(h, httpapi.Problems(), limits).Invoke(inLambda(t.Context()), c.event())
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			a := read(t, out)
			want := tt.pointer
			if tt.code == "invalid_utf8" && !encoded {
				want = "/body" // the event itself is then not JSON
			}
			if a.status != tt.status || called != (tt.status == 200) {
				t.Errorf("%s, base64 %t: %d %s, called %t", name, encoded, a.status, a.body, called)
				continue
			}
			if tt.code == "" {
				continue
			}
			p := a.problem(t)
			pointer := ""
			if len(p.Errors) == 1 {
				pointer = p.Errors[0].Pointer
			}
			if p.Code != tt.code || pointer != want {
				t.Errorf("%s, base64 %t: %s at %q, want %s at %q", name, encoded, p.Code, pointer, tt.code, want)
			}
		}
	}
}

func TestFuncRefusesABodyThatIsNoBase64(t *testing.T) {
	c := jsonCall(`{"customer":"c"}`)
	payload := bytes.Replace(c.event(), []byte(`"isBase64Encoded":false`), []byte(`"isBase64Encoded":true`), 1)
	_, err := guard.Wrap(httpapi.Func(echo)).Invoke(t.Context(), payload)
	wantError(t, err, guard.Invalid, "malformed_base64")
}

func TestFuncRefusesAnEventThatIsNoRequest(t *testing.T) {
	for _, payload := range []string{`{}`, `{"Records":[]}`, `{"version":"2.0"}`, `"x"`} {
		_, err := guard.Wrap(httpapi.Func(echo)).Invoke(t.Context(), []byte(payload))
		if err == nil || guard.KindOf(err) != guard.Invalid {
			t.Errorf("%s: %v", payload, err)
		}
	}
}

func TestFuncAnswersInTheFormOfTheRequest(t *testing.T) {
	h := httpapi.Func(func(context.Context, struct{}) (httpapi.Reply[string], error) {
		return httpapi.Reply[string]{Header: http.Header{"X-A": {"1", "2"}}, Cookies: []*http.Cookie{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}}, Value: "v"}, nil
	})
	for name, tt := range map[string]struct {
		call
		want string
	}{
		"HTTP API, 2.0": {
			call: call{},
			want: `{"statusCode":200,"headers":{"x-a":"1, 2","content-type":"application/json"},"cookies":["a=1","b=2"],"body":"\"v\"","isBase64Encoded":false}`,
		},
		"function URL": {
			call: call{domain: urlDomain},
			want: `{"statusCode":200,"headers":{"x-a":"1, 2","content-type":"application/json"},"cookies":["a=1","b=2"],"body":"\"v\"","isBase64Encoded":false}`,
		},
		"HTTP API, 1.0": {
			call: call{format1: true},
			want: `{"statusCode":200,"multiValueHeaders":{"x-a":["1","2"],"content-type":["application/json"],"set-cookie":["a=1","b=2"]},"body":"\"v\"","isBase64Encoded":false}`,
		},
		"REST API": {
			call: call{rest: true},
			want: `{"statusCode":200,"multiValueHeaders":{"x-a":["1","2"],"content-type":["application/json"],"set-cookie":["a=1","b=2"]},"body":"\"v\"","isBase64Encoded":false}`,
		},
	} {
		out, err := invoke(t, tt.call, h)
		if err != nil || string(out) != tt.want {
			t.Errorf("%s: %s, %v", name, out, err)
		}
	}
}

func TestFuncEncodesAsEncodingJSON(t *testing.T) {
	for _, value := range []any{
		nil, true, "text <b>&amp;</b> \u2028\u2029 \x00\x1f\x7f é 世界 \U0001f512", 1.0, 1e21, 1e-7, math.Copysign(0, -1), []int(nil),
		[]int{},
		map[string]any{"b": 1, "a": "<>"},
		struct{ A, b int }{A: 1, b: 2},
		[]byte("bytes"), json.RawMessage(`{"a": [1,  2]}`),
		json.Number("1.50"), "\xff\xfe",
		order{Customer: `"\/`},
	} {
		var want bytes.Buffer
		enc := json.NewEncoder(&want)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(value); err != nil {
			t.Fatal(err)
		}
		a := send(t, call{}, httpapi.Func(func(context.Context, struct{}) (any, error) { return value, nil }))
		if a.body+"\n" != want.String() || a.base64 {
			t.Errorf("%s, want %s", a.body, want.String())
		}
	}
}

func TestFuncRefusesAnAnswerThatIsNoJSON(t *testing.T) {
	for _, value := range []any{math.NaN(), func() {}, make(chan int), map[string]any{"a": math.Inf(1)}, json.RawMessage(`{`)} {
		_, err := invoke(t, call{}, httpapi.Func(func(context.Context, struct{}) (any, error) { return value, nil }))
		wantError(t, err, guard.Internal, "response_not_json")
	}
}

func TestFuncOfNothing(t *testing.T) {
	called := 0
	h := httpapi.Func(func(context.Context, struct{}) (struct{}, error) { called++; return struct{}{}, nil })
	for _, c := range []call{{}, {method: "POST", body: "not JSON"}, jsonCall(`[]`)} {
		if a := send(t, c, h); a.status != 204 || a.body != "" || a.header.Get("Content-Type") != "" {
			t.Errorf("%+v", a)
		}
	}
	if called != 3 {
		t.Errorf("called %d times", called)
	}
	if a := send(t, call{}, httpapi.Func(func(context.Context, struct{}) (struct{}, error) { return struct{}{}, nil }, httpapi.Status(202))); a.status != 202 || a.body != "" {
		t.Errorf("%+v", a)
	}
}

func TestFuncOfRawJSON(t *testing.T) {
	h := httpapi.Func(func(_ context.Context, in json.RawMessage) (json.RawMessage, error) { return in, nil })
	if a := send(t, jsonCall(`{"a": 1.50}`), h); a.body != `{"a":1.50}` {
		t.Errorf("%s", a.body)
	}
	if a := send(t, jsonCall(`{"a":1,"a":2}`), h); a.status != 400 || a.problem(t).Code != "duplicate_member" {
		t.Errorf("raw JSON is judged too: %+v", a)
	}
}

func TestFuncStatus(t *testing.T) {
	h := httpapi.Func(echo, httpapi.Status(http.StatusAccepted))
	if a := send(t, jsonCall(`{}`), h); a.status != 202 {
		t.Errorf("%d", a.status)
	}
	for _, code := range []int{0, 100, 199, 300, 404, 500} {
		if text := panics(func() { httpapi.Status(code) }); !strings.HasPrefix(text, "httpapi: ") {
			t.Errorf("%d: %q", code, text)
		}
	}
	if text := panics(func() { httpapi.Func[int, int](nil) }); !strings.HasPrefix(text, "httpapi: ") {
		t.Errorf("a nil function: %q", text)
	}
}

func TestFuncRefusesATypeThatNoBodyCanFill(t *testing.T) {
	type in struct{ C chan int }
	text := panics(func() {
		httpapi.Func(func(context.Context, in) (struct{}, error) { return struct{}{}, nil })
	})
	if want := "httpapi: Func: cannot decode JSON into "; !strings.HasPrefix(text, want) {
		t.Errorf("got %q, want it to begin with %q", text, want)
	}
}
