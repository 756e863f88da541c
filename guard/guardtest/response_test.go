package guardtest_test

import (
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

func TestAnswerBecomesAResponse(t *testing.T) {
	url := guardtest.HTTPAPIConfig{FunctionURL: true}
	v1 := guardtest.HTTPAPIConfig{Format: "1.0"}
	v2 := guardtest.HTTPAPIConfig{}
	const stream = "application/vnd.awslambda.http-integration-response"
	tests := []struct {
		name        string
		cfg         guardtest.HTTPAPIConfig
		payload     string
		contentType string // of the function's answer
		status      int
		header      http.Header
		body        string
	}{
		{"status, headers and body", v2, `{"statusCode":201,"headers":{"location":"/orders/1","content-type":"application/json"},"body":"{\"a\":1}"}`, "", 201, http.Header{"Location": {"/orders/1"}, "Content-Type": {"application/json"}}, `{"a":1}`},
		{"no content type", v2, `{"statusCode":200,"body":"x"}`, "", 200, http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, "x"},
		{"several cookies", v2, `{"statusCode":200,"cookies":["a=1; Secure","b=2"]}`, "", 200, http.Header{"Set-Cookie": {"a=1; Secure", "b=2"}}, ""},
		{"a binary body", v2, `{"statusCode":200,"headers":{"Content-Type":"image/png"},"body":"/wAB","isBase64Encoded":true}`, "", 200, http.Header{"Content-Type": {"image/png"}}, "\xff\x00\x01"},
		{"a status without a body", v2, `{"statusCode":204}`, "", 204, http.Header{"Content-Type": nil}, ""},
		{"a status in quotes", v2, `{"statusCode":"404"}`, "", 404, nil, ""},
		{"numbers as headers", v2, `{"statusCode":429,"headers":{"retry-after":3,"x-b":true}}`, "", 429, http.Header{"Retry-After": {"3"}, "X-B": {"true"}}, ""},
		{"headers of the connection", v2, `{"statusCode":200,"headers":{"content-length":"99","connection":"close","x":"y"},"body":"abc"}`, "", 200, http.Header{"Content-Length": {"3"}, "Connection": nil, "X": {"y"}}, "abc"},
		{"nulls", v2, `{"statusCode":200,"headers":null,"cookies":null,"body":null,"isBase64Encoded":null}`, "", 200, nil, ""},
		{"members of other formats", v2, `{"statusCode":200,"multiValueHeaders":{"x":["1"]},"more":1}`, "", 200, http.Header{"X": nil}, ""},
		{"an object without a status", v2, `{"message":"hi"}`, "", 200, http.Header{"Content-Type": {"application/json"}}, `{"message":"hi"}`},
		{"an object with the status in another case", v2, `{"statuscode":404}`, "", 200, http.Header{"Content-Type": {"application/json"}}, `{"statuscode":404}`},
		{"a string", v2, `"hi"`, "", 200, http.Header{"Content-Type": {"application/json"}}, `"hi"`},
		{"null", v2, `null`, "", 200, http.Header{"Content-Type": {"application/json"}}, `null`},

		{"not JSON", v2, `hi`, "", 500, nil, `{"message":"Internal Server Error"}`},
		{"nothing", v2, ``, "", 500, nil, `{"message":"Internal Server Error"}`},
		{"a status that is none", v2, `{"statusCode":0}`, "", 500, nil, `{"message":"Internal Server Error"}`},
		{"a fractional status", v2, `{"statusCode":200.5}`, "", 500, nil, `{"message":"Internal Server Error"}`},
		{"no status but null", v2, `{"statusCode":null}`, "", 500, nil, `{"message":"Internal Server Error"}`},
		{"a body that is no string", v2, `{"statusCode":200,"body":{"a":1}}`, "", 500, nil, `{"message":"Internal Server Error"}`},
		{"a header that is no string", v2, `{"statusCode":200,"headers":{"x":["1"]}}`, "", 500, nil, `{"message":"Internal Server Error"}`},
		{"a header that splits", v2, `{"statusCode":200,"headers":{"x":"1\r\nSet-Cookie: a=b"}}`, "", 500, nil, `{"message":"Internal Server Error"}`},
		{"a header that is no name", v2, `{"statusCode":200,"headers":{"x y":"1"}}`, "", 500, nil, `{"message":"Internal Server Error"}`},
		{"base64 that is none", v2, `{"statusCode":200,"body":"%","isBase64Encoded":true}`, "", 500, nil, `{"message":"Internal Server Error"}`},

		{"1.0 with several values", v1, `{"statusCode":200,"headers":{"X":"0","y":"1"},"multiValueHeaders":{"x":["1","2"],"set-cookie":["a=1","b=2"]},"body":"b"}`, "", 200, http.Header{"X": {"1", "2"}, "Y": {"1"}, "Set-Cookie": {"a=1", "b=2"}}, "b"},
		{"1.0 takes no cookies", v1, `{"statusCode":200,"cookies":["a=1"]}`, "", 200, http.Header{"Set-Cookie": nil}, ""},
		{"1.0 without a status", v1, `{"message":"hi"}`, "", 500, nil, `{"message":"Internal Server Error"}`},
		{"1.0 with null", v1, `null`, "", 500, nil, `{"message":"Internal Server Error"}`},

		{"a stream", url, `{"statusCode":202,"headers":{"x":"1"},"cookies":["a=1"]}` + strings.Repeat("\x00", 8) + "\x00raw", stream, 202, http.Header{"X": {"1"}, "Set-Cookie": {"a=1"}}, "\x00raw"},
		{"a stream without a status", url, `{}` + strings.Repeat("\x00", 8) + "raw", stream, 200, nil, "raw"},
		{"a stream without an end of its prelude", url, `{}`, stream, 500, nil, `{"message":"Internal Server Error"}`},
		{"a function URL without a stream", url, `{"statusCode":201}`, "application/json", 201, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := answerOf(t, tt.cfg, guardtest.Result{Payload: []byte(tt.payload), ContentType: tt.contentType}, nil)
			body := new(strings.Builder)
			if err := res.Write(body); err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != tt.status {
				t.Errorf("status %d, want %d", res.StatusCode, tt.status)
			}
			for name, want := range tt.header {
				if got := res.Header[name]; !reflect.DeepEqual(got, want) {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			if _, got, _ := strings.Cut(body.String(), "\r\n\r\n"); got != tt.body {
				t.Errorf("body %q, want %q", got, tt.body)
			}
		})
	}
}
