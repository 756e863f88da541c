package authorizer_test

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
)

const stageARN = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/"

// A routeTable is an API in a test: routes, and how a REST API finds one.
type routeTable []string

// route is an independent reading of how a REST API routes: the resource first,
// a literal before a parameter before a greedy one, then its method.
func (g routeTable) route(method, path string) string {
	return g.exactly(method, cmp.Or(strings.TrimSuffix(path, "/"), "/"))
}

// exactly is route where a slash at the end counts, as to an HTTP API.
func (g routeTable) exactly(method, path string) string {
	rank, fallback := "", ""
	if slices.Contains(g, "$default") { // which takes what no other does
		fallback = "$default"
	}
	best := fallback
	for _, key := range g {
		m, template, _ := strings.Cut(key, " ")
		r, ok := rankOf(template, path)
		if !ok || rank != "" && r > rank {
			continue
		}
		if r != rank {
			best, rank = fallback, r
		}
		if m == method || m == "ANY" && best == fallback {
			best = key
		}
	}
	return best
}

// rankOf reports whether a template takes a path, and how specific it is.
func rankOf(template, path string) (rank string, ok bool) {
	want, got := strings.Split(template, "/")[1:], strings.Split(path, "/")[1:]
	for i, w := range want {
		switch {
		case i >= len(got):
			return "", false
		case strings.HasSuffix(w, "+}"):
			return rank + "2", true
		case strings.HasPrefix(w, "{") && got[i] != "":
			rank += "1"
		case w == got[i]:
			rank += "0"
		default:
			return "", false
		}
	}
	return rank, len(want) == len(got)
}

// call is the event of a call, of the type that the authorizer has.
func (g routeTable) call(variant, method, path string) sample.Event {
	arn := stageARN + method + path
	if variant == "token" {
		return sampleOf(variant).Set("/methodArn", arn)
	}
	_, template, _ := strings.Cut(g.route(method, path), " ")
	return sampleOf(variant).Set("/methodArn", arn).Set("/httpMethod", method).Set("/path", path).Set("/resource", template)
}

// universe is every call of a small world, some with a slash too many.
func universe() (calls [][2]string) {
	paths := []string{""}
	for range 3 {
		for _, p := range slices.Clone(paths) {
			for _, s := range []string{"a", "b", "c"} {
				paths = append(paths, p+"/"+s)
			}
		}
	}
	slices.Sort(paths)
	for _, p := range slices.Compact(paths)[1:] {
		for _, m := range []string{"GET", "POST", "DELETE"} {
			calls = append(calls, [2]string{m, p}, [2]string{m, p + "/"})
		}
	}
	return calls
}

// genRoutes draws routes that all differ for the gateway.
func genRoutes(d *dice, not routeTable) routeTable {
	var routes routeTable
	for range d.IntN(7) {
		template := ""
		for range 1 + d.IntN(3) {
			template += "/" + pick(d, "a", "b", "{x}")
		}
		if d.IntN(6) == 0 {
			template = template[:strings.LastIndex(template, "/")] + "/{x+}"
		}
		key := pick(d, "GET", "POST", "ANY") + " " + template
		if !slices.Contains(routes, key) && !slices.Contains(not, key) && fits(append(slices.Clone(routes), key)) {
			routes = append(routes, key)
		}
	}
	return routes
}

// fits reports whether routes are a table: of no two of them neither is the more
// special one.
func fits(routes routeTable) (ok bool) {
	defer func() { ok = recover() == nil }()
	table(routes...)
	return true
}

// Whatever is called first: the policy that the gateway keeps allows no call
// that the check refuses; and if it was not refused as inexpressible, it allows
// every call that the check grants.
func TestAPolicyAllowsWhatTheCheckGrants(t *testing.T) {
	calls := universe()
	t.Parallel()
	held, allowed, refused := 0, 0, 0
	for range 200 {
		seed := rand.Uint64()
		d := newDice(seed)
		table := genRoutes(d, nil)
		complete := pick(d, true, false)
		api := slices.Clone(table)
		if !complete { // the API has more than the table
			api = append(api, genRoutes(d, table)...)
		}
		granted := map[string]bool{}
		routes := map[string]authorizer.Check{}
		for _, key := range table {
			granted[key] = pick(d, true, false)
			if granted[key] {
				routes[key] = authorizer.Scopes("s")
			} else {
				routes[key] = authorizer.Scopes("none")
			}
		}
		grants := func(route string) bool {
			if _, known := granted[route]; !known { // a method that the table has under ANY
				_, template, _ := strings.Cut(route, " ")
				route = "ANY " + template
			}
			return granted[route]
		}
		// A token's event has the path alone, and what stands before a greedy parameter
		// is then of no route: see TestARedirectIsNoMatch.
		beforeGreedy := func(path string) bool {
			return slices.ContainsFunc(table, func(key string) bool {
				rest, ok := strings.CutPrefix(key[strings.IndexByte(key, '/'):], path+"/{")
				return ok && strings.HasSuffix(rest, "+}") && !strings.Contains(rest, "/")
			})
		}
		check := authorizer.All(authorizer.Bearer(alice("s")), authorizer.Routes(routes))
		opts := []authorizer.Option{authorizer.IdentitySources("method.request.header.Authorization")}
		if complete {
			opts = append(opts, authorizer.CompleteRoutes())
		}
		variant := pick(d, "token", "request")
		if variant == "token" && !complete {
			continue // the event does not tell the route, so the table has to be the API's
		}
		var firsts [][2]string
		for _, c := range calls {
			if api.route(c[0], c[1]) != "" { // the gateway refuses the others by itself
				firsts = append(firsts, c)
			}
		}
		for range min(8, len(firsts)) {
			first := pick(d, firsts...)
			out, err := authorizer.Policy(check, opts...).Invoke(t.Context(), api.call(variant, first[0], first[1]).Bytes())
			if guard.Public(err).Code == "authorizer_cache_hazard" { // which is not kept
				refused++
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			a, err := decodeAnswer(string(out))
			if err != nil {
				t.Fatal(err)
			}
			expressed := a.PrincipalID == "alice" || !slices.Contains(slices.Collect(maps.Values(granted)), true)
			for _, c := range firsts {
				held++
				route := api.route(c[0], c[1])
				switch got := a.Policy.allows(stageARN + c[0] + c[1]); {
				case got && !grants(route):
					t.Fatalf("seed %d: %s %s, route %q, is refused and allowed by %s", seed, c[0], c[1], route, out)
				case !got && grants(route) && expressed && !strings.HasSuffix(c[1], "/") && !(variant == "token" && beforeGreedy(c[1])):
					t.Fatalf("seed %d: %s %s, route %q, is granted and not allowed by %s", seed, c[0], c[1], route, out)
				case got:
					allowed++
				}
			}
		}
	}
	t.Logf("%d calls held to a policy, %d allowed; %d decisions refused", held, allowed, refused)
	if allowed == 0 { // some 1500 usually
		t.Error("no call was allowed")
	}
}

// What is to be allowed of a table when one of its routes is called.
func TestPoliciesOfTables(t *testing.T) {
	const (
		auth    = "method.request.header.Authorization"
		detours = "*/. */.. */../* */./* *//*"                                               // to what is refused elsewhere
		escapes = "*%25* *%2E* *%2F* *%2e* *%2f* *%65* *%6F* *%6f* *%70* *%72* *%74* *%78* " // of what export is made of
	)
	for _, tt := range []struct {
		name        string
		table       string // "+" before what is granted
		call        string
		opts        []authorizer.Option
		allow, deny string // ARNs from the stage on
		hazard      string
	}{
		{name: "one route", table: "+GET /orders", call: "GET /orders", allow: "GET/orders HEAD/orders"},
		{name: "another is called first", table: "+GET /orders,POST /orders", call: "POST /orders", allow: "GET/orders HEAD/orders"},
		{name: "an unknown one is called first", table: "+GET /orders", call: "GET /users", allow: "GET/orders HEAD/orders"},
		{name: "none is granted", table: "GET /orders", call: "GET /orders"},
		{name: "the root", table: "+GET /", call: "GET /", allow: "GET/ HEAD/"},
		{name: "ANY", table: "+ANY /orders", call: "GET /orders", allow: "DELETE/orders GET/orders HEAD/orders OPTIONS/orders PATCH/orders POST/orders PUT/orders"},
		{name: "ANY but one", table: "+ANY /orders,DELETE /orders", call: "GET /orders", allow: "GET/orders HEAD/orders OPTIONS/orders PATCH/orders POST/orders PUT/orders"},
		{name: "one of ANY", table: "ANY /orders,+GET /orders", call: "GET /orders", allow: "GET/orders HEAD/orders"},
		{name: "a parameter", table: "+GET /orders/{id}", call: "GET /orders/{id}", hazard: "CompleteRoutes()"},
		{name: "a parameter that is refused", table: "GET /orders/{id},+GET /orders", call: "GET /orders/{id}", allow: "GET/orders HEAD/orders"},
		{name: "a parameter, complete", table: "+GET /orders/{id}", call: "GET /orders/{id}", opts: []authorizer.Option{authorizer.CompleteRoutes()}, allow: "GET/orders/* GET/orders/42 HEAD/orders/*"},
		{name: "all below it", table: "+GET /orders/{id},+GET /orders/{id}/items", call: "GET /orders/{id}", opts: []authorizer.Option{authorizer.CompleteRoutes()}, allow: "GET/orders/* GET/orders/42 HEAD/orders/*"},
		{name: "a literal beside it", table: "+GET /orders/{id},GET /orders/export", call: "GET /orders/{id}", opts: []authorizer.Option{authorizer.CompleteRoutes()}, allow: "GET/orders/* GET/orders/42 HEAD/orders/*", deny: escapes + detours + " GET/orders/export GET/orders/export/ HEAD/orders/export HEAD/orders/export/"},
		{name: "what it hangs from", table: "+GET /orders/{id},GET /orders", call: "GET /orders/{id}", opts: []authorizer.Option{authorizer.CompleteRoutes()}, allow: "GET/orders/* GET/orders/42 HEAD/orders/*", deny: detours + " GET/orders GET/orders/ GET/orders/%2F* GET/orders/%2f* HEAD/orders HEAD/orders/ HEAD/orders/%2F* HEAD/orders/%2f*"},
		{name: "a parameter below it", table: "+GET /orders/{id},GET /orders/{id}/refunds", call: "GET /orders/{id}", opts: []authorizer.Option{authorizer.CompleteRoutes()}, hazard: "no policy allows GET /orders/{id} without GET /orders/{id}/refunds"},
		{name: "another method below it", table: "+GET /orders/{id},POST /orders/{id}/refunds", call: "GET /orders/{id}", opts: []authorizer.Option{authorizer.CompleteRoutes()}, allow: "GET/orders/* GET/orders/42 HEAD/orders/*"},
		{name: "elsewhere", table: "+GET /orders/{id},GET /users/{id}", call: "GET /orders/{id}", opts: []authorizer.Option{authorizer.CompleteRoutes()}, allow: "GET/orders/* GET/orders/42 HEAD/orders/*", deny: detours},
		{name: "a greedy one above", table: "+GET /orders/{id},ANY /{proxy+}", call: "GET /orders/{id}", opts: []authorizer.Option{authorizer.CompleteRoutes()}, hazard: "ANY /{proxy+}"},
		{name: "the route is a source", table: "+GET /orders/{id},GET /orders/{id}/refunds", call: "GET /orders/{id}", opts: []authorizer.Option{authorizer.IdentitySources(auth, "context.resourcePath", "context.httpMethod")}, allow: "GET/orders/*"},
		{name: "the route is a source, a literal", table: "+GET /orders,GET /users", call: "GET /orders", opts: []authorizer.Option{authorizer.IdentitySources(auth, "context.resourcePath", "context.httpMethod")}, allow: "GET/orders"},
		{name: "nothing is kept", table: "+GET /orders/{id},GET /orders/{id}/refunds,+GET /users", call: "GET /orders/{id}", opts: []authorizer.Option{authorizer.Uncached()}, allow: "GET/orders/42"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			routes := map[string]authorizer.Check{}
			for key := range strings.SplitSeq(tt.table, ",") {
				key, granted := strings.CutPrefix(key, "+")
				routes[key] = authorizer.Scopes("none")
				if granted {
					routes[key] = authorizer.Scopes("s")
				}
			}
			method, template, _ := strings.Cut(tt.call, " ")
			path := strings.ReplaceAll(template, "{id}", "42")
			event := sampleOf("request").Set("/methodArn", stageARN+method+path).Set("/httpMethod", method).Set("/resource", template).Set("/path", path)
			h := authorizer.Policy(authorizer.All(authorizer.Bearer(alice("s")), authorizer.Routes(routes)), append([]authorizer.Option{authorizer.IdentitySources(auth)}, tt.opts...)...)
			out, log, err := ask(t, h, event)
			if (err != nil) != (tt.hazard != "") || (log.code() == "authorizer_cache_hazard") != (tt.hazard != "") || !strings.Contains(log.text("fix"), tt.hazard) {
				t.Fatalf("got %s, %v, %v, want a hazard %q", out, log, err, tt.hazard)
			}
			if err != nil {
				return
			}
			var allow, deny []string
			for _, s := range parse(t, out).Policy.Statement {
				for _, resource := range s.Resource {
					if s.Action != "execute-api:Invoke" {
						t.Errorf("the action %q", s.Action)
					}
					short := strings.TrimPrefix(resource, stageARN)
					if s.Effect == "Allow" {
						allow = append(allow, short)
					} else {
						deny = append(deny, short)
					}
				}
			}
			slices.Sort(allow)
			slices.Sort(deny)
			allow = slices.DeleteFunc(allow, func(a string) bool { // as a REST API takes a slash at the end for nothing
				bare, ok := strings.CutSuffix(a, "/")
				return ok && slices.Contains(allow, bare)
			})
			wantDeny := tt.deny
			if tt.allow == "" {
				wantDeny = "*"
			}
			if strings.Join(allow, " ") != tt.allow || strings.Join(deny, " ") != wantDeny {
				t.Errorf("allow %q, deny %q, want %q and %q: %v", allow, deny, tt.allow, wantDeny, log)
			}
		})
	}
}

// A call may be granted before the check comes to its second table. The policy
// is for the routes of that one as well.
func TestAPolicyIsForAllTablesOfACheck(t *testing.T) {
	staff := authorizer.Routes(map[string]authorizer.Check{
		"GET /staff":    authorizer.Scopes("staff"),
		"GET /payroll":  authorizer.Scopes("payroll"),
		"POST /reports": authorizer.Scopes("staff"),
	})
	public := authorizer.Routes(map[string]authorizer.Check{"GET /news": authorizer.Scopes("news")})
	h := authorizer.Policy(authorizer.All(authorizer.Bearer(alice("news", "staff")), authorizer.Any(public, staff)))
	for _, first := range []string{"GET/news", "GET/staff", "GET/payroll", "POST/reports", "GET/elsewhere"} {
		out, _, err := ask(t, h, sampleOf("token").Set("/methodArn", stageARN+first))
		for call, want := range map[string]outcome{"GET/news": allow, "GET/staff": allow, "POST/reports": allow, "GET/payroll": deny, "GET/elsewhere": deny} {
			if got := outcomeOf(t, out, err, stageARN+call); got != want {
				t.Errorf("%s after %s: %s, want %s: %s", call, first, got, want, out)
			}
		}
	}
}

// A route's check that looks at what the table cannot suppose.
func TestAPolicyIsForNoCallThatIsNotKnown(t *testing.T) {
	pathOf := looks(func(r *authorizer.Request) bool { return r.PathValue("id") != "43" })
	path := looks(func(r *authorizer.Request) bool { return r.Path() != "/orders/43" })
	for _, own := range []authorizer.Check{pathOf, path} {
		routes := authorizer.Routes(map[string]authorizer.Check{"GET /orders/{id}": own, "GET /orders": authorizer.Bearer(alice())})
		refusesSupposedPaths(t, routes)
	}
}

func refusesSupposedPaths(t *testing.T, routes authorizer.Check) {
	t.Helper()
	for _, variant := range []string{"request", "token"} {
		for _, resource := range []string{"/orders", "/orders/{id}"} {
			path := strings.ReplaceAll(resource, "{id}", "42")
			event := sampleOf(variant).Set("/methodArn", stageARN+"GET"+path)
			if variant == "request" {
				event = event.Set("/resource", resource).Set("/path", path)
			}
			for _, opts := range [][]authorizer.Option{nil, {authorizer.CompleteRoutes()}} {
				opts = append(opts, authorizer.IdentitySources("method.request.header.Authorization", "context.path"))
				out, log, err := ask(t, authorizer.Policy(routes, opts...), event)
				if outcomeOf(t, out, err, arnOf(event)) != broken || log.code() != "authorizer_cache_hazard" {
					t.Errorf("%s %s: %s, %v", variant, resource, out, log)
				}
			}
		}
	}
}

// Another route's check that looks at what is no identity source.
func TestAPolicyDependsOnWhatItsRoutesLookAt(t *testing.T) {
	reads := looks(func(r *authorizer.Request) bool { return r.Header("x-none") == "" })
	c := authorizer.Routes(map[string]authorizer.Check{"GET /a": authorizer.Bearer(alice()), "GET /b": reads})
	for _, path := range []string{"/a", "/b"} {
		out, log, err := ask(t, authorizer.Policy(c), sampleOf("token").Set("/methodArn", stageARN+"GET"+path))
		if outcomeOf(t, out, err, stageARN+"GET"+path) != broken || log.code() != "authorizer_cache_hazard" {
			t.Errorf("%s: %s, %v", path, out, log)
		}
	}
}

// What the gateway has no routes for, or sends to $default, it also sends to the
// function: a table is then not all that is behind "/orders/*".
func TestCompleteRoutesHasToBeTrue(t *testing.T) {
	both := authorizer.Routes(map[string]authorizer.Check{"GET /orders/{id}": authorizer.Bearer(alice()), "$default": authorizer.Scopes("none")})
	one := authorizer.Routes(map[string]authorizer.Check{"GET /orders/{id}": authorizer.Bearer(alice())})
	for name, tt := range map[string]struct {
		check authorizer.Check
		route string
		want  outcome
	}{
		"the gateway routes":         {check: one, route: routeKey, want: allow},
		"the function routes":        {check: one, route: "ANY /{proxy+}", want: broken},
		"$default is refused":        {check: authorizer.All(authorizer.Bearer(alice()), both), route: routeKey, want: broken},
		"$default is what is called": {check: authorizer.All(authorizer.Bearer(alice()), both), route: "$default", want: broken},
	} {
		event := sampleOf("").Set("/routeKey", tt.route)
		out, log, err := ask(t, authorizer.Policy(tt.check, authorizer.CompleteRoutes()), event)
		if got := outcomeOf(t, out, err, arnOf(event)); got != tt.want || (tt.want == broken) != (log.code() == "authorizer_cache_hazard") {
			t.Errorf("%s: %s: %s, %v", name, got, out, log)
		}
	}
}
