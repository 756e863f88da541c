package layer_test

import (
	"context"
	"maps"
	"sync"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/internal/counttest"
	"github.com/lambdarmor/lambdarmor/internal/invocation"
)

func TestCountsAreAddedUp(t *testing.T) {
	got := counttest.Of(t.Context(), func(ctx context.Context) {
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				record := invocation.BeginRecord(ctx, "r") // counts for the whole
				for range 100 {
					layer.Count(record, layer.Replays, 1)
					layer.Count(ctx, layer.Records, 2)
				}
			})
		}
		wg.Wait()
		layer.Count(ctx, layer.Denials, 0)
	})
	if want := map[string]int{layer.Replays: 800, layer.Records: 1600}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Whoever has read the counts keeps what was read.
func TestCountsThatWereReadStay(t *testing.T) {
	counttest.Of(t.Context(), func(ctx context.Context) {
		layer.Count(ctx, layer.Replays, 1)
		read := layer.OutcomeOf(ctx, nil, nil, nil).Counts
		layer.Count(ctx, layer.Replays, 1)
		if got := read[layer.Replays]; got != 1 {
			t.Errorf("got %d, want 1", got)
		}
	})
}

func TestTheCountsOfOneInvocationAreNotThoseOfAnother(t *testing.T) {
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		layer.Count(ctx, layer.Replays, 1)
		if got := layer.OutcomeOf(ctx, nil, nil, nil).Counts[layer.Replays]; got != 1 {
			t.Errorf("got %d, want 1", got)
		}
		return nil, nil
	}))
	for range 3 {
		if _, err := h.Invoke(t.Context(), nil); err != nil {
			t.Error(err)
		}
	}
	layer.Count(t.Context(), layer.Replays, 1) // outside an invocation nothing happens
}

func TestATraceOfAnotherFormIsIgnored(t *testing.T) {
	const trace, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	for _, tc := range []struct{ what, trace, span, want string }{
		{what: "ids", trace: trace, span: span, want: trace},
		{what: "no ids"},
		{what: "upper case", trace: "4BF92F3577B34DA6A3CE929D0E0E4736", span: span},
		{what: "all zero", trace: "00000000000000000000000000000000", span: span},
		{what: "a short span", trace: trace, span: "00f067aa0ba902b"},
		{what: "a break", trace: trace[:31] + "\n", span: span},
	} {
		counttest.Of(t.Context(), func(ctx context.Context) {
			layer.SetTrace(ctx, tc.trace, tc.span, true)
			if got, _, sampled := layer.Trace(ctx); got != tc.want || sampled != (tc.want != "") {
				t.Errorf("%s: got %q, %t, want %q", tc.what, got, sampled, tc.want)
			}
		})
	}
	layer.SetTrace(t.Context(), trace, span, true)
	if got, _, _ := layer.Trace(t.Context()); got != "" {
		t.Errorf("outside an invocation: got %q, want none", got)
	}
}
