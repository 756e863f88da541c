package httpapi_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
)

const (
	shopOrigin  = "https://shop.example"
	otherOrigin = "https://other.example:8443"
)

func from(origin string) call {
	return call{headers: map[string]string{"origin": origin}}
}

func preflight(origin string) call {
	c := from(origin)
	c.method = "OPTIONS"
	c.headers["access-control-request-method"] = "PUT"
	return c
}

// allowed returns the CORS headers of an answer.
func (a answer) allowed() string {
	var all []string
	for _, name := range []string{"Origin", "Credentials", "Methods", "Headers"} {
		if v, ok := a.header["Access-Control-Allow-"+name]; ok {
			all = append(all, strings.Join(v, "|"))
		}
	}
	for _, name := range []string{"Access-Control-Expose-Headers", "Access-Control-Max-Age"} {
		if v, ok := a.header[name]; ok {
			all = append(all, strings.Join(v, "|"))
		}
	}
	return strings.Join(all, "; ")
}

func TestCORSAllowsWhatItIsTold(t *testing.T) {
	none := httpapi.CORSConfig{}
	two := httpapi.CORSConfig{Origins: []string{shopOrigin, otherOrigin}}
	everyone := httpapi.CORSConfig{Origins: []string{"*"}}
	full := httpapi.CORSConfig{
		Origins: []string{shopOrigin}, Methods: []string{"PUT"}, Headers: []string{"Content-Type", "Idempotency-Key"},
		Expose: []string{"Location", "Retry-After"}, Credentials: true, MaxAge: 90 * time.Minute,
	}
	const preflightVary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
	for name, tt := range map[string]struct {
		config httpapi.CORSConfig
		call
		want string
		vary string
	}{
		"nothing by default":      {config: none, call: from(shopOrigin), vary: "Origin"},
		"no preflight by default": {config: none, call: preflight(shopOrigin), vary: preflightVary},
		"no origin":               {config: two, call: call{}, vary: "Origin"},
		"an allowed origin":       {config: two, call: from(shopOrigin), want: shopOrigin, vary: "Origin"},
		"another one":             {config: two, call: from(otherOrigin), want: otherOrigin, vary: "Origin"},
		"an origin in upper case": {config: two, call: from("https://SHOP.example"), vary: "Origin"},
		"another scheme":          {config: two, call: from("http://shop.example"), vary: "Origin"},
		"another port":            {config: two, call: from("https://shop.example:8443"), vary: "Origin"},
		"a longer name":           {config: two, call: from("https://shop.example.evil.example"), vary: "Origin"},
		"a subdomain":             {config: two, call: from("https://a.shop.example"), vary: "Origin"},
		"a path behind it":        {config: two, call: from(shopOrigin + "/"), vary: "Origin"},
		"null":                    {config: two, call: from("null"), vary: "Origin"},
		"two origins":             {config: two, call: from(shopOrigin + ", " + otherOrigin), vary: "Origin"},
		"everyone":                {config: everyone, call: from("https://any.example"), want: "*"},
		"everyone, null":          {config: everyone, call: from("null"), want: "*"},
		"everyone, preflight": {
			config: everyone,
			call:   preflight("https://any.example"),
			want:   "*; GET, HEAD, POST",
			vary:   preflightVary,
		},
		"a preflight": {
			config: two,
			call:   preflight(shopOrigin),
			want:   shopOrigin + "; GET, HEAD, POST",
			vary:   preflightVary,
		},
		"a preflight, another origin": {config: two, call: preflight("https://evil.example"), vary: preflightVary},
		"all there is, a preflight": {
			config: full,
			call:   preflight(shopOrigin),
			want:   shopOrigin + "; true; GET, HEAD, POST, PUT; Content-Type, Idempotency-Key; 5400",
			vary:   preflightVary,
		},
		"all there is": {
			config: full,
			call:   from(shopOrigin),
			want:   shopOrigin + "; true; Location, Retry-After",
			vary:   "Origin",
		},
		"all there is, another origin":  {config: full, call: from(otherOrigin), vary: "Origin"},
		"all there is, a preflight, no": {config: full, call: preflight(otherOrigin), vary: preflightVary},
	} {
		for _, form := range []call{{}, {format1: true}, {rest: true}, {lattice: true}} {
			tt.format1, tt.rest, tt.lattice = form.format1, form.rest, form.lattice
			called := false
			h := guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
				called = true
				return handing(200, nil)(ctx, payload)
			})
			a := send(t, tt.call, h, httpapi.CORS(tt.config))
			if a.allowed() != tt.want || a.header.Get("Vary") != tt.vary {
				t.Errorf("%s: %q, Vary %q; want %q, %q", name, a.allowed(), a.header.Get("Vary"), tt.want, tt.vary)
			}
			if before := tt.method == "OPTIONS"; called == before || before && a.status != 204 {
				t.Errorf("%s: called %t, status %d", name, called, a.status)
			}
		}
	}
}

func TestOptionsThatAreNoPreflightReachTheHandler(t *testing.T) {
	layer := httpapi.CORS(httpapi.CORSConfig{Origins: []string{shopOrigin}})
	for _, c := range []call{{method: "OPTIONS"}, {method: "OPTIONS", headers: map[string]string{"origin": shopOrigin}}, {method: "OPTIONS", headers: map[string]string{"access-control-request-method": "PUT"}}} {
		if a := send(t, c, handing(299, nil), layer); a.status != 299 {
			t.Errorf("%+v: %d", c, a.status)
		}
	}
}

// CORS is outside Limit, and must not have read a request under other limits
// than those there.
func TestCORSLeavesTheLimitsToTheLayersInside(t *testing.T) {
	layers := []guard.Middleware{httpapi.Problems(), httpapi.CORS(httpapi.CORSConfig{Origins: []string{shopOrigin}}), guard.Limit(guard.Limits{Body: 3 << 20})}
	for _, method := range []string{"POST", "OPTIONS"} {
		for size, status := range map[int]int{2 << 20: 200, 3<<20 + 1: 413} {
			for _, form := range []call{{}, {format1: true}, {lattice: true}} {
				c := preflight(shopOrigin)
				c.method, c.body, c.format1, c.lattice = method, strings.Repeat("x", size), form.format1, form.lattice
				out, err := invoke(t, c, handing(200, nil), layers...)
				if a := read(t, out); err != nil || a.status != status || a.allowed() != shopOrigin {
					t.Errorf("%s of %d bytes: %d, %v, %v", method, size, a.status, a.header, err)
				}
			}
		}
	}
}

func TestCORSDecidesAlone(t *testing.T) {
	inner := handing(200, http.Header{
		"Access-Control-Allow-Origin": {"*"}, "Access-Control-Allow-Credentials": {"true"}, "Access-Control-Expose-Headers": {"X-Secret"},
		"Access-Control-Allow-Methods": {"DELETE"}, "Access-Control-Allow-Headers": {"*"}, "Access-Control-Max-Age": {"9"}, "Access-Control-Allow-Private-Network": {"true"},
	})
	for origin, want := range map[string]string{shopOrigin: shopOrigin, otherOrigin: ""} {
		a := send(t, from(origin), inner, httpapi.CORS(httpapi.CORSConfig{Origins: []string{shopOrigin}}))
		if a.allowed() != want || a.header.Get("Access-Control-Allow-Private-Network") != "" {
			t.Errorf("%s: %v", origin, a.header)
		}
	}
}

func TestVaryIsMerged(t *testing.T) {
	for have, want := range map[string]string{
		"": "Origin", "Accept": "Accept, Origin", "accept, origin": "accept, origin", "Origin": "Origin", "Accept-Origin": "Accept-Origin, Origin", "*": "*, Origin",
	} {
		header := http.Header{"Vary": {have}}
		if have == "" {
			header = nil
		}
		a := send(t, from(shopOrigin), handing(200, header), httpapi.CORS(httpapi.CORSConfig{Origins: []string{shopOrigin}}))
		if a.header.Get("Vary") != want {
			t.Errorf("%q: %q, want %q", have, a.header.Get("Vary"), want)
		}
	}
	a := send(t, from(shopOrigin), handing(200, http.Header{"Vary": {"Accept", "Cookie"}}), httpapi.CORS(httpapi.CORSConfig{}))
	if a.header.Get("Vary") != "Accept, Cookie, Origin" {
		t.Errorf("%v", a.header)
	}
}

func TestCORSOfNonsensePanics(t *testing.T) {
	for name, config := range map[string]httpapi.CORSConfig{
		"everyone with credentials":        {Origins: []string{"*"}, Credentials: true},
		"everyone beside one, credentials": {Origins: []string{shopOrigin, "*"}, Credentials: true},
		"null":                             {Origins: []string{"null"}},
		"no scheme":                        {Origins: []string{"shop.example"}},
		"a path":                           {Origins: []string{"https://shop.example/"}},
		"upper case":                       {Origins: []string{"https://Shop.example"}},
		"a pattern":                        {Origins: []string{"https://*.shop.example"}},
		"a user":                           {Origins: []string{"https://u@shop.example"}},
		"nothing":                          {Origins: []string{""}},
		"a header of two lines":            {Origins: []string{shopOrigin}, Headers: []string{"a\r\nb"}},
		"a list in one string":             {Origins: []string{shopOrigin}, Methods: []string{"PUT, DELETE"}},
		"a space in what is exposed":       {Origins: []string{shopOrigin}, Expose: []string{"X A"}},
	} {
		if text := panics(func() { httpapi.CORS(config) }); !strings.HasPrefix(text, "httpapi: ") {
			t.Errorf("%s: %q", name, text)
		}
	}
}

// A layer like idempotency keeps an encoded answer and hands it out again. It
// was decorated for who asked first, and must not be for who asks now.
func TestAKeptAnswerIsDecoratedForWhoAsks(t *testing.T) {
	for _, format1 := range []bool{false, true} {
		var kept []byte
		calls := 0
		once := func(next lambda.Handler) lambda.Handler {
			return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
				if kept != nil {
					return kept, nil
				}
				var err error
				kept, err = next.Invoke(ctx, payload)
				return kept, err
			})
		}
		fn := httpapi.Func(func(context.Context, struct{}) (httpapi.Reply[string], error) {
			calls++
			return httpapi.Reply[string]{Status: 201, Header: http.Header{"Location": {"/a"}}, Cookies: []*http.Cookie{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}}, Value: "<é>"}, nil
		})
		h := guard.Wrap(fn, httpapi.Problems(), httpapi.SecurityHeaders(), httpapi.CORS(httpapi.CORSConfig{Origins: []string{shopOrigin, otherOrigin}, Credentials: true, Expose: []string{"Location"}}), once)
		var first answer
		for i, origin := range []string{shopOrigin, otherOrigin, "https://evil.example", "", shopOrigin} {
			c := from(origin)
			c.format1 = format1
			out, err := h.Invoke(t.Context(), c.event())
			if err != nil {
				t.Fatal(err)
			}
			a := read(t, out)
			want := origin + "; true; Location"
			if origin != shopOrigin && origin != otherOrigin {
				want = ""
			}
			if a.allowed() != want || a.header.Get("Vary") != "Origin" {
				t.Errorf("%s: %v", origin, a.header)
			}
			if i == 0 {
				first = a
			}
			if i == 4 && fmt.Sprint(a) != fmt.Sprint(first) {
				t.Errorf("replayed %+v\nfirst    %+v", a, first)
			}
			if a.status != 201 || a.body != `"<é>"` || a.header.Get("Location") != "/a" || len(a.header["Set-Cookie"]) != 2 {
				t.Errorf("%s: %+v", origin, a)
			}
		}
		if calls != 1 {
			t.Errorf("called %d times", calls)
		}
	}
}

// What a layer outside of Limit could not read under the defaults is read within
// the limits that are set.
func TestLimitsHoldForWhatWasRefusedBefore(t *testing.T) {
	curious := func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			ev := guard.EventOf(ctx, payload)
			_, err1 := ev.Body()
			_, err2 := ev.HTTP()
			_, ok := httpapi.RequestFrom(ctx)
			if err1 == nil || err2 == nil || ok {
				t.Errorf("read under the defaults: %v, %v, %v", err1, err2, ok)
			}
			return next.Invoke(ctx, payload)
		})
	}
	echo := httpapi.Handler(func(_ context.Context, r *httpapi.Request) (httpapi.Response, error) {
		body, err := r.Body()
		return httpapi.Response{Body: fmt.Append(nil, len(body))}, err
	})
	out, err := invoke(t, call{method: "POST", body: strings.Repeat("x", 2<<20)}, echo, httpapi.Problems(), curious, guard.Limit(guard.Limits{Body: 3 << 20}))
	if a := read(t, out); err != nil || a.status != 200 || a.body != "2097152" {
		t.Errorf("%d %s, %v", a.status, a.body, err)
	}
}
