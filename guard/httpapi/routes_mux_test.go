package httpapi_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
)

// ambiguous is another reading of what is refused. An HTTP API has decoded the
// path, a function URL has not.
func ambiguous(host, path string) bool {
	if host == urlDomain {
		decoded, err := url.PathUnescape(path)
		if err != nil || strings.Contains(strings.ToLower(path), "%2f") {
			return true
		}
		path = decoded
	}
	return strings.Contains(path, "%") || strings.Contains(path, "//") || slices.Contains(strings.Split(path, "/"), ".") || slices.Contains(strings.Split(path, "/"), "..")
}

// The same patterns and requests in Routes and in a ServeMux: each
// method, host and path of the lists with each other.
func TestRoutesAndAServeMuxAgree(t *testing.T) {
	mux, routes := http.NewServeMux(), map[string]lambda.Handler{}
	for _, pattern := range []string{
		"GET /a/{x}", "POST /a/{x}", "/b/", "GET /c/{rest...}", "/d/{$}", "GET /e/{x}/f", "/e/{x}/{y}",
		"GET " + ownDomain + "/h", "/h/",
	} {
		text := func(value func(name string) string) string {
			return fmt.Sprint(pattern, " ", value("x"), " ", value("y"), " ", value("rest"))
		}
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, text(r.PathValue)) })
		routes[pattern] = httpapi.Handler(func(_ context.Context, r *httpapi.Request) (httpapi.Response, error) {
			return httpapi.Response{Body: []byte(text(r.PathValue))}, nil
		})
	}
	h := httpapi.Routes(routes)
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "OPTIONS", "get"} {
		for _, host := range []string{ownDomain, urlDomain} {
			for _, target := range []string{
				"/a/1", "/a/", "/a", "/a//1", "/a/1/", "/a/%2F", "/a/b%2Fc", "/a/b%2fc", "/a/b/c", "/a/%C3%BC", "/a/%ff", "/a/a+b", "/a/a;b", "/a/a%3Bb", "/a/*",
				"/b", "/b/", "/b?x=%2F&y=a+b", "/b/x/../y", "/b/./", "/b/x%2F..%2Fy", "/b/..", "/b/%2e%2e", "/c/", "/c", "/c/%2e%2e/a/1", "/c/a//b",
				"/d", "/d/", "/d/x", "/e/1/f", "/e/1/g", "/e//f", "/h", "/h/", "/h?x=1", "/i/a", "/i/%61", "/..", "//a/1",
			} {
				want := httptest.NewRecorder()
				mux.ServeHTTP(want, httptest.NewRequestWithContext(t.Context(), method, "http://"+host+target, nil))
				c := call{method: method, domain: host}
				c.path, c.query, _ = strings.Cut(target, "?")
				got := send(t, c, h)
				if ambiguous(host, c.path) {
					if got.status != http.StatusBadRequest || !strings.Contains(got.body, "path_ambiguous") {
						t.Errorf("%s %s%s: got %+v, want path_ambiguous", method, host, target, got)
					}
					continue
				}
				same := got.status == want.Code && redirected(t, c.path, got.header.Get("Location")) == want.Header().Get("Location") && got.header.Get("Allow") == want.Header().Get("Allow")
				if !same || got.status == 200 && got.body != want.Body.String() {
					t.Errorf("%s %s%s: %+v; the mux %d %v %s", method, host, target, got, want.Code, want.Header(), want.Body)
				}
			}
		}
	}
}
