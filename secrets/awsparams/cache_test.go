package awsparams_test

import (
	"errors"
	"fmt"
	"maps"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/lambdarmor/lambdarmor/secrets"
)

const (
	ttl      = time.Minute
	maxStale = 10 * time.Minute
)

// clock is a wall clock that a test moves.
type clock struct{ ns atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(0, c.ns.Load()) }
func (c *clock) advance(d time.Duration) { c.ns.Add(int64(d)) }

func setUpCache(t testing.TB) (*store, *clock, *secrets.Cache) {
	t.Helper()
	s, c := setUp(t), new(clock)
	c.ns.Store(time.Now().UnixNano())
	return s, c, secrets.New(s.source, secrets.TTL(ttl), secrets.MaxStale(maxStale), secrets.Jitter(0),
		secrets.Clock(c.now), secrets.FetchTimeout(time.Minute))
}

func mustGet(t testing.TB, c *secrets.Cache, name, want string, stale bool) {
	t.Helper()
	s, err := c.Get(t.Context(), name)
	if err != nil || s.Text() != want || s.Stale() != stale {
		t.Fatalf("%q, stale %v, %v; want %q, stale %v", s.Text(), s.Stale(), err, want, stale)
	}
}

func TestTenParametersArePrefetchedWithOneRequest(t *testing.T) {
	s, _, cache := setUpCache(t)
	var names []string
	for i := range 10 {
		names = append(names, s.put(t, fmt.Sprint(i), fmt.Sprint("value ", i), types.ParameterTypeSecureString))
	}
	if err := cache.Prefetch(t.Context(), names...); err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		mustGet(t, cache, name, fmt.Sprint("value ", i), false)
	}
	mustTake(t, s.proxy, 1)
}

func TestAPathIsDecodedAndKeptAsOneValue(t *testing.T) {
	s, clock, cache := setUpCache(t)
	for i := range 11 {
		s.put(t, fmt.Sprint("app/", i), fmt.Sprint("value ", i), types.ParameterTypeSecureString)
	}
	get := func() map[string]string {
		t.Helper()
		m, err := secrets.JSON[map[string]string](t.Context(), cache, s.prefix+"app/")
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	for range 3 {
		if m := get(); len(m) != 11 || m["10"] != "value 10" {
			t.Error(m)
		}
	}
	if got := s.taken(); !maps.Equal(got, map[string]int{"GetParametersByPath": 2}) {
		t.Errorf("requests %v", got)
	}
	s.put(t, "app/10", "another", types.ParameterTypeSecureString)
	clock.advance(ttl + time.Second)
	if m := get(); m["10"] != "another" {
		t.Error(m)
	}
}

func TestOutagesAreBridgedWithinBounds(t *testing.T) {
	for name, m := range map[string]mishap{
		"throttled": refuse(400, "ThrottlingException"),
		"internal":  refuse(500, "InternalServerError"),
		"dropped":   drop,
		"cut":       cut(`{"Parameters":[{"Value":"ol`),
	} {
		t.Run(name, func(t *testing.T) {
			s, clock, cache := setUpCache(t)
			key := s.put(t, "key", "old", types.ParameterTypeSecureString)
			mustGet(t, cache, key, "old", false)
			s.meet("GetParameters", m)
			s.put(t, "key", "new", types.ParameterTypeSecureString)
			clock.advance(ttl + time.Second)
			mustGet(t, cache, key, "old", true)
			clock.advance(maxStale)
			if v, err := cache.Get(t.Context(), key); !errors.Is(err, secrets.ErrUnavailable) {
				t.Errorf("past MaxStale: %q, %v", v.Text(), err)
			}
			s.meet("GetParameters", nil)
			clock.advance(time.Minute) // of the longest backoff
			mustGet(t, cache, key, "new", false)
		})
	}
}

func TestDenialsAreNeverCoveredByAStaleValue(t *testing.T) {
	denied := func(m mishap) func(*testing.T, *store, string) {
		return func(_ *testing.T, s *store, _ string) { s.meet("GetParameters", m) }
	}
	tests := map[string]struct {
		deny func(*testing.T, *store, string)
		want error
	}{
		"denied":        {denied(refuse(400, "AccessDeniedException")), secrets.ErrDenied},
		"undecryptable": {denied(refuse(400, "InvalidKeyId")), secrets.ErrUndecryptable},
		"deleted": {func(t *testing.T, s *store, name string) {
			if _, err := s.direct.DeleteParameter(t.Context(), &ssm.DeleteParameterInput{Name: &name}); err != nil {
				t.Fatal(err)
			}
		}, secrets.ErrNotFound},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s, clock, cache := setUpCache(t)
			key := s.put(t, "key", "value", types.ParameterTypeSecureString)
			mustGet(t, cache, key, "value", false)
			tt.deny(t, s, key)
			clock.advance(ttl + time.Second)
			v, err := cache.Get(t.Context(), key)
			mustMean(t, err, tt.want)
			if !v.IsZero() {
				t.Error("with a value")
			}
		})
	}
}

func TestAPairByALabel(t *testing.T) {
	s, _, _ := setUpCache(t)
	cache := secrets.New(s.source, secrets.Previous(func(name string) secrets.Ref { return secrets.Ref{Name: name, Stage: "previous"} }))
	key := s.put(t, "key", "first", types.ParameterTypeSecureString)
	pair := func() (string, string) {
		t.Helper()
		cache.Invalidate(key, "")
		current, previous, err := cache.Pair(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		if previous.IsZero() {
			return current.Text(), ""
		}
		return current.Text(), previous.Text()
	}
	if current, previous := pair(); current != "first" || previous != "" {
		t.Errorf("%q, %q", current, previous)
	}
	s.put(t, "key", "second", types.ParameterTypeSecureString)
	s.label(t, key, 1, "previous")
	if current, previous := pair(); current != "second" || previous != "first" {
		t.Errorf("%q, %q", current, previous)
	}
}
