package httpapi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

// Nothing that a caller sent and nothing that a handler kept to itself leaves
// in an answer that a handler did not write, or in the log. The exception is
// the text of the handler's own error, which the operator is to read.
//
// SECURITY: Nothing leaks.
func TestNothingLeaks(t *testing.T) {
	const mark = "p1anted"
	mux := http.NewServeMux()
	mux.HandleFunc("/std/panic", func(http.ResponseWriter, *http.Request) { panic(mark) })
	mux.HandleFunc("/std/split", func(w http.ResponseWriter, r *http.Request) { w.Header().Set("X-A", r.Header.Get("X-Secret")+"\r\n") })
	h := httpapi.Routes(map[string]lambda.Handler{
		"POST /func":        httpapi.Func(func(context.Context, order) (struct{}, error) { return struct{}{}, nil }, httpapi.RejectUnknownMembers()),
		"GET /error":        failing(guard.Reason("own words")),
		"GET /wrapped":      failing(fmt.Errorf("%w: %w", guard.Reason("own words"), guard.Errorf(guard.Conflict, "c", "d: %w", errors.New("more of my own words")))),
		"GET /panic":        guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { panic(mark) }),
		"GET /panicking":    guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { panic(fmt.Errorf("%s", mark)) }),
		"GET /cookie":       httpapi.Func(replies(httpapi.Reply[string]{Cookies: []*http.Cookie{{Name: "a", Value: mark + "\n"}}})),
		"GET /header":       httpapi.Func(replies(httpapi.Reply[string]{Header: http.Header{"X-A": {mark + "\n"}}, Value: mark})),
		"GET /foreign":      raw(`{"statusCode":200,"headers":{"x":["` + mark + `"]}}`),
		"GET /unencodable":  httpapi.Func(func(context.Context, struct{}) (any, error) { return map[string]any{mark: func() {}}, nil }),
		"GET /orders/{id}/": named("never"),
		"/std/":             httpapi.Serve(mux),
	})
	sent := map[string]string{
		"content-type": "application/json", "authorization": "Bearer " + mark, "x-secret": mark, "user-agent": mark, "x-forwarded-for": mark,
		"origin": "https://" + mark + ".example", "cookie": "a=" + mark, "referer": "https://" + mark + ".example",
	}
	post := func(body string) call { return call{method: "POST", path: "/func", body: body} }
	for name, tt := range map[string]struct {
		call
		ownError bool // the log has the text of the handler's error
	}{
		"a body":               {call: post(`{"customer":"` + mark + `"}`)},
		"a value of the wrong": {call: post(`{"customer":["` + mark + `"]}`)},
		"a number, too large":  {call: post(`{"lines":[{"n":1e999}],"customer":"` + mark + `"}`)},
		"not JSON":             {call: post(mark)},
		"half of JSON":         {call: post(`{"customer":"` + mark)},
		"junk behind":          {call: post(`{"customer":"c"} ` + mark)},
		"invalid UTF-8":        {call: post(`{"customer":"` + mark + "\xff\"}")},
		"too large":            {call: post(`"` + strings.Repeat(mark, 1<<18) + `"`)},
		"no base64": {
			call: call{method: "POST", path: "/func", body: mark, headers: map[string]string{"encoded": ""}},
		},
		"no such path":           {call: call{path: "/" + mark}},
		"no such method":         {call: call{method: strings.ToUpper("p1"), path: "/func"}},
		"an error":               {call: call{path: "/error"}, ownError: true},
		"a wrapped error":        {call: call{path: "/wrapped"}, ownError: true},
		"a panic":                {call: call{path: "/panic"}},
		"a panic with an error":  {call: call{path: "/panicking"}},
		"a panic in net/http":    {call: call{path: "/std/panic"}},
		"a header of two lines":  {call: call{path: "/std/split"}},
		"a cookie":               {call: call{path: "/cookie"}},
		"a reply":                {call: call{path: "/header"}},
		"an answer of another's": {call: call{path: "/foreign"}},
		"a value without JSON":   {call: call{path: "/unencodable"}},
	} {
		for _, format1 := range []bool{false, true} {
			c := tt.call
			c.headers, c.query, c.format1 = sent, "q="+mark, format1
			payload := c.event()
			if name == "no base64" {
				payload = bytes.Replace(payload, []byte(`"isBase64Encoded":false`), []byte(`"isBase64Encoded":true`), 1)
			}
			var log bytes.Buffer
			out, err := guard.Wrap(h, guard.Log(logging.New(&log)), httpapi.Problems(), httpapi.SecurityHeaders(),
				httpapi.CORS(httpapi.CORSConfig{Origins: []string{shopOrigin}}), guard.Recover(), guard.Limit(guard.Limits{})).Invoke(inLambda(t.Context()), payload)
			if err != nil || strings.Contains(string(out), mark) || strings.Contains(string(out), "own words") {
				t.Errorf("%s: answered %.500s, %v", name, out, err)
			}
			if log.Len() == 0 || strings.Contains(log.String(), mark) || strings.Contains(log.String(), "own words") != tt.ownError {
				t.Errorf("%s: logged %.500s", name, log.String())
			}
		}
	}
}
