package authorizer_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/authorizer/policy"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/request"
)

// readings writes all values of a request into one line.
func readings(r *authorizer.Request) string {
	theme, _ := r.Cookie("theme")
	return fmt.Sprintf("%q %q %q id=%q auth=%q host=%q expand=%q theme=%q ip=%q stage=%q/%q sources=%q",
		r.RouteKey(), r.Method(), r.Path(), r.PathValue("id"), r.Header("AUTHORIZATION"), r.Header("Host"), r.Query("expand"),
		theme, r.SourceIP(), r.APIID(), r.Stage(), r.IdentitySource())
}

// cookies returns a request's cookies, and one of them.
func cookies(r *authorizer.Request) string {
	theme, ok := r.Cookie("theme")
	return fmt.Sprintf("theme=%q %t of %q", theme, ok, r.Header("cookie"))
}

func read(t *testing.T, variant string, simple bool, event sample.Event, at func(*authorizer.Request)) {
	t.Helper()
	seen := false
	c := func(_ context.Context, r *authorizer.Request) (*authorizer.Grant, error) {
		at(r)
		seen = true
		return &authorizer.Grant{Principal: "alice"}, nil
	}
	if _, err := handlerFor(variant, simple, c).Invoke(t.Context(), event.Bytes()); !seen { // which may be a hazard
		t.Errorf("%s: the check was not asked: %v", variant, err)
	}
}

func TestEveryEventIsTheSameRequest(t *testing.T) {
	const host = `host="a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"`
	for variant, want := range map[string]string{
		"":          `"GET /orders/{id}" "GET" "/orders/42" id="42" auth="Bearer t0k3n" ` + host + ` expand="lines" theme="dark" ip="203.0.113.7" stage="a1b2c3d4e5"/"$default" sources=["Bearer t0k3n"]`,
		"http-1.0":  `"GET /orders/{id}" "GET" "/orders/42" id="42" auth="Bearer t0k3n" ` + host + ` expand="lines" theme="" ip="203.0.113.7" stage="a1b2c3d4e5"/"$default" sources=["Bearer t0k3n"]`,
		"request":   `"GET /orders/{id}" "GET" "/orders/42" id="42" auth="Bearer t0k3n" ` + host + ` expand="lines" theme="" ip="203.0.113.7" stage="a1b2c3d4e5"/"prod" sources=[]`,
		"token":     `"" "GET" "/orders/42" id="" auth="Bearer t0k3n" host="" expand="" theme="" ip="" stage="a1b2c3d4e5"/"prod" sources=["Bearer t0k3n"]`,
		"websocket": `"$connect" "" "" id="" auth="Bearer t0k3n" ` + host + ` expand="" theme="" ip="203.0.113.7" stage="a1b2c3d4e5"/"prod" sources=[]`,
		"appsync":   `"" "" "" id="" auth="t0k3n" host="aaaaaa123123123example123.appsync-api.us-east-1.amazonaws.com" expand="" theme="" ip="" stage="aaaaaa123123123example123"/"" sources=["t0k3n"]`,
	} {
		read(t, variant, variant == "", sampleOf(variant), func(r *authorizer.Request) {
			if got := readings(r); got != want {
				t.Errorf("%s:\n%s, want\n%s", variant, got, want)
			}
			if got := r.ARN(); (got == policy.ARN{}) != (variant == "appsync") || variant != "appsync" && got.String() != arnOf(sampleOf(variant)) {
				t.Errorf("%s: the ARN is %s", variant, got)
			}
		})
	}
}

func TestDetailsOfRequests(t *testing.T) {
	for _, tt := range []struct {
		name    string
		variant string
		change  func(sample.Event) sample.Event
		at      func(*authorizer.Request) string
		want    string
	}{
		{name: "several headers of one name are one", variant: "request", change: func(e sample.Event) sample.Event {
			return e.Set("/multiValueHeaders/Authorization", []string{"Bearer a", "Bearer b"})
		}, at: func(r *authorizer.Request) string { return r.Header("authorization") }, want: "Bearer a,Bearer b"},
		{name: "and two spellings are one name", variant: "request", change: func(e sample.Event) sample.Event {
			return e.Set("/multiValueHeaders/authorization", []string{"Bearer b"})
		}, at: func(r *authorizer.Request) string { return r.Header("authorization") }, want: "Bearer t0k3n,Bearer b"},
		{name: "headers alone", variant: "request", change: func(e sample.Event) sample.Event {
			return e.Set("/multiValueHeaders", nil)
		}, at: func(r *authorizer.Request) string { return r.Header("authorization") }, want: "Bearer t0k3n"},
		{name: "nulls", variant: "request", change: func(e sample.Event) sample.Event {
			return e.Set("/queryStringParameters", nil).Set("/multiValueQueryStringParameters", nil).Set("/pathParameters", nil).Set("/stageVariables", nil).Set("/requestContext/identity/clientCert", nil)
		}, at: func(r *authorizer.Request) string { return r.Query("expand") + r.PathValue("id") }},
		{name: "several values of the query", variant: "request", change: func(e sample.Event) sample.Event {
			return e.Set("/multiValueQueryStringParameters/expand", []string{"a", "b"})
		}, at: func(r *authorizer.Request) string { return r.Query("expand") }, want: "a,b"},
		{name: "cookies", change: func(e sample.Event) sample.Event {
			return e.Set("/cookies", []string{"a=b", "c=d"})
		}, at: func(r *authorizer.Request) string { return r.Header("cookie") }, want: "a=b; c=d"},
		{name: "cookies of several headers", variant: "request", change: func(e sample.Event) sample.Event {
			return e.Set("/multiValueHeaders/Cookie", []string{"a=b", "theme=dark, c=d"}).Set("/multiValueHeaders/cookie", []string{"theme=light"})
		}, at: cookies, want: `theme="dark, c=d" true of "a=b; theme=dark, c=d; theme=light"`},
		{name: "cookies of one header", variant: "http-1.0", change: func(e sample.Event) sample.Event {
			return e.Set("/headers/Cookie", "a=b; theme=dark; theme=light")
		}, at: cookies, want: `theme="dark" true of "a=b; theme=dark; theme=light"`},
		{name: "the first of several cookies", change: func(e sample.Event) sample.Event {
			return e.Set("/cookies", []string{"a=b", "theme=dark", "theme=light"})
		}, at: cookies, want: `theme="dark" true of "a=b; theme=dark; theme=light"`},
		{name: "cookies in both places", change: func(e sample.Event) sample.Event {
			return e.Set("/cookies", []string{"theme=dark"}).Set("/headers/Cookie", "a=b; theme=light")
		}, at: cookies, want: `theme="dark" true of "theme=dark; a=b; theme=light"`},
		{name: "the same cookies in both places", change: func(e sample.Event) sample.Event {
			return e.Set("/cookies", []string{"theme=dark", "a=b"}).Set("/headers/cookie", "theme=dark; a=b")
		}, at: cookies, want: `theme="dark" true of "theme=dark; a=b"`},
		{name: "a spelling of a name has its own place, and not that in the event", variant: "request", change: func(e sample.Event) sample.Event {
			return e.Delete("/multiValueHeaders/Authorization").Set("/multiValueHeaders/authorization", []string{"Bearer b"}).Set("/multiValueHeaders/Authorization", []string{"Bearer a"})
		}, at: func(r *authorizer.Request) string { return r.Header("authorization") }, want: "Bearer a,Bearer b"},
		{name: "a stage variable", change: func(e sample.Event) sample.Event {
			return e.Set("/stageVariables", map[string]string{"table": "orders"})
		}, at: func(r *authorizer.Request) string { return r.StageVariable("table") }, want: "orders"},
		{name: "a certificate", change: withCertificate, at: func(r *authorizer.Request) string {
			return fmt.Sprintf("%+v", *r.ClientCert())
		}, want: fmt.Sprintf("%+v", request.Certificate{PEM: pem, SubjectDN: "CN=alice", IssuerDN: "CN=ca", SerialNumber: "1", NotBefore: "May 28 12:30:02 2019 GMT", NotAfter: "Aug  5 09:36:04 2121 GMT"})},
		{
			name: "no certificate",
			at:   func(r *authorizer.Request) string { return fmt.Sprint(r.ClientCert() == nil) },
			want: "true",
		},
		{name: "an operation", variant: "appsync", at: func(r *authorizer.Request) string {
			name, query, variables := r.GraphQL()
			return fmt.Sprintf("%s %.11s %s", name, query, variables)
		}, want: `Order query Order {"id":"42"}`},
		{name: "the token of AppSync is the header", variant: "appsync", change: func(e sample.Event) sample.Event {
			return e.Set("/requestHeaders/Authorization", "another")
		}, at: func(r *authorizer.Request) string { return r.Header("authorization") }, want: "t0k3n"},
		{name: "the default route in format 1.0", variant: "http-1.0", change: func(e sample.Event) sample.Event {
			return e.Set("/requestContext/resourceId", "$default").Set("/resource", "$default")
		}, at: func(r *authorizer.Request) string { return r.RouteKey() }, want: "$default"},
		{name: "what AWS may add", change: func(e sample.Event) sample.Event {
			return e.Set("/requestContext/new", map[string]any{"a": 1}).Set("/new", true)
		}, at: func(r *authorizer.Request) string { return r.RouteKey() }, want: routeKey},
	} {
		event := sampleOf(tt.variant)
		if tt.change != nil {
			event = tt.change(event)
		}
		read(t, tt.variant, tt.variant == "", event, func(r *authorizer.Request) {
			if got := tt.at(r); got != tt.want {
				t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
			}
		})
	}
}
