package agent_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/agent"
	"github.com/lambdarmor/lambdarmor/secrets/agent/agenttest"
)

// invoked is the context of an invocation, with a deadline far away.
func invoked(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{AwsRequestID: "r-1"})
}

// at are the options to reach a stand-in.
func at(a *agenttest.Agent) []agent.Option {
	return []agent.Option{agent.Address(a.URL()), agent.Token(func() (string, error) { return a.Token(), nil })}
}

// one fetches a single ref; an error of the whole fetch is its error.
func one(ctx context.Context, src secrets.Source, ref secrets.Ref) secrets.Value {
	values, err := src.Fetch(ctx, []secrets.Ref{ref})
	if err != nil {
		return secrets.Value{Err: err}
	}
	if len(values) != 1 {
		return secrets.Value{Err: fmt.Errorf("%d values for one ref", len(values))}
	}
	return values[0]
}

func mustBe(t *testing.T, got secrets.Value, data, version string) {
	t.Helper()
	if got.Err != nil || string(got.Data) != data || got.Version != version {
		t.Errorf("got %q in version %q, %v, want %q in %q", got.Data, got.Version, got.Err, data, version)
	}
}

// answering is a server that answers everything the same.
func answering(t testing.TB, status int, body string) string {
	t.Helper()
	return serving(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	})
}

func serving(t testing.TB, h http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

func token() agent.Option { return agent.Token(func() (string, error) { return "t", nil }) }

// panics returns the text of f's panic, or "".
func panics(f func()) (text string) {
	defer func() {
		if p := recover(); p != nil {
			text = fmt.Sprint(p)
		}
	}()
	f()
	return ""
}

func mustPanic(t *testing.T, words string, f func()) {
	t.Helper()
	if text := panics(f); !strings.HasPrefix(text, "agent: ") || !strings.Contains(text, words) {
		t.Errorf("panic %q, want one of agent with %q", text, words)
	}
}
