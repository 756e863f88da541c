package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
)

// replies is a function with the same reply for everyone.
func replies[T any](r httpapi.Reply[T]) func(context.Context, struct{}) (httpapi.Reply[T], error) {
	return func(context.Context, struct{}) (httpapi.Reply[T], error) { return r, nil }
}

func TestCreated(t *testing.T) {
	a := send(t, call{}, httpapi.Func(replies(httpapi.Created("/orders/o-1", order{Customer: "c"})), httpapi.Status(202)))
	if a.status != 201 || a.header.Get("Location") != "/orders/o-1" || a.body != `{"customer":"c"}` || a.header.Get("Content-Type") != "application/json" {
		t.Errorf("%+v", a)
	}
}

func TestReplySaysWhatItSays(t *testing.T) {
	for _, c := range []call{{}, {format1: true}, {lattice: true}} {
		a := send(t, c, httpapi.Func(replies(httpapi.Reply[string]{
			Header: http.Header{
				"Content-Type": {"application/hal+json"}, "Etag": {`"v1"`}, "set-cookie": {"z=0"},
				"Content-Length": {"99"}, "Connection": {"close"}, "Keep-Alive": {"1"}, "Trailer": {"X"}, "transfer-encoding": {"chunked"}, "Upgrade": {"h2c"},
			},
			Cookies: []*http.Cookie{{Name: "a", Value: "x y", HttpOnly: true, Secure: true}},
			Value:   "v",
		}), httpapi.Status(203)))
		if a.status != 203 || a.header.Get("Content-Type") != "application/hal+json" || a.header.Get("Etag") != `"v1"` {
			t.Errorf("%+v", a)
		}
		if got := a.header["Set-Cookie"]; !slices.Equal(got, []string{"z=0", `a="x y"; HttpOnly; Secure`}) {
			t.Errorf("cookies %q", got)
		}
		if len(a.header) != 3 {
			t.Errorf("headers of the connection are the gateway's: %v", a.header)
		}
	}
}

// With other headers beside it, and without.
func TestOneCookieForLatticeIsATextAndSeveralAList(t *testing.T) {
	const frame = `{"statusCode":200,"headers":{%s},"body":"","isBase64Encoded":false}`
	for _, tt := range []struct {
		header http.Header
		want   string
	}{
		{header: nil, want: ``},
		{header: http.Header{"Set-Cookie": {"a=1"}}, want: `"set-cookie":"a=1"`},
		{header: http.Header{"Set-Cookie": {"a=1", "b=2, 3"}}, want: `"set-cookie":["a=1","b=2, 3"]`},
		{header: http.Header{"Set-Cookie": {"a=1"}, "Vary": {"A", "B"}}, want: `"vary":"A, B","set-cookie":"a=1"`},
	} {
		out, err := invoke(t, call{lattice: true}, httpapi.Handler(func(context.Context, *httpapi.Request) (httpapi.Response, error) {
			return httpapi.Response{Header: tt.header}, nil
		}))
		if want := fmt.Sprintf(frame, tt.want); err != nil || string(out) != want {
			t.Errorf("%s, %v, want %s", out, err, want)
		}
	}
}

func TestTheSameReplyIsTheSameBytes(t *testing.T) {
	h := httpapi.Func(replies(httpapi.Reply[struct{}]{Header: http.Header{"C": {"2", "1"}, "A": {""}, "E": {"v"}, "B": {"v"}, "D": {"v"}}}))
	const want = `{"statusCode":204,"headers":{"a":"","b":"v","c":"2, 1","d":"v","e":"v"},"body":"","isBase64Encoded":false}`
	for range 50 {
		if out, err := invoke(t, call{}, h); err != nil || string(out) != want {
			t.Fatalf("%s, %v", out, err)
		}
	}
}

func TestReplyOfNothing(t *testing.T) {
	for status, want := range map[int]int{0: 204, 200: 204, 202: 202, 303: 303} {
		if a := send(t, call{}, httpapi.Func(replies(httpapi.Reply[struct{}]{Status: status}))); a.status != want || a.body != "" || a.header.Get("Content-Type") != "" {
			t.Errorf("%d: %+v", status, a)
		}
	}
}

func TestAResponseWithoutABodyByItsStatusHasNone(t *testing.T) {
	for _, status := range []int{204, 304} {
		if a := send(t, call{}, httpapi.Func(replies(httpapi.Reply[string]{Status: status, Value: "v"}))); a.status != status || a.body != "" {
			t.Errorf("%d: %+v", status, a)
		}
	}
}

func TestNothingMalformedIsSent(t *testing.T) {
	type reply = httpapi.Reply[string]
	const planted = "planted"
	for name, r := range map[string]reply{
		"CR LF in a value":         {Header: http.Header{"X-A": {"a\r\nset-cookie: " + planted}}},
		"LF in a value":            {Header: http.Header{"X-A": {"a\n" + planted}}},
		"ESC in a value":           {Header: http.Header{"X-A": {"a\x1b" + planted}}},
		"DEL in a value":           {Header: http.Header{"X-A": {"a\x7f" + planted}}},
		"a bell in Set-Cookie":     {Header: http.Header{"Set-Cookie": {"a=\a" + planted}}},
		"NUL in a value":           {Header: http.Header{"X-A": {"a\x00" + planted}}},
		"invalid UTF-8 in a value": {Header: http.Header{"X-A": {planted + "\xff"}}},
		"CR LF in a name":          {Header: http.Header{"X-A\r\n" + planted: {"a"}}},
		"a space in a name":        {Header: http.Header{"X A": {planted}}},
		"a colon in a name":        {Header: http.Header{"X:A": {planted}}},
		"no name":                  {Header: http.Header{"": {planted}}},
		"a name that is not ASCII": {Header: http.Header{"é": {planted}}},
		"a line in Set-Cookie":     {Header: http.Header{"Set-Cookie": {"a=b\r\n" + planted}}},
		"a cookie's name":          {Cookies: []*http.Cookie{{Name: "a b", Value: planted}}},
		"a cookie's value":         {Cookies: []*http.Cookie{{Name: "a", Value: planted + "\r\n"}}},
		"a cookie's path":          {Cookies: []*http.Cookie{{Name: "a", Value: planted, Path: "/;x"}}},
		"a nil cookie":             {Cookies: []*http.Cookie{nil}},
		"status 42":                {Status: 42},
		"status 100":               {Status: 100},
		"status 600":               {Status: 600},
		"a negative status":        {Status: -1},
	} {
		if r.Value = planted; r.Header == nil {
			r.Header = http.Header{"X-B": {planted}}
		}
		h := httpapi.Func(replies(r))
		out, err := invoke(t, call{}, h)
		wantError(t, err, guard.Internal, "invalid_response")
		if out != nil || err != nil && strings.Contains(err.Error(), planted) && !strings.Contains(name, "name") {
			t.Errorf("%s: %s, %v", name, out, err)
		}
		for _, format1 := range []bool{false, true} {
			out, err := invoke(t, call{format1: format1}, h, httpapi.Problems())
			if err != nil || strings.Contains(string(out), planted) || read(t, out).status != 500 {
				t.Errorf("%s: %s, %v", name, out, err)
			}
		}
	}
}

func TestAnAnswerThatLambdaWouldNotTakeIsRefused(t *testing.T) {
	const limit = 6*1024*1024 + 100
	h := httpapi.Handler(func(_ context.Context, r *httpapi.Request) (httpapi.Response, error) {
		frame := len(`{"statusCode":200,"headers":{},"body":"","isBase64Encoded":false}`)
		if r.Path == "/over" {
			frame--
		}
		return httpapi.Response{Body: []byte(strings.Repeat("x", limit-frame))}, nil
	})
	out, err := invoke(t, call{path: "/fits"}, h)
	if err != nil || len(out) != limit {
		t.Fatalf("%d bytes, %v", len(out), err)
	}
	_, err = invoke(t, call{path: "/over"}, h)
	wantError(t, err, guard.Internal, "response_too_large")
	// Base64 takes a third more.
	_, err = invoke(t, call{}, httpapi.Handler(func(context.Context, *httpapi.Request) (httpapi.Response, error) {
		return httpapi.Response{Body: []byte(strings.Repeat("\xff", 5<<20))}, nil
	}))
	wantError(t, err, guard.Internal, "response_too_large")
}

func TestHandlerBodiesAreTextOrBase64(t *testing.T) {
	for name, tt := range map[string]struct {
		res    httpapi.Response
		base64 bool
	}{
		"text":  {res: httpapi.Response{Body: []byte("é \" \\ \n \x00")}},
		"bytes": {res: httpapi.Response{Body: []byte{0xff, 0, 1}}, base64: true},
		"compressed bytes": {
			res:    httpapi.Response{Body: []byte("as if packed"), Header: http.Header{"Content-Encoding": {"gzip"}}},
			base64: true,
		},
		"nothing": {res: httpapi.Response{}},
	} {
		h := httpapi.Handler(func(context.Context, *httpapi.Request) (httpapi.Response, error) { return tt.res, nil })
		a := send(t, call{}, h)
		if a.status != 200 || a.body != string(tt.res.Body) || a.base64 != tt.base64 {
			t.Errorf("%s: %+v", name, a)
		}
	}
	if text := panics(func() { httpapi.Handler(nil) }); !strings.HasPrefix(text, "httpapi: ") {
		t.Errorf("a nil function: %q", text)
	}
}

func TestWithHeader(t *testing.T) {
	if httpapi.WithHeader(nil, "a", "b") != nil {
		t.Error("nil became an error")
	}
	cause := errors.New("cause")
	inner := httpapi.WithHeader(guard.Errorf(guard.Unauthenticated, "token_expired", "The token has expired: %w", cause), "WWW-Authenticate", `Bearer error="invalid_token"`)
	err := httpapi.WithHeader(fmt.Errorf("check: %w", inner), "X-Try", "again")
	err = httpapi.WithHeader(err, "Set-Cookie", "session=; Max-Age=0")
	err = httpapi.WithHeader(err, "X-Bad", "a\r\nb")
	err = httpapi.WithHeader(err, "Content-Type", "text/html")
	err = httpapi.WithHeader(err, "Content-Length", "3")
	err = httpapi.WithHeader(err, "Transfer-Encoding", "chunked")
	if !errors.Is(err, cause) || guard.KindOf(err) != guard.Unauthenticated || err.Error() != fmt.Errorf("check: %w", inner).Error() {
		t.Errorf("the error has become another: %v", err)
	}
	a := send(t, call{}, failing(err))
	if p := a.problem(t); p.Code != "token_expired" || a.status != 401 {
		t.Errorf("%+v", a)
	}
	for name, want := range map[string]string{"Www-Authenticate": `Bearer error="invalid_token"`, "X-Try": "again", "Set-Cookie": "session=; Max-Age=0", "X-Bad": "", "Content-Length": "", "Transfer-Encoding": ""} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
