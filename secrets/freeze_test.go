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
				t.Error("it waited for the frozen fetch")
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
