package agenttest_test

import (
	"context"
	"errors"
	"testing"

	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/agent"
	"github.com/lambdarmor/lambdarmor/secrets/agent/agenttest"
)

// connect returns a cache of an Agent's secrets. A function in a process of its
// own gets local.Env() instead.
func connect(local *agenttest.Agent) *secrets.Cache {
	return secrets.New(agent.Secrets(
		agent.Address(local.URL()),
		agent.Token(func() (string, error) { return local.Token(), nil }),
	))
}

// A test of code that gets its secrets from the extension.
func Example() {
	var t *testing.T // your test's

	local := agenttest.New(t)
	local.SetSecret("payments/api-key", "hunter2")
	keys := connect(local)

	key, err := keys.Get(t.Context(), "payments/api-key")
	if err != nil || key.Text() != "hunter2" {
		t.Errorf("got %q, %v, want hunter2", key.Text(), err)
	}
	if n := local.Asked("payments/api-key"); n != 1 {
		t.Errorf("asked %d times, want once", n)
	}
}

// AWS denies the function a secret.
func ExampleAgent_Fail() {
	var t *testing.T // your test's

	local := agenttest.New(t)
	local.Fail("payments/api-key", agenttest.Refused("AccessDeniedException"))
	if _, err := connect(local).Get(t.Context(), "payments/api-key"); !errors.Is(err, secrets.ErrDenied) {
		t.Errorf("got %v, want a denial", err)
	}
}

// A function that fetches its secrets before the first invocation.
func ExampleAgent_NotReady() {
	var t *testing.T // your test's

	t.Setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001") // as in Lambda
	local := agenttest.New(t)
	local.NotReady(-1)
	keys := connect(local)
	if err := keys.Prefetch(context.Background(), "payments/api-key"); err != nil {
		t.Errorf("got %v, want no error: it is fetched in the first invocation", err)
	}
}
