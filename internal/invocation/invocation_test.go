package invocation_test

import (
	"context"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/invocation"
)

func TestTheInvocationIsFoundBehindWhatLayersMakeOfItsContext(t *testing.T) {
	outer, end := context.WithTimeout(t.Context(), time.Minute)
	defer end()
	within := guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		brief, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if got := invocation.Lifetime(brief); got != outer {
			t.Errorf("got %v, want the context of the runtime", got)
		}
		if got := invocation.Lifetime(context.WithoutCancel(brief)); got != outer {
			t.Errorf("detached from an invocation that lasts: got %v, want the context of the runtime", got)
		}
		end()
		if got := invocation.Lifetime(context.WithoutCancel(brief)); got.Done() != nil {
			t.Errorf("detached from an invocation that is over: got %v, want one that never ends", got)
		}
		if got := invocation.Lifetime(brief); got != outer {
			t.Errorf("of an invocation that is over: got %v, want the context of the runtime", got)
		}
		return nil, nil
	})
	h := guard.Wrap(guard.Wrap(within, guard.Deadline(0)), guard.Deadline(time.Second))
	if _, err := h.Invoke(outer, nil); err != nil {
		t.Error(err)
	}
}

func TestOutsideAnInvocationNothingEnds(t *testing.T) {
	if got := invocation.Lifetime(t.Context()); got.Done() != nil {
		t.Errorf("got %v, want one that never ends", got)
	}
}
