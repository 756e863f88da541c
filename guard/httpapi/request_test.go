package httpapi_test

import (
	"bytes"
	"context"
	"slices"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
)

// requestOf returns the request that a handler gets.
func requestOf(t *testing.T, payload []byte, use func(r *httpapi.Request)) {
	t.Helper()
	called := false
	h := httpapi.Handler(func(_ context.Context, r *httpapi.Request) (httpapi.Response, error) {
		called = true
		use(r)
		return httpapi.Response{}, nil
	})
	if _, err := guard.Wrap(h).Invoke(t.Context(), payload); err != nil || !called {
		t.Fatalf("called %t, %v", called, err)
	}
}

func TestRequestHeader(t *testing.T) {
	headers := map[string]string{"authorization": "a,b", "X-Custom": "v", "x-empty": "", "accept": "a, b;q=0.5"}
	for _, c := range []call{{headers: headers}, {headers: headers, format1: true}, {headers: headers, lattice: true}} {
		requestOf(t, c.event(), func(r *httpapi.Request) {
			for name, want := range map[string]string{
				"authorization": "a,b", "Authorization": "a,b", "AUTHORIZATION": "a,b",
				"x-custom": "v", "X-CUSTOM": "v", "Accept": "a, b;q=0.5", "x-empty": "", "missing": "", "": "",
			} {
				if got := r.Header(name); got != want {
					t.Errorf("%q: %q, want %q", name, got, want)
				}
			}
		})
	}
}

// A gateway sends names in lower case; an event that has two spellings was
// forged or came through a REST API. Whoever reads it sees one value.
func TestSpellingsOfAHeaderAreOne(t *testing.T) {
	for _, headers := range []map[string]string{
		{"x-tenant": "c", "X-Tenant": "b", "X-TENANT": "a"},
		{"X-Tenant": "b", "x-tenant": "c", "X-TENANT": "a"},
	} {
		for _, c := range []call{{headers: headers}, {headers: headers, format1: true}, {headers: headers, lattice: true}} {
			requestOf(t, c.event(), func(r *httpapi.Request) {
				if got := r.Header("x-tenant"); got != "a,b,c" {
					t.Errorf("%q", got)
				}
			})
		}
	}
}

func TestRequestCookie(t *testing.T) {
	for name, c := range map[string]call{
		"2.0":                   {cookies: []string{"a=1", "b=x=y", "empty=", "bad name=1", "a=2"}},
		"2.0, joined":           {cookies: []string{"a=1; b=x=y", "empty=", "bad name=1"}},
		"2.0, header alone":     {headers: map[string]string{"Cookie": "a=1; bad name=1; b=x=y; empty="}},
		"1.0":                   {format1: true, cookies: []string{"a=1", "b=x=y", "bad name=1", "empty="}},
		"REST, header":          {rest: true, headers: map[string]string{"cookie": "a=1;b=x=y;empty="}},
		"VPC Lattice":           {lattice: true, cookies: []string{"a=1", "b=x=y", "bad name=1", "empty=", "a=2"}},
		"2.0, two spellings":    {headers: map[string]string{"Cookie": "a=1", "cookie": "b=x=y; empty="}},
		"1.0, two spellings":    {format1: true, headers: map[string]string{"cookie": "b=x=y; empty=", "COOKIE": "a=1"}},
		"2.0, spaced by others": {cookies: []string{" a=1 ", "b=x=y", "empty="}},
	} {
		requestOf(t, c.event(), func(r *httpapi.Request) {
			for cookie, want := range map[string]string{"a": "1", "b": "x=y", "empty": ""} {
				if got, ok := r.Cookie(cookie); got != want || !ok {
					t.Errorf("%s: %s is %q, %t", name, cookie, got, ok)
				}
			}
			for _, cookie := range []string{"A", "missing", "bad name", ""} {
				if got, ok := r.Cookie(cookie); ok {
					t.Errorf("%s: %q is %q", name, cookie, got)
				}
			}
		})
	}
}

func TestRequestQueryKeepsRepeatedValues(t *testing.T) {
	const query = "tag=a&tag=b&q=x"
	for _, c := range []call{{query: query}, {query: query, format1: true}, {query: query, lattice: true}} {
		requestOf(t, c.event(), func(r *httpapi.Request) {
			if q := r.Query(); !slices.Equal(q["tag"], []string{"a", "b"}) || q.Get("q") != "x" {
				t.Errorf("%v", q)
			}
		})
	}
	requestOf(t, call{query: "a=1%202&b=%zz&c=a,b"}.event(), func(r *httpapi.Request) {
		if q := r.Query(); q.Get("a") != "1 2" || !slices.Equal(q["c"], []string{"a,b"}) || q.Has("b") {
			t.Errorf("%v", q)
		}
	})
}

func TestClientIPIsTheGatewaysWord(t *testing.T) {
	headers := map[string]string{"x-forwarded-for": "198.51.100.7", "forwarded": "for=198.51.100.7", "x-real-ip": "198.51.100.7"}
	for _, c := range []call{{headers: headers}, {headers: headers, format1: true}, {headers: headers, rest: true}} {
		requestOf(t, c.event(), func(r *httpapi.Request) {
			if got := r.ClientIP(); got != "192.0.2.1" {
				t.Errorf("%q", got)
			}
		})
	}
}

// Lattice has no other word for it than a header that a client can send too.
func TestClientIPIsNotKnownBehindLattice(t *testing.T) {
	c := call{lattice: true, headers: map[string]string{"x-forwarded-for": "192.0.2.1"}}
	requestOf(t, c.event(), func(r *httpapi.Request) {
		if got := r.ClientIP(); got != "" || r.Header("x-forwarded-for") != "192.0.2.1" {
			t.Errorf("%q", got)
		}
	})
}

func TestRequestAuthorizer(t *testing.T) {
	type description = events.APIGatewayV2HTTPRequestContextAuthorizerDescription
	for name, tt := range map[string]struct {
		call
		holds func(a *description) bool
	}{
		"none": {call: call{}, holds: func(a *description) bool { return a == nil }},
		"jwt": {
			call: call{authorizer: object{"jwt": object{"claims": object{"sub": "u-1"}, "scopes": []string{"orders:write"}}}},
			holds: func(a *description) bool {
				return a.JWT.Claims["sub"] == "u-1" && slices.Equal(a.JWT.Scopes, []string{"orders:write"})
			},
		},
		"lambda": {
			call:  call{authorizer: object{"lambda": object{"tenant": "t-1", "n": 1}}},
			holds: func(a *description) bool { return a.Lambda["tenant"] == "t-1" },
		},
		"iam": {
			call:  call{authorizer: object{"iam": object{"userArn": "arn:aws:iam::123456789012:user/u", "accountId": "123456789012"}}, domain: urlDomain},
			holds: func(a *description) bool { return a.IAM.UserARN == "arn:aws:iam::123456789012:user/u" },
		},
		"REST, a lambda's": {
			call:  call{authorizer: object{"principalId": "u-1", "tenant": "t-1"}, rest: true},
			holds: func(a *description) bool { return a.Lambda["tenant"] == "t-1" && a.JWT == nil },
		},
		"1.0, jwt": {
			call:  call{authorizer: object{"claims": object{"sub": "u-1"}, "scopes": nil}, format1: true},
			holds: func(a *description) bool { return a.JWT.Claims["sub"] == "u-1" },
		},
	} {
		requestOf(t, tt.event(), func(r *httpapi.Request) {
			if !tt.holds(r.Authorizer()) {
				t.Errorf("%s: %+v", name, r.Authorizer())
			}
		})
	}
}

func TestRequestTellsTheRest(t *testing.T) {
	c := call{method: "PUT", path: "/v1/orders/o-1", stage: "v1", route: "PUT /orders/{id}", params: map[string]string{"id": "o-1"}, body: "\xff\x00", base64: true}
	for _, c.format1 = range []bool{false, true} {
		requestOf(t, c.event(), func(r *httpapi.Request) {
			body, err := r.Body()
			if r.Method != "PUT" || r.Path != "/orders/o-1" || r.RouteKey() != "PUT /orders/{id}" || r.PathValue("id") != "o-1" ||
				r.PathValue("x") != "" || !bytes.Equal(body, []byte("\xff\x00")) || err != nil || r.Event().RawPath != "/v1/orders/o-1" {
				t.Errorf("%+v, body %q, %v", r, body, err)
			}
		})
	}
}

func TestRequestFrom(t *testing.T) {
	if _, ok := httpapi.RequestFrom(t.Context()); ok {
		t.Error("there is a request outside an invocation")
	}
	seen := func(want bool) guard.HandlerFunc {
		return func(ctx context.Context, _ []byte) ([]byte, error) {
			r, ok := httpapi.RequestFrom(ctx)
			if ok != want || ok && r.Path != "/x" {
				t.Errorf("%t, want %t: %+v", ok, want, r)
			}
			return []byte(`{"statusCode":200}`), nil
		}
	}
	for name, tt := range map[string]struct {
		payload []byte
		layers  []guard.Middleware
		want    bool
	}{
		"inside Problems": {payload: call{path: "/x"}.event(), layers: []guard.Middleware{httpapi.Problems()}, want: true},
		"inside SecurityHeaders": {
			payload: call{path: "/x"}.event(),
			layers:  []guard.Middleware{httpapi.SecurityHeaders()},
			want:    true,
		},
		"inside no layer here": {payload: call{path: "/x"}.event(), layers: []guard.Middleware{guard.Recover()}},
		"of another event": {
			payload: []byte(`{"Records":[{"eventSource":"aws:sqs"}]}`),
			layers:  []guard.Middleware{httpapi.SecurityHeaders()},
		},
	} {
		if _, err := guard.Wrap(seen(tt.want), tt.layers...).Invoke(t.Context(), tt.payload); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
