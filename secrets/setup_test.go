package secrets_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/secrets"
)

// vault is a source that the tests hold in their hands.
type vault struct {
	mu     sync.Mutex
	values map[secrets.Ref]secrets.Value // also what fails for one of them
	err    error                         // of Fetch itself
	asked  [][]secrets.Ref
	before func(ctx context.Context, refs []secrets.Ref) // each answer, outside of mu
}

func newVault(namesAndTexts ...string) *vault {
	v := &vault{values: map[secrets.Ref]secrets.Value{}}
	for pair := range slices.Chunk(namesAndTexts, 2) {
		v.set(pair[0], pair[1], "1")
	}
	return v
}

func (v *vault) set(name, text, version string) {
	v.setRef(secrets.Ref{Name: name}, secrets.Value{Data: []byte(text), Version: version})
}

func (v *vault) setRef(ref secrets.Ref, value secrets.Value) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.values[ref] = value
}

func (v *vault) fail(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.err = err
}

func (v *vault) Fetch(ctx context.Context, refs []secrets.Ref) ([]secrets.Value, error) {
	v.mu.Lock()
	v.asked = append(v.asked, refs)
	before := v.before
	v.mu.Unlock()
	if before != nil {
		before(ctx, refs)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.err != nil {
		return nil, v.err
	}
	values := make([]secrets.Value, len(refs))
	for i, ref := range refs {
		value, ok := v.values[ref]
		if !ok {
			value.Err = secrets.ErrNotFound
		}
		value.Data = slices.Clone(value.Data)
		values[i] = value
	}
	return values, nil
}

func (v *vault) fetches() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.asked)
}

func (v *vault) mustHaveBeenAsked(t *testing.T, want int) {
	t.Helper()
	if got := v.fetches(); got != want {
		t.Errorf("the source was asked %d times, want %d", got, want)
	}
}

// clock is a wall clock that stands still until the test moves it.
type clock struct{ nanoseconds atomic.Int64 }

func newClock() *clock {
	c := new(clock)
	c.nanoseconds.Store(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) Now() time.Time { return time.Unix(0, c.nanoseconds.Load()) }

func (c *clock) move(d time.Duration) { c.nanoseconds.Add(int64(d)) }

const name = "payments/api-key"

// newCache is a cache whose times are exact, with its source and its clock.
func newCache(opts ...secrets.Option) (*secrets.Cache, *vault, *clock) {
	v, at := newVault(name, "hunter2"), newClock()
	return secrets.New(v, append([]secrets.Option{secrets.Clock(at.Now), secrets.Jitter(0)}, opts...)...), v, at
}

func mustGet(t *testing.T, c *secrets.Cache, text string, opts ...secrets.GetOption) secrets.Secret {
	t.Helper()
	s, err := c.Get(t.Context(), name, opts...)
	if err != nil {
		t.Fatal(err)
	}
	if s.Text() != text {
		t.Fatalf("got the value %q, want %q", s.Text(), text)
	}
	return s
}

// mustFail returns the error of a Get. It must have that code, name the secret
// and be of that kind.
func mustFail(t *testing.T, c *secrets.Cache, code string, is error) *guard.Error {
	t.Helper()
	s, err := c.Get(t.Context(), name)
	if err == nil {
		t.Fatalf("got version %q, want %s", s.Version(), code)
	}
	return mustBe(t, err, code, is)
}

func mustBe(t *testing.T, err error, code string, is error) *guard.Error {
	t.Helper()
	var e *guard.Error
	if !errors.As(err, &e) || e.Code != code || !errors.Is(err, is) {
		t.Fatalf("got error %v, want %s and %v", err, code, is)
	}
	want := guard.Internal
	if code == "secret_unavailable" {
		want = guard.Unavailable
	}
	if e.Kind != want {
		t.Errorf("%v is of kind %v, want %v", err, e.Kind, want)
	}
	if !strings.Contains(err.Error(), name) {
		t.Errorf("got error %v, want the name %s in it", err, name)
	}
	return e
}

// exit ends the goroutine.
func exit() { runtime.Goexit() }
