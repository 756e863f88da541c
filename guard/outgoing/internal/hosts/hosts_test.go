package hosts_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/outgoing/internal/hosts"
)

func TestAListHasItsHostsAlone(t *testing.T) {
	list := hosts.MustList("test", []string{"api.example", "*.internal.example", "10.0.0.1", "::1", "Shop.Example"})
	for _, tc := range []struct {
		url  string
		want bool
	}{
		{url: "https://api.example/x", want: true},
		{url: "https://API.Example:8443/", want: true},
		{url: "https://shop.example/", want: true},
		{url: "https://a.internal.example/", want: true},
		{url: "https://a.b.internal.example/", want: true},
		{url: "http://10.0.0.1:80/", want: true},
		{url: "http://[::1]:80/", want: true},
		{url: "https://internal.example/"},
		{url: "https://.internal.example/"},
		{url: "https://evilinternal.example/"},
		{url: "https://api.example.evil.example/"},
		{url: "https://api.example@evil.example/"},
		{url: "https://evil.example/?api.example"},
		{url: "https://api.example./"}, // another name for TLS and for cookies
		{url: "https://sub.api.example/"},
		{url: "https://ap%C4%B0.example/"}, // İ, which is i in lower case and another name in Punycode
		{url: "https://\u212Ainternal.example/"},
		{url: "https://a.\u0130nternal.example/"},
		{url: "http://[2001:db8::1%25.internal.example]/"}, // an address with a zone
		{url: "http://[::1%25a.internal.example]:80/"},
		{url: "https://evil.example\uFF0F.internal.example/"},
		{url: "https://a..internal.example/"},
		{url: "/api.example"},
		{url: ""},
	} {
		u, err := url.Parse(tc.url)
		if err != nil {
			t.Fatal(err)
		}
		if got := list.Has(&http.Request{URL: u}); got != tc.want {
			t.Errorf("%s: got %t, want %t", tc.url, got, tc.want)
		}
	}
	if hosts.MustList("test", nil).Has(&http.Request{URL: &url.URL{Host: "x"}}) {
		t.Error("an empty list has a host")
	}
}

func TestWhatIsNoHostIsRefused(t *testing.T) {
	for _, name := range []string{
		"", "*", "*.", ".example", "a..example", "https://api.example", "api.example/x", "api.example:443", "*example",
		"a.*.example", "*.10.0.0.1", "*.*.example", "bücher.example", "a b", "api.example.", "x\r\ny",
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q was taken", name)
				}
			}()
			hosts.MustList("test", []string{name})
		}()
	}
}

func TestPrivateIsTLSOrThisMachine(t *testing.T) {
	for text, want := range map[string]bool{
		"https://api.example/": true, "http://127.0.0.1:80/": true, "http://[::1]/": true, "http://localhost:3000/": true,
		"http://api.example/": false, "http://10.0.0.1/": false, "ftp://127.0.0.1/": false, "http://localhost.example/": false,
	} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := hosts.IsPrivate(u); got != want {
			t.Errorf("%s: got %t, want %t", text, got, want)
		}
	}
}
