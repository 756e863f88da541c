package secrets_test

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/lambdarmor/lambdarmor/secrets"
)

func TestForgetDropsValuesAndFailures(t *testing.T) {
	inBubble(t, func(t *testing.T, c *secrets.Cache, v *vault) {
		mustGet(t, c, "hunter2")
		v.set(name, "hunter3", "2")
		c.Forget()
		mustGet(t, c, "hunter3")

		c.Forget()
		v.fail(secrets.ErrUnavailable)
		if _, err := c.Get(t.Context(), name); !errors.Is(err, secrets.ErrUnavailable) {
			t.Errorf("got %v, want an outage and no stale value", err)
		}
		v.fail(nil)
		c.Forget()
		mustGet(t, c, "hunter3") // without a pause after the failure
	})
}

func TestAValueThatWasUnderWayIsNotKeptAfterForget(t *testing.T) {
	inBubble(t, func(t *testing.T, c *secrets.Cache, v *vault) {
		open := held(v)
		var done sync.WaitGroup
		done.Go(func() { mustGet(t, c, "hunter2") })
		synctest.Wait()
		c.Forget()
		close(open)
		done.Wait()
		v.set(name, "hunter3", "2")
		mustGet(t, c, "hunter3")
	})
}
