package secrets_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lambdarmor/lambdarmor/secrets"
)

// rotate makes what is current the previous value, as Secrets Manager does.
func (v *vault) rotate(text, version string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if current, ok := v.values[secrets.Ref{Name: name}]; ok {
		v.values[secrets.Ref{Name: name, Stage: "AWSPREVIOUS"}] = current
	}
	v.values[secrets.Ref{Name: name}] = secrets.Value{Data: []byte(text), Version: version}
}

func (v *vault) current() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return string(v.values[secrets.Ref{Name: name}].Data)
}

func mustPair(t *testing.T, c *secrets.Cache, current, previous string) {
	t.Helper()
	now, before, err := c.Pair(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if now.Text() != current || before.Text() != previous || before.IsZero() != (previous == "") {
		t.Fatalf("got %q and %q, want %q and %q", now.Text(), before.Text(), current, previous)
	}
}

func TestPairIsTheCurrentValueAndTheOneBefore(t *testing.T) {
	c, v, _ := newCache()
	v.rotate("hunter3", "2")
	for range 3 {
		mustPair(t, c, "hunter3", "hunter2")
	}
	mustGet(t, c, "hunter3")
	v.mustHaveBeenAsked(t, 1)
	if len(v.asked[0]) != 2 {
		t.Errorf("asked for %v, want both values", v.asked[0])
	}
}

func TestAMissingPreviousValueIsNoError(t *testing.T) {
	c, v, at := newCache()
	for range 3 {
		mustPair(t, c, "hunter2", "")
	}
	v.mustHaveBeenAsked(t, 1)
	at.move(5*time.Minute - 1) // and not asked for each 5 s, as a denial would be
	mustPair(t, c, "hunter2", "")
	v.mustHaveBeenAsked(t, 1)
	at.move(1)
	v.rotate("hunter3", "2")
	mustPair(t, c, "hunter3", "hunter2")
}

func TestAMissingPreviousValueIsNoErrorInAnOutage(t *testing.T) {
	c, v, at := newCache()
	mustPair(t, c, "hunter2", "")
	v.fail(secrets.ErrUnavailable)
	at.move(5 * time.Minute)
	for range 3 {
		mustPair(t, c, "hunter2", "")
		at.move(time.Minute)
	}
	at.move(15 * time.Minute)
	_, _, err := c.Pair(t.Context(), name)
	mustBe(t, err, "secret_unavailable", secrets.ErrUnavailable)
}

// That there was none before says nothing once another value is the current one,
// or may not be read.
func TestAMissingPreviousValueIsMissingForOneCurrentValue(t *testing.T) {
	c, v, at := newCache()
	mustPair(t, c, "hunter2", "")
	v.set(name, "hunter3", "2")
	c.Invalidate(name, "1")
	mustGet(t, c, "hunter3")
	v.fail(secrets.ErrUnavailable)
	_, _, err := c.Pair(t.Context(), name)
	mustBe(t, err, "secret_unavailable", secrets.ErrUnavailable)

	v.fail(nil)
	v.setRef(secrets.Ref{Name: name, Stage: "AWSPREVIOUS"}, secrets.Value{Err: secrets.ErrDenied})
	at.move(time.Minute)
	_, _, err = c.Pair(t.Context(), name)
	mustBe(t, err, "secret_denied", secrets.ErrDenied)
}

func TestPairFailsWhereOneOfTwoCannotBeHad(t *testing.T) {
	previous := secrets.Ref{Name: name, Stage: "AWSPREVIOUS"}
	for _, tc := range []struct {
		ref  secrets.Ref
		err  error
		code string
	}{
		{ref: secrets.Ref{Name: name}, err: secrets.ErrNotFound, code: "secret_not_found"},
		{ref: secrets.Ref{Name: name}, err: secrets.ErrUnavailable, code: "secret_unavailable"},
		{ref: previous, err: secrets.ErrDenied, code: "secret_denied"},
		{ref: previous, err: secrets.ErrUnavailable, code: "secret_unavailable"},
	} {
		c, v, _ := newCache()
		v.setRef(tc.ref, secrets.Value{Err: tc.err})
		current, before, err := c.Pair(t.Context(), name)
		mustBe(t, err, tc.code, tc.err)
		if !current.IsZero() || !before.IsZero() {
			t.Errorf("got secrets beside the error %v, want none", err)
		}
	}
}

// What was signed with a value must verify until two rotations later, in
// whichever order the two of a pair expire or are fetched otherwise.
func TestNoValueIsLostBetweenTheTwoOfAPair(t *testing.T) {
	t.Run("the current one is newer", func(t *testing.T) {
		c, v, _ := newCache()
		v.rotate("hunter3", "2")
		mustPair(t, c, "hunter3", "hunter2")
		v.rotate("hunter4", "3")
		c.Invalidate(name, "2")
		mustGet(t, c, "hunter4")
		mustPair(t, c, "hunter4", "hunter3")
		mustPair(t, c, "hunter4", "hunter3")
		v.mustHaveBeenAsked(t, 3)
	})
	t.Run("the current one is newer, and there was none before", func(t *testing.T) {
		c, v, _ := newCache()
		mustPair(t, c, "hunter2", "")
		v.rotate("hunter3", "2")
		c.Invalidate(name, "1")
		mustGet(t, c, "hunter3")
		mustPair(t, c, "hunter3", "hunter2")
	})
	t.Run("the previous one is newer", func(t *testing.T) {
		c, v, _ := newCache()
		v.rotate("hunter3", "2")
		mustPair(t, c, "hunter3", "hunter2")
		v.rotate("hunter4", "3")
		c.Invalidate(name, "1")
		mustGet(t, c, "hunter3", secrets.VersionStage("AWSPREVIOUS"))
		mustPair(t, c, "hunter4", "hunter3")
		mustPair(t, c, "hunter4", "hunter3")
		v.mustHaveBeenAsked(t, 3)
	})
	t.Run("and the source cannot be asked", func(t *testing.T) {
		c, v, _ := newCache()
		v.rotate("hunter3", "2")
		mustPair(t, c, "hunter3", "hunter2")
		v.rotate("hunter4", "3")
		c.Invalidate(name, "2")
		mustGet(t, c, "hunter4")
		v.fail(secrets.ErrUnavailable)
		if _, _, err := c.Pair(t.Context(), name); !errors.Is(err, secrets.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
		v.fail(nil)
	})
}

// Both are fetched by calls of others, which read at different times.
func TestNoValueIsLostBetweenWhatOthersAreFetching(t *testing.T) {
	t.Run("the current one is read later", func(t *testing.T) {
		inBubble(t, func(t *testing.T, c *secrets.Cache, v *vault) {
			turns := inTurn(v, 3)
			var done sync.WaitGroup
			done.Go(func() { mustGet(t, c, "hunter3") })
			synctest.Wait()
			done.Go(func() { mustPair(t, c, "hunter3", "hunter2") })
			synctest.Wait()
			close(turns[1]) // there is no previous one yet
			synctest.Wait()
			v.rotate("hunter3", "2")
			close(turns[0])
			close(turns[2])
			done.Wait()
		})
	})
	t.Run("and once more", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var done sync.WaitGroup
			var c *secrets.Cache
			v := newVault(name, "hunter2")
			turns := inTurn(v, 5)
			// While a pair waits for the first call, another one begins for the
			// previous value.
			c = secrets.New(v, secrets.Clock(time.Now), secrets.OnFetch(func(context.Context, secrets.FetchReport) {
				if v.fetches() == 2 && v.current() == "hunter3" {
					c.Invalidate(name, "")
					done.Go(func() { mustGet(t, c, "hunter2", secrets.VersionStage("AWSPREVIOUS")) })
					for v.fetches() == 2 {
						runtime.Gosched()
					}
				}
			}))
			done.Go(func() { mustGet(t, c, "hunter3") })
			synctest.Wait()
			done.Go(func() { mustPair(t, c, "hunter4", "hunter3") })
			synctest.Wait()
			close(turns[1])
			synctest.Wait()
			v.rotate("hunter3", "2")
			close(turns[0])
			synctest.Wait()
			close(turns[2]) // hunter2 was the previous one
			synctest.Wait()
			v.rotate("hunter4", "3")
			close(turns[3])
			close(turns[4])
			done.Wait()
			v.mustHaveBeenAsked(t, 5)
		})
	})
}

func TestAPairOfOneValueIsNotFetchedForEver(t *testing.T) {
	c, v, _ := newCache()
	v.setRef(secrets.Ref{Name: name, Stage: "AWSPREVIOUS"}, secrets.Value{Data: []byte("hunter2"), Version: "1"})
	for range 5 {
		mustPair(t, c, "hunter2", "hunter2")
	}
	c.Invalidate(name, "1")
	mustGet(t, c, "hunter2")
	for range 5 {
		mustPair(t, c, "hunter2", "hunter2")
	}
	v.mustHaveBeenAsked(t, 4)
}

func TestPreviousNamesThePreviousValueOfASourceWithoutStages(t *testing.T) {
	c, v, _ := newCache(secrets.Previous(func(name string) secrets.Ref { return secrets.Ref{Name: name + ".previous"} }))
	v.set(name+".previous", "hunter1", "0")
	mustPair(t, c, "hunter2", "hunter1")
}
