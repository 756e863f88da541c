package layer_test

import (
	"context"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
)

func TestASealedPrincipalStays(t *testing.T) {
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		if err := layer.SetPrincipal(ctx, "alice"); err != nil {
			t.Errorf("got %v before the seal, want no error", err)
		}
		who, intact := layer.SealPrincipal(ctx)
		if err := intact(); who != "alice" || err != nil {
			t.Errorf("got %q, %v, want alice", who, err)
		}
		if err := layer.SetPrincipal(ctx, "alice"); err != nil || intact() != nil {
			t.Errorf("got %v, %v for the same principal, want no error", err, intact())
		}
		if err := layer.SetPrincipal(ctx, "mallory"); err == nil || guard.Public(err).Code != "order_unsafe" {
			t.Errorf("got %v for another principal, want order_unsafe", err)
		}
		if err := intact(); err == nil || guard.Public(err).Code != "order_unsafe" {
			t.Errorf("got %v afterwards, want order_unsafe", err)
		}
		if got := guard.Principal(ctx); got != "alice" {
			t.Errorf("got %q, want alice", got)
		}
		return nil, nil
	}))
	if _, err := h.Invoke(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

func TestOutsideAnInvocationNothingIsSet(t *testing.T) {
	ctx := t.Context()
	layer.SetRoute(ctx, "GET /")
	layer.SetError(ctx, context.Canceled)
	who, intact := layer.SealPrincipal(ctx)
	if err := layer.SetPrincipal(ctx, "alice"); err != nil || who != "" || intact() != nil {
		t.Errorf("got %v, %q, %v, want nothing", err, who, intact())
	}
}
