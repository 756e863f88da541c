package secrets_test

import (
	"slices"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/secrets"
)

func TestAfterAFailureTheNextTryIsLaterEachTime(t *testing.T) {
	steps := append([]time.Duration{1, 2, 4, 8, 16, 32}, slices.Repeat([]time.Duration{60}, 100)...) // seconds
	c, v, at := newCache(secrets.MaxStale(24 * time.Hour))
	mustGet(t, c, "hunter2")
	v.fail(secrets.ErrUnavailable)
	at.move(5 * time.Minute)
	mustGet(t, c, "hunter2")
	for i, wait := range steps {
		v.mustHaveBeenAsked(t, i+2)
		at.move(wait*time.Second - 1)
		mustGet(t, c, "hunter2")
		v.mustHaveBeenAsked(t, i+2)
		at.move(1)
		mustGet(t, c, "hunter2")
	}

	// One success, and all is as before.
	v.fail(nil)
	at.move(time.Minute)
	if mustGet(t, c, "hunter2").Stale() {
		t.Error("got a stale value after a success, want a fresh one")
	}
	v.fail(secrets.ErrUnavailable)
	at.move(5 * time.Minute)
	mustGet(t, c, "hunter2")
	asked := v.fetches()
	at.move(time.Second)
	mustGet(t, c, "hunter2")
	v.mustHaveBeenAsked(t, asked+1)
}

func TestWithNothingToServeTheNextTryIsAtMostFiveSecondsOff(t *testing.T) {
	c, v, at := newCache()
	v.fail(secrets.ErrUnavailable)
	for i, wait := range []time.Duration{1, 2, 4, 5, 5, 5} {
		wait *= time.Second
		if e := mustFail(t, c, "secret_unavailable", secrets.ErrUnavailable); e.RetryAfter != wait {
			t.Errorf("try again after %v, want %v", e.RetryAfter, wait)
		}
		at.move(wait - 1)
		if e := mustFail(t, c, "secret_unavailable", secrets.ErrUnavailable); e.RetryAfter != 1 {
			t.Errorf("try again after %v, want the rest of the backoff", e.RetryAfter)
		}
		v.mustHaveBeenAsked(t, i+1)
		at.move(1)
	}
	v.fail(nil)
	mustGet(t, c, "hunter2")
}

func TestTheBackoffVariesByTheJitter(t *testing.T) {
	for random, want := range map[float64]time.Duration{0: 900 * time.Millisecond, 1: 1100 * time.Millisecond} {
		c, v, _ := newCache(secrets.Jitter(0.1))
		c.SetRandom(func() float64 { return random })
		v.fail(secrets.ErrUnavailable)
		if e := mustFail(t, c, "secret_unavailable", secrets.ErrUnavailable); e.RetryAfter != want {
			t.Errorf("try again after %v, want %v", e.RetryAfter, want)
		}
	}
}

func TestABackoffIsOverWhenTheClockJumpsForward(t *testing.T) {
	c, v, at := newCache()
	v.fail(secrets.ErrUnavailable)
	mustFail(t, c, "secret_unavailable", secrets.ErrUnavailable)
	v.fail(nil)
	at.move(10 * time.Hour)
	mustGet(t, c, "hunter2")
}
