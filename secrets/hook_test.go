package secrets_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/secrets"
)

type contextKey struct{}

func TestOnFetchSeesEachValueBeforeAnyoneGetsIt(t *testing.T) {
	var seen []secrets.FetchReport
	c, v, at := newCache(secrets.OnFetch(func(ctx context.Context, f secrets.FetchReport) {
		if ctx.Value(contextKey{}) != "of the call" || ctx.Err() != nil {
			t.Errorf("got a context with %v and %v, want the values of the call and no end", ctx.Value(contextKey{}), ctx.Err())
		}
		seen = append(seen, f)
	}))
	v.before = func(context.Context, []secrets.Ref) { time.Sleep(time.Millisecond) }
	ctx := context.WithValue(t.Context(), contextKey{}, "of the call")
	_ = c.Prefetch(ctx, name, "gone")
	if len(seen) != 2 {
		t.Fatalf("got %d reports, want 2", len(seen))
	}
	if f := seen[0]; f.Ref.Name != name || f.Version != "1" || f.Err != nil || !f.Began.Equal(at.Now()) || f.Took < time.Millisecond {
		t.Errorf("got report %+v, want one of version 1", f)
	}
	if f := seen[1]; f.Ref.Name != "gone" || f.Version != "" || !errors.Is(f.Err, secrets.ErrNotFound) {
		t.Errorf("got report %+v, want one of a missing secret", f)
	}
	if _, err := c.Get(ctx, name); err != nil || len(seen) != 2 {
		t.Errorf("got %d reports, %v, want none of a Get that fetched nothing", len(seen), err)
	}
}

func TestAPanicOfOnFetchIsTheErrorOfThoseWhoWait(t *testing.T) {
	for how, end := range map[string]func(){"a panic": func() { panic(hidden) }, "the end of its goroutine": exit} {
		t.Run(how, func(t *testing.T) {
			c, v, _ := newCache(secrets.OnFetch(func(context.Context, secrets.FetchReport) { end() }))
			s, err := c.Get(t.Context(), name)
			var e *guard.Error
			if !errors.As(err, &e) || e.Kind != guard.Internal || e.Code != "secret_failed" || !s.IsZero() {
				t.Fatalf("got %q, %v, want secret_failed", s.Text(), err)
			}
			if text := err.Error(); !strings.Contains(text, name) || !strings.Contains(text, "OnFetch") || strings.Contains(text, hidden) {
				t.Errorf("got %s, want the name, OnFetch and nothing of the panic", text)
			}
			mustGet(t, c, "hunter2")
			v.mustHaveBeenAsked(t, 1)
		})
	}
}

func TestOnFetchHasAContextThatOutlivesTheCaller(t *testing.T) {
	var seen []error
	inBubble(t, func(t *testing.T, c *secrets.Cache, v *vault) {
		open := held(v)
		ctx, leave := context.WithCancel(t.Context())
		time.AfterFunc(time.Millisecond, leave)
		if _, err := c.Get(ctx, name); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
		close(open)
		synctest.Wait()
	}, secrets.OnFetch(func(ctx context.Context, _ secrets.FetchReport) { seen = append(seen, ctx.Err()) }))
	if len(seen) != 1 || seen[0] != nil {
		t.Errorf("got reports in contexts that ended with %v, want one in a context that lasts", seen)
	}
}

// A hook may send its reports with a key from the same cache.
func TestOnFetchMayUseTheCache(t *testing.T) {
	for rule, err := range map[string]error{
		"a value": nil, "a denial": secrets.ErrDenied, "a failure": secrets.ErrUnavailable, "too early": secrets.ErrOutsideInvocation,
	} {
		t.Run(rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var c *secrets.Cache
				told := 0
				v := newVault(name, "hunter2")
				v.fail(err)
				c = secrets.New(v, secrets.Clock(time.Now), secrets.OnFetch(func(ctx context.Context, _ secrets.FetchReport) {
					if told++; told == 1 {
						if _, got := c.Get(ctx, name); !errors.Is(got, err) {
							t.Errorf("in the hook: got %v, want %v", got, err)
						}
					}
				}))
				if _, got := c.Get(t.Context(), name); !errors.Is(got, err) {
					t.Errorf("got %v", got)
				}
			})
		})
	}
}

func TestWhatOnStaleGetsItselfIsNotToldToIt(t *testing.T) {
	var c *secrets.Cache
	told := 0
	c, v, at := newCache(secrets.OnStale(func(ctx context.Context, _ secrets.StaleReport) {
		told++
		if s, err := c.Get(ctx, name); err != nil || !s.Stale() {
			t.Errorf("in the hook: got stale %v, %v, want the stale value", s.Stale(), err)
		}
	}))
	mustGet(t, c, "hunter2")
	v.fail(secrets.ErrUnavailable)
	at.move(5 * time.Minute)
	mustGet(t, c, "hunter2")
	mustGet(t, c, "hunter2")
	if told != 2 {
		t.Errorf("got %d reports, want 2", told)
	}
}
