package httpapi_test

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
)

// What another's handler answers is opened, so that headers can be added, and
// is otherwise what the gateway would have made of it.
func TestAForeignAnswerStaysWhatItIs(t *testing.T) {
	packed := base64.StdEncoding.EncodeToString([]byte("\xff\x00"))
	for name, tt := range map[string]struct {
		out    string
		status int
		header http.Header
		body   string
	}{
		"2.0": {
			out:    `{"statusCode":201,"headers":{"X-A":"1, 2","content-type":"text/plain"},"cookies":["a=1","b=2"],"body":"b","isBase64Encoded":false}`,
			status: 201,
			header: http.Header{"X-A": {"1, 2"}, "Content-Type": {"text/plain"}, "Set-Cookie": {"a=1", "b=2"}},
			body:   "b",
		},
		"1.0": {
			out:    `{"statusCode":200,"headers":{"x-a":"1"},"multiValueHeaders":{"X-B":["1","2"],"Set-Cookie":["a=1","b=2"]},"body":"b"}`,
			status: 200,
			header: http.Header{"X-A": {"1"}, "X-B": {"1", "2"}, "Set-Cookie": {"a=1", "b=2"}},
			body:   "b",
		},
		"1.0, in both forms": {
			out:    `{"statusCode":200,"headers":{"x-a":"2","X-B":"9"},"multiValueHeaders":{"X-A":["1","2"],"x-b":["8"]},"body":""}`,
			status: 200,
			header: http.Header{"X-A": {"1", "2"}, "X-B": {"8", "9"}},
		},
		"bytes": {
			out:    `{"statusCode":200,"body":"` + packed + `","isBase64Encoded":true}`,
			status: 200,
			header: http.Header{},
			body:   "\xff\x00",
		},
		"text in base64": {
			out:    `{"statusCode":200,"body":"YQ==","isBase64Encoded":true}`,
			status: 200,
			header: http.Header{},
			body:   "a",
		},
		"a status alone": {out: `{"statusCode":404}`, status: 404, header: http.Header{}},
		"nulls": {
			out:    `{"statusCode":200,"headers":null,"multiValueHeaders":null,"cookies":null,"body":null}`,
			status: 200,
			header: http.Header{},
		},
		"members we do not know": {
			out:    `{"statusCode":200,"statusDescription":"200 OK","body":"b"}`,
			status: 200,
			header: http.Header{},
			body:   "b",
		},
		"a 304 with a body": {out: `{"statusCode":304,"body":"b"}`, status: 304, header: http.Header{}},
		"the gateway's headers": {
			out:    `{"statusCode":200,"headers":{"Content-Length":"9","connection":"close"},"body":"b"}`,
			status: 200,
			header: http.Header{},
			body:   "b",
		},
	} {
		for _, c := range []call{{}, {format1: true}, {lattice: true}} {
			a := send(t, c, raw(tt.out), httpapi.SecurityHeaders())
			if a.header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s: not decorated: %v", name, a.header)
			}
			for _, ours := range []string{"Strict-Transport-Security", "X-Content-Type-Options", "Referrer-Policy", "Content-Security-Policy", "Cache-Control"} {
				a.header.Del(ours)
			}
			same := len(a.header) == len(tt.header)
			for n, values := range tt.header {
				got := a.header[n]
				same = same && (slices.Equal(got, values) || !c.format1 && slices.Equal(got, []string{strings.Join(values, ", ")}))
			}
			if a.status != tt.status || a.body != tt.body || !same {
				t.Errorf("%s: %+v", name, a)
			}
		}
	}
}

// Format 2.0 takes the whole of an answer without a status for the body, and
// nothing else does: elsewhere it is an error, and must not become a 200.
func TestAForeignAnswerWithoutAStatusIsOneInFormat2Alone(t *testing.T) {
	for out, body := range map[string]string{`{"id":1}`: `{"id":1}`, `[1]`: `[1]`, `"hello"`: `"hello"`, `{"status":500}`: `{"status":500}`} {
		for _, c := range []call{{}, {domain: urlDomain}} {
			a := send(t, c, raw(out), httpapi.SecurityHeaders())
			if a.status != 200 || a.body != body || a.header.Get("Content-Type") != "application/json" || a.header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s: %+v", out, a)
			}
		}
		for _, c := range []call{{format1: true}, {rest: true}, {lattice: true}} {
			_, err := invoke(t, c, raw(out), httpapi.SecurityHeaders())
			wantError(t, err, guard.Internal, "invalid_response")
		}
	}
}

// VPC Lattice takes a list for a header, and nothing else does.
func TestAForeignAnswerWithListsIsOneForLatticeAlone(t *testing.T) {
	const out = `{"statusCode":200,"headers":{"X-A":["1","2"],"x-b":"3","Set-Cookie":["a=1","b=2"],"x-none":[]},"body":"b"}`
	a := send(t, call{lattice: true}, raw(out), httpapi.SecurityHeaders())
	if a.status != 200 || a.header.Get("X-A") != "1, 2" || a.header.Get("X-B") != "3" || a.header.Values("X-None") != nil ||
		!slices.Equal(a.header.Values("Set-Cookie"), []string{"a=1", "b=2"}) || a.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%+v", a)
	}
	for _, c := range []call{{}, {format1: true}} {
		_, err := invoke(t, c, raw(out), httpapi.SecurityHeaders())
		wantError(t, err, guard.Internal, "invalid_response")
	}
}

func TestAMalformedForeignAnswerIsRefused(t *testing.T) {
	for name, out := range map[string]string{
		"a status in words":    `{"statusCode":"planted"}`,
		"a status twice":       `{"statusCode":403,"statusCode":200,"body":"planted"}`,
		"a header that is one": `{"statusCode":403,"headers":{"x":{"planted":1}}}`,
		"headers in a list":    `{"statusCode":403,"headers":["planted"]}`,
		"a body that is none":  `{"statusCode":403,"body":{"planted":1}}`,
		"no base64":            `{"statusCode":403,"body":"planted!","isBase64Encoded":true}`,
		"half of a body":       `{"body":"planted`,
		"no JSON":              `planted`,
		"two values":           `{"planted":1}{"statusCode":403}`,
		"half an answer":       `{"statusCode":403,"body":"planted`,
		"invalid UTF-8":        "{\"statusCode\":403,\"body\":\"planted\xff\"}",
		"a header of lines":    `{"statusCode":403,"headers":{"x":"a\r\nplanted: 1"}}`,
		"a cookie of lines":    `{"statusCode":403,"cookies":["a=1\r\nplanted: 1"]}`,
		"nothing":              ``,
		"status 0":             `{"statusCode":0,"body":"planted"}`,
		"status 99":            `{"statusCode":99,"body":"planted"}`,
		"status 1000":          `{"statusCode":1000,"body":"planted"}`,
		"a status with e":      `{"statusCode":2e99,"body":"planted"}`,
	} {
		for _, c := range []call{{}, {lattice: true}} {
			sent, err := invoke(t, c, raw(out), httpapi.SecurityHeaders())
			wantError(t, err, guard.Internal, "invalid_response")
			if sent != nil || strings.Contains(err.Error(), "planted") {
				t.Errorf("%s: %s, %v", name, sent, err)
			}
		}
		sent, err := invoke(t, call{}, raw(out), httpapi.Problems(), httpapi.SecurityHeaders())
		if a := read(t, sent); err != nil || a.status != 500 || strings.Contains(string(sent), "planted") {
			t.Errorf("%s: %s, %v", name, sent, err)
		}
	}
}
