package secrets_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/secrets"
)

// invoke runs handle as the runtime would: with a context that has the deadline
// of the invocation and ends when the answer is there.
func invoke(t *testing.T, left time.Duration, handle func(ctx context.Context)) {
	t.Helper()
	ctx, end := context.WithTimeout(t.Context(), left)
	defer end()
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		handle(ctx)
		return nil, nil
	}))
	if _, err := h.Invoke(ctx, []byte("{}")); err != nil {
		t.Error(err)
	}
}

// getWithin waits no longer than patience.
func getWithin(ctx context.Context, c *secrets.Cache, patience time.Duration) (secrets.Secret, error) {
	ctx, leave := context.WithTimeout(ctx, patience)
	defer leave()
	return c.Get(ctx, name)
}

// taking is a source whose answers take a while, and the times after which a
// call of it was given up.
func taking(v *vault, d time.Duration) (cut *[]time.Duration) {
	cut = new([]time.Duration)
	v.before = func(ctx context.Context, _ []secrets.Ref) {
		began := time.Now()
		select {
		case <-time.After(d):
		case <-ctx.Done():
			v.mu.Lock()
			*cut = append(*cut, time.Since(began))
			v.mu.Unlock()
		}
	}
	return cut
}

func TestCallersWhoWaitLessThanTheSourceTakesFillTheCache(t *testing.T) {
	for rule, within := range map[string]func(*testing.T, func(context.Context)){
		"of an invocation":   func(t *testing.T, handle func(context.Context)) { invoke(t, 3*time.Second, handle) },
		"of no invocation":   func(t *testing.T, handle func(context.Context)) { handle(t.Context()) },
		"without a deadline": func(t *testing.T, handle func(context.Context)) { invoke(t, time.Hour, handle) },
	} {
		t.Run(rule, func(t *testing.T) {
			inBubble(t, func(t *testing.T, c *secrets.Cache, v *vault) {
				taking(v, 500*time.Millisecond)
				within(t, func(ctx context.Context) {
					for range 4 {
						if s, err := getWithin(ctx, c, 100*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
							t.Errorf("before the source has answered: got %q, %v, want the end of the wait", s.Text(), err)
						}
					}
					if s, err := getWithin(ctx, c, 101*time.Millisecond); err != nil || s.Text() != "hunter2" {
						t.Errorf("when it has: got %q, %v, want the value", s.Text(), err)
					}
				})
				v.mustHaveBeenAsked(t, 1)
			})
		})
	}
}

func TestAFetchEndsWithTheInvocation(t *testing.T) {
	for _, tc := range []struct {
		rule   string
		handle func(ctx context.Context, c *secrets.Cache)
		left   time.Duration
		want   time.Duration
	}{
		{
			rule: "that has its answer",
			handle: func(ctx context.Context, c *secrets.Cache) {
				_, _ = getWithin(ctx, c, 100*time.Millisecond)
				time.Sleep(200 * time.Millisecond)
			},
			left: time.Second, want: 300 * time.Millisecond,
		},
		{
			rule:   "that is out of time",
			handle: func(ctx context.Context, c *secrets.Cache) { _, _ = c.Get(ctx, name) },
			left:   time.Second, want: time.Second,
		},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			inBubble(t, func(t *testing.T, c *secrets.Cache, v *vault) {
				cut := taking(v, time.Hour)
				invoke(t, tc.left, func(ctx context.Context) { tc.handle(ctx, c) })
				synctest.Wait()
				if got := *cut; len(got) != 1 || got[0] != tc.want {
					t.Errorf("the source was given up after %v, want once after %v", got, tc.want)
				}
			})
		})
	}
}

// The other one has asked for the same, and lasts longer.
func TestAFetchThatTwoInvocationsWaitForEndsWithTheLastOfThem(t *testing.T) {
	inBubble(t, func(t *testing.T, c *secrets.Cache, v *vault) {
		cut := taking(v, 500*time.Millisecond)
		var done sync.WaitGroup
		done.Go(func() {
			invoke(t, 100*time.Millisecond, func(ctx context.Context) {
				if _, err := c.Get(ctx, name); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("the one that is out of time: got %v", err)
				}
			})
		})
		synctest.Wait()
		done.Go(func() {
			invoke(t, time.Second, func(ctx context.Context) {
				if s, err := c.Get(ctx, name); err != nil || s.Text() != "hunter2" {
					t.Errorf("the other one: got %q, %v", s.Text(), err)
				}
			})
		})
		done.Wait()
		v.mustHaveBeenAsked(t, 1)
		if len(*cut) != 0 {
			t.Errorf("got fetches cut after %v, want none", *cut)
		}
	})
}

// Some emulators send a deadline at the beginning of time. Deadline takes it
// for none, and so does a fetch.
func TestADeadlineAtTheBeginningOfTimeCutsNoFetch(t *testing.T) {
	inBubble(t, func(t *testing.T, c *secrets.Cache, v *vault) {
		taking(v, 500*time.Millisecond)
		ctx, end := context.WithDeadline(t.Context(), time.Unix(0, 0))
		defer end()
		h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			s, err := c.Get(ctx, name)
			return []byte(s.Text()), err
		}), guard.Deadline(300*time.Millisecond))
		if got, err := h.Invoke(ctx, nil); err != nil || string(got) != "hunter2" {
			t.Errorf("got %q, %v", got, err)
		}
	})
}
