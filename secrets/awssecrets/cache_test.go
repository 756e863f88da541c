package awssecrets_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/awssecrets"
)

const (
	ttl      = time.Minute
	maxStale = 10 * time.Minute
)

// clock is a wall clock that a test moves.
type clock struct{ ns atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(0, c.ns.Load()) }
func (c *clock) advance(d time.Duration) { c.ns.Add(int64(d)) }

// cached is a store with a cache over it.
type cached struct {
	*store
	clock
	cache *secrets.Cache
	stale atomic.Int64 // values served so
}

func setUpCache(t testing.TB, opts ...secrets.Option) *cached {
	t.Helper()
	c := &cached{store: setUp(t)}
	c.ns.Store(time.Now().UnixNano())
	c.cache = secrets.New(c.source, append([]secrets.Option{
		secrets.TTL(ttl), secrets.MaxStale(maxStale), secrets.Jitter(0), secrets.Clock(c.now),
		secrets.OnStale(func(context.Context, secrets.StaleServe) { c.stale.Add(1) }),
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
	if got := c.taken(); !maps.Equal(got, map[string]int{"BatchGetSecretValue": 1}) {
		t.Errorf("requests %v", got)
	}
}

func TestOutagesAreBridgedWithinBounds(t *testing.T) {
	for name, m := range map[string]mishap{
		"throttled": refuse(400, "ThrottlingException"),
		"internal":  refuse(500, "InternalServiceError"),
		"dropped":   drop,
		"cut":       cut(`{"SecretString":"ol`),
		"slow":      hang,
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

			c.meet("GetSecretValue", m)
			c.put(t, key, "new")
			c.advance(ttl + time.Second)
			c.mustGet(t, key, "old", true)
			c.advance(maxStale - 2*time.Second)
			c.mustGet(t, key, "old", true)
			c.advance(2 * time.Second)
			if s, err := c.cache.Get(t.Context(), key); !errors.Is(err, secrets.ErrUnavailable) {
				t.Errorf("past MaxStale: %q, %v", s.Text(), err)
			}

			c.meet("GetSecretValue", nil)
			c.advance(time.Minute) // of the longest backoff
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
		c.advance(time.Minute)
	}
	return err
}

func TestDenialsAreNeverCoveredByAStaleValue(t *testing.T) {
	denied := func(m mishap) func(*testing.T, *cached, string) {
		return func(_ *testing.T, c *cached, _ string) { c.meet("GetSecretValue", m) }
	}
	tests := map[string]struct {
		deny func(*testing.T, *cached, string)
		want error
	}{
		"denied":        {denied(refuse(400, "AccessDeniedException")), secrets.ErrDenied},
		"forbidden":     {denied(refuse(403, "AccessDenied")), secrets.ErrDenied},
		"undecryptable": {denied(refuse(400, "DecryptionFailure")), secrets.ErrUndecryptable},
		"malformed":     {denied(refuse(400, "InvalidParameterException")), nil},
		"deleted":       {func(t *testing.T, c *cached, name string) { c.remove(t, name) }, secrets.ErrNotFound},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := setUpCache(t)
			key, _ := c.create(t, "key", "value")
			c.mustGet(t, key, "value", false)
			tt.deny(t, c, key)
			c.advance(ttl + time.Second)
			for range 2 { // the second time from what is remembered
				s, err := c.cache.Get(t.Context(), key)
				mustMean(t, err, tt.want)
				if !s.IsZero() {
					t.Error("with a value")
				}
			}
			// Nor does it come back when the source goes away afterwards.
			c.meet("GetSecretValue", drop)
			c.advance(ttl)
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
		c.taken()
		if _, err := c.cache.Get(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		return c.taken()["GetSecretValue"] > 0
	}
	c.meet("GetSecretValue", refuse(400, "ThrottlingException"))
	c.advance(ttl + time.Millisecond)
	for i, wait := range []time.Duration{0, time.Second, 2 * time.Second, 4 * time.Second} {
		if wait > 0 {
			c.advance(wait - time.Millisecond)
			if asks() {
				t.Fatalf("failure %d: asked before %v were over", i, wait)
			}
			c.advance(time.Millisecond)
		}
		if !asks() {
			t.Fatalf("failure %d: not asked after %v", i, wait)
		}
	}
	c.meet("GetSecretValue", nil)
	c.advance(8 * time.Second)
	c.mustGet(t, key, "value", false)

	c.meet("GetSecretValue", refuse(400, "ThrottlingException"))
	c.advance(ttl + time.Millisecond)
	if !asks() {
		t.Fatal("not asked after the TTL")
	}
	c.advance(time.Second)
	if !asks() {
		t.Error("the wait after a success is not the first one")
	}
}

// third is another party that takes keys: during a rotation the old and the
// new one, after it the new one alone.
type third struct {
	mu    sync.Mutex
	takes map[string]bool
}

func (p *third) set(keys ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.takes = make(map[string]bool)
	for _, key := range keys {
		p.takes[key] = true
	}
}

func (p *third) call(_ context.Context, key secrets.Secret) (string, error) {
	time.Sleep(time.Millisecond) // on the way there
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.takes[key.Text()] {
		return "", secrets.ErrRejected
	}
	return key.Text(), nil
}

func TestRotationsWhileSixtyFourUseTheSecret(t *testing.T) {
	var mu sync.Mutex
	fetched := make(map[string]int) // by version
	c := setUpCache(t, secrets.OnFetch(func(_ context.Context, f secrets.Fetch) {
		mu.Lock()
		defer mu.Unlock()
		fetched[f.Version]++
	}))
	key, _ := c.create(t, "key", "key 0")
	var party third
	party.set("key 0")

	const users, rotations = 64, 5
	var uses [rotations + 1]chan struct{} // one of each user with each key
	for n := range uses {
		uses[n] = make(chan struct{}, users)
	}
	stop, failed := make(chan struct{}), make(chan error, users)
	var wg sync.WaitGroup
	for range users {
		wg.Go(func() {
			last := -1
			for {
				select {
				case <-stop:
					return
				default:
				}
				got, err := secrets.Try(t.Context(), c.cache, key, party.call)
				if err != nil {
					failed <- err
					return
				}
				var n int
				_, _ = fmt.Sscanf(got, "key %d", &n)
				if n != last {
					last = n
					uses[n] <- struct{}{}
				}
			}
		})
	}
	await := func(n int) {
		t.Helper()
		for range users {
			select {
			case <-uses[n]:
			case err := <-failed:
				t.Errorf("a use of key %d failed: %v", n, err)
				return
			}
		}
	}
	await(0)
	for n := 1; n <= rotations; n++ {
		next, last := fmt.Sprint("key ", n), fmt.Sprint("key ", n-1)
		party.set(last, next)
		c.put(t, key, next) // AWSCURRENT; the last one is AWSPREVIOUS now
		party.set(next)
		await(n)
	}
	close(stop)
	wg.Wait()
	close(failed)
	for err := range failed {
		t.Errorf("a use failed: %v", err)
	}

	mu.Lock()
	defer mu.Unlock()
	if len(fetched) != rotations+1 {
		t.Errorf("versions %v, want %d", fetched, rotations+1)
	}
	for version, n := range fetched {
		if n != 1 {
			t.Errorf("version %q was fetched %d times", version, n)
		}
	}
	if got := c.taken(); !maps.Equal(got, map[string]int{"GetSecretValue": rotations + 1}) {
		t.Errorf("requests %v", got)
	}
}

// What was signed before a rotation is verified after it.
func TestPairVerifiesAcrossARotation(t *testing.T) {
	c := setUpCache(t)
	key, _ := c.create(t, "key", "key 1")
	verifies := func(signedWith string) bool {
		t.Helper()
		current, previous, err := c.cache.Pair(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		return current.Text() == signedWith || !previous.IsZero() && previous.Text() == signedWith
	}
	if !verifies("key 1") {
		t.Error("before a rotation")
	}
	c.put(t, key, "key 2")
	c.advance(ttl + time.Second)
	if !verifies("key 1") || !verifies("key 2") {
		t.Error("after the first rotation")
	}
	c.put(t, key, "key 3")
	c.advance(ttl + time.Second)
	if verifies("key 1") || !verifies("key 2") || !verifies("key 3") {
		t.Error("after the second rotation")
	}
}

func TestAValueIsGivenUpAtItsRotation(t *testing.T) {
	p, _ := stub(t)
	var c clock
	c.ns.Store(time.Now().UnixNano())
	p.meet("DescribeSecret", answer(map[string]any{"NextRotationDate": c.now().Add(time.Hour).Unix()}))
	client := connect(p.URL)
	cache := secrets.New(awssecrets.New(client, awssecrets.RotationAware(client)), secrets.TTL(24*time.Hour), secrets.Clock(c.now))
	requests := func() int {
		t.Helper()
		if _, err := cache.Get(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		return p.taken()["GetSecretValue"]
	}
	if requests() != 1 {
		t.Error("not fetched")
	}
	c.advance(time.Hour - 2*time.Second)
	if requests() != 0 {
		t.Error("fetched before the rotation")
	}
	c.advance(2 * time.Second)
	if requests() != 1 {
		t.Error("not fetched at the rotation")
	}
	c.advance(time.Hour)
	if requests() != 0 {
		t.Error("fetched again for a date that is over")
	}
}
