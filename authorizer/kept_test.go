package authorizer_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard"
)

// A callOf is a request in a small world, where one value is in many places.
type callOf struct {
	method, path, route, x, q, ip string
	base                          string // what the domain puts in front of the path
	auth, key                     string // the credentials
}

func (c callOf) domain() string {
	if c.base != "" {
		return "mapped.example.com"
	}
	return "plain.example.com"
}

func (c callOf) arn() string {
	return strings.TrimSuffix(stageARN, "prod/") + "$default/" + c.method + c.path
}

// lacks reports whether a client has sent this call without knowing what v has of
// credentials.
func (c callOf) lacks(v callOf) bool {
	for _, credential := range []string{v.auth, v.key} {
		if credential != "" && slices.ContainsFunc([]string{c.auth, c.key, c.x, c.q, c.path}, func(sent string) bool { return strings.Contains(sent, credential) }) {
			return false
		}
	}
	return true
}

// place is where an identity source, or a check of somebody's own, can look.
type placeOf struct {
	http, rest string
	of         func(callOf) string
	read       func(*authorizer.Request) string
}

var places = []placeOf{
	{
		http: "$request.header.x",
		rest: "method.request.header.x",
		of:   func(c callOf) string { return c.x },
		read: func(r *authorizer.Request) string { return r.Header("X") },
	},
	{
		http: "$request.header.authorization",
		rest: "method.request.header.authorization",
		of:   func(c callOf) string { return c.auth },
		read: func(r *authorizer.Request) string { return r.Header("Authorization") },
	},
	{
		http: "$request.header.x-key",
		rest: "method.request.header.x-key",
		of:   func(c callOf) string { return c.key },
		read: func(r *authorizer.Request) string { return r.Header("x-key") },
	},
	{
		http: "$request.querystring.q",
		rest: "method.request.querystring.q",
		of:   func(c callOf) string { return c.q },
		read: func(r *authorizer.Request) string { return r.Query("q") },
	},
	{
		http: "$context.httpMethod",
		rest: "context.httpMethod",
		of:   func(c callOf) string { return c.method },
		read: (*authorizer.Request).Method,
	},
	{
		http: "$context.path",
		rest: "context.path",
		of:   func(c callOf) string { return c.base + c.path },
		read: (*authorizer.Request).Path,
	},
	{
		http: "$context.identity.sourceIp",
		rest: "context.identity.sourceIp",
		of:   func(c callOf) string { return c.ip },
		read: (*authorizer.Request).SourceIP,
	},
	{
		http: "$context.routeKey",
		rest: "context.resourcePath",
		of:   func(c callOf) string { return c.route },
		read: (*authorizer.Request).RouteKey,
	},
	{
		http: "$context.domainName",
		rest: "context.domainName",
		of:   callOf.domain,
		read: func(r *authorizer.Request) string { return r.Header("host") },
	},
}

// seen is where a check can look besides.
var seen = append([]placeOf{
	{http: "$arn", read: func(r *authorizer.Request) string { return r.ARN().Path }},
	{http: "$path.p", read: func(r *authorizer.Request) string { return r.PathValue("p") }},
}, places...)

// key is what the gateway keeps an answer by, false where it does not ask.
func key(sources []placeOf, c callOf, rest bool) (values []string, ok bool) {
	for _, s := range sources {
		value := s.of(c)
		if _, template, found := strings.Cut(value, " "); rest && s.http == "$context.routeKey" && found {
			value = template
		}
		if value == "" {
			return nil, false
		}
		values = append(values, value)
	}
	return values, true
}

func (c callOf) event(format string, values []string) []byte {
	_, template, ok := strings.Cut(c.route, " ")
	if !ok {
		template = c.route // $default
	}
	parameters := map[string]string{}
	if before, _, ok := strings.Cut(template, "{"); ok { // which is the last segment
		parameters["p"] = strings.TrimPrefix(c.path, before)
	}
	headers, query := map[string]string{"host": c.domain()}, map[string]string{}
	for name, value := range map[string]string{"x": c.x, "authorization": c.auth, "x-key": c.key} {
		if value != "" {
			headers[name] = value
		}
	}
	if c.q != "" {
		query["q"] = c.q
	}
	e := map[string]any{
		"type": "REQUEST", "headers": headers, "queryStringParameters": query, "httpMethod": c.method, "path": c.base + c.path, "resource": template, "methodArn": c.arn(),
		"pathParameters": parameters, "requestContext": map[string]any{
			"identity": map[string]any{"sourceIp": c.ip}, "resourceId": c.route, "path": c.base + c.path, "stage": "$default", "domainName": c.domain(),
		},
	}
	switch format {
	case "rest-token":
		e = map[string]any{"type": "TOKEN", "methodArn": c.arn(), "authorizationToken": c.auth}
	case "appsync":
		e = map[string]any{
			"authorizationToken": c.auth, "requestHeaders": headers,
			"requestContext": map[string]any{"apiId": "a1", "accountId": "1", "requestId": "r", "queryString": c.route, "operationName": c.q, "variables": map[string]any{}},
		}
	case "http-1.0":
		e["version"], e["identitySource"] = "1.0", strings.Join(values, ",")
	case "http-2.0":
		e = map[string]any{
			"version": "2.0", "type": "REQUEST", "routeArn": c.arn(), "identitySource": values, "routeKey": c.route, "rawPath": c.base + c.path,
			"headers": headers, "queryStringParameters": query, "pathParameters": parameters,
			"requestContext": map[string]any{
				"stage": "$default", "domainName": c.domain(), "http": map[string]any{"method": c.method, "path": c.base + c.path, "sourceIp": c.ip},
			},
		}
	}
	out, _ := json.Marshal(e)
	return out
}

// genCheck draws a check: one that looks here or there and goes on as it sees
// fit, one of this package, or several of them.
func (w *world) genCheck(d *dice, depth int, behind, inside bool) authorizer.Check {
	kinds := []string{"own", "own", "bearer", "key", "address"}
	if behind { // another, which has granted something
		kinds = append(kinds, "scopes", "scopes", "scopes", "none")
	}
	if depth > 0 {
		kinds = append(kinds, "any", "any", "all", "all")
		if !inside {
			kinds = append(kinds, "routes", "routes", "routes")
		}
	}
	scopes := []string{"s"}
	switch pick(d, kinds...) {
	case "any":
		return authorizer.Any(w.genCheck(d, depth-1, behind, inside), w.genCheck(d, depth-1, behind, inside))
	case "all":
		return authorizer.All(w.genCheck(d, depth-1, behind, inside), w.genCheck(d, depth-1, true, inside))
	case "routes":
		table := map[string]authorizer.Check{}
		for _, route := range w.api {
			if w.complete || d.IntN(5) > 0 {
				table[route] = w.genCheck(d, depth-1, behind, true)
			}
		}
		return authorizer.Routes(table)
	case "none":
		return authorizer.Scopes("none")
	case "scopes":
		return authorizer.Scopes("s")
	case "bearer":
		return authorizer.Bearer(tokens{"t1": {Principal: "alice", Scopes: scopes}, "t2": {Principal: "bob", Scopes: scopes}})
	case "key":
		return authorizer.APIKey("x-key", tokens{"k1": {Principal: "alice", Scopes: scopes}, "k2": {Principal: "bob", Scopes: scopes}})
	case "address":
		return authorizer.SourceIP("10.0.0.1")
	}
	salt := byte(d.IntN(256))
	order := append(slices.Clone(seen), slices.Repeat(w.sources, 4)...) // most look where they may
	d.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	most := d.IntN(3)
	// Any lets a caller choose what to send, and so which grant it has.
	sent := slices.ContainsFunc(order[:most], func(p placeOf) bool { return strings.HasPrefix(p.http, "$request.") || p.http == "$context.domainName" })
	return func(_ context.Context, r *authorizer.Request) (*authorizer.Grant, error) {
		h := fnv.New32a()
		h.Write([]byte{salt})
		for _, p := range order[:most] {
			fmt.Fprintf(h, "%q", p.read(r))
			if h.Sum32()%4 == 0 {
				break
			}
		}
		switch h.Sum32() / 7 % 4 {
		case 0:
			return nil, guard.Errorf(guard.Forbidden, "no", "")
		case 1:
			return nil, guard.Errorf(guard.Unauthenticated, "no", "")
		}
		if h.Sum32()/5%3 == 0 && !sent {
			return &authorizer.Grant{Principal: "alice"}, nil
		}
		return &authorizer.Grant{Principal: "alice", Scopes: scopes}, nil
	}
}

// A world is an API with an authorizer, and calls that come to it.
type world struct {
	seed     uint64
	format   string
	api      routeTable
	sources  []placeOf
	complete bool
	simple   bool
	check    authorizer.Check
	h        lambda.Handler
	calls    []callOf
}

var formats = []string{"http-2.0", "http-2.0", "http-1.0", "rest-request", "rest-request", "rest-token", "appsync"}

// genCalls draws calls whose routes are not known yet: some, and some that differ
// from those in one thing.
func genCalls(d *dice) []callOf {
	change := map[string]func(c *callOf){
		"method": func(c *callOf) { c.method = pick(d, "GET", "GET", "POST", "HEAD") },
		"path": func(c *callOf) {
			c.path = pick(d, "/a", "/b", "/c", "/a/b", "/1,10.0.0.1", "/a/", "//a", "/b/../a", "/%61", "/a/%62", "/a;b", "/*")
		},
		"x": func(c *callOf) {
			c.x = pick(d, "", "", "1", "GET /a", "/a", "10.0.0.1", "GET", "1,GET /a", "1, 10.0.0.1", "Bearer t1", "k1", "plain.example.com")
		},
		"q":    func(c *callOf) { c.q = pick(d, "", "", "1", "GET /a", "/a/b", "10.0.0.1", "k1") },
		"ip":   func(c *callOf) { c.ip = pick(d, "10.0.0.1", "10.0.0.1", "10.0.0.2") },
		"auth": func(c *callOf) { c.auth = pick(d, "", "Bearer t1", "Bearer t2", "Bearer forged") },
		"key":  func(c *callOf) { c.key = pick(d, "", "k1", "k2", "forged") },
		"base": func(c *callOf) { // of the same path
			if rest, ok := strings.CutPrefix(c.path, "/a/"); ok && c.base == "" {
				c.base, c.path = "/a", "/"+rest
			} else {
				c.base, c.path = "", c.base+c.path
			}
		},
		"slash":  func(c *callOf) { c.path += "/" },
		"escape": func(c *callOf) { c.path = strings.NewReplacer("a", "%61", "b", "%62").Replace(c.path) },
	}
	names := slices.Sorted(maps.Keys(change))
	var calls []callOf
	for range 5 {
		var c callOf
		for _, name := range names[:len(names)-2] {
			change[name](&c)
		}
		calls = append(calls, c)
		for range 3 {
			varied := c
			change[pick(d, names...)](&varied)
			calls = append(calls, varied)
		}
	}
	return calls
}

func genWorld(d *dice) *world {
	routes := []string{"GET /a", "POST /a", "ANY /b", "GET /{p}", "GET /a/{p}", "GET /a/b", "ANY /{p+}", "GET /a/{p+}"}
	w := &world{format: pick(d, formats...), complete: pick(d, true, false)}
	if w.format == "http-2.0" || w.format == "http-1.0" {
		routes = append(routes, "$default")
	}
	w.api = some(d, routes)
	w.sources = some(d, places)
	switch w.format {
	case "rest-token", "appsync": // which have the token alone
		w.sources, w.complete = places[1:2], true
	}
	for _, c := range genCalls(d) {
		// A REST API takes a slash at the end for nothing, an HTTP API does not.
		// https://github.com/aws-powertools/powertools-lambda-python/pull/1577
		// https://github.com/storacha/w3infra/pull/166
		c.route = w.api.route(c.method, c.path)
		if w.format == "http-2.0" || w.format == "http-1.0" {
			c.route = w.api.exactly(c.method, c.path)
		}
		if c.route != "" {
			w.calls = append(w.calls, c)
		}
	}
	w.check = w.genCheck(d, 2, false, false)
	var opts []authorizer.Option
	if w.format == "rest-request" {
		var declared []string
		for _, s := range w.sources {
			declared = append(declared, s.rest)
		}
		opts = append(opts, authorizer.IdentitySources(declared...))
	}
	if w.complete {
		opts = append(opts, authorizer.CompleteRoutes())
	}
	if pick(d, true, false) {
		opts = append(opts, authorizer.EdgeHeaders("x"))
	}
	switch {
	case w.format == "appsync":
		w.h = authorizer.AppSync(w.check)
	case w.format == "http-2.0" && pick(d, true, false):
		w.simple = true
		if pick(d, true, false) {
			opts = append(opts, authorizer.Answer401())
		}
		w.h = authorizer.Simple(w.check, opts...)
	default:
		w.h = authorizer.Policy(w.check, opts...)
	}
	return w
}

func (w *world) String() string {
	var names []string
	for _, s := range w.sources {
		names = append(names, s.http)
	}
	return fmt.Sprintf("seed %d: %s (simple %t) by %q", w.seed, w.format, w.simple, names)
}

// An answered is what the authorizer has said to a call.
type answered struct {
	answer
	err error
}

func (w *world) ask(t *testing.T, h lambda.Handler, c callOf) (out answered) {
	values, _ := key(w.sources, c, false)
	text, err := h.Invoke(context.Background(), c.event(w.format, values))
	if err != nil {
		return answered{err: err}
	}
	if out.answer, err = decodeAnswer(string(text)); err != nil {
		t.Fatal(err)
	}
	return out
}

// kept reports whether the gateway keeps an answer.
func (a answered) kept() bool { return a.err == nil && (a.TTLOverride == nil || *a.TTLOverride > 0) }

// of is what an answer means for a call: whether it is let in, and as whom.
func (a answered) of(c callOf) string {
	var told messages.InvokeResponse_Error
	switch {
	case errors.As(a.err, &told) && told.Message == "Unauthorized":
		return string(unauthorized)
	case a.err != nil:
		return string(broken)
	case a.IsAuthorized != nil && !*a.IsAuthorized, a.IsAuthorized == nil && !a.Policy.allows(c.arn()):
		return string(deny)
	default:
		return fmt.Sprintf("%s %s %v %v", allow, a.PrincipalID, a.Context, a.ResolverContext)
	}
}

func (a answered) lets(c callOf) bool { return strings.HasPrefix(a.of(c), string(allow)) }

// eachKept goes through all pairs of calls of which the second one is answered by
// what the gateway has kept of the first.
func (w *world) eachKept(t *testing.T, do func(first, c callOf, kept, own answered)) {
	answers := make([]answered, len(w.calls))
	keys := make([][]string, len(w.calls))
	for i, c := range w.calls {
		var ok bool
		if keys[i], ok = key(w.sources, c, w.format == "rest-request"); ok {
			answers[i] = w.ask(t, w.h, c)
		} else {
			answers[i].err = guard.Errorf(guard.Internal, "not_asked", "")
		}
	}
	for i, first := range w.calls {
		for j, c := range w.calls {
			if i != j && answers[i].kept() && keys[j] != nil && slices.Equal(keys[i], keys[j]) {
				do(first, c, answers[i], answers[j])
			}
		}
	}
}

// Whatever a check looks at and the gateway keeps by, in some thousands of worlds, as
// most are dull:
//
//   - An answer that was kept of one call lets in no other that the check refuses.
//   - Whatever a client sends without the credentials of another: what the other gets is
//     what it would have had without, a denial like a grant. A call whose own answer is an
//     error, that of a hazard, has none to be robbed of. What is refused may be refused
//     by a 401 or by a policy's 403.
func TestWhatIsKept(t *testing.T) {
	t.Parallel()
	held, let, robbed := map[string]int{}, map[string]int{}, map[string]int{}
	denials := 0
	for range 3000 {
		seed := rand.Uint64()
		w := genWorld(newDice(seed))
		w.seed = seed
		var granted bool // by the check itself
		check := func(ctx context.Context, r *authorizer.Request) (*authorizer.Grant, error) {
			g, err := w.check(ctx, r)
			granted = err == nil && g != nil
			return g, err
		}
		alone := authorizer.Policy(check, authorizer.Uncached())
		if w.format == "appsync" {
			alone = authorizer.AppSync(check)
		}
		w.eachKept(t, func(first, c callOf, kept, own answered) {
			held[w.format]++
			if kept.lets(c) {
				let[w.format]++
				granted = false
				if by := w.ask(t, alone, c); !granted {
					t.Fatalf("%s: %+v gets %s by what was kept of %+v, and by itself %s", w, c, kept.of(c), first, by.of(c))
				}
			}
			if !first.lacks(c) || own.of(c) == string(broken) {
				return
			}
			robbed[w.format]++
			if !kept.lets(c) {
				denials++
			}
			if kept.of(c) != own.of(c) && (kept.lets(c) || own.lets(c)) {
				t.Fatalf("%s: %+v gets %s after %+v, and alone %s", w, c, kept.of(c), first, own.of(c))
			}
		})
	}
	t.Logf("calls held to what was kept: %v; let in: %v; after another's: %v, refused: %d", held, let, robbed, denials)
	if len(let) < 5 || len(robbed) < 3 || denials == 0 {
		t.Error("some format was not tried")
	}
}
