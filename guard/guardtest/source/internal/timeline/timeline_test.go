package timeline_test

import (
	"context"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/internal/timeline"
)

var begin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func at(t *testing.T, tl *timeline.Timeline, want time.Duration) {
	t.Helper()
	if got := tl.Now().Sub(begin); got != want {
		t.Errorf("got the time %s, want %s", got, want)
	}
}

// The time moves to the first that is waited for, once all pollers wait, and not before.
func TestTheTimeMovesWhenAllWait(t *testing.T) {
	tl := timeline.New(begin)
	tl.Enter()
	tl.Enter()
	later := tl.Waiter(begin.Add(time.Hour), nil)
	at(t, tl, 0) // the second is busy
	first := tl.Waiter(begin.Add(time.Minute), nil)
	at(t, tl, time.Minute)
	tl.Await(t.Context(), first) // it is busy again
	at(t, tl, time.Minute)
	tl.Leave()
	at(t, tl, time.Hour)
	tl.Await(t.Context(), later)
	tl.Leave()
	at(t, tl, time.Hour)
}

func TestTheTimeStandsStillForAWaiterWithoutALimit(t *testing.T) {
	tl := timeline.New(begin)
	tl.Enter()
	w := tl.Waiter(time.Time{}, nil)
	at(t, tl, 0)
	tl.Wake(w)
	tl.Await(t.Context(), w)
	tl.Leave()

	tl.Enter()
	w = tl.Waiter(time.Time{}, nil)
	ended, end := context.WithCancel(t.Context())
	end()
	tl.Await(ended, w) // returns
	tl.Leave()
	at(t, tl, 0)
}

// A waiter whose time has passed does not take the time back.
func TestTheTimeDoesNotGoBack(t *testing.T) {
	tl := timeline.New(begin)
	tl.Enter()
	tl.Await(t.Context(), tl.Waiter(begin.Add(-time.Hour), nil))
	tl.Leave()
	at(t, tl, 0)
	defer func() {
		if v := recover(); v == nil {
			t.Error("Advance by a negative time does not panic")
		}
	}()
	tl.Advance(-1)
}

// Advance wakes those whose time has come, and they hold the time.
func TestAdvanceWakes(t *testing.T) {
	tl := timeline.New(begin)
	tl.Enter() // the test holds the time
	tl.Enter()
	w := tl.Waiter(begin.Add(time.Minute), nil)
	tl.Advance(time.Minute)
	tl.Await(t.Context(), w)
	tl.Enter()
	other := tl.Waiter(begin.Add(time.Hour), nil)
	tl.Leave()
	at(t, tl, time.Minute) // the woken one is busy
	tl.Leave()
	at(t, tl, time.Hour)
	tl.Await(t.Context(), other)
	tl.Leave()
}

// The alarm is read when the time is to move: what was set before does not count.
func TestAnAlarmCanBeSetWhileOneWaits(t *testing.T) {
	for name, c := range map[string]struct {
		limit time.Time
		alarm time.Time
		want  time.Duration
	}{
		"a later one":                {limit: begin.Add(time.Hour), alarm: begin.Add(time.Minute), want: time.Minute},
		"behind the limit":           {limit: begin.Add(time.Minute), alarm: begin.Add(time.Hour), want: time.Minute},
		"without a limit":            {alarm: begin.Add(time.Minute), want: time.Minute},
		"switched off":               {limit: begin.Add(time.Hour), want: time.Hour},
		"switched off, and no limit": {},
	} {
		t.Run(name, func(t *testing.T) {
			tl := timeline.New(begin)
			tl.Enter() // the test holds the time
			tl.Enter()
			var alarm timeline.Alarm
			tl.Set(&alarm, begin.Add(time.Second))
			w := tl.Waiter(c.limit, &alarm)
			tl.Set(&alarm, c.alarm)
			tl.Leave()
			at(t, tl, c.want)
			tl.Wake(w)
			tl.Await(t.Context(), w)
			tl.Leave()
			at(t, tl, c.want)
		})
	}
}
