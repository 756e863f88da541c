package guard_test

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	shared "github.com/lambdarmor/lambdarmor/internal/invocation"
	"github.com/lambdarmor/lambdarmor/internal/logbook"
)

func TestTraceID(t *testing.T) {
	for header, want := range map[string]string{
		"Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1":              "1-5759e988-bd862e3fe1be46a994272793",
		"Self=1-a;Root=1-5759e988-bd862e3fe1be46a994272793":                                       "1-5759e988-bd862e3fe1be46a994272793",
		"Parent=53995c3f42cd8ad8; Root=1-5759e988-bd862e3fe1be46a994272793 ;Lineage=a:0;Sampled=": "1-5759e988-bd862e3fe1be46a994272793",
		"Root=":       "",
		"NotRoot=1-a": "",
		";;":          "",
		"":            "",
	} {
		//lint:ignore SA1029 the key that aws-lambda-go uses
		ctx := context.WithValue(t.Context(), "x-amzn-trace-id", header)
		if got := guard.TraceID(ctx); got != want {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
	}
	if got := guard.TraceID(t.Context()); got != "" {
		t.Errorf("without a header: %q", got)
	}
}

// coldStarts counts the invocations that were cold.
func coldStarts(cold *atomic.Int64) guard.HandlerFunc {
	return func(ctx context.Context, _ []byte) ([]byte, error) {
		if guard.ColdStart(ctx) {
			cold.Add(1)
		}
		return nil, nil
	}
}

func TestColdStartIsTheFirstInvocation(t *testing.T) {
	for _, tc := range []struct {
		initialization string
		want           int64
	}{{initialization: "on-demand", want: 1}, {initialization: "snap-start", want: 1}, {want: 1}, {initialization: "provisioned-concurrency"}, {initialization: "lambda-managed-instances"}} {
		t.Run(tc.initialization, func(t *testing.T) {
			t.Setenv("AWS_LAMBDA_INITIALIZATION_TYPE", tc.initialization)
			var cold atomic.Int64
			// The inner Wrap is part of the same function: its first call is none of its own.
			h := guard.Wrap(guard.Wrap(coldStarts(&cold)))
			var wg sync.WaitGroup
			for range 64 {
				wg.Go(func() { _, _ = h.Invoke(t.Context(), nil) })
			}
			wg.Wait()
			if cold.Load() != tc.want {
				t.Errorf("%d cold starts, want %d", cold.Load(), tc.want)
			}
		})
	}
}

func TestOutsideWrapNoStartIsCold(t *testing.T) {
	var cold atomic.Int64
	if _, _ = coldStarts(&cold).Invoke(t.Context(), nil); cold.Load() != 0 {
		t.Error("a cold start outside an invocation")
	}
}

func TestThePrincipalIsKnownFurtherInAndInTheRecord(t *testing.T) {
	log, b := logbook.New()
	var seen string
	asks := guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		seen = guard.Principal(ctx)
		return nil, nil
	})
	names := func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			if who := guard.Principal(ctx); who != "" {
				t.Errorf("%q calls before anybody has found out", who)
			}
			layer.SetPrincipal(ctx, "nobody yet")
			layer.SetPrincipal(ctx, "alice")
			guard.AddAttrs(ctx, slog.String("principal", "mallory"))
			return next.Invoke(ctx, payload)
		})
	}
	if _, err := guard.Wrap(asks, guard.Log(log), names).Invoke(t.Context(), []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	if r := b.Only(t); seen != "alice" || r["principal"] != "alice" || r["fields.principal"] != "mallory" {
		t.Errorf("%q calls, the record: %v", seen, r)
	}
	layer.SetPrincipal(t.Context(), "alice") // outside an invocation
	if who := guard.Principal(t.Context()); who != "" {
		t.Errorf("%q calls outside an invocation", who)
	}
}

// A layer that answers with an error for the platform has set the cause before.
func TestAnErrorForThePlatformDoesNotHideItsReason(t *testing.T) {
	log, b := logbook.New()
	denies := guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		layer.SetRoute(ctx, "GET /orders/{id}")
		layer.SetError(ctx, guard.Errorf(guard.Unauthenticated, "token_unknown", ""))
		return nil, messages.InvokeResponse_Error{Type: "Unauthorized", Message: "Unauthorized"}
	})
	_, err := guard.Wrap(denies, guard.Log(log), guard.Errors()).Invoke(t.Context(), sample.Of(guard.Authorizer).Bytes())
	if told, ok := err.(messages.InvokeResponse_Error); !ok || told.Message != "Unauthorized" {
		t.Errorf("%v", err)
	}
	r := b.Only(t)
	if e, _ := r["error"].(map[string]any); e["code"] != "token_unknown" || r["level"] != "WARN" || r["route"] != "GET /orders/{id}" {
		t.Errorf("the record: %v", r)
	}
}

// A handler may add the same attribute in every round of a loop.
func TestAnAttributeThatIsAddedAgainTakesNoMoreRoom(t *testing.T) {
	h := guard.Wrap(doing(func(ctx context.Context) {
		for i := range 1000 {
			guard.AddAttrs(ctx, slog.Int("a", i), slog.Int("b", i))
		}
		if n := len(shared.Of(ctx).Facts().Attrs); n != 2 {
			t.Errorf("%d attributes are kept", n)
		}
	}, nil))
	if _, err := h.Invoke(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
}
