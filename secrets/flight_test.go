package secrets_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/secrets"
)

// held is a source whose answers wait for open to be closed, or for as long as
// a fetch may take.
func held(v *vault) (open chan struct{}) {
	open = make(chan struct{})
	v.before = func(ctx context.Context, _ []secrets.Ref) {
		select {
		case <-open:
		case <-ctx.Done():
		}
	}
	return open
}

// inTurn lets each call of the source answer when its channel is closed.
func inTurn(v *vault, calls int) []chan struct{} {
	turns := make([]chan struct{}, calls)
	for i := range turns {
		turns[i] = make(chan struct{})
	}
	v.before = func(context.Context, []secrets.Ref) { <-turns[v.fetches()-1] }
	return turns
}

// inBubble has a cache on the time of the bubble.
func inBubble(t *testing.T, test func(t *testing.T, c *secrets.Cache, v *vault), opts ...secrets.Option) {
	synctest.Test(t, func(t *testing.T) {
		v := newVault(name, "hunter2")
		test(t, secrets.New(v, append([]secrets.Option{secrets.Clock(time.Now), secrets.Jitter(0)}, opts...)...), v)
	})
}

func TestTenThousandMissesMakeOneCall(t *testing.T) {
	inBubble(t, func(t *testing.T, c *secrets.Cache, v *vault) {
		open := held(v)
		var done sync.WaitGroup
		for range 10_000 {
			done.Go(func() {
				if s, err := c.Get(t.Context(), name); err != nil || s.Text() != "hunter2" || s.Stale() {
					t.Errorf("got %q, %v", s.Text(), err)
				}
			})
		}
		synctest.Wait()
		close(open)
		done.Wait()
		v.mustHaveBeenAsked(t, 1)
	})
}

func TestAWaiterThatLeavesDisturbsNoOther(t *testing.T) {
	for rule, leaver := range map[string]int{"the first, whose call it is": 0, "another": 1} {
		t.Run(rule, func(t *testing.T) {
			inBubble(t, func(t *testing.T, c *secrets.Cache, v *vault) {
				open := held(v)
				ctx, cancel := context.WithCancel(t.Context())
				var errs [3]error
				var done [3]chan struct{}
				for i := range errs {
					done[i] = make(chan struct{})
					mine := t.Context()
					if i == leaver {
						mine = ctx
					}
					go func() {
						defer close(done[i])
						_, errs[i] = c.Get(mine, name)
					}()
					synctest.Wait()
				}
				cancel()
				<-done[leaver] // before the source has answered
				if !errors.Is(errs[leaver], context.Canceled) {
					t.Errorf("who left got %v", errs[leaver])
				}
				close(open)
				for i := range errs {
					<-done[i]
					if i != leaver && errs[i] != nil {
						t.Errorf("waiter %d got %v", i, errs[i])
					}
				}
				v.mustHaveBeenAsked(t, 1)
			})
		})
	}
}

func TestAFetchHasItsOwnTimeout(t *testing.T) {
	for want, opts := range map[time.Duration][]secrets.Option{
		2 * time.Second: nil, time.Minute: {secrets.FetchTimeout(time.Minute)},
	} {
		inBubble(t, func(t *testing.T, c *secrets.Cache, v *vault) {
			held(v)
			began := time.Now()
			mustFail(t, c, "secret_unavailable", context.DeadlineExceeded)
			if took := time.Since(began); took != want {
				t.Errorf("gave up after %v, want %v", took, want)
			}
		}, opts...)
	}
}

func TestASlowSourceIsCoveredByAStaleValue(t *testing.T) {
	inBubble(t, func(t *testing.T, c *secrets.Cache, v *vault) {
		mustGet(t, c, "hunter2")
		time.Sleep(5 * time.Minute)
		held(v)
		if !mustGet(t, c, "hunter2").Stale() {
			t.Error("got a fresh value, want the stale one")
		}
	})
}

func TestAFetchGivesUpOnASourceThatIgnoresItsContext(t *testing.T) {
	inBubble(t, func(t *testing.T, c *secrets.Cache, v *vault) {
		open := make(chan struct{})
		v.before = func(context.Context, []secrets.Ref) { <-open }
		mustFail(t, c, "secret_unavailable", context.DeadlineExceeded)
		close(open) // what it says now is too late
		synctest.Wait()
		mustFail(t, c, "secret_unavailable", context.DeadlineExceeded)
		v.mustHaveBeenAsked(t, 1)
	})
}

func TestWhileOneAsksTheOthersGetTheOldValue(t *testing.T) {
	inBubble(t, func(t *testing.T, c *secrets.Cache, v *vault) {
		mustGet(t, c, "hunter2")
		time.Sleep(5 * time.Minute)
		v.set(name, "hunter3", "2")
		open := held(v)
		var done sync.WaitGroup
		done.Go(func() {
			if mustGet(t, c, "hunter3").Stale() {
				t.Error("who asked got a stale value")
			}
		})
		synctest.Wait()
		if !mustGet(t, c, "hunter2").Stale() {
			t.Error("got a fresh value, want the old one, stale")
		}
		close(open)
		done.Wait()
		mustGet(t, c, "hunter3")
		v.mustHaveBeenAsked(t, 2)
	})
}

func TestAFetchHoldsNoOtherNameUp(t *testing.T) {
	inBubble(t, func(t *testing.T, c *secrets.Cache, v *vault) {
		turns := inTurn(v, 2)
		var done sync.WaitGroup
		done.Go(func() { mustGet(t, c, "hunter2") })
		synctest.Wait()
		close(turns[1])
		if _, err := c.Get(t.Context(), "other"); !errors.Is(err, secrets.ErrNotFound) {
			t.Errorf("got %v", err)
		}
		c.Invalidate("other", "")
		close(turns[0])
		done.Wait()
	})
}

func TestBeyondMaxStaleAllWait(t *testing.T) {
	inBubble(t, func(t *testing.T, c *secrets.Cache, v *vault) {
		mustGet(t, c, "hunter2")
		time.Sleep(20 * time.Minute)
		v.set(name, "hunter3", "2")
		open := held(v)
		var done sync.WaitGroup
		for range 3 {
			done.Go(func() { mustGet(t, c, "hunter3") })
		}
		synctest.Wait()
		close(open)
		done.Wait()
		v.mustHaveBeenAsked(t, 2)
	})
}

// What another call has brought is not stale because one's own has failed.
func TestWhoseFetchFailsGetsWhatAnotherHasBroughtMeanwhile(t *testing.T) {
	for rule, err := range map[string]error{"a value": nil, "a denial": secrets.ErrDenied} {
		t.Run(rule, func(t *testing.T) {
			inBubble(t, func(t *testing.T, c *secrets.Cache, v *vault) {
				turns := inTurn(v, 2)
				var done sync.WaitGroup
				get := func() {
					if s, got := c.Get(t.Context(), name); !errors.Is(got, err) || s.Stale() {
						t.Errorf("got stale %v, %v", s.Stale(), got)
					}
				}
				done.Go(get)
				synctest.Wait()
				c.Invalidate(name, "")
				done.Go(get)
				synctest.Wait()
				v.fail(err)
				close(turns[1])
				synctest.Wait()
				v.fail(secrets.ErrUnavailable)
				close(turns[0])
				done.Wait()
			})
		})
	}
}

func TestAPanicOfTheSourceIsAnOutage(t *testing.T) {
	c, v, at := newCache()
	mustGet(t, c, "hunter2")
	v.before = func(context.Context, []secrets.Ref) { panic(v.values) }
	at.move(5 * time.Minute)
	if !mustGet(t, c, "hunter2").Stale() {
		t.Error("got a fresh value, want the stale one")
	}
	at.move(time.Hour)
	mustFail(t, c, "secret_unavailable", secrets.ErrUnavailable)
	at.move(time.Hour)
	v.before = nil
	mustGet(t, c, "hunter2")
}

func TestAGoroutineThatTheSourceEndsHoldsNobodyUp(t *testing.T) {
	c, v, _ := newCache()
	v.before = func(context.Context, []secrets.Ref) { exit() }
	mustFail(t, c, "secret_unavailable", secrets.ErrUnavailable)
}

// Although a call with a deadline has less than its time.
func TestASourceThatEndsItsGoroutineIsNotAskedWithoutEnd(t *testing.T) {
	c, v, _ := newCache()
	v.before = func(context.Context, []secrets.Ref) { exit() }
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := c.Get(ctx, name); !errors.Is(err, secrets.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	v.mustHaveBeenAsked(t, 1)
}

type miscounting int

func (n miscounting) Fetch(context.Context, []secrets.Ref) ([]secrets.Value, error) {
	return make([]secrets.Value, n), nil
}

func TestASourceThatMiscountsIsRefused(t *testing.T) {
	for _, n := range []miscounting{0, 2} {
		if _, err := secrets.New(n).Get(t.Context(), name); err == nil {
			t.Errorf("got a value of %d for one name, want an error", n)
		}
	}
}

// An empty secret would open what it is to lock.
func TestASourceThatGivesNeitherAValueNorAnErrorIsRefused(t *testing.T) {
	c := secrets.New(miscounting(1))
	s, err := c.Get(t.Context(), name)
	if err == nil || guard.Public(err).Code != "secret_failed" || !s.IsZero() {
		t.Errorf("got %q, %v, want secret_failed", s.Text(), err)
	}
	if s, err := secrets.New(fixed("")).Get(t.Context(), name); err != nil || s.IsZero() {
		t.Errorf("an empty value: got zero %v, %v, want the value", s.IsZero(), err)
	}
}

// sharing is a source that returns the same memory for all names.
type sharing []byte

func (s sharing) Fetch(_ context.Context, refs []secrets.Ref) ([]secrets.Value, error) {
	return slices.Repeat([]secrets.Value{{Data: s}}, len(refs)), nil
}

func TestWhatTheSourceGaveIsZeroedOnceAllOfItIsTaken(t *testing.T) {
	data := sharing("hunter2")
	c := secrets.New(data)
	if err := c.Prefetch(t.Context(), name, "other"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{name, "other"} {
		if s, err := c.Get(t.Context(), name); err != nil || s.Text() != "hunter2" {
			t.Errorf("%s: got %q, %v, want hunter2", name, s.Text(), err)
		}
	}
	if string(data) != string(make([]byte, 7)) {
		t.Errorf("got %q left of the source's value, want zeros", data)
	}
}

// late is a source that answers when nobody waits any more.
type late struct {
	data []byte
	open chan struct{}
}

func (s late) Fetch(context.Context, []secrets.Ref) ([]secrets.Value, error) {
	<-s.open
	return []secrets.Value{{Data: s.data}}, nil
}

func TestWhatComesTooLateIsZeroed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := late{data: []byte("hunter2"), open: make(chan struct{})}
		if _, err := secrets.New(s, secrets.Clock(time.Now)).Get(t.Context(), name); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		close(s.open)
		synctest.Wait()
		if string(s.data) != string(make([]byte, 7)) {
			t.Errorf("got %q left of the late value, want zeros", s.data)
		}
	})
}

// outOfLine is a source that returns values with an error, or too many of them.
type outOfLine struct {
	data []byte
	err  error
}

func (o outOfLine) Fetch(context.Context, []secrets.Ref) ([]secrets.Value, error) {
	return []secrets.Value{{Data: o.data}, {Data: o.data}}, o.err
}

func TestWhatNobodyGetsIsZeroed(t *testing.T) {
	for _, err := range []error{nil, errors.New("x")} {
		o := outOfLine{data: []byte("hunter2"), err: err}
		if s, err := secrets.New(o).Get(t.Context(), name); err == nil || !s.IsZero() {
			t.Errorf("got %q, %v", s.Text(), err)
		}
		if string(o.data) != string(make([]byte, 7)) {
			t.Errorf("got %q left of the refused value, want zeros", o.data)
		}
	}
}

// An empty secret would open what it is to lock.
func TestAFetchThatBreaksWithinTheCacheIsAnErrorAndNoEmptySecret(t *testing.T) {
	c, v, at := newCache()
	c.SetRandom(func() float64 { panic(hidden) })
	e := mustFail(t, c, "secret_unavailable", secrets.ErrUnavailable)
	mustHide(t, "the error", e.Error())
	c.SetRandom(func() float64 { return 0.5 })
	at.move(time.Second)
	mustGet(t, c, "hunter2")
	v.mustHaveBeenAsked(t, 2)
}
