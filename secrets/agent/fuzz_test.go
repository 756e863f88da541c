package agent_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/agent"
)

// Whatever answers, there is a value or an error, an answer of 200 alone is a
// value, and an error of one repeats nothing of it.
func FuzzAnswer(f *testing.F) {
	f.Add(200, `{"SecretString":"v","VersionId":"1"}`)
	f.Add(200, `{"SecretBinary":"AAEC","VersionId":"1"}`)
	f.Add(200, `{"Parameter":{"Value":"v","Version":3}}`)
	f.Add(200, `{"Parameter":{"Value":"v","Version":0,"SourceResult":"{\"VersionId\":\"x\"}"}}`)
	f.Add(400, `{"__type":"AccessDeniedException","message":"Throttling"}`)
	f.Add(400, "an unexpected error occurred while executing request")
	f.Add(500, "AccessDenied")
	f.Add(304, "AccessDenied")
	f.Add(204, "AccessDenied")
	var status int
	var body string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	defer server.Close()
	all := []secrets.Source{
		agent.Secrets(agent.Address(server.URL), token()),
		agent.Parameters(agent.Address(server.URL), token()),
		agent.AppConfig(agent.Address(server.URL)),
	}
	f.Fuzz(func(t *testing.T, s int, b string) {
		if s < 200 || s > 599 || strings.Contains(b, "not ready") || strings.Contains(b, "not enabled") {
			t.Skip()
		}
		status, body = s, b
		if s == http.StatusNoContent || s == http.StatusNotModified {
			b = "" // HTTP has no body with these, and the server sends none
		}
		for i, src := range all {
			got := one(context.Background(), src, secrets.Ref{Name: "a/b/c"})
			if (got.Err == nil) == (got.Data == nil) && len(b) > 0 {
				t.Errorf("source %d: got %q and %v, want one of them", i, got.Data, got.Err)
			}
			if got.Err == nil && s != 200 {
				t.Errorf("source %d: got a value of status %d, want an error", i, s)
			}
			if strings.Contains(b, "AccessDenied") && s != 200 && !errors.Is(got.Err, secrets.ErrDenied) && len(b) < 4<<10 {
				t.Errorf("source %d: got %v for a denial, want one that is final", i, got.Err)
			}
		}
	})
}

// A name of a configuration reaches the agent segment by segment, or not at all.
func FuzzConfigurationName(f *testing.F) {
	for _, name := range []string{"a/e/p", "/applications/a/environments/e/configurations/p", "a/e/p?flag=x", "a/../p", "a/%2e%2e/p", "a//p", "a/e/p?x", "a;b/e#/p", "\x00/\xff/%"} {
		f.Add(name)
	}
	var got *url.URL
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.URL }))
	defer server.Close()
	src := agent.AppConfig(agent.Address(server.URL))
	f.Fuzz(func(t *testing.T, name string) {
		got = nil
		v := one(context.Background(), src, secrets.Ref{Name: name})
		if got == nil {
			if v.Err == nil {
				t.Fatalf("%q: got no request and no error, want one of them", name)
			}
			return
		}
		path, _, _ := strings.Cut(name, "?")
		segments := strings.Split(got.EscapedPath(), "/")
		if len(segments) != 7 || segments[0] != "" || segments[1] != "applications" || segments[3] != "environments" || segments[5] != "configurations" {
			t.Fatalf("%q: got a request for %s, want one of its own path", name, got)
		}
		short := got.Path
		for _, word := range []string{"/applications/", "/environments/", "/configurations/"} {
			short = strings.Replace(short, word, "/", 1)
		}
		if short[1:] != path && got.Path != path {
			t.Errorf("%q: got a request for %q, want its own name", name, got.Path)
		}
		for parameter := range got.Query() {
			if parameter != "flag" {
				t.Errorf("%q: got a request with %q, want its own name", name, got.RawQuery)
			}
		}
	})
}
