package awsparams_test

import (
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/lambdarmor/lambdarmor/internal/awsproxy"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
	"github.com/lambdarmor/lambdarmor/secrets"
)

const (
	ttl      = time.Minute
	maxStale = 10 * time.Minute
)

func setUpCache(t testing.TB) (*store, *awstest.Clock, *secrets.Cache) {
	t.Helper()
	s, c := setUp(t), awstest.NewClock()
	return s, c, secrets.New(s.source, secrets.TTL(ttl), secrets.MaxStale(maxStale), secrets.Jitter(0),
		secrets.Clock(c.Now), secrets.FetchTimeout(time.Minute))
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
	mustTake(t, s.Proxy, 1)
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
	if got := s.Taken(); !maps.Equal(got, map[string]int{"GetParametersByPath": 2}) {
		t.Errorf("requests %v", got)
	}
	s.put(t, "app/10", "another", types.ParameterTypeSecureString)
	clock.Advance(ttl + time.Second)
	if m := get(); m["10"] != "another" {
		t.Error(m)
	}
}

func TestOutagesAreBridgedWithinBounds(t *testing.T) {
	for name, m := range map[string]awsproxy.Mishap{
		"throttled": awstest.Refuse(400, "ThrottlingException"),
		"internal":  awstest.Refuse(500, "InternalServerError"),
		"dropped":   awsproxy.Drop,
		"cut":       awstest.Cut(`{"Parameters":[{"Value":"ol`),
	} {
		t.Run(name, func(t *testing.T) {
			s, clock, cache := setUpCache(t)
			key := s.put(t, "key", "old", types.ParameterTypeSecureString)
			mustGet(t, cache, key, "old", false)
			s.Meet("GetParameters", m)
			s.put(t, "key", "new", types.ParameterTypeSecureString)
			clock.Advance(ttl + time.Second)
			mustGet(t, cache, key, "old", true)
			clock.Advance(maxStale)
			if v, err := cache.Get(t.Context(), key); !errors.Is(err, secrets.ErrUnavailable) {
				t.Errorf("past MaxStale: %q, %v", v.Text(), err)
			}
			s.Meet("GetParameters", nil)
			clock.Advance(time.Minute) // of the longest backoff
			mustGet(t, cache, key, "new", false)
		})
	}
}

func TestDenialsAreNeverCoveredByAStaleValue(t *testing.T) {
	denied := func(m awsproxy.Mishap) func(*testing.T, *store, string) {
		return func(_ *testing.T, s *store, _ string) { s.Meet("GetParameters", m) }
	}
	tests := map[string]struct {
		deny func(*testing.T, *store, string)
		want error
	}{
		"denied":        {deny: denied(awstest.Refuse(400, "AccessDeniedException")), want: secrets.ErrDenied},
		"undecryptable": {deny: denied(awstest.Refuse(400, "InvalidKeyId")), want: secrets.ErrUndecryptable},
		"deleted": {deny: func(t *testing.T, s *store, name string) {
			if _, err := s.direct.DeleteParameter(t.Context(), &ssm.DeleteParameterInput{Name: &name}); err != nil {
				t.Fatal(err)
			}
		}, want: secrets.ErrNotFound},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s, clock, cache := setUpCache(t)
			key := s.put(t, "key", "value", types.ParameterTypeSecureString)
			mustGet(t, cache, key, "value", false)
			tt.deny(t, s, key)
			clock.Advance(ttl + time.Second)
			v, err := cache.Get(t.Context(), key)
			awstest.MustMean(t, err, tt.want)
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
