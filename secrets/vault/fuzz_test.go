package vault_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/vault"
)

// Whatever answers, there is a value or an error, and only an answer of 200
// is a value.
func FuzzAnswer(f *testing.F) {
	f.Add(200, `{"data":{"data":{"f":"v"},"metadata":{"version":1,"deletion_time":"","destroyed":false}}}`)
	f.Add(200, `{"data":{"data":{"f":{"a":1}},"metadata":{"version":1,"deletion_time":"2030-01-02T03:04:05Z"}}}`)
	f.Add(404, `{"data":{"data":null,"metadata":{"version":1,"deletion_time":"2026-01-02T03:04:05Z"}}}`)
	f.Add(403, `{"errors":["permission denied"]}`)
	var status int
	var body string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	defer server.Close()
	src := vault.KV(vault.Address(server.URL))
	f.Fuzz(func(t *testing.T, s int, b string) {
		if s < 200 || s > 599 {
			t.Skip()
		}
		status, body = s, b
		for _, ref := range []secrets.Ref{{Name: "secret/a"}, {Name: "secret/a#f"}, {Name: "secret/a#f", Stage: "AWSPREVIOUS"}} {
			got := one(context.Background(), src, ref)
			if (got.Err == nil) != (s == 200 && got.Data != nil) {
				t.Errorf("status %d, %q: got %q, %v, want one of them", s, b, got.Data, got.Err)
			}
			if errors.Is(got.Err, secrets.ErrDenied) != (s == 401 || s == 403) {
				t.Errorf("status %d: got %v, want another error", s, got.Err)
			}
		}
	})
}

// A name asks for a path below its mount's data, or for nothing.
func FuzzName(f *testing.F) {
	for _, name := range []string{"secret/a/b#f", "team/kv/a", "a/../b", "a/%2e%2e/b", "a?b/c#", "/", "\x00/\xff"} {
		f.Add(name)
	}
	var path string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { path = r.URL.Path + "?" + r.URL.RawQuery }))
	defer server.Close()
	src := vault.KV(vault.Address(server.URL), vault.Mount("team/kv"))
	f.Fuzz(func(t *testing.T, text string) {
		path = ""
		one(context.Background(), src, secrets.Ref{Name: text})
		if path == "" {
			return
		}
		whole, _, _ := strings.Cut(text, "#")
		mount, below, _ := strings.Cut(whole, "/")
		if rest, found := strings.CutPrefix(whole, "team/kv/"); found {
			mount, below = "team/kv", rest
		}
		if path != "/v1/"+mount+"/data/"+below+"?" {
			t.Errorf("%q: got a request for %q, want its own path", text, path)
		}
	})
}
