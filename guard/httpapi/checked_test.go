package httpapi_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
)

// A world is a table of routes, put into the checks and into the handlers of a
// function, behind some gateway.
type world struct {
	r       *rand.Rand
	table   []string
	site    string // what it is, for a failure
	host    string
	handler http.Handler
	reached map[string]int // key → how often its handler ran

	violation string
}

func (w *world) pick(of ...string) string { return of[w.r.IntN(len(of))] }

// key draws a route key of a gateway.
func (w *world) key() string {
	if w.r.IntN(12) == 0 {
		return "$default"
	}
	var b strings.Builder
	for i := range w.r.IntN(4) {
		if last := w.r.IntN(5) == 0; last {
			fmt.Fprintf(&b, "/{g%d+}", i)
			break
		}
		b.WriteString("/" + w.pick("a", "b", "admin", "list-users", fmt.Sprintf("{p%d}", i)))
	}
	if b.Len() == 0 {
		b.WriteString("/")
	}
	return w.pick("GET", "GET", "POST", "HEAD", "ANY") + " " + b.String()
}

// pattern is a key as net/http writes it.
func pattern(key string) string {
	if key == "$default" {
		return "/"
	}
	method, template, _ := strings.Cut(key, " ")
	template = strings.ReplaceAll(template, "+}", "...}")
	if template == "/" {
		template = "/{$}"
	}
	if method == "ANY" {
		return template
	}
	return method + " " + template
}

// tables makes the checks and the handlers of the table, nil where the two are
// refused as they are built.
func (w *world) tables() (check authorizer.Check, routes lambda.Handler) {
	defer func() {
		if recover() != nil {
			check, routes = nil, nil
		}
	}()
	checks, handlers := map[string]authorizer.Check{}, map[string]lambda.Handler{}
	for _, key := range w.table {
		checks[key] = func(context.Context, *authorizer.Request) (*authorizer.Grant, error) {
			return &authorizer.Grant{Principal: "checked for", Context: map[string]any{"route": key}}, nil
		}
		handlers[pattern(key)] = httpapi.Func(func(ctx context.Context, _ struct{}) (struct{}, error) {
			w.reached[key]++
			if g, ok := authorizer.GrantFrom(ctx); !ok || g.Context["route"] != key {
				w.violation = fmt.Sprintf("the handler of %q ran by the grant %+v", key, g)
			}
			return struct{}{}, nil
		})
	}
	return authorizer.Routes(checks), httpapi.Routes(handlers)
}

// open builds the world; false where the table is none.
func (w *world) open() bool {
	w.table, w.reached = nil, map[string]int{}
	for range 1 + w.r.IntN(6) {
		if key := w.key(); !slices.Contains(w.table, key) {
			w.table = append(w.table, key)
		}
	}
	check, routes := w.tables()
	if check == nil {
		return false
	}
	quiet := func(h lambda.Handler, layers ...guard.Middleware) guardtest.Invoker {
		return guardtest.NewInProcess(guard.Wrap(h, append([]guard.Middleware{httpapi.Problems(), guard.Recover()}, layers...)...), guardtest.Config{})
	}
	asked := func(h lambda.Handler) guardtest.Invoker {
		return guardtest.NewInProcess(guard.Wrap(h, guard.Errors(), guard.Recover()), guardtest.Config{})
	}
	keys := w.table
	if w.r.IntN(3) == 0 { // one route of the gateway for all
		keys = nil
	}
	within := quiet(routes, authorizer.Require(check))
	behind := quiet(routes, authorizer.FromGateway())
	matching := gateway.Matching(w.pick("", string(gateway.MatchDecoded), string(gateway.MatchSegments), string(gateway.MatchSent)))
	cfg := gateway.HTTPAPIConfig{
		Routes: keys, Format: w.pick("2.0", "1.0"), Matching: matching, KeepSlashes: w.r.IntN(2) == 0, IgnoreTrailingSlash: w.r.IntN(3) == 0,
		Stage: w.pick("", "prod"), StageInPath: w.r.IntN(3) == 0,
		DomainPath: gateway.DomainPath(w.pick("", string(gateway.PathOfResource), string(gateway.PathAsSent), string(gateway.PathWithStage))),
	}
	w.host = "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"
	if !cfg.StageInPath {
		w.host = "api.shop.example"
		cfg.BasePath = w.pick("", "", "v1", "admin")
	}
	rest := gateway.RESTAPIConfig{
		Routes: slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return k == "$default" }), Matching: matching, DecodedParameters: w.r.IntN(2) == 0, BasePath: cfg.BasePath,
		StageInPath: cfg.StageInPath,
	}
	if len(rest.Routes) == 0 {
		rest.Routes = []string{"ANY /{proxy+}", "ANY /"}
	}
	var err error
	switch w.site = w.pick("Require, HTTP API", "Simple", "Policy, HTTP API", "Require, REST", "Policy, REST TOKEN", "Policy, REST REQUEST", "Require, function URL", "Require, ALB"); w.site {
	case "Require, HTTP API":
		w.handler, err = gateway.NewHTTPAPI(within, cfg)
	case "Simple":
		if matching == gateway.MatchSent { // an HTTP API decodes the path before it goes by it
			cfg.Matching = gateway.MatchDecoded
		}
		cfg.Authorizer = &gateway.Authorizer{Function: asked(authorizer.Simple(check)), SimpleResponses: true}
		if cfg.BasePath != "" {
			cfg.Format = "2.0"
		}
		w.handler, err = gateway.NewHTTPAPI(behind, cfg)
	case "Policy, HTTP API":
		cfg.Authorizer = &gateway.Authorizer{Function: asked(authorizer.Policy(check, authorizer.Uncached())), Format: w.pick("2.0", "1.0")}
		if cfg.BasePath != "" { // see authorizer.Routes
			cfg.Authorizer.Format = cfg.Format
		}
		w.handler, err = gateway.NewHTTPAPI(behind, cfg)
	case "Require, REST":
		w.handler, err = gateway.NewRESTAPI(within, rest)
	case "Policy, REST TOKEN":
		rest.Authorizer = &gateway.RESTAuthorizer{Function: asked(authorizer.Policy(check, authorizer.Uncached())), TTL: -1}
		w.handler, err = gateway.NewRESTAPI(behind, rest)
	case "Policy, REST REQUEST":
		rest.Authorizer = &gateway.RESTAuthorizer{Function: asked(authorizer.Policy(check, authorizer.Uncached())), Type: "REQUEST", TTL: -1}
		w.handler, err = gateway.NewRESTAPI(behind, rest)
	case "Require, function URL":
		w.handler, err = gateway.NewHTTPAPI(within, gateway.HTTPAPIConfig{FunctionURL: true})
	case "Require, ALB":
		w.handler, err = gateway.NewALB(within, gateway.ALBConfig{MultiValueHeaders: w.r.IntN(2) == 0})
	}
	w.site = fmt.Sprintf("%s, routes %q behind %q, %+v, %+v", w.site, w.table, keys, cfg, rest)
	return err == nil
}

// target draws a path that comes near those of the table.
func (w *world) target() string {
	var b strings.Builder
	switch w.r.IntN(8) {
	case 0:
		b.WriteString("/v1")
	case 1:
		b.WriteString("/prod")
	case 2:
		b.WriteString("/admin")
	}
	for range w.r.IntN(4) {
		segment := w.pick("a", "b", "admin", "list-users", "x", "Müller", "a b", "ADMIN", ".", "..", "", "a;b", "100%", "a/b", `a\b`, "{p0}")
		b.WriteString(w.pick("/", "/", "/", "/", "/", "//", "%2F"))
		for i := range len(segment) {
			switch c := segment[i]; {
			case w.r.IntN(14) == 0:
				fmt.Fprintf(&b, "%%25%02X", c)
			case w.r.IntN(9) == 0:
				fmt.Fprintf(&b, "%%%02x", c)
			case strings.IndexByte("%{} ;\\", c) >= 0 || c >= 0x80:
				fmt.Fprintf(&b, "%%%02X", c)
			default:
				b.WriteByte(c)
			}
		}
	}
	b.WriteString(w.pick("", "", "", "/", "/.", "%2f"))
	if b.Len() == 0 || b.String()[0] != '/' {
		return "/" + b.String()
	}
	return b.String()
}

// send sends a request, and says what went wrong.
func (w *world) send() string {
	method, target := w.pick("GET", "GET", "HEAD", "POST", "PUT", "OPTIONS"), w.target()
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return ""
	}
	req := httptest.NewRequestWithContext(context.Background(), method, "https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/", nil)
	req.Host = w.host
	req.URL, req.RequestURI = u, target
	req.Header.Set("Authorization", "Bearer t")
	w.violation = ""
	w.handler.ServeHTTP(httptest.NewRecorder(), req)
	if w.violation == "" {
		return ""
	}
	return fmt.Sprintf("%s %s of %s: %s; %s", method, target, req.Host, w.violation, w.site)
}

// play opens worlds and sends requests to each, until there were enough.
func play(t testing.TB, seed uint64, requests int) (reached int) {
	w := &world{r: rand.New(rand.NewPCG(seed, 1))}
	for sent := 0; sent < requests; {
		if !w.open() {
			sent++
			continue
		}
		for range 40 {
			if wrong := w.send(); wrong != "" {
				t.Fatalf("seed %d: %s", seed, wrong)
			}
			sent++
		}
		for _, n := range w.reached {
			reached += n
		}
	}
	return reached
}

// For every request and every gateway, a handler runs by the check of its own
// route or not at all.
//
// SECURITY: One meaning.
func TestAHandlerRunsByTheCheckOfItsOwnRoute(t *testing.T) {
	if reached := play(t, rand.Uint64(), 12_000); reached < 500 {
		t.Errorf("got %d requests that reached a handler, want some thousands", reached)
	}
}

func FuzzAHandlerRunsByTheCheckOfItsOwnRoute(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) { play(t, seed, 200) })
}
