package flight_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/flight"
)

type key struct{}

// until is a call that lasts until its context ends, and returns why it did.
func until(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

func TestACallHasTheValuesOfItsStarterAndNotItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
		f, _ := flight.Start(ctx, t.Context(), time.Minute, func(ctx context.Context) error {
			cancel()
			time.Sleep(time.Second)
			if got := ctx.Value(key{}); got != "value" || ctx.Err() != nil {
				t.Errorf("got the value %v and %v, want the starter's and no end", got, ctx.Err())
			}
			return nil
		})
		if f.Wait(ctx) {
			t.Error("got a wait to the end, want the starter to leave with its context")
		}
		if err := f.Err(); err != nil {
			t.Errorf("got %v, want no error", err)
		}
	})
}

func TestAllWhoWaitGetTheErrorOfTheCallAndLeaveByThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want := errors.New("down")
		f, _ := flight.Start(t.Context(), t.Context(), time.Minute, func(context.Context) error {
			time.Sleep(time.Second)
			return want
		})
		var done sync.WaitGroup
		for i := range 100 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i+1)*20*time.Millisecond)
			done.Go(func() {
				defer cancel()
				began := time.Now()
				waited := f.Wait(ctx)
				if took := time.Since(began); waited != (i >= 50) && i != 49 || took > time.Second {
					t.Errorf("%d: got a wait of %v, to the end: %v; want it to leave with its context", i, took, waited)
				}
				if waited && f.Err() != want {
					t.Errorf("%d got %v, want %v", i, f.Err(), want)
				}
			})
		}
		done.Wait()
	})
}

func TestWhatIsThereIsNotMissedByOneWhoseTimeIsOver(t *testing.T) {
	f, _ := flight.Start(t.Context(), t.Context(), time.Minute, func(context.Context) error { return nil })
	_ = f.Err()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 {
		if !f.Wait(ctx) {
			t.Fatal("got a call under way, want one that is over")
		}
	}
}

func TestACallEndsAfterItsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		f, _ := flight.Start(t.Context(), t.Context(), time.Second, until)
		if err := f.Err(); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("got %v after %v, want the end of the time after 1s", err, time.Since(began))
		}
	})
}

func TestACallIsGivenUpWhenTheLastLifeEnds(t *testing.T) {
	for _, tc := range []struct {
		rule  string
		lives []time.Duration // until each ends; 0 is for ever
		end   func(context.Context, time.Duration) (context.Context, context.CancelFunc)
		after time.Duration
		want  error
	}{
		{rule: "one that is out of time", lives: []time.Duration{1}, end: context.WithTimeout, after: 1, want: context.DeadlineExceeded},
		{rule: "one that is cancelled", lives: []time.Duration{1}, end: cancelledAfter, after: 1, want: context.Canceled},
		{rule: "the first is the last", lives: []time.Duration{5, 1, 2}, end: cancelledAfter, after: 5, want: context.Canceled},
		{rule: "another is the last", lives: []time.Duration{1, 5, 2}, end: context.WithTimeout, after: 5, want: context.DeadlineExceeded},
		{rule: "one of them does not end", lives: []time.Duration{1, 0, 2}, end: cancelledAfter, after: 60, want: context.DeadlineExceeded},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				lives := make([]context.Context, len(tc.lives))
				for i, d := range tc.lives {
					lives[i] = t.Context()
					if d > 0 {
						ctx, cancel := tc.end(t.Context(), d*time.Second)
						defer cancel()
						lives[i] = ctx
					}
				}
				f, _ := flight.Start(t.Context(), lives[0], time.Minute, until)
				for _, life := range lives[1:] {
					if f.Board(life) == nil {
						t.Error("got no place aboard, want one")
					}
				}
				if err := f.Err(); !errors.Is(err, tc.want) || time.Since(began) != tc.after*time.Second {
					t.Errorf("got %v after %v, want %v after %v", err, time.Since(began), tc.want, tc.after*time.Second)
				}
				if f.Board(t.Context()) != nil {
					t.Error("got a place aboard a call that is over, want none")
				}
			})
		})
	}
}

func cancelledAfter(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	time.AfterFunc(d, cancel)
	return ctx, cancel
}

// It may take a while to come back, and has nothing for who comes meanwhile.
func TestNobodyBoardsACallThatWasGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		life, end := context.WithCancel(t.Context())
		back := make(chan struct{})
		f, _ := flight.Start(t.Context(), life, time.Minute, func(context.Context) error {
			<-back
			return nil
		})
		end()
		synctest.Wait()
		if f.Board(t.Context()) != nil {
			t.Error("got a place aboard a call that was given up, want none")
		}
		close(back)
		if err := f.Err(); err != nil {
			t.Errorf("got %v, want what the call has returned", err)
		}
	})
}

func TestACallThatDoesNotReturnIsAnErrorThatShowsNothing(t *testing.T) {
	var none []int
	for _, tc := range []struct {
		rule, want string
		call       func(context.Context) error
	}{
		{rule: "a panic with a text", want: "a panic with a string", call: func(context.Context) error { panic("hunter2") }},
		{rule: "a panic with an error", want: "a panic with a *errors.errorString", call: func(context.Context) error { panic(errors.New("hunter2")) }},
		{rule: "a panic of the runtime", want: "index out of range [0] with length 0", call: func(context.Context) error { _ = none[len(none)]; return nil }},
		{rule: "the end of its goroutine", want: "the call did not return", call: func(context.Context) error { runtime.Goexit(); return nil }},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			f, _ := flight.Start(t.Context(), t.Context(), time.Minute, tc.call)
			err := f.Err()
			if !errors.Is(err, flight.ErrEnded) || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}

func TestWhoLeavesLastWaitsForTheEndOfTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, endFirst := context.WithCancel(t.Context())
		second, endSecond := context.WithCancel(t.Context())
		ended := false
		f, leaveFirst := flight.Start(t.Context(), first, time.Minute, func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(time.Second)
			ended = true
			return nil
		})
		leaveSecond := f.Board(second)
		endFirst()
		leaveFirst()
		if ended || f.Wait(first) {
			t.Error("the call has ended, though one is aboard")
		}
		endSecond()
		leaveSecond()
		if !ended {
			t.Error("the last one has left before the call ended")
		}
	})
}
