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

func TestRefreshFetchesPastTheCache(t *testing.T) {
	c, v, _ := newCache()
	mustGet(t, c, "hunter2")
	v.set(name, "hunter3", "2")
	mustGet(t, c, "hunter2")
	mustGet(t, c, "hunter3", secrets.Refresh())
	mustGet(t, c, "hunter3")
	v.mustHaveBeenAsked(t, 2)

	previous := secrets.Ref{Name: name, Stage: "AWSPREVIOUS"}
	v.setRef(previous, secrets.Value{Data: []byte("hunter1"), Version: "0"})
	mustGet(t, c, "hunter1", secrets.VersionStage("AWSPREVIOUS"))
	v.setRef(previous, secrets.Value{Data: []byte("hunter2"), Version: "1"})
	mustGet(t, c, "hunter2", secrets.Refresh(), secrets.VersionStage("AWSPREVIOUS"))
	mustGet(t, c, "hunter3")
}

func TestRefreshTakesNoOldValueAndLeavesItToOthers(t *testing.T) {
	c, v, at := newCache()
	mustGet(t, c, "hunter2")
	v.fail(secrets.ErrUnavailable)
	for _, asked := range []int{2, 2} { // the second one within the backoff
		if s, err := c.Get(t.Context(), name, secrets.Refresh()); !errors.Is(err, secrets.ErrUnavailable) || !s.IsZero() {
			t.Errorf("got %q, %v, want %v", s.Text(), err, secrets.ErrUnavailable)
		}
		mustGet(t, c, "hunter2")
		v.mustHaveBeenAsked(t, asked)
	}
	at.move(5*time.Minute + time.Second)
	if s := mustGet(t, c, "hunter2"); !s.Stale() {
		t.Error("got a fresh value, want a stale one")
	}
	v.fail(secrets.ErrDenied)
	at.move(5 * time.Minute)
	if _, err := c.Get(t.Context(), name, secrets.Refresh()); !errors.Is(err, secrets.ErrDenied) {
		t.Errorf("got %v, want %v", err, secrets.ErrDenied)
	}
	mustFail(t, c, "secret_denied", secrets.ErrDenied)
}

func TestRefreshesAtTheSameTimeShareOneFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, v, _ := newCache()
		mustGet(t, c, "hunter2")
		v.set(name, "hunter3", "2")
		release := make(chan struct{})
		v.before = func(context.Context, []secrets.Ref) { <-release }
		var all sync.WaitGroup
		for range 64 {
			all.Go(func() {
				if s, err := c.Get(t.Context(), name, secrets.Refresh()); err != nil || s.Text() != "hunter3" {
					t.Errorf("got %q, %v, want hunter3", s.Text(), err)
				}
			})
		}
		synctest.Wait()
		v.mustHaveBeenAsked(t, 2)
		close(release)
		all.Wait()
		v.mustHaveBeenAsked(t, 2)
	})
}
