package guardtest

import (
	"context"
	"testing"
	"time"
)

// A poller learns from a channel that its environment takes no more, and an
// invocation may come before it has looked.
func TestPollerOfAnEnvironmentThatTakesNoMoreGetsNothing(t *testing.T) {
	d := newDispatcher(time.Hour)
	newEnv := func() *environment {
		e := &environment{from: d, inFlight: map[string]*invocation{}}
		e.closed, e.shut = context.WithCancel(t.Context())
		return e
	}
	draining, serving := newEnv(), newEnv()
	for _, env := range []*environment{draining, serving, draining} {
		d.pollers = append(d.pollers, &poller{env: env, taken: make(chan *invocation, 1)})
	}
	draining.drain()
	for _, id := range []string{"one", "two"} {
		if _, err := d.submit(t.Context(), Call{RequestID: id}); err != nil {
			t.Fatal(err)
		}
	}
	if len(draining.inFlight) != 0 || serving.inFlight["one"] == nil || len(d.waiting) != 1 || len(d.pollers) != 2 {
		t.Errorf("%d are with the one that takes no more, %d with the other, %d wait, for %d pollers",
			len(draining.inFlight), len(serving.inFlight), len(d.waiting), len(d.pollers))
	}
}

// A poller that leaves at the end keeps its invocation, which then fails with the
// environment and does not wait for another one.
func TestPollerThatLeavesAClosedFunctionRequeuesNothing(t *testing.T) {
	for _, closed := range []bool{false, true} {
		d := newDispatcher(time.Hour)
		env := &environment{from: d, inFlight: map[string]*invocation{}, cfg: Config{Concurrency: 1}}
		env.closed, env.shut = context.WithCancel(t.Context())
		p := &poller{env: env, taken: make(chan *invocation, 1)}
		d.pollers = append(d.pollers, p)
		inv, err := d.submit(t.Context(), Call{RequestID: "one"})
		if err != nil {
			t.Fatal(err)
		}
		if closed {
			d.close()
		}
		if requeued := d.leave(p); requeued == closed || (len(d.waiting) == 1) == closed {
			t.Errorf("closed %t: requeued %t, %d wait", closed, requeued, len(d.waiting))
		}
		if env.lost(death{TypeExit, "over"}); closed {
			<-inv.done
		}
	}
}
