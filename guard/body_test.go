package guard_test

import (
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
)

func TestJSONBody(t *testing.T) {
	event := func(contentType, body string) string {
		return `{"version":"2.0","headers":{"content-type":"` + contentType + `"},"requestContext":{"http":{"method":"POST"}},"body":"` + body + `"}`
	}
	for _, tc := range []struct {
		name  string
		event string
		code  string // "" is accepted
	}{
		{name: "JSON", event: event("application/json", "1")},
		{name: "JSON with a charset", event: event("Application/JSON; charset=utf-8", "1")},
		{name: "a format built on JSON", event: event("application/vnd.shop+json", "1")},
		{name: "no content type", event: event("", "1"), code: "unsupported_media_type"},
		{name: "a form", event: event("text/plain", "1"), code: "unsupported_media_type"},
		{name: "another type with the same end", event: event("text/x+json", "1"), code: "unsupported_media_type"},
		{name: "a malformed parameter", event: event("application/json; charset", "1"), code: "unsupported_media_type"},
		{name: "no body", event: event("application/json", ""), code: "body_missing"},
		{name: "no HTTP request", event: `{}`, code: "not_an_http_event"},
		{name: "a member twice", event: strings.Replace(event("application/json", "1"), `{`, `{"version":"2.0",`, 1), code: "duplicate_member"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ev := guard.EventOf(t.Context(), []byte(tc.event))
			body, err := ev.JSONBody()
			if tc.code != "" {
				if err == nil || guard.Public(err).Code != tc.code {
					t.Errorf("got %q, %v, want %s", body, err, tc.code)
				}
				if tree, err := ev.BodyTree(); tc.code == "not_an_http_event" && err == nil {
					t.Errorf("got the tree %v, want an error", tree)
				}
				return
			}
			if string(body) != "1" || err != nil {
				t.Errorf("got %q, %v, want 1", body, err)
			}
		})
	}
}
