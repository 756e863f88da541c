package secrets_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/secrets"
)

func TestNoMoreThanMaxEntriesAreKept(t *testing.T) {
	for _, limit := range []int{1, 7, 1000} {
		c := secrets.New(fixed("x"), secrets.MaxEntries(limit))
		for i := range 3 * limit {
			if s, err := c.Get(t.Context(), fmt.Sprint(i)); err != nil || s.Text() != "x" {
				t.Fatal(err)
			}
		}
		if n := c.Entries(); n != limit {
			t.Errorf("%d entries are kept, want %d", n, limit)
		}
	}
	if n := func() int {
		c := secrets.New(fixed("x"))
		if err := c.Prefetch(t.Context(), names(3000)...); err != nil {
			t.Error(err)
		}
		return c.Entries()
	}(); n != 1000 {
		t.Errorf("got %d entries by default, want 1000", n)
	}
}

func TestErrorsAreBoundedAsWell(t *testing.T) {
	v := newVault()
	c := secrets.New(v, secrets.MaxEntries(10))
	_ = c.Prefetch(t.Context(), names(100)...)
	v.fail(secrets.ErrUnavailable)
	_ = c.Prefetch(t.Context(), names(100)...)
	if n := c.Entries(); n != 10 {
		t.Errorf("got %d entries, want 10", n)
	}
}

func TestWhatIsUsedStaysAndWhatIsNotGoes(t *testing.T) {
	var fetched []string
	c := secrets.New(fixed("x"), secrets.MaxEntries(100), secrets.OnFetch(func(_ context.Context, f secrets.FetchReport) {
		fetched = append(fetched, f.Ref.Name)
	}))
	used := names(50)
	for i := range 10_000 { // a stream of names that are asked for once
		for _, name := range used[i%5*10 : i%5*10+10] {
			if _, err := c.Get(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := c.Get(t.Context(), fmt.Sprint("once ", i)); err != nil {
			t.Fatal(err)
		}
	}
	again := 0
	for _, name := range fetched {
		if strings.HasPrefix(name, "secret-") {
			again++
		}
	}
	if again != len(used) {
		t.Errorf("what is used all the time was fetched %d times, want %d", again, len(used))
	}
}

func TestADenialThatIsMetAgainStays(t *testing.T) {
	v := newVault()
	c := secrets.New(v, secrets.MaxEntries(10), secrets.Clock(newClock().Now))
	for i := range 100 {
		_, _ = c.Get(t.Context(), name)
		_, _ = c.Get(t.Context(), fmt.Sprint("once ", i))
	}
	v.mustHaveBeenAsked(t, 101)
}

// In bytes, for names of 20 and values of 40.
func TestTheMemoryOfAnEntryIsLittle(t *testing.T) {
	const n = 10_000
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("secrets/of/%09d", i)
	}
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	c := secrets.New(fixed(strings.Repeat("x", 40)), secrets.MaxEntries(n))
	before := heap()
	if err := c.Prefetch(t.Context(), all...); err != nil {
		t.Fatal(err)
	}
	each := (heap() - before) / n
	t.Logf("%d bytes for each entry besides its name", each)
	if each > 1000 {
		t.Errorf("got %d bytes for each entry, want at most 1000", each)
	}
	runtime.KeepAlive(c)
	runtime.KeepAlive(all)
}
