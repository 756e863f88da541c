package gateway_test

import (
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
)

func TestAnswerBecomesAResponse(t *testing.T) {
	url := gateway.HTTPAPIConfig{FunctionURL: true}
	v1 := gateway.HTTPAPIConfig{Format: "1.0"}
	v2 := gateway.HTTPAPIConfig{}
	const stream = "application/vnd.awslambda.http-integration-response"
	tests := []struct {
		name        string
		cfg         gateway.HTTPAPIConfig
		payload     string
		contentType string // of the function's answer
		status      int
		header      http.Header
		body        string
	}{
		{
			name:    "status, headers and body",
			cfg:     v2,
			payload: `{"statusCode":201,"headers":{"location":"/orders/1","content-type":"application/json"},"body":"{\"a\":1}"}`,
			status:  201,
			header:  http.Header{"Location": {"/orders/1"}, "Content-Type": {"application/json"}},
			body:    `{"a":1}`,
		},
		{
			name:    "no content type",
			cfg:     v2,
			payload: `{"statusCode":200,"body":"x"}`,
			status:  200,
			header:  http.Header{"Content-Type": {"text/plain; charset=utf-8"}},
			body:    "x",
		},
		{
			name:    "several cookies",
			cfg:     v2,
			payload: `{"statusCode":200,"cookies":["a=1; Secure","b=2"]}`,
			status:  200,
			header:  http.Header{"Set-Cookie": {"a=1; Secure", "b=2"}},
		},
		{
			name:    "a binary body",
			cfg:     v2,
			payload: `{"statusCode":200,"headers":{"Content-Type":"image/png"},"body":"/wAB","isBase64Encoded":true}`,
			status:  200,
			header:  http.Header{"Content-Type": {"image/png"}},
			body:    "\xff\x00\x01",
		},
		{
			name:    "a status without a body",
			cfg:     v2,
			payload: `{"statusCode":204}`,
			status:  204,
			header:  http.Header{"Content-Type": nil},
		},
		{
			name:    "a status in quotes",
			cfg:     v2,
			payload: `{"statusCode":"404"}`,
			status:  404,
		},
		{
			name:    "numbers as headers",
			cfg:     v2,
			payload: `{"statusCode":429,"headers":{"retry-after":3,"x-b":true}}`,
			status:  429,
			header:  http.Header{"Retry-After": {"3"}, "X-B": {"true"}},
		},
		{
			name:    "headers of the connection",
			cfg:     v2,
			payload: `{"statusCode":200,"headers":{"content-length":"99","connection":"close","x":"y"},"body":"abc"}`,
			status:  200,
			header:  http.Header{"Content-Length": {"3"}, "Connection": nil, "X": {"y"}},
			body:    "abc",
		},
		{
			name:    "nulls",
			cfg:     v2,
			payload: `{"statusCode":200,"headers":null,"cookies":null,"body":null,"isBase64Encoded":null}`,
			status:  200,
		},
		{
			name:    "members of other formats",
			cfg:     v2,
			payload: `{"statusCode":200,"multiValueHeaders":{"x":["1"]},"more":1}`,
			status:  200,
			header:  http.Header{"X": nil},
		},
		{
			name:    "an object without a status",
			cfg:     v2,
			payload: `{"message":"hi"}`,
			status:  200,
			header:  http.Header{"Content-Type": {"application/json"}},
			body:    `{"message":"hi"}`,
		},
		{
			name:    "an object with the status in another case",
			cfg:     v2,
			payload: `{"statuscode":404}`,
			status:  200,
			header:  http.Header{"Content-Type": {"application/json"}},
			body:    `{"statuscode":404}`,
		},
		{
			name:    "a string",
			cfg:     v2,
			payload: `"hi"`,
			status:  200,
			header:  http.Header{"Content-Type": {"application/json"}},
			body:    `"hi"`,
		},
		{
			name:    "null",
			cfg:     v2,
			payload: `null`,
			status:  200,
			header:  http.Header{"Content-Type": {"application/json"}},
			body:    `null`,
		},

		{
			name:    "not JSON",
			cfg:     v2,
			payload: `hi`,
			status:  500,
			body:    `{"message":"Internal Server Error"}`,
		},
		{
			name:   "nothing",
			cfg:    v2,
			status: 500,
			body:   `{"message":"Internal Server Error"}`,
		},
		{
			name:    "a status that is none",
			cfg:     v2,
			payload: `{"statusCode":0}`,
			status:  500,
			body:    `{"message":"Internal Server Error"}`,
		},
		{
			name:    "a fractional status",
			cfg:     v2,
			payload: `{"statusCode":200.5}`,
			status:  500,
			body:    `{"message":"Internal Server Error"}`,
		},
		{
			name:    "no status but null",
			cfg:     v2,
			payload: `{"statusCode":null}`,
			status:  500,
			body:    `{"message":"Internal Server Error"}`,
		},
		{
			name:    "a body that is no string",
			cfg:     v2,
			payload: `{"statusCode":200,"body":{"a":1}}`,
			status:  500,
			body:    `{"message":"Internal Server Error"}`,
		},
		{
			name:    "a header that is no string",
			cfg:     v2,
			payload: `{"statusCode":200,"headers":{"x":["1"]}}`,
			status:  500,
			body:    `{"message":"Internal Server Error"}`,
		},
		{
			name:    "a header that splits",
			cfg:     v2,
			payload: `{"statusCode":200,"headers":{"x":"1\r\nSet-Cookie: a=b"}}`,
			status:  500,
			body:    `{"message":"Internal Server Error"}`,
		},
		{
			name:    "a header that is no name",
			cfg:     v2,
			payload: `{"statusCode":200,"headers":{"x y":"1"}}`,
			status:  500,
			body:    `{"message":"Internal Server Error"}`,
		},
		{
			name:    "base64 that is none",
			cfg:     v2,
			payload: `{"statusCode":200,"body":"%","isBase64Encoded":true}`,
			status:  500,
			body:    `{"message":"Internal Server Error"}`,
		},

		{
			name:    "1.0 with several values",
			cfg:     v1,
			payload: `{"statusCode":200,"headers":{"X":"0","y":"1"},"multiValueHeaders":{"x":["1","2"],"set-cookie":["a=1","b=2"]},"body":"b"}`,
			status:  200,
			header:  http.Header{"X": {"1", "2"}, "Y": {"1"}, "Set-Cookie": {"a=1", "b=2"}},
			body:    "b",
		},
		{
			name:    "1.0 takes no cookies",
			cfg:     v1,
			payload: `{"statusCode":200,"cookies":["a=1"]}`,
			status:  200,
			header:  http.Header{"Set-Cookie": nil},
		},
		{
			name:    "1.0 without a status",
			cfg:     v1,
			payload: `{"message":"hi"}`,
			status:  500,
			body:    `{"message":"Internal Server Error"}`,
		},
		{
			name:    "1.0 with null",
			cfg:     v1,
			payload: `null`,
			status:  500,
			body:    `{"message":"Internal Server Error"}`,
		},

		{
			name:        "a stream",
			cfg:         url,
			payload:     `{"statusCode":202,"headers":{"x":"1"},"cookies":["a=1"]}` + strings.Repeat("\x00", 8) + "\x00raw",
			contentType: stream,
			status:      202,
			header:      http.Header{"X": {"1"}, "Set-Cookie": {"a=1"}},
			body:        "\x00raw",
		},
		{
			name:        "a stream without a status",
			cfg:         url,
			payload:     `{}` + strings.Repeat("\x00", 8) + "raw",
			contentType: stream,
			status:      200,
			body:        "raw",
		},
		{
			name:        "a stream without an end of its prelude",
			cfg:         url,
			payload:     `{}`,
			contentType: stream,
			status:      500,
			body:        `{"message":"Internal Server Error"}`,
		},
		{
			name:        "a function URL without a stream",
			cfg:         url,
			payload:     `{"statusCode":201}`,
			contentType: "application/json",
			status:      201,
		},
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
