package guard_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
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
	}{{"on-demand", 1}, {"", 1}, {"provisioned-concurrency", 0}, {"lambda-managed-instances", 0}} {
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
