package httpapi_test

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
)

// handing is a handler with the same response for everyone.
func handing(status int, header http.Header) guard.HandlerFunc {
	return httpapi.Handler(func(context.Context, *httpapi.Request) (httpapi.Response, error) {
		return httpapi.Response{Status: status, Header: header}, nil
	}).Invoke
}

func TestSecurityHeadersAreAddedWhereTheyAreNotSet(t *testing.T) {
	a := send(t, call{}, handing(200, nil), httpapi.SecurityHeaders())
	want := map[string]string{
		"Strict-Transport-Security": "max-age=63072000",
		"X-Content-Type-Options":    "nosniff",
		"Referrer-Policy":           "no-referrer",
		"Content-Security-Policy":   "default-src 'none'; frame-ancestors 'none'",
	}
	got := map[string]string{}
	for name := range a.header {
		got[name] = a.header.Get(name)
	}
	if !maps.Equal(got, want) {
		t.Errorf("%v", got)
	}
	a = send(t, call{}, handing(200, http.Header{"Referrer-Policy": {"origin"}, "cache-control": {"max-age=60"}}), httpapi.SecurityHeaders())
	if !slices.Equal(a.header["Referrer-Policy"], []string{"origin"}) || a.header.Get("Cache-Control") != "max-age=60" {
		t.Errorf("%v", a.header)
	}
}

func TestWhatIsPrivateIsNotStored(t *testing.T) {
	public := handing(200, nil)
	for name, tt := range map[string]struct {
		call
		h    guard.HandlerFunc
		want string
	}{
		"no credentials":       {call: call{}, h: public},
		"a cookie":             {call: call{cookies: []string{"a=1"}}, h: public, want: "no-store"},
		"a cookie, 1.0":        {call: call{cookies: []string{"a=1"}, format1: true}, h: public, want: "no-store"},
		"a cookie as a header": {call: call{headers: map[string]string{"cookie": "a=1"}}, h: public, want: "no-store"},
		"Authorization": {
			call: call{headers: map[string]string{"Authorization": "Bearer x"}},
			h:    public,
			want: "no-store",
		},
		"a gateway's authorizer": {
			call: call{authorizer: object{"lambda": object{"tenant": "t"}}},
			h:    public,
			want: "no-store",
		},
		"a new cookie": {call: call{}, h: handing(200, http.Header{"Set-Cookie": {"a=1"}}), want: "no-store"},
		"an error":     {call: call{}, h: handing(404, nil), want: "no-store"},
		"a redirect":   {call: call{}, h: handing(302, nil)},
		"a cookie, stored on order": {
			call: call{cookies: []string{"a=1"}},
			h:    handing(200, http.Header{"Cache-Control": {"private"}}),
			want: "private",
		},
	} {
		if a := send(t, tt.call, tt.h, httpapi.SecurityHeaders()); a.header.Get("Cache-Control") != tt.want {
			t.Errorf("%s: %q, want %q", name, a.header.Get("Cache-Control"), tt.want)
		}
	}
}

func TestPagesHaveNoPolicyOfOurs(t *testing.T) {
	for media, want := range map[string]bool{"text/html": false, "Text/HTML; charset=utf-8": false, "text/plain": true, "image/svg+xml": true, "": true} {
		h := handing(200, http.Header{"Content-Type": {media}})
		if a := send(t, call{}, h, httpapi.SecurityHeaders()); (a.header.Get("Content-Security-Policy") != "") != want {
			t.Errorf("%q: %v", media, a.header)
		}
	}
}

func TestSecurityHeadersCanBeChanged(t *testing.T) {
	layer := httpapi.SecurityHeaders(
		httpapi.SetSecurityHeader("Strict-Transport-Security", "max-age=1; preload"),
		httpapi.SetSecurityHeader("Permissions-Policy", "camera=()"),
		httpapi.OmitSecurityHeader("Referrer-Policy"),
		httpapi.OmitSecurityHeader("Missing"),
	)
	a := send(t, call{}, handing(200, nil), layer)
	if a.header.Get("Strict-Transport-Security") != "max-age=1; preload" || a.header.Get("Permissions-Policy") != "camera=()" || a.header.Get("Referrer-Policy") != "" || a.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%v", a.header)
	}
	for name, value := range map[string]string{"X-A": "a\r\nb", "a b": "c", "": "d"} {
		if text := panics(func() { httpapi.SetSecurityHeader(name, value) }); !strings.HasPrefix(text, "httpapi: ") {
			t.Errorf("%q %q: %q", name, value, text)
		}
	}
}
