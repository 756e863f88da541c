package authorizer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

// token is the one that the samples carry.
const token = "t0k3n"

// tokens is a verifier that knows some.
type tokens map[string]*authorizer.Grant

func (v tokens) Verify(_ context.Context, token string) (*authorizer.Grant, error) {
	if g, ok := v[token]; ok {
		return g, nil
	}
	return nil, guard.Errorf(guard.Unauthenticated, "token_unknown", "The token is not known.")
}

// alice is who the samples' token belongs to.
func alice(scopes ...string) tokens {
	return tokens{token: {Principal: "alice", Scopes: scopes}}
}

// grants is a check that looks at nothing.
func grants(g *authorizer.Grant) authorizer.Check {
	return func(context.Context, *authorizer.Request) (*authorizer.Grant, error) { return g, nil }
}

func fails(err error) authorizer.Check {
	return func(context.Context, *authorizer.Request) (*authorizer.Grant, error) { return nil, err }
}

// looks is a check of somebody's own that lets its reading decide.
func looks(at func(*authorizer.Request) bool) authorizer.Check {
	return func(_ context.Context, r *authorizer.Request) (*authorizer.Grant, error) {
		if at(r) {
			return &authorizer.Grant{Principal: "alice"}, nil
		}
		return nil, guard.Errorf(guard.Forbidden, "", "")
	}
}

var errBroken = errors.New("no database: Bearer t0k3n")

// A record is what the log has of an invocation.
type record map[string]any

func (r record) text(key string) string {
	v, _ := r[key].(string)
	return v
}

// code is the code of the error, "" where there is none.
func (r record) code() string {
	e, _ := r["error"].(map[string]any)
	code, _ := e["code"].(string)
	return code
}

// ask invokes an authorizer in the chain that it belongs in.
func ask(t testing.TB, h lambda.Handler, event sample.Event, opts ...guard.LogOption) (string, record, error) {
	t.Helper()
	var log bytes.Buffer
	h = guard.Wrap(h, guard.Log(logging.New(&log, logging.MinLevel(slog.LevelDebug)), opts...), guard.Errors(), guard.Recover())
	out, err := h.Invoke(t.Context(), event.Bytes())
	var r record
	if bad := json.Unmarshal(log.Bytes(), &r); bad != nil {
		t.Fatalf("not one record: %v\n%s", bad, log.String())
	}
	if strings.Contains(log.String(), token) {
		t.Errorf("the credential is in the log: %s", log.String())
	}
	return string(out), r, err
}

// An outcome is what the gateway makes of an answer.
type outcome string

const (
	allow        outcome = "allow"
	deny         outcome = "403"
	unauthorized outcome = "401"
	broken       outcome = "500"
)

// answer is any authorizer's.
type answer struct {
	IsAuthorized    *bool             `json:"isAuthorized"`
	Context         map[string]any    `json:"context"`
	ResolverContext map[string]string `json:"resolverContext"`
	DeniedFields    []string          `json:"deniedFields"`
	TTLOverride     *int              `json:"ttlOverride"`
	PrincipalID     string            `json:"principalId"`
	UsageKey        string            `json:"usageIdentifierKey"`
	Policy          iamPolicy         `json:"policyDocument"`
}

type iamPolicy struct {
	Version   string
	Statement []struct {
		Action, Effect string
		Resource       []string
	}
}

// allows is an independent reading of how IAM evaluates a policy: what is
// denied explicitly is denied, and what nothing allows too.
func (p iamPolicy) allows(arn string) bool {
	allowed := false
	for _, s := range p.Statement {
		for _, resource := range s.Resource {
			if !wildcard(resource, arn) {
				continue
			}
			if s.Effect == "Deny" {
				return false
			}
			allowed = true
		}
	}
	return allowed
}

// wildcard matches "*" with any text and "?" with any character.
func wildcard(pattern, text string) bool {
	p, t := 0, 0
	star, after := -1, 0 // the last star, and the text behind what it takes
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, after = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0: // let it take one more
			after++
			p, t = star+1, after
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

func decodeAnswer(out string) (a answer, err error) {
	err = json.Unmarshal([]byte(out), &a)
	return a, err
}

func parse(t testing.TB, out string) answer {
	t.Helper()
	a, err := decodeAnswer(out)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return a
}

// outcomeOf reads an answer as the gateway does, for a call of arn.
func outcomeOf(t testing.TB, out string, err error, arn string) outcome {
	t.Helper()
	if err != nil {
		told, ok := err.(messages.InvokeResponse_Error)
		if !ok {
			t.Fatalf("%T: %v", err, err)
		}
		if told.Message == "Unauthorized" {
			return unauthorized
		}
		return broken
	}
	a := parse(t, out)
	switch {
	case a.IsAuthorized != nil && *a.IsAuthorized, a.IsAuthorized == nil && a.Policy.allows(arn):
		return allow
	default:
		return deny
	}
}

// arnOf is the ARN of an event's call.
func arnOf(event sample.Event) string {
	for _, name := range []string{"routeArn", "methodArn"} {
		var e map[string]any
		_ = json.Unmarshal(event.Bytes(), &e)
		if arn, ok := e[name].(string); ok {
			return arn
		}
	}
	return ""
}

func mustPanic(t *testing.T, what string, with string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		text, _ := recover().(string)
		if !strings.Contains(text, with) {
			t.Errorf("%s: panic %q, want one with %q", what, text, with)
		}
	}()
	f()
}

var longAgo = time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)

// fixes is a logger that writes no more than what is to be mended.
func fixes(w io.Writer) *slog.Logger { return slog.New(fixWriter{w: w}) }

type fixWriter struct{ w io.Writer }

func (fixWriter) Enabled(context.Context, slog.Level) bool { return true }
func (f fixWriter) WithAttrs([]slog.Attr) slog.Handler     { return f }
func (f fixWriter) WithGroup(string) slog.Handler          { return f }
func (f fixWriter) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "fix" {
			fmt.Fprintf(f.w, "authorizer_cache_hazard: %s\n", a.Value)
		}
		return true
	})
	return nil
}
