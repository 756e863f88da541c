package sample_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
)

// read returns the request as a handler of httpapi sees it.
func read(t *testing.T, payload []byte) *httpapi.Request {
	t.Helper()
	var seen *httpapi.Request
	h := guard.Wrap(httpapi.Handler(func(_ context.Context, req *httpapi.Request) (httpapi.Response, error) {
		seen = req
		return httpapi.Response{}, nil
	}))
	if _, err := h.Invoke(t.Context(), payload); err != nil {
		t.Fatal(err)
	}
	return seen
}

// gateways has the builder for each gateway and format, for what holds in all.
var gateways = map[string]struct {
	set     func(sample.HTTPEvent) sample.HTTPEvent
	trigger guard.Trigger
}{
	"HTTP API, format 2.0": {
		set:     func(b sample.HTTPEvent) sample.HTTPEvent { return b },
		trigger: guard.HTTPAPI,
	},
	"HTTP API, format 1.0": {
		set:     sample.HTTPEvent.Format1,
		trigger: guard.HTTPAPI,
	},
	"function URL": {
		set:     sample.HTTPEvent.FunctionURL,
		trigger: guard.FunctionURL,
	},
	"REST API":    {set: sample.HTTPEvent.REST, trigger: guard.REST},
	"VPC Lattice": {set: sample.HTTPEvent.VPCLattice, trigger: guard.VPCLattice},
}

// plain reports whether what sends the event has neither routes nor stages.
func plain(t guard.Trigger) bool { return t == guard.FunctionURL || t == guard.VPCLattice }

func TestBuiltRequestIsReadAsItWasSet(t *testing.T) {
	for name, g := range gateways {
		t.Run(name, func(t *testing.T) {
			event := g.set(sample.HTTP("PUT", "/orders/a%20b?tag=x&tag=y%26z").
				Query("notify", "ja & nein").
				Header("Idempotency-Key", "k-1").Header("Accept", "text/plain").Header("accept", "text/html").
				Cookie("session", "abc").Cookie("theme", "dark").
				SourceIP("2001:db8::1").
				JSON(`{"a":"<ü>"}`)).Bytes()
			if got := guard.EventOf(t.Context(), event).Trigger(); got != g.trigger {
				t.Errorf("trigger %s, want %s", got, g.trigger)
			}
			req := read(t, event)
			session, _ := req.Cookie("session")
			theme, _ := req.Cookie("theme")
			body, err := req.Body()
			if err != nil {
				t.Fatal(err)
			}
			ip, length := req.ClientIP(), "12"
			if g.trigger == guard.REST {
				length = "" // which a REST API does not pass on
			}
			if g.trigger == guard.VPCLattice {
				ip = req.Header("x-forwarded-for")
			}
			for what, got := range map[string][2]any{
				"method":          {req.Method, "PUT"},
				"path":            {req.Path, "/orders/a b"},
				"query":           {req.Query().Encode(), "notify=ja+%26+nein&tag=x&tag=y%26z"},
				"header":          {req.Header("IDEMPOTENCY-KEY"), "k-1"},
				"repeated header": {req.Header("accept"), "text/plain,text/html"},
				"content type":    {req.Header("content-type"), "application/json"},
				"content length":  {req.Header("content-length"), length},
				"first cookie":    {session, "abc"},
				"second cookie":   {theme, "dark"},
				"client's IP":     {ip, "2001:db8::1"},
				"body":            {string(body), `{"a":"<ü>"}`},
			} {
				if got[0] != got[1] {
					t.Errorf("%s %q, want %q", what, got[0], got[1])
				}
			}
		})
	}
}

func TestRouteGivesThePathParameters(t *testing.T) {
	for name, g := range gateways {
		if plain(g.trigger) {
			continue
		}
		for _, tc := range []struct{ route, variable, want, key string }{
			{route: "GET /shops/{shop}/orders/{id}", variable: "id", want: "42", key: "GET /shops/{shop}/orders/{id}"},
			{route: "GET /shops/{rest+}", variable: "rest", want: "s-1/orders/42", key: "GET /shops/{rest+}"},
			{route: "ANY /{proxy+}", variable: "proxy", want: "shops/s-1/orders/42", key: "GET /{proxy+}"},
		} {
			req := read(t, g.set(sample.HTTP("GET", "/shops/s-1/orders/42").Route(tc.route)).Bytes())
			if got := req.PathValue(tc.variable); got != tc.want {
				t.Errorf("%s, %s: %s is %q, want %q", name, tc.route, tc.variable, got, tc.want)
			}
			if got := req.RouteKey(); got != tc.key && got != tc.route {
				t.Errorf("%s, %s: route key %q", name, tc.route, got)
			}
		}
	}
}

func TestStageIsInFrontOfThePathOnTheAPIsDomain(t *testing.T) {
	request := sample.HTTP("GET", "/orders/42").Route("GET /orders/{id}").Stage("dev")
	own := request.Header("Host", "api.example.com")
	for _, tc := range []struct {
		rule, pointer string
		event         sample.Event
		want          string
	}{
		{rule: "format 2.0", pointer: "/rawPath", event: request.Event(), want: "/dev/orders/42"},
		{rule: "format 2.0, context", pointer: "/requestContext/http/path", event: request.Event(), want: "/dev/orders/42"},
		{rule: "format 1.0", pointer: "/path", event: request.Format1().Event(), want: "/dev/orders/42"},
		{rule: "REST: the resource's", pointer: "/path", event: request.REST().Event(), want: "/orders/42"},
		{rule: "REST, context", pointer: "/requestContext/path", event: request.REST().Event(), want: "/dev/orders/42"},
		{rule: "a domain of one's own", pointer: "/rawPath", event: own.Event(), want: "/orders/42"},
		{
			rule:    "a domain of one's own, context",
			pointer: "/requestContext/domainName",
			event:   own.Event(),
			want:    "api.example.com",
		},
		{rule: "$default", pointer: "/rawPath", event: request.Stage("$default").Event(), want: "/orders/42"},
	} {
		if got := tc.event.Get(tc.pointer); got != tc.want {
			t.Errorf("%s: %s is %v, want %s", tc.rule, tc.pointer, got, tc.want)
		}
	}
	for name, g := range gateways {
		if plain(g.trigger) {
			continue
		}
		if req := read(t, g.set(request).Bytes()); req.Path != "/orders/42" || req.Event().RequestContext.Stage != "dev" {
			t.Errorf("%s: path %s on stage %s", name, req.Path, req.Event().RequestContext.Stage)
		}
	}
	if got := sample.HTTP("GET", "/").REST().Event().Get("/requestContext/stage"); got != "prod" {
		t.Errorf("a REST API's stage is %v, want prod", got)
	}
}

func TestBodyIsBase64WhereTheGatewayMakesItSo(t *testing.T) {
	post := sample.HTTP("POST", "/")
	for _, tc := range []struct {
		rule string
		b    sample.HTTPEvent
		body string
		is64 bool
	}{
		{rule: "JSON is text", b: post.JSON(`{}`), body: `{}`},
		{rule: "a form is not", b: post.Body("application/x-www-form-urlencoded", []byte("a=1")), body: "a=1", is64: true},
		{rule: "nor what has no type", b: post.Body("", []byte("a=1")), body: "a=1", is64: true},
		{rule: "nor what is not UTF-8", b: post.Body("text/plain", []byte("\xff")), body: "\xff", is64: true},
		{rule: "JSON of a binary type", b: post.JSON(`{}`).Base64(), body: `{}`, is64: true},
		{
			rule: "a REST API takes a form for text",
			b:    post.REST().Body("application/x-www-form-urlencoded", []byte("a=1")),
			body: "a=1",
		},
		{rule: "unless it is binary", b: post.REST().Body("image/png", []byte("\x89PNG")), body: "\x89PNG", is64: true},
		{rule: "or the type is", b: post.REST().JSON(`{}`).Base64(), body: `{}`, is64: true},
		{rule: "VPC Lattice takes JSON for text", b: post.VPCLattice().JSON(`{}`), body: `{}`},
		{
			rule: "and no type that ends in it",
			b:    post.VPCLattice().Body("application/problem+json", []byte("{}")),
			body: "{}",
			is64: true,
		},
		{rule: "nor what is not UTF-8", b: post.VPCLattice().Body("text/plain", []byte("\xff")), body: "\xff", is64: true},
	} {
		var event struct {
			Body            string `json:"body"`
			IsBase64Encoded bool   `json:"isBase64Encoded"`
		}
		if err := json.Unmarshal(tc.b.Bytes(), &event); err != nil {
			t.Fatal(err)
		}
		want := tc.body
		if tc.is64 {
			want = base64.StdEncoding.EncodeToString([]byte(want))
		}
		if event.Body != want || event.IsBase64Encoded != tc.is64 {
			t.Errorf("%s: %q, base64 %t", tc.rule, event.Body, event.IsBase64Encoded)
		}
		if got, err := read(t, tc.b.Bytes()).Body(); err != nil || string(got) != tc.body {
			t.Errorf("%s: read as %q, %v", tc.rule, got, err)
		}
	}
	if strings.Contains(post.String(), `"body"`) {
		t.Errorf("format 2.0 has a body where there is none: %s", post)
	}
	if strings.Contains(post.VPCLattice().String(), `"body"`) {
		t.Errorf("VPC Lattice has a body where there is none: %s", post.VPCLattice())
	}
	if got := post.Format1().Event().Get("/body"); got != nil {
		t.Errorf("format 1.0 has the body %v where there is none", got)
	}
}

func TestAuthorizerIsReadAsItWasSet(t *testing.T) {
	get := sample.HTTP("GET", "/")
	jwt := get.JWT(map[string]string{"sub": "jane"}, "orders:read")
	for name, b := range map[string]sample.HTTPEvent{"format 2.0": jwt, "format 1.0": jwt.Format1(), "REST API": jwt.REST()} {
		if got := read(t, b.Bytes()).Authorizer(); got == nil || got.JWT == nil || got.JWT.Claims["sub"] != "jane" {
			t.Errorf("%s: JWT is %+v", name, got)
		}
	}
	if got := jwt.Event().Get("/requestContext/authorizer/jwt/scopes"); !reflect.DeepEqual(got, []any{"orders:read"}) {
		t.Errorf("scopes are %v", got)
	}
	if got := get.JWT(nil).Event().Get("/requestContext/authorizer/jwt/scopes"); got != nil {
		t.Errorf("scopes of a route without any are %v, want null", got)
	}

	lambda := get.Lambda(map[string]any{"tenant": "t-1", "admin": true})
	for name, b := range map[string]sample.HTTPEvent{"format 2.0": lambda, "format 1.0": lambda.Format1(), "REST API": lambda.REST()} {
		if got := read(t, b.Bytes()).Authorizer(); got == nil || got.Lambda["tenant"] != "t-1" || got.Lambda["admin"] != true {
			t.Errorf("%s: Lambda context is %+v", name, got)
		}
	}

	const arn = "arn:aws:iam::111122223333:user/jane"
	iam := get.IAM(arn)
	for name, b := range map[string]sample.HTTPEvent{"format 2.0": iam, "function URL": iam.FunctionURL()} {
		if got := read(t, b.Bytes()).Authorizer(); got == nil || got.IAM == nil || got.IAM.UserARN != arn || got.IAM.AccountID != "111122223333" {
			t.Errorf("%s: IAM identity is %+v", name, got)
		}
	}
	if got := read(t, iam.VPCLattice().Bytes()).Authorizer(); got == nil || got.IAM == nil || got.IAM.UserARN != arn {
		t.Errorf("VPC Lattice: IAM identity is %+v", got)
	}
	if got := read(t, get.VPCLattice().Bytes()).Authorizer(); got != nil {
		t.Errorf("VPC Lattice: %+v, where nobody has signed", got)
	}
	for name, b := range map[string]sample.HTTPEvent{"format 1.0": iam.Format1(), "REST API": iam.REST()} {
		if got := b.Event().Get("/requestContext/identity/userArn"); got != arn {
			t.Errorf("%s: userArn is %v", name, got)
		}
	}
	if read(t, get.Bytes()).Authorizer() != nil {
		t.Error("an authorizer where there is none")
	}
}

func TestBuilderDoesNotChange(t *testing.T) {
	claims := map[string]string{"sub": "jane"}
	body := []byte("x")
	base := sample.HTTP("POST", "/orders").Cookie("a", "1").Cookie("b", "2").JWT(claims).Body("text/plain", body)
	before := base.Event().String()
	base.Header("X-Test", "1").Query("q", "1").Cookie("c", "3").JSON(`{}`).Stage("dev").REST().Route("POST /orders").SourceIP("192.0.2.1").Lambda(nil).Base64()
	claims["sub"], body[0] = "mallory", 'y'
	if got := base.Event().String(); got != before {
		t.Errorf("the base became\n%s, was\n%s", got, before)
	}
	one, two := base.Cookie("c", "3"), base.Cookie("c", "4")
	if got := one.Event().Get("/cookies/2"); got != "c=3" {
		t.Errorf("cookie %v was overwritten by another builder's, %v", got, two.Event().Get("/cookies/2"))
	}
}

func TestEventsAreTheSameInEachRun(t *testing.T) {
	for name, g := range gateways {
		b := g.set(sample.HTTP("GET", "/orders?a=1&b=2").Header("X-A", "1").Header("X-B", "2").JWT(nil))
		if plain(g.trigger) {
			b = b.IAM("arn:aws:iam::111122223333:role/r")
		}
		if one, two := string(b.Bytes()), string(b.Bytes()); one != two {
			t.Errorf("%s: %s and %s", name, one, two)
		}
	}
}

func TestRequestsThatNoGatewayTakesPanic(t *testing.T) {
	get := sample.HTTP("GET", "/orders/42")
	for rule, misuse := range map[string]func(){
		"a target without a slash":        func() { sample.HTTP("GET", "orders") },
		"a target that is a URL":          func() { sample.HTTP("GET", "https://example.com/orders") },
		"no target":                       func() { sample.HTTP("GET", "") },
		"a route that is none":            func() { get.Route("orders").Bytes() },
		"another method's route":          func() { get.Route("POST /orders/{id}").Bytes() },
		"another path's route":            func() { get.Route("GET /orders").Bytes() },
		"a function URL with a route":     func() { get.FunctionURL().Route("GET /orders/{id}").Bytes() },
		"a function URL with a stage":     func() { get.FunctionURL().Stage("dev").Bytes() },
		"a function URL with a base path": func() { get.FunctionURL().BasePath("v1").Bytes() },
		"a function URL with JWT":         func() { get.FunctionURL().JWT(nil).Bytes() },
		"a function URL with Lambda":      func() { get.FunctionURL().Lambda(nil).Bytes() },
		"an identity that is not an ARN":  func() { get.IAM("jane").Bytes() },
		"VPC Lattice with a route":        func() { get.VPCLattice().Route("GET /orders/{id}").Bytes() },
		"VPC Lattice with a stage":        func() { get.VPCLattice().Stage("dev").Bytes() },
		"VPC Lattice with JWT":            func() { get.VPCLattice().JWT(nil).Bytes() },
		"VPC Lattice with Lambda":         func() { get.VPCLattice().Lambda(nil).Bytes() },
		"VPC Lattice with such an ARN":    func() { get.VPCLattice().IAM("jane").Bytes() },
	} {
		t.Run(rule, func(t *testing.T) { wantPanic(t, misuse) })
	}
}

func TestMethodsBeyondThoseOfRoutesReachDefault(t *testing.T) {
	if req := read(t, sample.HTTP("PROPFIND", "/x").Bytes()); req.Method != "PROPFIND" || req.RouteKey() != "$default" {
		t.Errorf("%s by %s", req.Method, req.RouteKey())
	}
	if got := sample.HTTP(http.MethodGet, "/").REST().Event().Get("/resource"); got != "/" {
		t.Errorf("the root's resource is %v", got)
	}
}

func TestRequestOffItsRouteIsPointedOut(t *testing.T) {
	defer func() {
		if text := fmt.Sprint(recover()); !strings.Contains(text, `GET /orders/42 does not take the route "GET /orders": 404`) {
			t.Errorf("%s, want a panic that names the request and the route", text)
		}
	}()
	sample.HTTP("GET", "/orders/42").Route("GET /orders").Bytes()
}
