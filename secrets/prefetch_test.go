package secrets_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lambdarmor/lambdarmor/secrets"
)

func names(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("secret-%d", i)
	}
	return out
}

func TestPrefetchOfTenIsOneCall(t *testing.T) {
	c, v, _ := newCache()
	ten := names(10)
	for _, name := range ten {
		v.set(name, "text of "+name, "1")
	}
	if err := c.Prefetch(t.Context(), append(ten, ten...)...); err != nil {
		t.Fatal(err)
	}
	for _, name := range ten {
		if s, err := c.Get(t.Context(), name); err != nil || s.Text() != "text of "+name {
			t.Errorf("%s: got %q, %v, want its text", name, s.Text(), err)
		}
	}
	v.mustHaveBeenAsked(t, 1)
	if len(v.asked[0]) != 10 {
		t.Errorf("asked for %d values, want 10", len(v.asked[0]))
	}
}

func TestPrefetchAsksForWhatIsMissingAlone(t *testing.T) {
	c, v, _ := newCache()
	v.set("other", "x", "1")
	mustGet(t, c, "hunter2")
	if err := c.Prefetch(t.Context(), name, "other"); err != nil {
		t.Fatal(err)
	}
	if len(v.asked) != 2 || len(v.asked[1]) != 1 || v.asked[1][0].Name != "other" {
		t.Errorf("asked for %v, want two fetches of one value each", v.asked)
	}
	if err := c.Prefetch(t.Context()); err != nil {
		t.Error(err)
	}
	v.mustHaveBeenAsked(t, 2)
}

func TestOneMissingSecretNamesItselfAndHidesNoOther(t *testing.T) {
	c, v, _ := newCache()
	v.setRef(secrets.Ref{Name: "sealed"}, secrets.Value{Err: secrets.ErrUndecryptable})
	err := c.Prefetch(t.Context(), "gone", name, "sealed", "")
	if !errors.Is(err, secrets.ErrNotFound) || !errors.Is(err, secrets.ErrUndecryptable) {
		t.Errorf("got error %v, want those of both names", err)
	}
	for _, want := range []string{`"gone": not found`, `"sealed": cannot be decrypted`, "without a name"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want %s in it", err, want)
		}
	}
	if strings.Contains(err.Error(), name) {
		t.Errorf("got error %v, want nothing of %s, which is there", err, name)
	}
	mustGet(t, c, "hunter2")
	v.mustHaveBeenAsked(t, 1)
}

// A source that asks for several at a time has all but one when its time is
// over, and takes a moment to come back with them.
func TestOneSlowSecretHidesNoOther(t *testing.T) {
	for rule, left := range map[string]time.Duration{"out of time": time.Hour, "cut short": 100 * time.Millisecond} {
		t.Run(rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				c := secrets.New(function(func(ctx context.Context, refs []secrets.Ref) ([]secrets.Value, error) {
					asked++
					values, err := fixed("hunter2").Fetch(ctx, refs)
					<-ctx.Done()
					time.Sleep(100 * time.Millisecond)
					values[0] = secrets.Value{Err: ctx.Err()}
					return values, err
				}), secrets.Clock(time.Now))
				ctx, cancel := context.WithTimeout(t.Context(), left)
				defer cancel()
				err := c.Prefetch(ctx, "slow", name)
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got error %v, want a timeout", err)
				}
				if ctx.Err() == nil && strings.Contains(err.Error(), name) {
					t.Errorf("got error %v, want nothing of %s, which is there", err, name)
				}
				time.Sleep(time.Second)
				mustGet(t, c, "hunter2")
				if asked != 1 {
					t.Errorf("asked %d times, want once", asked)
				}
			})
		})
	}
}

func TestPrefetchAndGetShareAFetch(t *testing.T) {
	inBubble(t, func(t *testing.T, c *secrets.Cache, v *vault) {
		v.set("other", "x", "1")
		open := held(v)
		var done sync.WaitGroup
		done.Go(func() { mustGet(t, c, "hunter2") })
		synctest.Wait()
		done.Go(func() {
			if err := c.Prefetch(t.Context(), name, "other"); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		close(open)
		done.Wait()
		if len(v.asked) != 2 || len(v.asked[1]) != 1 {
			t.Errorf("asked for %v, want two fetches of one value each", v.asked)
		}
	})
}

// The extension answers in an invocation alone. What a function prefetches
// before is fetched in the first one, in one call with what is wanted there.
func TestWhatIsPrefetchedTooEarlyIsFetchedInTheFirstInvocation(t *testing.T) {
	c, v, at := newCache()
	v.set("other", "x", "1")
	v.set("third", "y", "1")
	v.fail(fmt.Errorf("extension: %w", secrets.ErrOutsideInvocation))
	if err := c.Prefetch(t.Context(), name, "other"); err != nil {
		t.Errorf("too early: got %v, want no error", err)
	}
	if _, err := c.Get(t.Context(), "other"); !errors.Is(err, secrets.ErrOutsideInvocation) {
		t.Errorf("a Get too early: got %v, want %v", err, secrets.ErrOutsideInvocation)
	}
	asked := v.fetches()
	v.fail(nil)
	if _, err := c.Get(t.Context(), "third"); err != nil { // at once: there is no backoff
		t.Fatal(err)
	}
	if got := len(v.asked[asked]); got != 3 {
		t.Errorf("the first fetch was for %d values, want 3: %v", got, v.asked[asked])
	}
	mustGet(t, c, "hunter2")
	v.mustHaveBeenAsked(t, asked+1)
	at.move(5 * time.Minute)
	mustGet(t, c, "hunter2")
	if got := len(v.asked[asked+1]); got != 1 {
		t.Errorf("a later fetch was for %d values, want 1", got)
	}
}

func TestWhatIsPrefetchedTooEarlyIsFetchedOnceAndBounded(t *testing.T) {
	c, v, _ := newCache(secrets.MaxEntries(3))
	v.fail(secrets.ErrOutsideInvocation)
	for _, some := range [][]string{names(5), {name}} {
		if err := c.Prefetch(t.Context(), some...); err != nil {
			t.Errorf("too early: got %v, want no error", err)
		}
	}
	v.fail(nil)
	mustGet(t, c, "hunter2")
	asked := map[secrets.Ref]int{}
	for _, ref := range v.asked[2] {
		asked[ref]++
	}
	if len(asked) != len(v.asked[2]) || len(asked) > 3+1 {
		t.Errorf("asked for %v, want at most 4 values, each once", v.asked[2])
	}
}

func TestOneFetchAnswersForTheSameNameTwice(t *testing.T) {
	c, v, at := newCache(secrets.OnStale(func(context.Context, secrets.StaleReport) { t.Error("served a stale value") }))
	for i := range 2 {
		if err := c.Prefetch(t.Context(), name, name); err != nil {
			t.Fatal(err)
		}
		v.mustHaveBeenAsked(t, i+1)
		at.move(5 * time.Minute)
	}
}

// careless is a source that changes what it was asked for.
type careless struct{ secrets.Source }

func (s careless) Fetch(ctx context.Context, refs []secrets.Ref) ([]secrets.Value, error) {
	values, err := s.Source.Fetch(ctx, slices.Clone(refs))
	clear(refs)
	return values, err
}

func TestTheRefsAreTheSourcesOwn(t *testing.T) {
	v, at := newVault(name, "hunter2", "other", "x"), newClock()
	c := secrets.New(careless{Source: v}, secrets.Clock(at.Now))
	if err := c.Prefetch(t.Context(), name, "other"); err != nil {
		t.Fatal(err)
	}
	at.move(time.Minute)
	mustGet(t, c, "hunter2")
	v.mustHaveBeenAsked(t, 1)
}

func TestInvalidateDropsThatVersionAlone(t *testing.T) {
	c, v, _ := newCache()
	previous := secrets.Ref{Name: name, Stage: "AWSPREVIOUS"}
	v.setRef(previous, secrets.Value{Data: []byte("hunter1"), Version: "0"})
	mustGet(t, c, "hunter2")
	mustGet(t, c, "hunter1", secrets.VersionStage("AWSPREVIOUS"))

	c.Invalidate(name, "0")
	c.Invalidate("other", "")
	c.Invalidate("other", "1")
	mustGet(t, c, "hunter2")
	v.mustHaveBeenAsked(t, 2)
	mustGet(t, c, "hunter1", secrets.VersionStage("AWSPREVIOUS"))
	v.mustHaveBeenAsked(t, 3)

	v.set(name, "hunter3", "2")
	c.Invalidate(name, "1")
	mustGet(t, c, "hunter3")
	c.Invalidate(name, "1") // a late report
	mustGet(t, c, "hunter3")
	v.mustHaveBeenAsked(t, 4)

	c.Invalidate(name, "")
	mustGet(t, c, "hunter3")
	mustGet(t, c, "hunter1", secrets.VersionStage("AWSPREVIOUS"))
	v.mustHaveBeenAsked(t, 6)
}

func TestInvalidateDropsErrorsAndBackoff(t *testing.T) {
	for code, err := range map[string]error{"secret_denied": secrets.ErrDenied, "secret_unavailable": secrets.ErrUnavailable} {
		c, v, _ := newCache()
		v.fail(err)
		mustFail(t, c, code, err)
		v.fail(nil)
		c.Invalidate(name, "1")
		mustFail(t, c, code, err)
		c.Invalidate(name, "")
		mustGet(t, c, "hunter2")
	}
}

func TestWhatIsInvalidatedIsNotServedStale(t *testing.T) {
	c, v, at := newCache()
	mustGet(t, c, "hunter2")
	v.fail(secrets.ErrUnavailable)
	at.move(5 * time.Minute)
	mustGet(t, c, "hunter2")
	c.Invalidate(name, "1")
	mustFail(t, c, "secret_unavailable", secrets.ErrUnavailable)
}

func TestWhatWasInvalidatedDuringAFetchIsNotKept(t *testing.T) {
	for _, tc := range []struct {
		name, version string
		calls         int
	}{
		{name: name, calls: 2},
		{name: name, version: "1", calls: 2},
		{name: name, version: "0", calls: 1},
		{name: "other", calls: 1},
	} {
		inBubble(t, func(t *testing.T, c *secrets.Cache, v *vault) {
			read := make(chan struct{})
			v.before = func(context.Context, []secrets.Ref) { <-read }
			var done sync.WaitGroup
			done.Go(func() { mustGet(t, c, "hunter2") })
			synctest.Wait()
			c.Invalidate(tc.name, tc.version)
			close(read)
			done.Wait()
			mustGet(t, c, "hunter2")
			v.mustHaveBeenAsked(t, tc.calls)
		})
	}
}

// The source has said that there is a newer one than the old value.
func TestWhatWasThereBeforeAnInvalidatedValueIsNotServedStale(t *testing.T) {
	inBubble(t, func(t *testing.T, c *secrets.Cache, v *vault) {
		mustGet(t, c, "hunter2")
		time.Sleep(5 * time.Minute)
		v.set(name, "hunter3", "2")
		open := held(v)
		var done sync.WaitGroup
		done.Go(func() { mustGet(t, c, "hunter3") })
		synctest.Wait()
		c.Invalidate(name, "2")
		close(open)
		done.Wait()
		v.fail(secrets.ErrUnavailable)
		mustFail(t, c, "secret_unavailable", secrets.ErrUnavailable)
	})
}
