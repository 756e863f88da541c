package quota_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/guard/quota"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

const (
	policyHeader = "ratelimit-policy"
	stateHeader  = "ratelimit"
	retryHeader  = "retry-after"
)

func TestEachRequestReportsItsQuota(t *testing.T) {
	clock, f := at(noon.Add(20500*time.Millisecond)), new(function)
	h := f.api(quota.LimitAt(clock.Now, idempotency.NewMemoryStore(), quota.FailClosed,
		quota.Allow("user", 2, time.Minute, quota.Principal())))
	mustBe(t, send(t, h, call{who: "alice"}), 200, policyHeader, `"user";q=2;w=60`, stateHeader, `"user";r=1;t=40`, retryHeader, "")
	mustBe(t, send(t, h, call{who: "alice"}), 200, policyHeader, `"user";q=2;w=60`, stateHeader, `"user";r=0;t=40`)
	refused := send(t, h, call{who: "alice"})
	mustBe(t, refused, 429, policyHeader, `"user";q=2;w=60`, stateHeader, `"user";r=0;t=40`, retryHeader, "40", "content-type", "application/problem+json")
	if got := codeOf(t, refused); got != "quota_exceeded" {
		t.Errorf("got the code %s, want quota_exceeded", got)
	}
	mustBe(t, send(t, h, call{who: "bob"}), 200, stateHeader, `"user";r=1;t=40`)
	f.mustHaveRun(t, 3)

	clock.move(39 * time.Second)
	mustBe(t, send(t, h, call{who: "alice"}), 429, stateHeader, `"user";r=0;t=1`, retryHeader, "1")
	clock.move(500 * time.Millisecond)
	mustBe(t, send(t, h, call{who: "alice"}), 200, stateHeader, `"user";r=1;t=60`)
}

func TestAllPoliciesHaveToAllow(t *testing.T) {
	clock, f := at(noon), new(function)
	h := f.api(quota.LimitAt(clock.Now, idempotency.NewMemoryStore(), quota.FailClosed,
		quota.Allow("minute", 2, time.Minute, quota.Principal()),
		quota.Allow("day", 3, 24*time.Hour, quota.Principal())))
	const policies = `"minute";q=2;w=60, "day";q=3;w=86400`
	mustBe(t, send(t, h, call{who: "alice"}), 200, policyHeader, policies, stateHeader, `"minute";r=1;t=60, "day";r=2;t=43200`)
	mustBe(t, send(t, h, call{who: "alice"}), 200, stateHeader, `"minute";r=0;t=60, "day";r=1;t=43200`)
	for range 5 { // which use up nothing of the day
		mustBe(t, send(t, h, call{who: "alice"}), 429, policyHeader, policies, stateHeader, `"minute";r=0;t=60, "day";r=1;t=43200`, retryHeader, "60")
	}
	clock.move(time.Minute)
	mustBe(t, send(t, h, call{who: "alice"}), 200, stateHeader, `"minute";r=1;t=60, "day";r=0;t=43140`)
	for range 5 { // which use up nothing of the minute, and wait for the day
		mustBe(t, send(t, h, call{who: "alice"}), 429, stateHeader, `"minute";r=1;t=60, "day";r=0;t=43140`, retryHeader, "43140")
	}
	f.mustHaveRun(t, 3)
}

// Each process learns from the store that the minute is used up. The day is as it was.
func TestARefusalTakesNothingFromThePoliciesBehind(t *testing.T) {
	clock, store := at(noon), idempotency.NewMemoryStore()
	open := func() lambda.Handler {
		return new(function).api(quota.LimitAt(clock.Now, store, quota.FailClosed,
			quota.Allow("minute", 1, time.Minute, quota.Principal()), quota.Allow("day", 20, 24*time.Hour, quota.Principal())))
	}
	mustBe(t, send(t, open(), call{who: "alice"}), 200, stateHeader, `"minute";r=0;t=60, "day";r=19;t=43200`)
	for range 19 {
		mustBe(t, send(t, open(), call{who: "alice"}), 429, stateHeader, `"minute";r=0;t=60`, retryHeader, "60")
	}
	clock.move(time.Minute)
	mustBe(t, send(t, open(), call{who: "alice"}), 200, stateHeader, `"minute";r=0;t=60, "day";r=18;t=43140`)
}

// What a process knows of one policy refuses a request before it takes a share of another.
func TestAKnownRefusalTakesNothing(t *testing.T) {
	clock, memory, asked := at(noon), idempotency.NewMemoryStore(), 0
	store := counter(func(ctx context.Context, key string, want, limit int64, expires time.Time) (int64, int64, error) {
		asked++
		return memory.Take(ctx, key, want, limit, expires)
	})
	h := new(function).api(quota.LimitAt(clock.Now, store, quota.FailClosed,
		quota.Allow("minute", 9, time.Minute), quota.Allow("day", 1, 24*time.Hour)))
	mustBe(t, send(t, h, call{}), 200, stateHeader, `"minute";r=8;t=60, "day";r=0;t=43200`)
	mustBe(t, send(t, h, call{}), 429, stateHeader, `"minute";r=8;t=60, "day";r=0;t=43200`)
	if asked != 2 {
		t.Errorf("asked %d times, want once for each policy", asked)
	}
}

// A process that learns of a refusal keeps what it took before of the policies in front,
// and takes no more of them.
func TestAProcessKeepsOneShareOfThePoliciesInFront(t *testing.T) {
	const processes = 10
	clock, store := at(noon), idempotency.NewMemoryStore()
	open := func() lambda.Handler {
		return new(function).api(quota.LimitAt(clock.Now, store, quota.FailClosed,
			quota.Allow("all", 100, time.Minute), quota.Allow("user", 1, time.Minute, quota.Principal())))
	}
	mustBe(t, send(t, open(), call{who: "alice"}), 200)
	for range processes {
		h := open()
		for range 5 {
			mustBe(t, send(t, h, call{who: "alice"}), 429)
		}
	}
	mustBe(t, send(t, open(), call{who: "bob"}), 200, stateHeader, `"all";r=88;t=60, "user";r=0;t=60`)
}

// FailOpen lets a request pass that nobody can count, and none that is known to be too many.
func TestFailOpenRefusesWhatIsKnownToBeTooMuch(t *testing.T) {
	memory, down := idempotency.NewMemoryStore(), false
	store := counter(func(ctx context.Context, key string, want, limit int64, expires time.Time) (int64, int64, error) {
		if down {
			return 0, 0, errDown
		}
		return memory.Take(ctx, key, want, limit, expires)
	})
	clock, f := at(noon), new(function)
	h := f.api(quota.LimitAt(clock.Now, store, quota.FailOpen,
		quota.Allow("minute", 9, time.Minute), quota.Allow("day", 1, 24*time.Hour)))
	mustBe(t, send(t, h, call{}), 200)
	clock.move(time.Minute)
	down = true
	mustBe(t, send(t, h, call{}), 429, stateHeader, `"day";r=0;t=43140`)
	f.mustHaveRun(t, 1)
}

func TestAPolicyKeepsItsKeys(t *testing.T) {
	per := []quota.Key{quota.Principal()}
	policy := quota.Allow("p", 1, time.Minute, per...)
	per[0] = quota.SourceIP()
	h := new(function).api(quota.LimitAt(at(noon).Now, idempotency.NewMemoryStore(), quota.FailClosed, policy))
	mustBe(t, send(t, h, call{who: "a"}), 200)
	mustBe(t, send(t, h, call{who: "b"}), 200)
}

// The method of a route for any method is the caller's choice.
func TestARouteForAnyMethodIsOneRoute(t *testing.T) {
	h := guard.Wrap(new(function).handler(), quota.LimitAt(at(noon).Now, idempotency.NewMemoryStore(), quota.FailClosed, quota.Allow("p", 1, time.Minute, quota.Route())))
	post := sample.HTTP("POST", "/orders").JSON(`{}`)
	for name, events := range map[string][]sample.Event{
		"format 2.0": {
			post.Event().Set("/routeKey", "ANY /orders").Set("/requestContext/routeKey", "ANY /orders"),
			post.Event().Set("/routeKey", "ANY /orders").Set("/requestContext/routeKey", "ANY /orders").Set("/requestContext/http/method", "PUT"),
		},
		"format 1.0": {
			post.Format1().Event().Set("/resource", "/carts").Set("/requestContext/resourceId", "ANY /carts"),
			post.Format1().Event().Set("/resource", "/carts").Set("/requestContext/resourceId", "ANY /carts").Set("/httpMethod", "PUT"),
		},
	} {
		if _, err := h.Invoke(t.Context(), events[0].Bytes()); err != nil {
			t.Errorf("%s: got %v, want no error", name, err)
		}
		if _, err := h.Invoke(t.Context(), events[1].Bytes()); guard.Public(err).Code != "quota_exceeded" {
			t.Errorf("%s: got %v for another method, want quota_exceeded", name, err)
		}
	}
}

func TestARefusalWaitsForTheLastOfItsPolicies(t *testing.T) {
	minute, day := quota.Allow("minute", 1, time.Minute), quota.Allow("day", 1, 24*time.Hour)
	for name, policies := range map[string][]quota.Policy{"minute first": {minute, day}, "day first": {day, minute}} {
		h := new(function).api(quota.LimitAt(at(noon).Now, idempotency.NewMemoryStore(), quota.FailClosed, policies...))
		mustBe(t, send(t, h, call{}), 200)
		if r := send(t, h, call{}); r.Status != 429 || r.Headers[retryHeader] != "43200" {
			t.Errorf("%s: got %d after %q seconds, want 429 after 43200", name, r.Status, r.Headers[retryHeader])
		}
	}
}

func TestARequestCountsByItsKeys(t *testing.T) {
	for name, c := range map[string]struct {
		per    []quota.Key
		first  call
		other  call // counts apart
		same   call // counts with first
		status int  // of same; 429 if 0
		code   string
	}{
		"principal":             {per: []quota.Key{quota.Principal()}, first: call{who: "a"}, other: call{who: "b"}, same: call{who: "a", route: "GET /x", ip: "192.0.2.9"}},
		"no principal":          {per: []quota.Key{quota.Principal()}, first: call{who: "a"}, other: call{who: "b"}, status: 401, code: "quota_principal_missing"},
		"route":                 {per: []quota.Key{quota.Route()}, first: call{who: "a"}, other: call{who: "a", route: "GET /orders"}, same: call{who: "b"}},
		"path of one route":     {per: []quota.Key{quota.Route()}, first: call{who: "a", route: "GET /o/{id}", path: "/o/1"}, other: call{who: "a"}, same: call{who: "a", route: "GET /o/{id}", path: "/o/2"}},
		"paths behind $default": {per: []quota.Key{quota.Route()}, first: call{route: "$default", path: "/1"}, other: call{}, same: call{route: "$default", path: "/2"}},
		"principal and route": {
			per: []quota.Key{quota.Principal(), quota.Route()}, first: call{who: "a"}, other: call{who: "a", route: "GET /orders"}, same: call{who: "a"},
		},
		"source":         {per: []quota.Key{quota.SourceIP()}, first: call{ip: "192.0.2.1"}, other: call{ip: "192.0.2.2"}, same: call{ip: "192.0.2.1", who: "a"}},
		"mapped source":  {per: []quota.Key{quota.SourceIP()}, first: call{ip: "192.0.2.1"}, other: call{ip: "192.0.2.2"}, same: call{ip: "::ffff:192.0.2.1"}},
		"source network": {per: []quota.Key{quota.SourceIP()}, first: call{ip: "2001:db8::1"}, other: call{ip: "2001:db8:0:1::1"}, same: call{ip: "2001:db8::ffff:0:2"}},
		"no source":      {per: []quota.Key{quota.SourceIP()}, first: call{}, other: call{ip: "192.0.2.2"}, same: call{ip: "somewhere"}, status: 500, code: "quota_source_missing"},
		"principal before source": {
			per: []quota.Key{quota.PrincipalOrSourceIP()}, first: call{who: "a"}, other: call{who: "b"}, same: call{who: "a", ip: "192.0.2.9"},
		},
		"source without a principal": {
			per: []quota.Key{quota.PrincipalOrSourceIP()}, first: call{ip: "192.0.2.1"}, other: call{who: "192.0.2.1"}, same: call{ip: "192.0.2.1"},
		},
		"own key": {per: []quota.Key{quota.By(header)}, first: call{key: "x"}, other: call{key: "y"}, same: call{key: "x", who: "a"}},
		"no own key": {
			per: []quota.Key{quota.By(header)}, first: call{key: "x"}, other: call{key: "y"}, same: call{}, status: 500, code: "quota_key_missing",
		},
		"all together": {first: call{who: "a"}, same: call{who: "b", route: "GET /", ip: "192.0.2.9"}},
	} {
		t.Run(name, func(t *testing.T) {
			h := new(function).api(quota.LimitAt(at(noon).Now, idempotency.NewMemoryStore(), quota.FailClosed, quota.Allow("p", 1, time.Minute, c.per...)))
			mustBe(t, send(t, h, c.first), 200)
			if c.other != (call{}) || len(c.per) > 0 {
				mustBe(t, send(t, h, c.other), 200)
			}
			status, code := 429, "quota_exceeded"
			if c.status != 0 {
				status, code = c.status, c.code
			}
			r := send(t, h, c.same)
			mustBe(t, r, status)
			if got := codeOf(t, r); got != code {
				t.Errorf("got the code %s, want %s", got, code)
			}
		})
	}
}

func header(_ context.Context, ev *guard.Event) (string, error) {
	req, err := ev.Request()
	if err != nil {
		return "", err
	}
	return req.Header("idempotency-key"), nil
}

func TestAnErrorOfAKeyIsTheAnswer(t *testing.T) {
	f := new(function)
	h := f.api(quota.Limit(idempotency.NewMemoryStore(), quota.FailOpen, quota.Allow("p", 1, time.Minute,
		quota.By(func(context.Context, *guard.Event) (string, error) {
			return "", guard.Errorf(guard.Forbidden, "no_plan", "The account has no plan.")
		}))))
	r := send(t, h, call{})
	if mustBe(t, r, 403, policyHeader, ""); codeOf(t, r) != "no_plan" {
		t.Errorf("got %s, want no_plan", r.Body)
	}
	f.mustHaveRun(t, 0)
}

func TestARouteInsideRoutesCountsItsPattern(t *testing.T) {
	f := new(function)
	limited := guard.Wrap(f.handler(), quota.LimitAt(at(noon).Now, idempotency.NewMemoryStore(), quota.FailClosed, quota.Allow("place", 1, time.Minute, quota.Route())))
	h := guard.Wrap(httpapi.Routes(map[string]lambda.Handler{"POST /orders": limited, "POST /carts/{id}": limited}), httpapi.Problems())
	mustBe(t, send(t, h, call{route: "$default", path: "/orders"}), 200)
	mustBe(t, send(t, h, call{route: "$default", path: "/orders"}), 429)
	mustBe(t, send(t, h, call{route: "$default", path: "/carts/1"}), 200)
	mustBe(t, send(t, h, call{route: "$default", path: "/carts/2"}), 429)
}

func TestTenantsShareNoQuota(t *testing.T) {
	h := new(function).api(quota.LimitAt(at(noon).Now, idempotency.NewMemoryStore(), quota.FailClosed, quota.Allow("p", 1, time.Minute)))
	for _, tenant := range []string{"", "blue", "green"} {
		ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{TenantID: tenant})
		for i, want := range []string{`{"statusCode":200,`, `{"statusCode":429,`} {
			if out, err := h.Invoke(ctx, call{}.event()); err != nil || !strings.HasPrefix(string(out), want) {
				t.Errorf("tenant %q, request %d: got %.40s, %v, want %s", tenant, i+1, out, err, want)
			}
		}
	}
}

// Keys come from callers. A key of the store is 43 characters of one alphabet all the
// same, and two callers never share one.
func TestNoTextOfACallerIsAKey(t *testing.T) {
	var keys []string
	store := counter(func(_ context.Context, key string, want, limit int64, _ time.Time) (int64, int64, error) {
		keys = append(keys, key)
		return want, want, nil
	})
	h := guard.Wrap(guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return nil, nil }),
		as(), quota.LimitAt(at(noon).Now, store, quota.FailClosed, quota.Allow("p", 1, time.Minute, quota.Principal(), quota.By(second))))
	hostile := [][2]string{
		{"a", "b"},
		{"a\x00b", "b"},
		{"a", "\x00b"},
		{"ab", "c"},
		{"a", "bc"},
		{"principal", "a"},
		{"a", "principal"},
		{strings.Repeat("x", 1<<20), "y"},
		{"x", strings.Repeat("y", 1<<20)},
		{"\xff\xfe", "z"},
		{"{a}:1", "*"},
		{"ä", "ö"},
		{"A", "b"},
	}
	for _, who := range hostile {
		ctx := context.WithValue(t.Context(), hostileKey{}, who)
		if _, err := h.Invoke(ctx, []byte(`{}`)); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(keys)
	if got := slices.Compact(slices.Clone(keys)); len(got) != len(hostile) {
		t.Errorf("got %d keys for %d callers", len(got), len(hostile))
	}
	for _, key := range keys {
		outside := func(r rune) bool {
			return !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", r)
		}
		if len(key) != 43 || strings.ContainsFunc(key, outside) {
			t.Errorf("got the key %.80q, want 43 characters of base64url", key)
		}
	}
}

// A process whose clock is behind finds the counter of its window.
func TestACounterOutlivesItsWindow(t *testing.T) {
	var expires time.Time
	store := counter(func(_ context.Context, _ string, want, _ int64, until time.Time) (int64, int64, error) {
		expires = until
		return want, want, nil
	})
	h := new(function).api(quota.LimitAt(at(noon.Add(time.Second)).Now, store, quota.FailClosed, quota.Allow("p", 1, time.Minute)))
	mustBe(t, send(t, h, call{}), 200)
	if want := noon.Add(6 * time.Minute); !expires.Equal(want) {
		t.Errorf("got %v, want five minutes after the window: %v", expires, want)
	}
}

type hostileKey struct{}

func as() guard.Middleware {
	return func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			who, _ := ctx.Value(hostileKey{}).([2]string)
			if err := layer.SetPrincipal(ctx, who[0]); err != nil {
				return nil, err
			}
			return next.Invoke(ctx, payload)
		})
	}
}

func second(ctx context.Context, _ *guard.Event) (string, error) {
	who, _ := ctx.Value(hostileKey{}).([2]string)
	return who[1], nil
}

func TestHeadersOfAForeignHandlersAnswer(t *testing.T) {
	foreign := guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) {
		return []byte(`{"statusCode":418,"headers":{"RateLimit":"mine","X-Own":"stays"},"body":"tea"}`), nil
	})
	h := guard.Wrap(foreign, quota.LimitAt(at(noon).Now, idempotency.NewMemoryStore(), quota.FailClosed, quota.Allow("p", 9, time.Minute)))
	r := send(t, h, call{})
	if mustBe(t, r, 418, policyHeader, `"p";q=9;w=60`, stateHeader, `"p";r=8;t=60`, "x-own", "stays"); r.Body != "tea" {
		t.Errorf("got the body %q, want tea", r.Body)
	}
}

func TestProblemsOfTheHandlerReportTheQuota(t *testing.T) {
	missing := httpapi.Func(func(context.Context, struct{}) (struct{}, error) {
		return struct{}{}, guard.Errorf(guard.NotFound, "no_order", "There is no such order.")
	})
	h := guard.Wrap(missing, httpapi.Problems(), quota.LimitAt(at(noon).Now, idempotency.NewMemoryStore(), quota.FailClosed, quota.Allow("p", 9, time.Minute)))
	mustBe(t, send(t, h, call{}), 404, stateHeader, `"p";r=8;t=60`)
}

// The limit of a route adds to that of the function.
func TestLimitsInsideLimitsAreReportedTogether(t *testing.T) {
	store, f := idempotency.NewMemoryStore(), new(function)
	inner := quota.LimitAt(at(noon).Now, store, quota.FailClosed, quota.Allow("place", 1, time.Minute, quota.Principal()))
	h := f.api(quota.LimitAt(at(noon).Now, store, quota.FailClosed, quota.Allow("user", 9, time.Minute, quota.Principal())), inner)
	mustBe(t, send(t, h, call{who: "a"}), 200, policyHeader, `"user";q=9;w=60, "place";q=1;w=60`, stateHeader, `"user";r=8;t=60, "place";r=0;t=60`)
	mustBe(t, send(t, h, call{who: "a"}), 429, policyHeader, `"user";q=9;w=60, "place";q=1;w=60`, stateHeader, `"user";r=7;t=60, "place";r=0;t=60`)
}

// A replay costs an invocation and a request to the store, so it counts. It reports
// the quota of now, and not the one of the first answer, which was stored.
func TestAReplayCountsAndReportsItself(t *testing.T) {
	store, f := idempotency.NewMemoryStore(), new(function)
	h := f.api(quota.LimitAt(at(noon).Now, store, quota.FailClosed, quota.Allow("user", 2, time.Minute, quota.Principal())),
		idempotency.Once(store, idempotency.Header("Idempotency-Key")))
	c := call{who: "a", key: `"k-1"`}
	mustBe(t, send(t, h, c), 200, stateHeader, `"user";r=1;t=60`, "idempotent-replayed", "")
	mustBe(t, send(t, h, c), 200, stateHeader, `"user";r=0;t=60`, "idempotent-replayed", "true")
	mustBe(t, send(t, h, c), 429)
	f.mustHaveRun(t, 1)
}

func TestNoInnerLayerNamesAnotherPrincipal(t *testing.T) {
	late := func(next lambda.Handler) lambda.Handler { // of a third party, whose order nobody sees
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			if err := layer.SetPrincipal(ctx, "mallory"); err != nil {
				return nil, err
			}
			return next.Invoke(ctx, payload)
		})
	}
	for name, key := range map[string]quota.Key{"principal": quota.Principal(), "principal or source": quota.PrincipalOrSourceIP()} {
		f := new(function)
		r := send(t, f.api(quota.Limit(idempotency.NewMemoryStore(), quota.FailOpen, quota.Allow("p", 9, time.Minute, key)), late), call{who: "alice"})
		if mustBe(t, r, 500); codeOf(t, r) != "order_unsafe" {
			t.Errorf("%s: got %s, want order_unsafe", name, r.Body)
		}
		f.mustHaveRun(t, 0)
	}
	f := new(function)
	mustBe(t, send(t, f.api(quota.Limit(idempotency.NewMemoryStore(), quota.FailOpen, quota.Allow("p", 9, time.Minute, quota.SourceIP())), late), call{who: "alice"}), 200)
}

func TestTheOrderOfLayers(t *testing.T) {
	store := idempotency.NewMemoryStore()
	byPrincipal := quota.Limit(store, quota.FailClosed, quota.Allow("p", 1, time.Minute, quota.Route(), quota.PrincipalOrSourceIP()))
	bySource := quota.Limit(store, quota.FailClosed, quota.Allow("p", 1, time.Minute, quota.SourceIP()))
	once := idempotency.Once(store, idempotency.Header("Idempotency-Key"))
	for name, c := range map[string]struct {
		layers  []guard.Middleware
		refused string
		warned  string
	}{
		"in order":                        {layers: []guard.Middleware{authenticate(), byPrincipal, once}},
		"a source before authentication":  {layers: []guard.Middleware{bySource, authenticate(), once}},
		"a principal before it is known":  {layers: []guard.Middleware{byPrincipal, authenticate()}, refused: "quota.Principal stands outside authorizer.Require"},
		"a replay that does not count":    {layers: []guard.Middleware{authenticate(), once, byPrincipal}, warned: "idempotency.Once stands outside quota.Limit: a replay would not count"},
		"the same for sources":            {layers: []guard.Middleware{once, bySource}, warned: "idempotency.Once stands outside quota.Limit"},
		"a refusal that nobody turns":     {layers: []guard.Middleware{bySource, httpapi.Problems()}, warned: "quota.Limit stands outside httpapi.Problems"},
		"a limit inside one of principal": {layers: []guard.Middleware{authenticate(), byPrincipal, bySource}},
	} {
		t.Run(name, func(t *testing.T) {
			log := new(records)
			defer func() {
				got, _ := recover().(string)
				if c.refused == "" && got != "" || !strings.Contains(got, c.refused) {
					t.Errorf("got the panic %q, want %q", got, c.refused)
				}
			}()
			h := guard.Wrap(new(function).handler(), append([]guard.Middleware{httpapi.Default(log.logger())}, c.layers...)...)
			if c.refused != "" {
				t.Fatal("the chain was built")
			}
			send(t, h, call{who: "a", key: `"k"`})
			if got := log.lines(); len(got) > 1 != (c.warned != "") || !strings.Contains(got[0], c.warned) {
				t.Errorf("got the log %q, want the warning %q", got, c.warned)
			}
		})
	}
}

// A key's function may panic, and reads the event, also if it needs no principal.
func TestALimitWithoutPrincipalsIsInsideWhatProtectsIt(t *testing.T) {
	bySource := quota.Limit(idempotency.NewMemoryStore(), quota.FailClosed, quota.Allow("p", 9, time.Minute, quota.SourceIP()))
	for _, c := range []struct {
		inner string
		layer guard.Middleware
	}{
		{inner: "guard.Recover", layer: guard.Recover()},
		{inner: "guard.Limit", layer: guard.Limit(guard.Limits{})},
		{inner: "guard.Log", layer: guard.Log(new(records).logger())},
	} {
		log := new(records)
		h := guard.Wrap(new(function).handler(), guard.Log(log.logger()), bySource, c.layer)
		send(t, h, call{})
		if want := "quota.Limit stands outside " + c.inner; !strings.Contains(strings.Join(log.lines(), "\n"), want) {
			t.Errorf("got the log %q, want the warning %q", log.lines(), want)
		}
	}
}

func TestTheRecordNamesThePolicyThatRefused(t *testing.T) {
	log := new(records)
	h := guard.Wrap(new(function).handler(), httpapi.Default(log.logger()), quota.LimitAt(at(noon).Now, idempotency.NewMemoryStore(), quota.FailClosed,
		quota.Allow("one", 1, time.Minute), quota.Allow("two", 1, time.Minute), quota.Allow("three", 9, time.Minute)))
	send(t, h, call{})
	send(t, h, call{})
	lines := log.lines()
	var record struct {
		Level    string `json:"level"`
		Status   int    `json:"status"`
		Exceeded string `json:"quotaExceeded"`
		Error    struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &record); err != nil || len(lines) != 2 {
		t.Fatalf("%v: %q", err, lines)
	}
	if record.Level != "WARN" || record.Status != 429 || record.Exceeded != "one,two" || record.Error.Code != "quota_exceeded" {
		t.Errorf("got %s", lines[1])
	}
}

// An event that is no HTTP request is limited too, and the platform tries again.
func TestADirectInvocationIsLimited(t *testing.T) {
	f := func(context.Context, any) (string, error) { return "done", nil }
	h := guard.Wrap(guard.Func(f), quota.LimitAt(at(noon).Now, idempotency.NewMemoryStore(), quota.FailClosed, quota.Allow("p", 1, time.Minute)))
	if out, err := h.Invoke(t.Context(), []byte(`{}`)); err != nil || string(out) != `"done"` {
		t.Errorf("got %s, %v, want done", out, err)
	}
	_, err := h.Invoke(t.Context(), []byte(`{}`))
	if e := guard.Public(err); e.Kind != guard.TooManyRequests || e.RetryAfter != time.Minute || !e.Kind.Retryable() {
		t.Errorf("got %v, want TooManyRequests after a minute", err)
	}
	byRoute := guard.Wrap(guard.Func(f), quota.Limit(idempotency.NewMemoryStore(), quota.FailOpen, quota.Allow("p", 1, time.Minute, quota.Route())))
	if _, err := byRoute.Invoke(t.Context(), []byte(`{"Records":[{"eventSource":"aws:sqs","messageId":"1","body":"{}"}]}`)); guard.Public(err).Code != "not_an_http_event" {
		t.Errorf("got %v, want not_an_http_event", err)
	}
}

func TestRequestsWithoutAnAddressAreRefused(t *testing.T) {
	h := guard.Wrap(new(function).handler(), quota.Limit(idempotency.NewMemoryStore(), quota.FailOpen, quota.Allow("p", 9, time.Minute, quota.SourceIP())))
	for name, event := range map[string][]byte{
		"load balancer": sample.Of(guard.ALB).Bytes(),
		"Lattice":       sample.Of(guard.VPCLattice).Bytes(),
		"AppSync":       []byte(`{"arguments":{},"identity":{"sub":"a","sourceIp":["192.0.2.1"]},"request":{"headers":{}},"info":{"fieldName":"order"}}`),
	} {
		if _, err := h.Invoke(t.Context(), event); guard.Public(err).Code != "quota_source_missing" {
			t.Errorf("%s: got %v, want quota_source_missing", name, err)
		}
	}
}

func TestAMisconfigurationPanics(t *testing.T) {
	store := idempotency.NewMemoryStore()
	fine := quota.Allow("p", 1, time.Second)
	for name, build := range map[string]func(){
		"no name":                 func() { quota.Allow("", 1, time.Second) },
		"a quoted name":           func() { quota.Allow(`a"b`, 1, time.Second) },
		"a long name":             func() { quota.Allow(strings.Repeat("n", 65), 1, time.Second) },
		"no limit":                func() { quota.Allow("p", 0, time.Second) },
		"a huge limit":            func() { quota.Allow("p", 1e15, time.Second) },
		"no window":               func() { quota.Allow("p", 1, 0) },
		"half a second":           func() { quota.Allow("p", 1, 1500*time.Millisecond) },
		"an empty key":            func() { quota.Allow("p", 1, time.Second, quota.Key{}) },
		"a nil function":          func() { quota.By(nil) },
		"no store":                func() { quota.Limit(nil, quota.FailOpen, fine) },
		"neither open nor closed": func() { quota.Limit(store, 0, fine) },
		"something else":          func() { quota.Limit(store, 3, fine) },
		"no policy":               func() { quota.Limit(store, quota.FailOpen) },
		"an empty policy":         func() { quota.Limit(store, quota.FailOpen, quota.Policy{}) },
		"two of one name":         func() { quota.Limit(store, quota.FailOpen, fine, quota.Allow("p", 2, time.Minute)) },
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.HasPrefix(got, "quota: ") {
					t.Errorf("%s: got the panic %q, want one of quota", name, got)
				}
			}()
			build()
		}()
	}
}

var errDown = errors.New("down")

func TestAStoreThatFails(t *testing.T) {
	for _, c := range []struct {
		name      string
		onFailure quota.OnFailure
		status    int
		runs      int64
		logged    string
	}{
		{name: "closed", onFailure: quota.FailClosed, status: http.StatusServiceUnavailable, logged: `"code":"quota_unavailable"`},
		{name: "open", onFailure: quota.FailOpen, status: http.StatusOK, runs: 1, logged: `"quotaError"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			log, f, clock, asked, down := new(records), new(function), at(noon), 0, true
			memory := idempotency.NewMemoryStore()
			store := counter(func(ctx context.Context, key string, want, limit int64, expires time.Time) (int64, int64, error) {
				if asked++; down {
					return 0, 0, errDown
				}
				return memory.Take(ctx, key, want, limit, expires)
			})
			h := guard.Wrap(f.handler(), httpapi.Default(log.logger()), quota.LimitAt(clock.Now, store, c.onFailure,
				quota.Allow("p", 30, time.Minute), quota.Allow("q", 30, time.Minute)))
			mustBe(t, send(t, h, call{}), c.status, policyHeader, `"p";q=30;w=60, "q";q=30;w=60`, stateHeader, "")
			f.mustHaveRun(t, c.runs)
			if got := log.lines(); len(got) != 1 || !strings.Contains(got[0], c.logged) {
				t.Errorf("got the log %q, want one record with %s", got, c.logged)
			}
			// The store is left alone for a moment, and then asked again.
			mustBe(t, send(t, h, call{}), c.status)
			if asked != 1 {
				t.Errorf("asked %d times within the pause, want once", asked)
			}
			clock.move(time.Second)
			down = false
			mustBe(t, send(t, h, call{}), 200, stateHeader, `"p";r=29;t=59, "q";r=29;t=59`)
		})
	}
}
