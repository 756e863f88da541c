package flight_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/flight"
)

func TestEachFailureHoldsTheNextTryBackForTwiceAsLong(t *testing.T) {
	down := errors.New("down")
	backoff := flight.Backoff{First: time.Second, Longest: 10 * time.Second}
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	var f flight.Failures
	if f.Hold(now) {
		t.Error("got a pause without a failure, want none")
	}
	steps := append([]time.Duration{1, 2, 4, 8}, slices.Repeat([]time.Duration{10}, 100)...)
	for i, seconds := range steps {
		f = f.And(down, now, backoff)
		if f.Err != down || !f.At.Equal(now) || !f.Retry.Equal(now.Add(seconds*time.Second)) {
			t.Fatalf("failure %d: got %+v, want another try after %ds", i, f, seconds)
		}
		now = f.Retry
		if !f.Hold(now.Add(-1)) || f.Hold(now) {
			t.Errorf("failure %d: held back before the time is over %v, and then %v", i, f.Hold(now.Add(-1)), f.Hold(now))
		}
	}
}

func TestAWaitVaries(t *testing.T) {
	now := time.Now().Round(0)
	half := func(d time.Duration) time.Duration { return d / 2 }
	f := flight.Failures{}.And(errors.New("down"), now, flight.Backoff{First: time.Second, Longest: time.Minute, Vary: half})
	if got := f.Retry.Sub(now); got != 500*time.Millisecond {
		t.Errorf("got a wait of %v, want 500ms", got)
	}
}

func TestAClockThatWasSetBackHoldsNothingBack(t *testing.T) {
	now := time.Now().Round(0)
	f := flight.Failures{}.And(errors.New("down"), now, flight.Backoff{First: time.Minute, Longest: time.Minute})
	if f.Hold(now.Add(-time.Hour)) {
		t.Error("got a pause after the clock was set back, want none")
	}
}
