package secrets_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lambdarmor/lambdarmor/secrets"
)

// The invocation that began a fetch is over, and the process is frozen with the
// fetch under way: its timers have not moved when it is thawed, the wall clock
// has, and the connection is gone.
func frozenMidFetch(t *testing.T, thaw func(t *testing.T, c *secrets.Cache, v *vault, at *clock, resume func(error))) {
	synctest.Test(t, func(t *testing.T) {
		c, v, at := newCache()
		open := make(chan error)
		v.before = func(context.Context, []secrets.Ref) {
			v.before = nil
			v.fail(<-open)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() {
			if _, err := c.Get(ctx, name); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		})
		synctest.Wait()
		cancel()
		done.Wait()
		at.move(10 * time.Minute)
		thaw(t, c, v, at, func(err error) {
			open <- err
			synctest.Wait()
			v.fail(nil)
		})
	})
}

func TestAFetchThatOutlivesItsInvocationDoesNotPoisonTheNext(t *testing.T) {
	t.Run("which does not wait for it", func(t *testing.T) {
		frozenMidFetch(t, func(t *testing.T, c *secrets.Cache, v *vault, at *clock, resume func(error)) {
			v.set(name, "hunter3", "2")
			thawed := time.Now()
			mustGet(t, c, "hunter3")
			if time.Since(thawed) > 0 {
				t.Errorf("got a wait of %v for the frozen fetch, want none", time.Since(thawed))
			}
			v.mustHaveBeenAsked(t, 2)
			resume(secrets.ErrUnavailable)
			mustGet(t, c, "hunter3")
			v.mustHaveBeenAsked(t, 2)
		})
	})
	t.Run("nor backs off because it failed", func(t *testing.T) {
		frozenMidFetch(t, func(t *testing.T, c *secrets.Cache, v *vault, at *clock, resume func(error)) {
			resume(secrets.ErrUnavailable)
			mustGet(t, c, "hunter2")
			v.mustHaveBeenAsked(t, 2)
		})
	})
	t.Run("nor takes what it brought for new", func(t *testing.T) {
		frozenMidFetch(t, func(t *testing.T, c *secrets.Cache, v *vault, at *clock, resume func(error)) {
			resume(nil)
			v.set(name, "hunter3", "2")
			mustGet(t, c, "hunter3")
			v.mustHaveBeenAsked(t, 2)
		})
	})
	t.Run("nor puts it over what is newer", func(t *testing.T) {
		frozenMidFetch(t, func(t *testing.T, c *secrets.Cache, v *vault, at *clock, resume func(error)) {
			v.set(name, "hunter3", "2")
			mustGet(t, c, "hunter3")
			v.set(name, "hunter2", "1") // what the first fetch is about to read
			resume(nil)
			mustGet(t, c, "hunter3")
		})
	})
}

// What began later than a fetch that was frozen does not make its denial unsaid.
func TestADenialThatOutlivesItsInvocationIsNotCoveredByAStaleValue(t *testing.T) {
	for rule, last := range map[string]error{"a later fetch fails": secrets.ErrUnavailable, "a later fetch succeeds": nil} {
		t.Run(rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, v, at := newCache()
				mustGet(t, c, "hunter2")
				answers := [2]chan error{make(chan error), make(chan error)}
				v.before = func(context.Context, []secrets.Ref) { v.fail(<-answers[v.fetches()-2]) }
				at.move(5 * time.Minute)
				frozen, cancel := context.WithCancel(t.Context())
				go func() { _, _ = c.Get(frozen, name) }()
				synctest.Wait()
				cancel()

				at.move(10 * time.Minute)
				var done sync.WaitGroup
				done.Go(func() {
					if _, err := c.Get(t.Context(), name); !errors.Is(err, last) {
						t.Errorf("who asked later got %v", err)
					}
				})
				synctest.Wait()
				answers[0] <- secrets.ErrDenied
				synctest.Wait()
				answers[1] <- last
				done.Wait()
				if s, err := c.Get(t.Context(), name); !errors.Is(err, last) || s.Stale() {
					t.Errorf("got stale %v, %v", s.Stale(), err)
				}
				v.mustHaveBeenAsked(t, 3)
			})
		})
	}
}

// One that outlived its invocation as well, or the freeze of a snapshot.
func TestWhoWaitsForAFetchThatWasFrozenAsksAgain(t *testing.T) {
	for rule, brought := range map[string]error{"a value": nil, "a denial": secrets.ErrDenied, "a failure": secrets.ErrUnavailable} {
		t.Run(rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, v, at := newCache()
				open := make(chan error)
				v.before = func(context.Context, []secrets.Ref) { v.fail(<-open) }
				var done sync.WaitGroup
				done.Go(func() { mustGet(t, c, "hunter3") })
				synctest.Wait()
				at.move(10 * time.Hour)
				open <- brought // and with a value hunter2, as it was read before
				synctest.Wait()
				v.set(name, "hunter3", "2")
				open <- nil
				done.Wait()
				v.mustHaveBeenAsked(t, 2)
			})
		})
	}
}
