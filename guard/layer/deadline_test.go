package layer_test

import (
	"context"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
)

func TestTheDeadlineOfAnInvocationIsNotThatOfAContextInside(t *testing.T) {
	end := time.Now().Add(time.Hour)
	outer, cancel := context.WithDeadline(t.Context(), end)
	defer cancel()
	emulated, cancel := context.WithDeadline(t.Context(), time.UnixMilli(0))
	defer cancel()
	for name, c := range map[string]struct {
		ctx context.Context
		end time.Time
		ok  bool
	}{
		"a deadline":                          {ctx: outer, end: end, ok: true},
		"none":                                {ctx: t.Context(), end: time.Time{}},
		"one of 1970, as some emulators send": {ctx: emulated, end: time.Time{}},
	} {
		var got time.Time
		var ok bool
		h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			ctx, cancel := context.WithTimeout(ctx, time.Minute)
			defer cancel()
			got, ok = layer.InvocationDeadline(ctx)
			return nil, nil
		}), guard.Deadline(time.Second))
		if _, err := h.Invoke(c.ctx, nil); err != nil {
			t.Fatal(err)
		}
		if !got.Equal(c.end) || ok != c.ok {
			t.Errorf("%s: got %v, %t, want %v, %t", name, got, ok, c.end, c.ok)
		}
	}
	if got, ok := layer.InvocationDeadline(outer); !got.Equal(end) || !ok {
		t.Errorf("outside an invocation: got %v, %t, want %v", got, ok, end)
	}
}
