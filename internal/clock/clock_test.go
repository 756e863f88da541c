package clock_test

import (
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/clock"
)

func TestNoReadingIsMonotonic(t *testing.T) {
	var zero clock.Clock
	for rule, c := range map[string]clock.Clock{"the zero value": zero, "another function": time.Now} {
		before := time.Now()
		got := c.Now()
		if strings.Contains(got.String(), "m=") {
			t.Errorf("%s: got %v, with a monotonic reading", rule, got)
		}
		if got.Before(before.Round(0)) || got.After(time.Now().Round(0)) {
			t.Errorf("%s: got %v, want the time after %v", rule, got, before)
		}
	}
}

func TestATestSetsTheTime(t *testing.T) {
	want := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	if got := clock.Clock(func() time.Time { return want }).Now(); !got.Equal(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestWithinIsFromTheBeginningToBeforeTheEnd(t *testing.T) {
	from := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		rule string
		at   time.Duration // after from
		want bool
	}{
		{rule: "the beginning", at: 0, want: true},
		{rule: "the last moment", at: time.Minute - 1, want: true},
		{rule: "the end", at: time.Minute, want: false},
		{rule: "a clock that was set back a little", at: -time.Second, want: true},
		{rule: "a clock that was set back", at: -time.Second - 1, want: false},
	} {
		if got := clock.Within(from.Add(tc.at), from, from.Add(time.Minute)); got != tc.want {
			t.Errorf("%s: got %v, want %v", tc.rule, got, tc.want)
		}
	}
}
