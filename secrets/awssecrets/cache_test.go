package awssecrets_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/awsproxy"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
	"github.com/lambdarmor/lambdarmor/secrets"
)

const (
	ttl      = time.Minute
	maxStale = 10 * time.Minute
)

// cached is a store with a cache over it.
type cached struct {
	*store
	*awstest.Clock
	cache *secrets.Cache
	stale atomic.Int64 // values served so
}

func setUpCache(t testing.TB, opts ...secrets.Option) *cached {
	t.Helper()
	c := &cached{store: setUp(t), Clock: awstest.NewClock()}
	c.cache = secrets.New(c.source, append([]secrets.Option{
		secrets.TTL(ttl), secrets.MaxStale(maxStale), secrets.Jitter(0), secrets.Clock(c.Now),
		secrets.OnStale(func(context.Context, secrets.StaleReport) { c.stale.Add(1) }),
		secrets.FetchTimeout(time.Minute), // of a busy machine
	}, opts...)...)
	return c
}

func (c *cached) mustGet(t testing.TB, name, want string, stale bool) {
	t.Helper()
	before := c.stale.Load()
	s, err := c.cache.Get(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if s.Text() != want || s.Stale() != stale || (c.stale.Load() > before) != stale {
		t.Fatalf("%q, stale %v, told %v; want %q, stale %v", s.Text(), s.Stale(), c.stale.Load() > before, want, stale)
	}
}

func TestTenSecretsArePrefetchedWithOneRequest(t *testing.T) {
	c := setUpCache(t)
	var names []string
	for i := range 10 {
		name, _ := c.create(t, fmt.Sprint(i), fmt.Sprint("value ", i))
		names = append(names, name)
	}
	if err := c.cache.Prefetch(t.Context(), names...); err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		c.mustGet(t, name, fmt.Sprint("value ", i), false)
	}
	mustTake(t, c, map[string]int{"BatchGetSecretValue": 1})
}

func TestOutagesAreBridgedWithinBounds(t *testing.T) {
	for name, m := range map[string]awsproxy.Mishap{
		"throttled": awstest.Refuse(400, "ThrottlingException"),
		"internal":  awstest.Refuse(500, "InternalServiceError"),
		"dropped":   awsproxy.Drop,
		"cut":       awstest.Cut(`{"SecretString":"ol`),
		"slow":      awsproxy.Hang,
	} {
		t.Run(name, func(t *testing.T) {
			var opts []secrets.Option
			if name == "slow" {
				opts = append(opts, secrets.FetchTimeout(100*time.Millisecond))
			}
			c := setUpCache(t, opts...)
			key, _ := c.create(t, "key", "old")
			if err := c.warm(t, key); err != nil {
				t.Fatal(err)
			}

			c.Meet("GetSecretValue", m)
			c.put(t, key, "new")
			c.Advance(ttl + time.Second)
			c.mustGet(t, key, "old", true)
			c.Advance(maxStale - 2*time.Second)
			c.mustGet(t, key, "old", true)
			c.Advance(2 * time.Second)
			if s, err := c.cache.Get(t.Context(), key); !errors.Is(err, secrets.ErrUnavailable) {
				t.Errorf("past MaxStale: %q, %v", s.Text(), err)
			}

			c.Meet("GetSecretValue", nil)
			c.Advance(time.Minute) // of the longest backoff
			if err := c.warm(t, key); err != nil {
				t.Fatal(err)
			}
			c.mustGet(t, key, "new", false)
		})
	}
}

// warm gets a secret, also where a slow machine needs more than one fetch for it.
func (c *cached) warm(t testing.TB, name string) error {
	t.Helper()
	var err error
	for range 100 {
		if _, err = c.cache.Get(t.Context(), name); !errors.Is(err, secrets.ErrUnavailable) {
			return err
		}
		c.Advance(time.Minute)
	}
	return err
}

func TestDenialsAreNeverCoveredByAStaleValue(t *testing.T) {
	denied := func(m awsproxy.Mishap) func(*testing.T, *cached, string) {
		return func(_ *testing.T, c *cached, _ string) { c.Meet("GetSecretValue", m) }
	}
	tests := map[string]struct {
		deny func(*testing.T, *cached, string)
		want error
	}{
		"denied":        {deny: denied(awstest.Refuse(400, "AccessDeniedException")), want: secrets.ErrDenied},
		"forbidden":     {deny: denied(awstest.Refuse(403, "AccessDenied")), want: secrets.ErrDenied},
		"undecryptable": {deny: denied(awstest.Refuse(400, "DecryptionFailure")), want: secrets.ErrUndecryptable},
		"malformed":     {deny: denied(awstest.Refuse(400, "InvalidParameterException"))},
		"deleted":       {deny: func(t *testing.T, c *cached, name string) { c.remove(t, name) }, want: secrets.ErrNotFound},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := setUpCache(t)
			key, _ := c.create(t, "key", "value")
			c.mustGet(t, key, "value", false)
			tt.deny(t, c, key)
			c.Advance(ttl + time.Second)
			for range 2 { // the second time from what is remembered
				s, err := c.cache.Get(t.Context(), key)
				awstest.MustMean(t, err, tt.want)
				if !s.IsZero() {
					t.Error("with a value")
				}
			}
			// Nor does it come back when the source goes away afterwards.
			c.Meet("GetSecretValue", awsproxy.Drop)
			c.Advance(ttl)
			if _, err := c.cache.Get(t.Context(), key); !errors.Is(err, secrets.ErrUnavailable) {
				t.Error(err)
			}
			if n := c.stale.Load(); n != 0 {
				t.Errorf("%d values served stale", n)
			}
		})
	}
}

func TestTheFirstSuccessEndsTheBackoff(t *testing.T) {
	c := setUpCache(t)
	key, _ := c.create(t, "key", "value")
	c.mustGet(t, key, "value", false)
	asks := func() bool {
		t.Helper()
		c.Taken()
		if _, err := c.cache.Get(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		return c.Taken()["GetSecretValue"] > 0
	}
	c.Meet("GetSecretValue", awstest.Refuse(400, "ThrottlingException"))
	c.Advance(ttl + time.Millisecond)
	for i, wait := range []time.Duration{0, time.Second, 2 * time.Second, 4 * time.Second} {
		if wait > 0 {
			c.Advance(wait - time.Millisecond)
			if asks() {
				t.Fatalf("failure %d: asked before %v were over", i, wait)
			}
			c.Advance(time.Millisecond)
		}
		if !asks() {
			t.Fatalf("failure %d: not asked after %v", i, wait)
		}
	}
	c.Meet("GetSecretValue", nil)
	c.Advance(8 * time.Second)
	c.mustGet(t, key, "value", false)

	c.Meet("GetSecretValue", awstest.Refuse(400, "ThrottlingException"))
	c.Advance(ttl + time.Millisecond)
	if !asks() {
		t.Fatal("not asked after the TTL")
	}
	c.Advance(time.Second)
	if !asks() {
		t.Error("the wait after a success is not the first one")
	}
}
