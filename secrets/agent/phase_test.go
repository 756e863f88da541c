package agent_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/agent"
	"github.com/lambdarmor/lambdarmor/secrets/agent/agenttest"
)

func TestBeforeTheFirstInvocationTheErrorSaysSo(t *testing.T) {
	t.Setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1")
	a := agenttest.New(t)
	version := a.SetSecret("key", "v")
	a.NotReady(-1)
	for _, src := range []secrets.Source{agent.Secrets(at(a)...), agent.Parameters(at(a)...)} {
		got := one(t.Context(), src, secrets.Ref{Name: "key"})
		if !errors.Is(got.Err, secrets.ErrOutsideInvocation) || !errors.Is(got.Err, secrets.ErrUnavailable) {
			t.Errorf("got %v, want %v", got.Err, secrets.ErrOutsideInvocation)
		}
	}
	a.NotReady(0)
	mustBe(t, one(invoked(t), agent.Secrets(at(a)...), secrets.Ref{Name: "key"}), "v", version)
}

// The extension hears of an invocation from Lambda, as the function does, and
// may be the later one.
func TestWithinAnInvocationTheAgentIsWaitedFor(t *testing.T) {
	t.Setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1")
	a := agenttest.New(t)
	version := a.SetSecret("key", "v")
	a.NotReady(5)
	mustBe(t, one(invoked(t), agent.Secrets(at(a)...), secrets.Ref{Name: "key"}), "v", version)
	if n := a.Asked("key"); n != 1 {
		t.Errorf("got %d requests once it was ready, want 1", n)
	}
}

func TestWaitingForTheAgentEndsWithTheContext(t *testing.T) {
	a := agenttest.New(t)
	a.NotReady(-1)
	ctx, cancel := context.WithTimeout(invoked(t), 30*time.Millisecond)
	defer cancel()
	got := one(ctx, agent.Secrets(at(a)...), secrets.Ref{Name: "key"})
	if !errors.Is(got.Err, secrets.ErrUnavailable) || errors.Is(got.Err, secrets.ErrOutsideInvocation) || !errors.Is(got.Err, context.DeadlineExceeded) {
		t.Errorf("got %v, want %v and %v", got.Err, secrets.ErrUnavailable, context.DeadlineExceeded)
	}
}

func TestWaitingForTheAgentEndsWithoutADeadline(t *testing.T) {
	a := agenttest.New(t)
	a.NotReady(-1)
	src := agent.Secrets(at(a)...)
	agent.SetPatience(src, 20*time.Millisecond)
	got := one(context.WithoutCancel(invoked(t)), src, secrets.Ref{Name: "key"})
	mustFailAs(t, got.Err, secrets.ErrUnavailable)
}

func TestTheSecretsManagerAgentMayNotServeYetEither(t *testing.T) {
	t.Setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1")
	server := answering(t, 503, "Serving not enabled. Hit the /start_serving endpoint to enable serving requests.")
	got := one(t.Context(), agent.Secrets(agent.Address(server), token()), secrets.Ref{Name: "key"})
	if !errors.Is(got.Err, secrets.ErrOutsideInvocation) {
		t.Errorf("got %v, want %v", got.Err, secrets.ErrOutsideInvocation)
	}
}

func TestNothingListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + listener.Addr().String()
	listener.Close()
	for _, src := range []secrets.Source{
		agent.Secrets(agent.Address(address), token()),
		agent.Parameters(agent.Address(address), token()),
		agent.AppConfig(agent.Address(address)),
	} {
		got := one(invoked(t), src, secrets.Ref{Name: "a/b/c"})
		mustFailAs(t, got.Err, secrets.ErrUnavailable)
		if !strings.Contains(got.Err.Error(), "nothing listens on "+address+", is the extension's layer there?") {
			t.Errorf("got %v, want an error that asks for the layer", got.Err)
		}
		if errors.Is(got.Err, secrets.ErrOutsideInvocation) {
			t.Errorf("within an invocation: got %v, want no %v", got.Err, secrets.ErrOutsideInvocation)
		}
	}
	t.Setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1")
	got := one(t.Context(), agent.AppConfig(agent.Address(address)), secrets.Ref{Name: "a/b/c"})
	if !errors.Is(got.Err, secrets.ErrOutsideInvocation) {
		t.Errorf("before the first invocation: got %v, want %v", got.Err, secrets.ErrOutsideInvocation)
	}
}
