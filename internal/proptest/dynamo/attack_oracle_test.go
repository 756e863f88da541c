package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
)

// The oracle knows what each process asked of its store and was answered, when
// handlers began, what effects they had and what callers were told. It goes by
// the order of events and by the clocks of who judged, never by how fast the
// machine is: what comes later than planned is no violation.

// violation is a promise that is broken.
type violation struct {
	of   *subject
	text string
}

type event struct {
	of   *subject
	at   time.Duration
	text string
}

// say notes what happened.
func (w *world) say(o *operation, format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.note(o, format, args...)
}

// What follows is called with mu held.

func (w *world) note(o *operation, format string, args ...any) {
	short := strings.TrimPrefix(o.id, w.name+"-")
	w.events = append(w.events, event{of: o.of, at: time.Since(w.start), text: short + " " + fmt.Sprintf(format, args...)})
}

func (w *world) violated(o *operation, format string, args ...any) {
	text := strings.TrimPrefix(o.id, w.name+"-") + " " + fmt.Sprintf(format, args...)
	w.violations = append(w.violations, violation{of: o.of, text: text})
	w.note(o, "VIOLATES: "+format, args...)
}

func (w *world) saw(what string) { w.seen[what]++ }

// watched is the store of one process, as the oracle sees it. It has times by
// the clock of the process, which package idempotency cannot be given.
type watched struct {
	*dynamo.Store
	process *process
}

func (s *watched) Claim(ctx context.Context, r idempotency.Record) (idempotency.Record, error) {
	op := of(ctx)
	sent := time.Now()
	r.Lease, r.Expires = r.Lease.Add(s.process.skew), r.Expires.Add(s.process.skew)
	held, err := s.Store.Claim(ctx, r)
	op.claimed(&r, sent, held, err)
	held.Lease, held.Expires = held.Lease.Add(-s.process.skew), held.Expires.Add(-s.process.skew)
	return held, err
}

func (s *watched) Complete(ctx context.Context, r idempotency.Record) error {
	r.Expires = r.Expires.Add(s.process.skew)
	err := s.Store.Complete(ctx, r)
	return of(ctx).completes(&r, err)
}

func (s *watched) Release(ctx context.Context, r idempotency.Record) error {
	err := s.Store.Release(ctx, r)
	op := of(ctx)
	op.say(op, "releases: %v", err)
	return err
}

func (o *operation) claimed(r *idempotency.Record, sent time.Time, held idempotency.Record, err error) {
	w := o.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if o.dead {
		return
	}
	o.claims++
	switch {
	case errors.Is(err, idempotency.ErrHeld):
		w.note(o, "finds it held: %s %s/%d", held.Status, held.Owner, held.Epoch)
		w.saw("held")
		return
	case err != nil:
		w.note(o, "claims: %v", err)
		return
	}
	o.owner, o.epoch, o.lease = r.Owner, r.Epoch, r.Lease
	o.sent, o.taken = sent, o.now()
	w.note(o, "claims as %s/%d, lease to %v", r.Owner, r.Epoch, r.Lease.Add(-o.skew).Sub(w.start))
	if r.Epoch > 1 {
		w.saw("take-over")
	}
	if least := o.deadline.Add(o.skew + maxSkew - time.Millisecond); r.Lease.Before(least) {
		w.violated(o, "has a lease that ends %v before it may", least.Sub(r.Lease))
	}
}

// began holds the beginning of a handler to what is known of the others.
func (o *operation) began() {
	w := o.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if o.dead {
		return
	}
	w.saw("run")
	w.note(o, "begins")
	o.begun = true
	s := o.of
	if s.confirmed != "" && s.since.Before(o.sent) {
		w.violated(o, "runs after %s was completed", s.confirmed)
	}
	if o.epoch > 1 && w.variant.policy == reconciles && !o.asked {
		w.violated(o, "runs at epoch %d and has not asked", o.epoch)
	}
	for _, other := range s.operations {
		if other.released {
			continue
		}
		if w.variant.policy == refuses {
			w.violated(o, "runs after %s, which is unknown", other.id)
		}
		first, second := other, o
		if first.epoch > second.epoch {
			first, second = second, first
		}
		switch {
		case first.epoch == second.epoch:
			w.violated(second, "and %s run at epoch %d", first.id, first.epoch)
		case !second.judged(first).After(first.lease):
			w.violated(second, "runs %v before the lease of %s is over by its clock", first.lease.Sub(second.judged(first)), first.id)
		}
	}
	s.operations = append(s.operations, o)
}

// judged is what the clock showed, at most, by which the lease of another was
// found to be over: its own, or that of an attempt between the two.
func (o *operation) judged(other *operation) time.Time {
	if o.epoch == other.epoch+1 {
		return o.taken
	}
	ahead := o.skew
	for _, p := range o.world.processes {
		ahead = max(ahead, p.skew)
	}
	return o.taken.Add(ahead - o.skew)
}

// asks returns whose effect there is.
func (o *operation) asks(u idempotency.Unfinished) (by *operation) {
	w := o.world
	w.mu.Lock()
	defer w.mu.Unlock()
	o.asked = true
	if u.Epoch != o.epoch-1 || u.Key != o.key {
		w.violated(o, "asks for %s/%d at epoch %d", u.Key, u.Epoch, o.epoch)
	}
	w.saw("asked")
	w.note(o, "asks, and %d effects are there", len(o.of.charged))
	if len(o.of.charged) == 0 {
		return nil
	}
	w.saw("adopted")
	return o.of.charged[0]
}

// charge has an effect, which a provider refuses after the deadline.
func (o *operation) charge() error {
	w := o.world
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case o.dead:
		return context.Canceled
	case !time.Now().Before(o.deadline):
		return context.DeadlineExceeded
	}
	w.note(o, "has its effect")
	s := o.of
	s.charged = append(s.charged, o)
	if len(s.charged) > 1 && w.isExact() {
		w.violated(o, "has the effect of %s once more", s.charged[0].id)
	}
	return nil
}

// isExact reports whether an effect takes place once at most: with Refuse
// always, with Reconcile while the clocks are within the skew.
func (w *world) isExact() bool {
	return w.variant.policy == refuses || w.variant.policy == reconciles && w.within
}

func (o *operation) setStaged() {
	o.world.mu.Lock()
	defer o.world.mu.Unlock()
	o.staged = true
}

func (o *operation) completes(r *idempotency.Record, err error) error {
	w := o.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if o.dead {
		return err
	}
	o.settled = o.now()
	w.note(o, "completes: %v", err)
	switch {
	case err == nil:
		w.saw("completed")
		o.completed = true
		w.confirm(o, markIn(string(r.Result)))
	case errors.Is(err, idempotency.ErrLost):
		w.saw("lost to another")
		o.lost = true
		if w.flaw.deaf {
			return nil
		}
	}
	return err
}

func (o *operation) notSaved(err error) {
	o.world.mu.Lock()
	defer o.world.mu.Unlock()
	o.unsaved = err
}

// confirm holds an answer that the store has to the one that it had before.
func (w *world) confirm(o *operation, mark string) {
	s := o.of
	if s.confirmed == "" {
		s.confirmed, s.since = mark, time.Now()
		if by := w.maker(s, mark); by == nil {
			w.violated(o, "is answered with %s, which has not run", mark)
		}
	}
	if s.confirmed != mark {
		w.violated(o, "is answered with %s, and the answer was %s", mark, s.confirmed)
	}
}

func (w *world) maker(s *subject, mark string) *operation {
	for _, o := range s.operations {
		if o.mark() == mark {
			return o
		}
	}
	return nil
}
