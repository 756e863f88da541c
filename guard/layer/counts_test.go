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
