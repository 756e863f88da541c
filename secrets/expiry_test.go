package secrets_test

import (
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/secrets"
)

func TestExpiryIsJudgedOnAccessByTheWallClock(t *testing.T) {
	for _, tc := range []struct {
		rule    string
		opts    []secrets.Option
		random  float64
		expires time.Duration // after the fetch; 0: not known
		fresh   time.Duration // after the fetch, the last second that it is
	}{
		{rule: "5 minutes by default", random: 0.5, fresh: 5*time.Minute - 1},
		{rule: "TTL", opts: []secrets.Option{secrets.TTL(time.Hour)}, random: 0.5, fresh: time.Hour - 1},
		{
			rule:  "a tenth earlier",
			opts:  []secrets.Option{secrets.Jitter(0.1)},
			fresh: 4*time.Minute + 30*time.Second - 1,
		},
		{
			rule:   "a tenth later",
			opts:   []secrets.Option{secrets.Jitter(0.1)},
			random: 1,
			fresh:  5*time.Minute + 30*time.Second - 1,
		},
		{
			rule:   "half as much again",
			opts:   []secrets.Option{secrets.Jitter(0.5)},
			random: 1,
			fresh:  7*time.Minute + 30*time.Second - 1,
		},
		{rule: "a rotation that is due caps it", random: 0.5, expires: time.Minute, fresh: time.Minute - 1},
		{rule: "a rotation after it does not", random: 0.5, expires: time.Hour, fresh: 5*time.Minute - 1},
		{rule: "a rotation that is late does not", random: 0.5, expires: -time.Hour, fresh: 5*time.Minute - 1},
		{rule: "a rotation in ten thousand years does not", random: 0.5, expires: 1<<63 - 1, fresh: 5*time.Minute - 1},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			c, v, at := newCache(tc.opts...)
			c.SetRandom(func() float64 { return tc.random })
			value := secrets.Value{Data: []byte("hunter2"), Version: "1"}
			if tc.expires != 0 {
				value.Expires = at.Now().Add(tc.expires)
			}
			v.setRef(secrets.Ref{Name: name}, value)
			mustGet(t, c, "hunter2")
			at.move(tc.fresh)
			mustGet(t, c, "hunter2")
			v.mustHaveBeenAsked(t, 1)
			v.set(name, "hunter3", "2")
			at.move(1)
			if s := mustGet(t, c, "hunter3"); s.Stale() {
				t.Error("got a stale value, want one that was just fetched")
			}
			v.mustHaveBeenAsked(t, 2)
		})
	}
}

func TestTheDefaultJitterIsATenth(t *testing.T) {
	at := newClock()
	v := newVault(name, "hunter2")
	c := secrets.New(v, secrets.Clock(at.Now))
	c.SetRandom(func() float64 { return 0 })
	mustGet(t, c, "hunter2")
	at.move(4*time.Minute + 30*time.Second)
	mustGet(t, c, "hunter2")
	v.mustHaveBeenAsked(t, 2)
}

// A process that is frozen sees the wall clock jump when it is thawed.
func TestTheClockJumpsForward(t *testing.T) {
	c, v, at := newCache()
	mustGet(t, c, "hunter2")
	at.move(10 * time.Hour)
	v.set(name, "hunter3", "2")
	mustGet(t, c, "hunter3")
	at.move(10 * time.Hour)
	v.fail(secrets.ErrUnavailable)
	mustFail(t, c, "secret_unavailable", secrets.ErrUnavailable) // far beyond MaxStale
}

func TestTheClockJumpsBack(t *testing.T) {
	t.Run("a value is not fresh for as long as the clock went back", func(t *testing.T) {
		c, v, at := newCache()
		mustGet(t, c, "hunter2")
		at.move(-10 * time.Hour)
		v.set(name, "hunter3", "2")
		mustGet(t, c, "hunter3")
		at.move(5*time.Minute - 1)
		mustGet(t, c, "hunter3")
		v.mustHaveBeenAsked(t, 2)
	})
	t.Run("nor served stale, as its age cannot be told", func(t *testing.T) {
		c, v, at := newCache()
		mustGet(t, c, "hunter2")
		at.move(-10 * time.Hour)
		v.fail(secrets.ErrUnavailable)
		mustFail(t, c, "secret_unavailable", secrets.ErrUnavailable)
	})
	t.Run("also not when the clock is put right again", func(t *testing.T) {
		c, v, at := newCache()
		mustGet(t, c, "hunter2")
		v.fail(secrets.ErrUnavailable)
		at.move(-10 * time.Hour)
		mustFail(t, c, "secret_unavailable", secrets.ErrUnavailable)
		at.move(10 * time.Hour)
		mustFail(t, c, "secret_unavailable", secrets.ErrUnavailable)
	})
	t.Run("a denial does not stand for as long", func(t *testing.T) {
		c, v, at := newCache()
		v.fail(secrets.ErrDenied)
		mustFail(t, c, "secret_denied", secrets.ErrDenied)
		at.move(-10 * time.Hour)
		v.fail(nil)
		mustGet(t, c, "hunter2")
	})
	t.Run("a backoff does not last as long", func(t *testing.T) {
		c, v, at := newCache()
		v.fail(secrets.ErrUnavailable)
		mustFail(t, c, "secret_unavailable", secrets.ErrUnavailable)
		at.move(-10 * time.Hour)
		v.fail(nil)
		mustGet(t, c, "hunter2")
	})
	t.Run("a clock that is set by less than a second has not gone back", func(t *testing.T) {
		c, v, at := newCache()
		mustGet(t, c, "hunter2")
		at.move(-time.Second)
		mustGet(t, c, "hunter2")
		v.mustHaveBeenAsked(t, 1)
	})
}
