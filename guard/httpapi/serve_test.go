package httpapi_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
)

func TestServeIsAServerToTheHandler(t *testing.T) {
	server := httptest.NewUnstartedServer(site())
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of WriteHeader called twice
	server.Start()
	defer server.Close()
	client := server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	client.Transport.(*http.Transport).DisableCompression = true
	for _, c := range []call{
		{path: "/request"},
		{path: "/request", query: "a=1&a=2&b=%20&c"},
		{path: "/request", headers: map[string]string{"x-custom": "1,2", "accept": "a, b", "authorization": "Bearer x,y"}, cookies: []string{"a=1", `b="2"`, "a=3"}},
		{method: "POST", path: "/request", body: "text é", headers: map[string]string{"content-type": "text/plain"}},
		{method: "PUT", path: "/request", body: "\x00\xff\xfe", base64: true},
		{method: "PURGE", path: "/request"},
		{path: "/items/a%20b"},
		{path: "/items/"},
		{method: "POST", path: "/items/a"},
		{path: "/status/created"},
		{path: "/status/empty"},
		{path: "/status/unmodified"},
		{path: "/status/teapot"},
		{path: "/status/unavailable"},
		{method: "HEAD", path: "/status/teapot"},
		{path: "/nothing"},
		{path: "/early"},
		{path: "/headers"},
		{path: "/sniff/html"},
		{path: "/sniff/png"},
		{path: "/sniff/text"},
		{path: "/sniff/json"},
		{path: "/sniff/bytes"},
		{path: "/sniff/long"},
		{path: "/sniff/utf16"},
		{method: "HEAD", path: "/sniff/html"},
		{method: "HEAD", path: "/sniff/long"},
		{path: "/untyped"},
		{path: "/packed"},
		{path: "/error"},
		{path: "/redirect"},
		{method: "HEAD", path: "/redirect"},
		{path: "/flush"},
		{method: "POST", path: "/max", body: "123"},
		{method: "POST", path: "/max", body: "12345"},
		{method: "POST", path: "/form", query: "q=2", body: "a=1&q=1", headers: map[string]string{"content-type": "application/x-www-form-urlencoded"}},
		{path: "/short"},
		{path: "/announced/whole"},
		{path: "/announced/unmodified"},
		{method: "HEAD", path: "/announced/whole"},
		{path: "/trailers"},
		{path: "/files"},
		{path: "/files/"},
		{path: "/files/index.html"},
		{path: "/files/a.css"},
		{path: "/files/b.bin"},
		{method: "HEAD", path: "/files/a.css"},
		{path: "/files/b.bin", headers: map[string]string{"range": "bytes=1-2"}},
		{path: "/files/a.css", headers: map[string]string{"range": "bytes=9-"}},
		{path: "/files/a.css", headers: map[string]string{"if-modified-since": time.Unix(1e9, 0).UTC().Format(http.TimeFormat)}},
		{path: "/files/sub/"},
		{path: "/files/none"},
		{path: "/none"},
	} {
		real := overHTTP(t, client, server.URL, c)
		for _, form := range []call{{}, {format1: true}, {lattice: true}} {
			c.format1, c.lattice = form.format1, form.lattice
			if path, err := url.PathUnescape(c.path); err == nil && !c.lattice {
				c.path = path // as an HTTP API sends it
			}
			if c.format1 && (strings.Contains(c.query, "%") || strings.HasSuffix(c.query, "c")) {
				continue // a 1.0 event has its query taken apart
			}
			compareAnswers(t, c, send(t, c, httpapi.Serve(site())), real)
		}
	}
}

// overHTTP sends c to a server.
func overHTTP(t *testing.T, client *http.Client, url string, c call) answer {
	t.Helper()
	if url += c.path; c.query != "" {
		url += "?" + c.query
	}
	req, err := http.NewRequestWithContext(t.Context(), or(c.method, "GET"), url, strings.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range c.headers {
		req.Header.Set(name, value)
	}
	if len(c.cookies) > 0 {
		req.Header.Set("Cookie", strings.Join(c.cookies, "; "))
	}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{status: res.StatusCode, header: res.Header, body: string(body)}
}

func compareAnswers(t *testing.T, c call, got, want answer) {
	t.Helper()
	where := fmt.Sprintf("%s %s, 1.0 %t, Lattice %t", or(c.method, "GET"), c.path, c.format1, c.lattice)
	if got.status != want.status || got.body != want.body {
		t.Errorf("%s: %d %.300q\nthe server: %d %.300q", where, got.status, got.body, want.status, want.body)
	}
	for _, name := range []string{"Date", "Content-Length"} { // the server's own
		want.header.Del(name)
	}
	joined := func(h http.Header) map[string]string {
		all := map[string]string{}
		for name, values := range h {
			if all[name] = strings.Join(values, ", "); name == "Set-Cookie" {
				all[name] = strings.Join(values, "\n")
			}
		}
		return all
	}
	if g, w := joined(got.header), joined(want.header); !maps.Equal(g, w) {
		t.Errorf("%s: %q\nthe server: %q", where, g, w)
	}
}

func TestServeSendsCookiesOneByOne(t *testing.T) {
	h := httpapi.Serve(site())
	a := send(t, call{path: "/headers"}, h)
	if got, ok := a.fields["cookies"].([]any); !ok || len(got) != 2 || got[0] != "a=1; HttpOnly" {
		t.Errorf("2.0: %v", a.fields)
	}
	a = send(t, call{path: "/headers", format1: true}, h)
	if got := a.fields["multiValueHeaders"].(object)["set-cookie"].([]any); len(got) != 2 {
		t.Errorf("1.0: %v", a.fields)
	}
	a = send(t, call{path: "/headers", lattice: true}, h)
	if got := a.fields["headers"].(object)["set-cookie"].([]any); len(got) != 2 || got[0] != "a=1; HttpOnly" || a.fields["cookies"] != nil {
		t.Errorf("Lattice: %v", a.fields)
	}
}

func TestServeSendsBytesAsBase64(t *testing.T) {
	for path, want := range map[string]bool{"/sniff/png": true, "/sniff/bytes": true, "/packed": true, "/sniff/long": false, "/nothing": false} {
		a := send(t, call{path: path}, httpapi.Serve(site()))
		if a.base64 != want {
			t.Errorf("%s: base64 %t", path, a.base64)
		}
		if want && a.fields["body"] != base64.StdEncoding.EncodeToString([]byte(a.body)) {
			t.Errorf("%s: %v", path, a.fields["body"])
		}
	}
}

// serve calls a net/http handler behind an event.
func serve(t *testing.T, ctx context.Context, c call, f http.HandlerFunc, layers ...guard.Middleware) (out []byte, err error) {
	t.Helper()
	return guard.Wrap(httpapi.Serve(f), layers...).Invoke(ctx, c.event())
}

func TestServeHandsTheInvocationsContextOn(t *testing.T) {
	type key struct{}
	deadline := time.Now().Add(time.Hour)
	ctx, cancel := context.WithDeadline(context.WithValue(t.Context(), key{}, "v"), deadline)
	defer cancel()
	_, err := serve(t, ctx, call{path: "/x"}, func(_ http.ResponseWriter, r *http.Request) {
		end, ok := r.Context().Deadline()
		req, there := httpapi.RequestFrom(r.Context())
		if r.Context().Value(key{}) != "v" || !ok || !end.Equal(deadline) || !there || req.Path != "/x" {
			t.Errorf("%v, %v, %t", r.Context(), end, there)
		}
		if r.RemoteAddr != "192.0.2.1:0" || r.Host != apiDomain || r.Header.Get("Host") != "" {
			t.Errorf("%q, %q, %v", r.RemoteAddr, r.Host, r.Header)
		}
		cancel()
		<-r.Context().Done()
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestServeHasOneValueOfAHeaderThatTheHandlerCanAddTo(t *testing.T) {
	headers := map[string]string{"x-tenant": "c", "X-Tenant": "b", "X-TENANT": "a", "x-1": "v", "x-2": "v", "x-3": "v"}
	for _, c := range []call{{headers: headers}, {headers: headers, format1: true}, {headers: headers, lattice: true}} {
		_, err := serve(t, t.Context(), c, func(_ http.ResponseWriter, r *http.Request) {
			for _, name := range []string{"X-Tenant", "X-1", "X-2", "X-3"} {
				r.Header.Add(name, "added")
			}
			for name, want := range map[string]string{"X-Tenant": "a,b,c|added", "X-1": "v|added", "X-2": "v|added", "X-3": "v|added"} {
				if got := strings.Join(r.Header.Values(name), "|"); got != want {
					t.Errorf("%s is %s, want %s", name, got, want)
				}
			}
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func TestServeTellsTheProtocol(t *testing.T) {
	event := sample.Of(guard.HTTPAPI)
	for protocol, want := range map[string]string{"HTTP/2.0": "HTTP/2.0 2 0", "HTTP/1.0": "HTTP/1.0 1 0", "HTTP/1.1": "HTTP/1.1 1 1", "": "HTTP/1.1 1 1", "h2": "HTTP/1.1 1 1"} {
		h := httpapi.Serve(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if got := fmt.Sprint(r.Proto, " ", r.ProtoMajor, r.ProtoMinor); got != want {
				t.Errorf("%q: %s, want %s", protocol, got, want)
			}
		}))
		if _, err := h.Invoke(t.Context(), event.Set("/requestContext/http/protocol", protocol).Bytes()); err != nil {
			t.Error(err)
		}
	}
}

func TestServeTakesTheStageOff(t *testing.T) {
	_, err := serve(t, t.Context(), call{path: "/v1/a b", query: "q=1", stage: "v1"}, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/a b" || r.URL.RawPath != "" || r.RequestURI != "/a%20b?q=1" || r.URL.String() != "/a%20b?q=1" {
			t.Errorf("got %+v, %q", r.URL, r.RequestURI)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A handler that routes by itself could take such a path for another than a
// check does.
func TestServeRefusesAPathOfTwoReadings(t *testing.T) {
	for _, path := range []string{"/a//b", "/a/../b", "/a%2Fb", "/100%", `/a\b`, "/a\x00"} {
		_, err := serve(t, t.Context(), call{path: path}, func(http.ResponseWriter, *http.Request) { t.Errorf("%q: the handler was called", path) })
		wantError(t, err, guard.Invalid, "path_ambiguous")
	}
}

func TestServeInsideRoutesHasThePathValues(t *testing.T) {
	h := httpapi.Routes(map[string]lambda.Handler{
		"GET /orders/{id}": httpapi.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, r.PathValue("id"), " ", r.Pattern, " ", r.Method, " ", r.Header.Get("X-A"))
		})),
	})
	if a := send(t, call{path: "/orders/o-1", headers: map[string]string{"x-a": "v"}}, h); a.body != "o-1 GET /orders/{id} GET v" {
		t.Errorf("%+v", a)
	}
}

func TestServeLetsPanicsPass(t *testing.T) {
	for _, value := range []any{"v", http.ErrAbortHandler} {
		func() {
			defer func() {
				if got := recover(); got != value {
					t.Errorf("%v, want %v", got, value)
				}
			}()
			_, _ = serve(t, t.Context(), call{}, func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, "half")
				panic(value)
			})
		}()
		out, err := serve(t, t.Context(), call{}, func(http.ResponseWriter, *http.Request) { panic(value) }, guard.Recover())
		if out != nil || !guard.Panicked(err) {
			t.Errorf("%s, %v", out, err)
		}
	}
}

func TestServeRefusesWhatCannotBeSent(t *testing.T) {
	for name, tt := range map[string]struct {
		code string
		h    http.HandlerFunc
	}{
		"a header of two lines": {
			code: "invalid_response",
			h:    func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-A", "a\r\nb: c") },
		},
		"a header that is not UTF-8": {
			code: "invalid_response",
			h:    func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-A", "\xe9") },
		},
		"status 999": {
			code: "invalid_response",
			h:    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(999) },
		},
		"another protocol": {
			code: "invalid_response",
			h:    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusSwitchingProtocols) },
		},
		"less than it announced": {code: "invalid_response", h: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5")
			_, _ = io.WriteString(w, "half")
		}},
		"nothing of what it announced": {
			code: "invalid_response",
			h:    func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "1") },
		},
		"nothing, for it was too much": {code: "invalid_response", h: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1")
			if n, err := io.WriteString(w, "ab"); n != 0 || !errors.Is(err, http.ErrContentLength) {
				t.Errorf("%d, %v", n, err)
			}
		}},
		"no status at all": {code: "panic", h: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(0) }},
		"more than Lambda takes": {code: "response_too_large", h: func(w http.ResponseWriter, _ *http.Request) {
			chunk := make([]byte, 1<<20)
			for range 100 { // a handler that does not look at the error
				if n, err := w.Write(chunk); err != nil && n != 0 {
					t.Error("a write failed and wrote")
				}
			}
		}},
		"more than Lambda takes, at once": {code: "response_too_large", h: func(w http.ResponseWriter, _ *http.Request) {
			if _, err := io.WriteString(w, strings.Repeat("x", 7<<20)); err == nil {
				t.Error("7 MiB were written")
			}
		}},
	} {
		out, err := serve(t, t.Context(), call{}, tt.h, guard.Recover())
		if out != nil {
			t.Errorf("%s: %.100s", name, out)
		}
		wantError(t, err, guard.Internal, tt.code)
	}
}

func TestServeCannotBeHijacked(t *testing.T) {
	_, err := serve(t, t.Context(), call{}, func(w http.ResponseWriter, _ *http.Request) {
		c := http.NewResponseController(w)
		if _, _, err := c.Hijack(); !errors.Is(err, http.ErrNotSupported) {
			t.Errorf("%v", err)
		}
		if err := c.SetReadDeadline(time.Time{}); !errors.Is(err, http.ErrNotSupported) {
			t.Errorf("%v", err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if text := panics(func() { httpapi.Serve(nil) }); !strings.HasPrefix(text, "httpapi: ") {
		t.Errorf("a nil handler: %q", text)
	}
}

func TestServeRefusesABodyOverTheLimit(t *testing.T) {
	c := call{method: "POST", body: strings.Repeat("x", 11)}
	for _, c.base64 = range []bool{false, true} {
		_, err := serve(t, t.Context(), c, func(http.ResponseWriter, *http.Request) { t.Error("called") }, guard.Limit(guard.Limits{Body: 10}))
		wantError(t, err, guard.TooLarge, "body_too_large")
	}
}
