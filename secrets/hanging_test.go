package secrets_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/secrets"
)

// past is how long a value has not been fetched that is past its TTL.
const past = 5 * time.Minute

// mustTake runs an invocation that has so much time left, and sees how much of
// it handle takes.
func mustTake(t *testing.T, left, want time.Duration, handle func(ctx context.Context)) {
	t.Helper()
	invoke(t, left, func(ctx context.Context) {
		began := time.Now()
		handle(ctx)
		if took := time.Since(began); took != want {
			t.Errorf("it took %v of %v, want %v", took, left, want)
		}
	})
}

func mustGetStale(ctx context.Context, t *testing.T, c *secrets.Cache) {
	t.Helper()
	if s, err := c.Get(ctx, name); err != nil || s.Text() != "hunter2" || !s.Stale() {
		t.Errorf("got %q, stale %v, %v, want the stale value", s.Text(), s.Stale(), err)
	}
}

func TestASourceThatHangsTakesHalfOfTheTimeThatIsLeftWhereThereIsAValue(t *testing.T) {
	for _, tc := range []struct {
		rule       string
		left, want time.Duration
		ask        func(ctx context.Context, t *testing.T, c *secrets.Cache)
	}{
		{rule: "Get", left: time.Second, want: 500 * time.Millisecond, ask: mustGetStale},
		{rule: "Get with more time than a fetch may take", left: time.Minute, want: 2 * time.Second, ask: mustGetStale},
		{rule: "Prefetch of several", left: time.Second, want: 500 * time.Millisecond, ask: func(ctx context.Context, t *testing.T, c *secrets.Cache) {
			if err := c.Prefetch(ctx, name, "second", "third"); err != nil {
				t.Error(err)
			}
		}},
		{rule: "Pair", left: time.Second, want: 500 * time.Millisecond, ask: func(ctx context.Context, t *testing.T, c *secrets.Cache) {
			if current, _, err := c.Pair(ctx, name); err != nil || !current.Stale() {
				t.Errorf("got stale %v, %v", current.Stale(), err)
			}
		}},
		{rule: "JSON", left: time.Second, want: 500 * time.Millisecond, ask: func(ctx context.Context, t *testing.T, c *secrets.Cache) {
			if n, err := secrets.JSON[int](ctx, c, "third"); err != nil || n != 3 {
				t.Errorf("got %v, %v", n, err)
			}
		}},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			inBubble(t, func(t *testing.T, c *secrets.Cache, v *vault) {
				v.set("second", "2", "1")
				v.set("third", "3", "1")
				if err := c.Prefetch(t.Context(), name, "second", "third"); err != nil {
					t.Fatal(err)
				}
				if _, _, err := c.Pair(t.Context(), name); err != nil {
					t.Fatal(err)
				}
				time.Sleep(past)
				taking(v, time.Hour)
				mustTake(t, tc.left, tc.want, func(ctx context.Context) { tc.ask(ctx, t, c) })
			})
		})
	}
}

// The other half is for the handler, and the next invocation does not begin
// with the same wait.
func TestASourceThatHangsIsLeftAloneForAWhile(t *testing.T) {
	inBubble(t, func(t *testing.T, c *secrets.Cache, v *vault) {
		mustGet(t, c, "hunter2")
		time.Sleep(past)
		taking(v, time.Hour)
		asked := v.fetches()
		for _, backoff := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
			mustTake(t, time.Second, 500*time.Millisecond, func(ctx context.Context) { mustGetStale(ctx, t, c) })
			asked++
			for range 3 {
				mustTake(t, time.Second, 0, func(ctx context.Context) { mustGetStale(ctx, t, c) })
			}
			v.mustHaveBeenAsked(t, asked)
			time.Sleep(backoff)
		}
	})
}

func TestASlowAnswerIsTakenAfterNobodyHasWaitedForIt(t *testing.T) {
	inBubble(t, func(t *testing.T, c *secrets.Cache, v *vault) {
		mustGet(t, c, "hunter2")
		time.Sleep(past)
		v.set(name, "hunter3", "2")
		taking(v, 700*time.Millisecond)
		invoke(t, time.Second, func(ctx context.Context) {
			mustGetStale(ctx, t, c)
			time.Sleep(201 * time.Millisecond)
			if s, err := c.Get(ctx, name); err != nil || s.Text() != "hunter3" || s.Stale() {
				t.Errorf("got %q, stale %v, %v, want the new value", s.Text(), s.Stale(), err)
			}
		})
		v.mustHaveBeenAsked(t, 2)
	})
}

// Each row hangs once. The wait before the next try is that after one failure.
func TestACallThatHangsCountsAsOneFailure(t *testing.T) {
	for _, tc := range []struct {
		rule string
		ask  func(ctx context.Context, c *secrets.Cache) error
		next string // the name to ask for then
		wait time.Duration
	}{
		{
			rule: "though it ends in a timeout as well",
			ask:  func(ctx context.Context, c *secrets.Cache) error { _, err := c.Get(ctx, name); return err },
			next: name, wait: 1600 * time.Millisecond, // after its fetch timeout
		},
		{
			rule: "though two wait for it",
			ask:  func(ctx context.Context, c *secrets.Cache) error { return c.Prefetch(ctx, name, name) },
			next: name, wait: 1600 * time.Millisecond,
		},
		{
			rule: "though it is for two names",
			ask:  func(ctx context.Context, c *secrets.Cache) error { return c.Prefetch(ctx, name, "second") },
			next: "third", wait: time.Second,
		},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			inBubble(t, func(t *testing.T, c *secrets.Cache, v *vault) {
				v.set("second", "2", "1")
				v.set("third", "3", "1")
				if err := c.Prefetch(t.Context(), name, "second", "third"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(past)
				taking(v, time.Hour)
				invoke(t, time.Minute, func(ctx context.Context) {
					brief, leave := context.WithTimeout(ctx, time.Second)
					defer leave()
					if err := tc.ask(brief, c); err != nil {
						t.Errorf("got %v, want the stale value", err)
					}
					time.Sleep(tc.wait)
					asked := v.fetches()
					brief, leave = context.WithTimeout(ctx, time.Second)
					defer leave()
					if _, err := c.Get(brief, tc.next); err != nil {
						t.Errorf("got %v, want the stale value", err)
					}
					v.mustHaveBeenAsked(t, asked+1)
				})
				synctest.Wait()
			})
		})
	}
}

func TestAFailureThatIsNoTimeoutIsOfOneName(t *testing.T) {
	c, v, at := newCache()
	v.set("second", "2", "1")
	if err := c.Prefetch(t.Context(), name, "second"); err != nil {
		t.Fatal(err)
	}
	v.fail(secrets.ErrUnavailable)
	at.move(past)
	for i, name := range []string{name, "second"} {
		if s, err := c.Get(t.Context(), name); err != nil || !s.Stale() {
			t.Errorf("%s: got stale %v, %v, want the stale value", name, s.Stale(), err)
		}
		v.mustHaveBeenAsked(t, i+2)
	}
}

func TestWhoHasNoValueAnyMoreWaitsOn(t *testing.T) {
	inBubble(t, func(t *testing.T, c *secrets.Cache, v *vault) {
		mustGet(t, c, "hunter2")
		time.Sleep(past)
		taking(v, 700*time.Millisecond)
		mustTake(t, time.Second, 700*time.Millisecond, func(ctx context.Context) {
			time.AfterFunc(300*time.Millisecond, func() { c.Invalidate(name, "") })
			if s, err := c.Get(ctx, name); err != nil || s.Stale() {
				t.Errorf("got stale %v, %v, want a fresh value", s.Stale(), err)
			}
		})
	})
}

func TestACallerThatLeavesDoesNotCountAgainstTheSource(t *testing.T) {
	var served []secrets.StaleReport
	inBubble(t, func(t *testing.T, c *secrets.Cache, v *vault) {
		mustGet(t, c, "hunter2")
		time.Sleep(past)
		taking(v, time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		time.AfterFunc(100*time.Millisecond, cancel)
		mustGetStale(ctx, t, c)
		if len(served) != 1 || served[0].Err != nil {
			t.Errorf("got reports %+v, want one without an error of the source", served)
		}
		time.Sleep(time.Second) // until the source has answered
		synctest.Wait()
	}, secrets.OnStale(func(_ context.Context, s secrets.StaleReport) { served = append(served, s) }))
}

// With nothing to serve there is nothing to save the time for.
func TestASourceThatHangsIsWaitedForWhereThereIsNoValue(t *testing.T) {
	for rule, opts := range map[string][]secrets.Option{"nothing was fetched": nil, "nothing is served stale": {secrets.MaxStale(0)}} {
		t.Run(rule, func(t *testing.T) {
			inBubble(t, func(t *testing.T, c *secrets.Cache, v *vault) {
				if opts != nil {
					mustGet(t, c, "hunter2")
					time.Sleep(past)
				}
				taking(v, 900*time.Millisecond)
				mustTake(t, time.Second, 900*time.Millisecond, func(ctx context.Context) {
					if s, err := c.Get(ctx, name); err != nil || s.Stale() {
						t.Errorf("got stale %v, %v", s.Stale(), err)
					}
				})
			}, opts...)
		})
	}
}

// A source may keep what it has when its time is over, and not when nobody wants
// it any more.
func TestASourceSeesThatItsTimeIsOver(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			var seen error
			c := secrets.New(function(func(ctx context.Context, _ []secrets.Ref) ([]secrets.Value, error) {
				<-ctx.Done()
				seen = ctx.Err()
				return nil, seen
			}))
			_, err := c.Get(t.Context(), name)
			mustBe(t, err, "secret_unavailable", context.DeadlineExceeded)
			if seen != context.DeadlineExceeded {
				t.Fatalf("the source saw %v, want %v", seen, context.DeadlineExceeded)
			}
		})
	}
}

func TestAFetchThatTheEndOfTheTimeCutsIsAFailure(t *testing.T) {
	inBubble(t, func(t *testing.T, c *secrets.Cache, v *vault) {
		taking(v, time.Hour)
		for _, backoff := range []time.Duration{time.Second, 2 * time.Second} {
			mustTake(t, time.Second, time.Second, func(ctx context.Context) {
				if _, err := c.Get(ctx, name); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v", err)
				}
			})
			synctest.Wait()
			asked := v.fetches()
			mustTake(t, time.Second, 0, func(ctx context.Context) {
				_, err := c.Get(ctx, name)
				if e := mustBe(t, err, "secret_unavailable", context.DeadlineExceeded); e.RetryAfter != backoff {
					t.Errorf("try again after %v, want %v", e.RetryAfter, backoff)
				}
			})
			v.mustHaveBeenAsked(t, asked)
			time.Sleep(backoff)
		}
	})
}

// Whoever has what it came for says nothing about the source.
func TestAFetchThatTheAnswerOfTheInvocationCutsIsNoFailure(t *testing.T) {
	inBubble(t, func(t *testing.T, c *secrets.Cache, v *vault) {
		taking(v, 500*time.Millisecond)
		invoke(t, time.Second, func(ctx context.Context) { _, _ = getWithin(ctx, c, 100*time.Millisecond) })
		synctest.Wait()
		invoke(t, time.Second, func(ctx context.Context) {
			if _, err := c.Get(ctx, name); err != nil {
				t.Errorf("the next invocation: got %v", err)
			}
		})
		v.mustHaveBeenAsked(t, 2)
	})
}

func TestTheHooksAndTheRecordAreToldOfASourceThatHangs(t *testing.T) {
	var served []secrets.StaleReport
	var fetched []secrets.FetchReport
	inBubble(t, func(t *testing.T, c *secrets.Cache, v *vault) {
		mustGet(t, c, "hunter2")
		time.Sleep(past)
		taking(v, time.Hour)
		var log strings.Builder
		ctx, end := context.WithTimeout(t.Context(), time.Second)
		defer end()
		h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			mustGetStale(ctx, t, c)
			return nil, nil
		}), guard.Log(logging.New(&log)))
		if _, err := h.Invoke(ctx, []byte("{}")); err != nil {
			t.Error(err)
		}
		if !strings.Contains(log.String(), `"staleSecret":"`+name+`"`) {
			t.Errorf("got the record %s, want staleSecret in it", log.String())
		}
		if len(served) != 1 || !errors.Is(served[0].Err, context.DeadlineExceeded) || !strings.Contains(served[0].Err.Error(), "no answer in 500ms") {
			t.Errorf("OnStale got %+v, want once that there was no answer in time", served)
		}
		end()
		synctest.Wait()
		if len(fetched) != 2 || fetched[1].Err == nil || fetched[1].Took != 500*time.Millisecond {
			t.Errorf("OnFetch got %+v, want besides the first fetch one that failed after 500ms", fetched)
		}
	}, secrets.OnStale(func(_ context.Context, s secrets.StaleReport) { served = append(served, s) }),
		secrets.OnFetch(func(_ context.Context, f secrets.FetchReport) { fetched = append(fetched, f) }))
}

// One after the other they would take half of what is left each, and leave the
// handler nothing.
func TestASourceThatHangsIsWaitedForOnceHoweverManyNamesThereAre(t *testing.T) {
	report := secrets.OnStale(func(_ context.Context, s secrets.StaleReport) {
		if !errors.Is(s.Err, context.DeadlineExceeded) {
			t.Errorf("%s: got a report with %v, want the timeout, be it that of another name", s.Ref.Name, s.Err)
		}
	})
	inBubble(t, func(t *testing.T, c *secrets.Cache, v *vault) {
		all := append(names(5), name)
		for _, name := range all {
			v.set(name, "hunter2", "1")
		}
		if err := c.Prefetch(t.Context(), all...); err != nil {
			t.Fatal(err)
		}
		time.Sleep(past)
		taking(v, time.Hour)
		getAll := func(ctx context.Context) {
			for _, name := range all {
				if s, err := c.Get(ctx, name); err != nil || !s.Stale() {
					t.Errorf("%s: got stale %v, %v, want the stale value", name, s.Stale(), err)
				}
			}
		}
		for _, backoff := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
			mustTake(t, time.Second, 500*time.Millisecond, getAll)
			mustTake(t, time.Second, 0, getAll)
			time.Sleep(backoff)
		}
		// As soon as it answers, all are asked for.
		synctest.Wait()
		v.before = nil
		for i, name := range all {
			asked := v.fetches()
			if s, err := c.Get(t.Context(), name); err != nil || s.Stale() {
				t.Errorf("%d, %s: got stale %v, %v, want a fresh value", i, name, s.Stale(), err)
			}
			v.mustHaveBeenAsked(t, asked+1)
		}
	}, report)
}
