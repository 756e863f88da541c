package flight_test

import (
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/flight"
)

func TestABudgetAllowsABurstAndThenOneCallInEachPeriod(t *testing.T) {
	b := flight.Budget{Every: 10 * time.Second, Burst: 3}
	now := time.Unix(1_800_000_000, 0)
	for _, step := range []struct {
		when string
		move time.Duration
		want time.Duration // 0: the call is taken
	}{
		{when: "first of the burst"},
		{when: "second of the burst"},
		{when: "third of the burst"},
		{when: "one more", want: 10 * time.Second},
		{when: "4 s later", move: 4 * time.Second, want: 6 * time.Second},
		{when: "10 s later", move: 6 * time.Second},
		{when: "at once again", want: 10 * time.Second},
		{when: "after 20 quiet seconds", move: 20 * time.Second},
		{when: "and another"},
		{when: "and a third", want: 10 * time.Second},
		{when: "after an hour", move: time.Hour},
		{when: "an hour, second"},
		{when: "an hour, third"},
		{when: "an hour, fourth", want: 10 * time.Second},
		{when: "the clock set back by a second", move: -time.Second},
		{when: "the burst starts afresh, second"},
		{when: "the burst starts afresh, third"},
		{when: "the burst is used up", want: 10 * time.Second},
	} {
		now = now.Add(step.move)
		got := b.Wait(now)
		if got != step.want {
			t.Errorf("%s: got a wait of %v, want %v", step.when, got, step.want)
		}
		if got == 0 {
			b.Take(now)
		}
	}
}
