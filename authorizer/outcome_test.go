package authorizer_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/internal/counttest"
)

// samples are the events of all authorizers, and what answers them.
var samples = []struct {
	variant string
	simple  bool // or a policy
	header  string
	route   string // that the log has
}{
	{simple: true, header: "/headers/authorization", route: routeKey},
	{header: "/headers/authorization", route: routeKey},
	{variant: "http-1.0", header: "/headers/Authorization", route: routeKey},
	{variant: "token", header: "/authorizationToken"},
	{variant: "request", header: "/multiValueHeaders/Authorization/0", route: routeKey},
	{variant: "websocket", header: "/multiValueHeaders/Authorization/0", route: "$connect"},
	{variant: "appsync", header: "/authorizationToken"},
}

func sampleOf(variant string) sample.Event {
	if variant == "" {
		return sample.Of(guard.Authorizer)
	}
	return sample.Of(guard.Authorizer, variant)
}

// identified is an event whose identity sources have these values, where it
// tells them.
func identified(event sample.Event, variant string, values ...string) sample.Event {
	switch variant {
	case "":
		return event.Set("/identitySource", values)
	case "http-1.0":
		return event.Set("/identitySource", strings.Join(values, ","))
	default:
		return event
	}
}

// handlerFor is the authorizer that a sample is for.
func handlerFor(variant string, simple bool, c authorizer.Check) lambda.Handler {
	switch {
	case variant == "appsync":
		return authorizer.AppSync(c)
	case simple:
		return authorizer.Simple(c)
	default:
		return authorizer.Policy(c, authorizer.IdentitySources("method.request.header.Authorization"))
	}
}

func TestEveryEventAndEveryOutcome(t *testing.T) {
	bearer := authorizer.Bearer(alice("orders:read"))
	for _, tt := range []struct {
		name           string
		check          authorizer.Check
		header         string // "" leaves it as it is
		simple, policy outcome
		decision, code string
	}{
		{name: "a grant", check: bearer, simple: allow, policy: allow, decision: "allow"},
		{
			name:     "another scheme's case",
			check:    bearer,
			header:   "bEARER t0k3n",
			simple:   allow,
			policy:   allow,
			decision: "allow",
		},
		{
			name:     "a scope that is there",
			check:    authorizer.All(bearer, authorizer.Scopes("orders:read")),
			simple:   allow,
			policy:   allow,
			decision: "allow",
		},
		{
			name:     "a scope that is lacking",
			check:    authorizer.All(bearer, authorizer.Scopes("orders:write")),
			simple:   deny,
			policy:   deny,
			decision: "deny",
			code:     "insufficient_scope",
		},
		{
			name:     "an unknown token",
			check:    bearer,
			header:   "Bearer other",
			simple:   deny,
			policy:   unauthorized,
			decision: "deny",
			code:     "token_unknown",
		},
		{
			name:     "two tokens",
			check:    bearer,
			header:   "Bearer t0k3n,Bearer t0k3n",
			simple:   deny,
			policy:   unauthorized,
			decision: "deny",
			code:     "credential_malformed",
		},
		{
			name:     "two tokens, one scheme",
			check:    bearer,
			header:   "Bearer t0k3n, t0k3n",
			simple:   deny,
			policy:   unauthorized,
			decision: "deny",
			code:     "credential_malformed",
		},
		{
			name:     "no token",
			check:    bearer,
			header:   "Bearer ",
			simple:   deny,
			policy:   unauthorized,
			decision: "deny",
			code:     "credential_malformed",
		},
		{
			name:     "another scheme",
			check:    bearer,
			header:   "Basic YTpi",
			simple:   deny,
			policy:   unauthorized,
			decision: "deny",
			code:     "credential_missing",
		},
		{
			name:     "a token with a line break",
			check:    bearer,
			header:   "Bearer t0k3n\n",
			simple:   deny,
			policy:   unauthorized,
			decision: "deny",
			code:     "credential_malformed",
		},
		{
			name:     "a token without end",
			check:    bearer,
			header:   "Bearer " + strings.Repeat("t", 20<<10),
			simple:   deny,
			policy:   unauthorized,
			decision: "deny",
			code:     "credential_malformed",
		},
		{
			name:     "forbidden",
			check:    fails(guard.Errorf(guard.Forbidden, "no", "")),
			simple:   deny,
			policy:   deny,
			decision: "deny",
			code:     "no",
		},
		{
			name:     "unauthenticated, wrapped",
			check:    fails(fmt.Errorf("check: %w", guard.Errorf(guard.Unauthenticated, "no", ""))),
			simple:   deny,
			policy:   unauthorized,
			decision: "deny",
			code:     "no",
		},
		{name: "broken", check: fails(errBroken), simple: broken, policy: broken, decision: "fail", code: "internal"},
		{
			name:     "unavailable",
			check:    fails(guard.Errorf(guard.Unavailable, "no_keys", "")),
			simple:   broken,
			policy:   broken,
			decision: "fail",
			code:     "no_keys",
		},
		{
			name:     "out of time",
			check:    fails(context.DeadlineExceeded),
			simple:   broken,
			policy:   broken,
			decision: "fail",
			code:     "timeout",
		},
		{
			name:     "a caller's fault that is no denial",
			check:    fails(guard.Errorf(guard.Invalid, "bad", "")),
			simple:   broken,
			policy:   broken,
			decision: "fail",
			code:     "bad",
		},
		{
			name:     "an error that says Unauthorized",
			check:    fails(errors.New("Unauthorized")),
			simple:   broken,
			policy:   broken,
			decision: "fail",
			code:     "internal",
		},
		{
			name:     "neither grant nor error",
			check:    grants(nil),
			simple:   broken,
			policy:   broken,
			decision: "fail",
			code:     "internal",
		},
		{name: "a nil error of our type", check: func(context.Context, *authorizer.Request) (*authorizer.Grant, error) {
			var none *guard.Error
			return &authorizer.Grant{Principal: "alice"}, none
		}, simple: broken, policy: broken, decision: "fail", code: "internal"},
		{name: "grant and error", check: func(context.Context, *authorizer.Request) (*authorizer.Grant, error) {
			return &authorizer.Grant{Principal: "alice"}, errBroken
		}, simple: broken, policy: broken, decision: "fail", code: "internal"},
		{
			name:     "a grant for nobody",
			check:    grants(&authorizer.Grant{}),
			simple:   broken,
			policy:   broken,
			decision: "fail",
			code:     "internal",
		},
		{
			name:     "a grant that cannot be told",
			check:    grants(&authorizer.Grant{Principal: "alice", Context: map[string]any{"a": []string{"b"}}}),
			simple:   broken,
			policy:   broken,
			decision: "fail",
			code:     "internal",
		},
		{
			name:     "a grant that has expired",
			check:    grants(&authorizer.Grant{Principal: "alice", Expires: longAgo}),
			simple:   deny,
			policy:   unauthorized,
			decision: "deny",
			code:     "credential_expired",
		},
		{
			name:     "Scopes without anybody",
			check:    authorizer.Scopes("a"),
			simple:   broken,
			policy:   broken,
			decision: "fail",
			code:     "internal",
		},
		{
			name:     "a panic",
			check:    func(context.Context, *authorizer.Request) (*authorizer.Grant, error) { panic(token) },
			simple:   broken,
			policy:   broken,
			decision: "fail",
			code:     "panic",
		},
	} {
		for _, s := range samples {
			t.Run(tt.name+"/"+s.variant+fmt.Sprint(s.simple), func(t *testing.T) {
				event := sampleOf(s.variant)
				if tt.header != "" {
					event = identified(event.Set(s.header, tt.header), s.variant, tt.header)
				}
				want := tt.policy
				if s.simple || s.variant == "appsync" {
					want = tt.simple
				}
				var counts map[string]int
				out, log, err := ask(t, counttest.Handler(handlerFor(s.variant, s.simple, tt.check), &counts), event)
				if got := outcomeOf(t, out, err, arnOf(event)); got != want {
					t.Errorf("%s, want %s: %s, %v", got, want, out, err)
				}
				denials := 0
				if tt.decision == "deny" {
					denials = 1
				}
				if got := counts[layer.Denials]; got != denials {
					t.Errorf("got %d denials, want %d", got, denials)
				}
				if log.text("decision") != tt.decision || log.code() != tt.code {
					t.Errorf("the log has %q %q, want %q %q: %v", log.text("decision"), log.code(), tt.decision, tt.code, log)
				}
				if (want == allow || tt.code == "insufficient_scope") && log.text("principal") != "alice" {
					t.Errorf("the log has the principal %q", log.text("principal"))
				}
				if route := s.route; log.text("route") != route {
					t.Errorf("the log has the route %q, want %q", log.text("route"), route)
				}
				level := map[outcome]string{allow: "INFO", deny: "WARN", unauthorized: "WARN", broken: "ERROR"}[want]
				if log.text("level") != level {
					t.Errorf("the level is %s, want %s", log.text("level"), level)
				}
			})
		}
	}
}

// A token without its scheme is one where the gateway asks for a token alone.
func TestATokenStandsBehindItsScheme(t *testing.T) {
	for _, s := range samples {
		want, code := allow, ""
		if s.variant != "token" && s.variant != "appsync" {
			want, code = unauthorized, "credential_malformed"
		}
		if s.simple {
			want = deny
		}
		event := identified(sampleOf(s.variant).Set(s.header, token), s.variant, token)
		out, log, err := ask(t, handlerFor(s.variant, s.simple, authorizer.Bearer(alice())), event)
		if got := outcomeOf(t, out, err, arnOf(event)); got != want || log.code() != code {
			t.Errorf("%s: %s, want %s: %s, %v", s.variant, got, want, out, log)
		}
	}
}

// A broken check must not be let through because nothing guards the chain.
func TestAPanicLeavesTheHandler(t *testing.T) {
	panics := func(context.Context, *authorizer.Request) (*authorizer.Grant, error) { panic("a") }
	for _, s := range samples {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", s.variant)
				}
			}()
			out, err := handlerFor(s.variant, s.simple, panics).Invoke(t.Context(), sampleOf(s.variant).Bytes())
			t.Errorf("%s: %s, %v", s.variant, out, err)
		}()
	}
}

// An answer of the wrong form would be a 500 at the gateway that says nothing.
func TestAnEventOfAnotherGatewayIsOurFault(t *testing.T) {
	grant := grants(&authorizer.Grant{Principal: "alice"})
	handlers := map[string]lambda.Handler{"simple": authorizer.Simple(grant), "policy": authorizer.Policy(grant), "appsync": authorizer.AppSync(grant)}
	fits := map[string]string{"": "simple policy", "http-1.0": "policy", "token": "policy", "request": "policy", "websocket": "policy", "appsync": "appsync"}
	for variant, names := range fits {
		for name, h := range handlers {
			out, log, err := ask(t, h, sampleOf(variant))
			if fit := strings.Contains(names, name); fit != (err == nil) {
				t.Errorf("%s of %s: %s, %v", name, variant, out, err)
			} else if !fit && (log.code() != "authorizer_format" || log.text("decision") != "fail" || log.text("level") != "ERROR") {
				t.Errorf("%s of %s: %v", name, variant, log)
			}
		}
	}
}

func TestWhatIsNoAuthorizersEventIsRefused(t *testing.T) {
	grant := grants(&authorizer.Grant{Principal: "alice"})
	handlers := []lambda.Handler{authorizer.Simple(grant), authorizer.Policy(grant), authorizer.AppSync(grant)}
	refused := func(name string, event sample.Event) {
		t.Helper()
		for i, h := range handlers {
			if out, log, err := ask(t, h, event); err == nil || log.text("decision") != "fail" {
				t.Errorf("%s is answered by %d: %s, %v", name, i, out, log)
			}
		}
	}
	for name, event := range sample.All() {
		if !strings.HasPrefix(name, "authorizer") {
			refused(name, event)
		}
	}
	http2 := sampleOf("")
	for name, event := range map[string]sample.Event{
		"no type":              http2.Delete("/type"),
		"another type":         http2.Set("/type", "OTHER"),
		"another version":      http2.Set("/version", "3.0"),
		"no ARN":               http2.Delete("/routeArn"),
		"an ARN of a function": http2.Set("/routeArn", "arn:aws:lambda:us-east-1:123456789012:function:orders"),
		"no method":            http2.Set("/requestContext/http/method", ""),
		"no route":             http2.Set("/routeKey", ""),
		"no context":           http2.Set("/requestContext", nil),
		"a variant of a name":  http2.Set("/RouteKey", "GET /"),
		"an array of headers":  http2.Set("/headers", []string{"a"}),
		"a number as header":   http2.Set("/headers/x", 1),
		"TOKEN without ARN":    sampleOf("token").Delete("/methodArn"),
		"1.0 without method":   sampleOf("http-1.0").Set("/httpMethod", ""),
		"REST, no resource":    sampleOf("request").Delete("/resource"),
		"a message":            sampleOf("websocket").Set("/requestContext/eventType", "MESSAGE"),
		"AppSync without API":  sampleOf("appsync").Set("/requestContext/apiId", ""),
	} {
		refused(name, event)
	}
}
