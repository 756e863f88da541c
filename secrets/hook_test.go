package secrets_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/secrets"
)

type contextKey struct{}

func TestOnFetchSeesEachValueBeforeAnyoneGetsIt(t *testing.T) {
	var seen []secrets.Fetch
	c, v, at := newCache(secrets.OnFetch(func(ctx context.Context, f secrets.Fetch) {
		if ctx.Value(contextKey{}) != "of the call" || ctx.Err() != nil {
			t.Error("another context")
		}
		seen = append(seen, f)
	}))
	v.before = func(context.Context, []secrets.Ref) { time.Sleep(time.Millisecond) }
	ctx := context.WithValue(t.Context(), contextKey{}, "of the call")
	_ = c.Prefetch(ctx, name, "gone")
	if len(seen) != 2 {
		t.Fatalf("it has seen %d of 2", len(seen))
	}
	if f := seen[0]; f.Ref.Name != name || f.Version != "1" || f.Err != nil || !f.Began.Equal(at.Now()) || f.Took < time.Millisecond {
		t.Errorf("it has seen %+v", f)
	}
	if f := seen[1]; f.Ref.Name != "gone" || f.Version != "" || !errors.Is(f.Err, secrets.ErrNotFound) {
		t.Errorf("it has seen %+v", f)
	}
	if _, err := c.Get(ctx, name); err != nil || len(seen) != 2 {
		t.Errorf("it has seen a Get that fetched nothing, %v", err)
	}
}

func TestAPanicOfOnFetchEndsNoProcess(t *testing.T) {
	bad := true
	c, _, at := newCache(secrets.OnFetch(func(context.Context, secrets.Fetch) {
		if bad {
			panic("boom")
		}
	}))
	mustFail(t, c, "secret_unavailable", secrets.ErrUnavailable)
	bad = false
	at.move(time.Second)
	mustGet(t, c, "hunter2")
}
