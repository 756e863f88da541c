package sigv4_test

import (
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/outgoing/sigv4"
)

// Whatever the path and the query are, what is sent means the same, and its signature
// holds.
func FuzzTheSentRequestMeansTheSame(f *testing.F) {
	f.Add("/orders/a:b%2fc/%41", "b=2&a=%20+&a=1;2&&=&é")
	f.Add("", "")
	f.Add("/a//b", "%zz")
	f.Add("/%2e%2E/", "a=%00")
	f.Fuzz(func(t *testing.T, path, query string) {
		r, err := http.NewRequest("GET", "https://api.example/", nil)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse("https://api.example" + path)
		if err != nil || u.Host != "api.example" || u.RawQuery != "" || u.Fragment != "" {
			t.Skip()
		}
		u.RawQuery = query
		r.URL = u
		res, err := sigv4.Transport(roundTrip(func(sent *http.Request) (*http.Response, error) {
			if sent.URL.Path != u.Path && u.Path != "" || strings.Count(sent.URL.EscapedPath(), "/") != strings.Count(u.EscapedPath(), "/") {
				t.Errorf("got the path %q, want %q", sent.URL.EscapedPath(), u.EscapedPath())
			}
			want, err := url.ParseQuery(strings.ReplaceAll(query, ";", "%3B"))
			if got := sent.URL.Query(); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("got the query %q, want %q (%v)", sent.URL.RawQuery, query, err)
			}
			return &http.Response{StatusCode: 200, Body: http.NoBody}, verify(&http.Request{
				Method: sent.Method, Host: sent.URL.Host, RequestURI: sent.URL.RequestURI(), Header: sent.Header, Body: http.NoBody,
			}, keys.SecretAccessKey, time.Now())
		}), static(keys), "eu-central-1", "execute-api", "api.example").RoundTrip(r)
		if err != nil && !strings.HasPrefix(err.Error(), "sigv4: ") {
			t.Errorf("got %v for %q", err, u)
		}
		if res != nil {
			_ = res.Body.Close()
		}
	})
}
