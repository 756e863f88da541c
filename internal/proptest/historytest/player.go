package historytest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/lambdarmor/lambdarmor/idempotency"
)

const (
	contended   = 2  // keys that processes go for at a time
	steps       = 24 // of each process
	together    = 3  // attempts that a process makes at a time
	stepTimeout = 30 * time.Second
)

// player is a process that makes attempts. What it does next is drawn from its
// seed and from the answers.
type player struct {
	*Process
	id     int
	sys    *System
	h      *history
	rng    *rand.Rand
	prefix string

	attempts []*attempt
	made     int
	letters  []letter // steps that the network keeps
}

// letter is a step on its way.
type letter struct {
	deliver func() error
	step    *taking
}

// attempt is one invocation, which is after a key.
type attempt struct {
	record   idempotency.Record // as it is claimed, and what it completes with
	next     step
	patience int // how many steps it still takes
}

// play takes steps, and then lets arrive what is still on its way.
func (p *player) play(ctx context.Context) {
	for range steps {
		if len(p.letters) > 0 && p.rng.IntN(3) == 0 {
			p.deliver()
			continue
		}
		for len(p.attempts) < together {
			p.attempts = append(p.attempts, p.attempt())
		}
		i := p.rng.IntN(len(p.attempts))
		if a := p.attempts[i]; !p.advance(ctx, a) {
			p.attempts = append(p.attempts[:i], p.attempts[i+1:]...)
		}
	}
	for len(p.letters) > 0 {
		p.deliver()
	}
}

func (p *player) deliver() {
	l := p.letters[0]
	p.letters = p.letters[1:]
	from := time.Now()
	if err := l.deliver(); err != nil {
		l.step.neverAnswered()
		return
	}
	l.step.late(from)
}

func (p *player) attempt() *attempt {
	p.made++
	owner := fmt.Sprintf("%d.%d", p.id, p.made)
	a := &attempt{
		record: idempotency.Record{
			Key: fmt.Sprint(p.prefix, p.made/3+p.rng.IntN(contended)), Owner: owner, Epoch: 1,
			Status: idempotency.InProgress, Fingerprint: "of the request",
		},
		patience: 2 + p.rng.IntN(6),
	}
	if p.rng.IntN(6) == 0 {
		a.record.Fingerprint = "of another"
	}
	if a.record.NoResult = p.rng.IntN(4) == 0; !a.record.NoResult {
		a.record.Result = []byte("result of " + owner)
	}
	return a
}

// holds draws how long a lease lasts.
func (p *player) holds() time.Duration {
	switch p.rng.IntN(10) {
	case 0, 1, 2, 3: // abandoned as soon as it is claimed
		return -time.Minute
	case 4, 5: // while others look
		return time.Duration(1+p.rng.IntN(10)) * time.Millisecond
	default:
		return time.Hour
	}
}

// lasts draws how long a record counts.
func (p *player) lasts() time.Duration {
	switch p.rng.IntN(10) {
	case 0, 1:
		return -time.Minute
	case 2:
		return time.Duration(5+p.rng.IntN(20)) * time.Millisecond
	default:
		return 2 * time.Hour
	}
}

// advance takes the next step of an attempt, and reports whether it goes on. A
// crash is an attempt that does not.
func (p *player) advance(ctx context.Context, a *attempt) bool {
	a.patience--
	r := a.record
	now := time.Now().Round(0).Add(p.Skew)
	switch a.next {
	case claim:
		r.Lease, r.Expires = now.Add(p.holds()), now.Add(p.lasts())
		r.Result, r.NoResult = nil, false
	case complete:
		r.Status, r.Expires = idempotency.Completed, now.Add(p.lasts())
	}
	if a.next != claim && p.rng.IntN(8) == 0 {
		r.Epoch += int64(p.rng.IntN(3)) - 1 // as nobody should
	}
	got := p.take(ctx, a.next, r)
	if p.rng.IntN(8) == 0 || a.patience == 0 {
		return false // crashed
	}
	switch {
	case got.outcome == unknown && a.next == claim && p.rng.IntN(3) == 0:
		a.next = release // given up
		p.h.saw("claim given up")
	case got.outcome == unknown:
		// tried again
	case a.next != claim:
		a.next = step(p.rng.IntN(3)) // as none that is late should
		return p.rng.IntN(2) == 0
	case got.outcome == taken:
		a.next = [...]step{claim, complete, complete, complete, complete, release, release}[p.rng.IntN(7)]
	case got.holder.Status == idempotency.Abandoned:
		a.record.Epoch = got.holder.Epoch + 1
		if p.rng.IntN(8) == 0 {
			a.record.Epoch += int64(p.rng.IntN(3)) - 1
		}
	case got.holder.Status == idempotency.InProgress:
		a.record.Epoch = 1
		a.next = [...]step{claim, claim, claim, complete, release}[p.rng.IntN(5)]
	default: // a replay
		a.next = step(p.rng.IntN(3))
		return p.rng.IntN(4) == 0
	}
	return true
}

// take sends a step through the network, which may fail, and records it.
func (p *player) take(ctx context.Context, s step, r idempotency.Record) answer {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	var caught bool
	var deliver func() error
	lost := func() int { return 0 }
	switch p.rng.IntN(20) {
	case 0, 1:
		deliver = p.Network.Hold(func() { caught = true; cancel() })
	case 2, 3, 4:
		lost = p.Network.Lose(1)
	case 5:
		lost = p.Network.Lose(1000) // of all tries that there are
	}
	t := &taking{
		h: p.h, process: p.id, proc: p.Process, sys: p.sys,
		step: s, record: r, sent: time.Now(),
	}
	got := p.ask(ctx, s, r)
	n := lost()
	t.unanswered(n)
	switch {
	case got.outcome != unknown:
		t.answered(&got)
	case caught:
		t.gaveUp = time.Now()
		p.letters = append(p.letters, letter{deliver, t})
	case n == 0 || ctx.Err() != nil: // not the network's doing
		t.neverAnswered()
	}
	return got
}

func (p *player) ask(ctx context.Context, s step, r idempotency.Record) answer {
	var holder idempotency.Record
	var err error
	switch s {
	case claim:
		holder, err = p.Store.Claim(ctx, r)
	case complete:
		err = p.Store.Complete(ctx, r)
	case release:
		err = p.Store.Release(ctx, r)
	}
	switch {
	case err == nil:
		return answer{outcome: taken}
	case s == claim && errors.Is(err, idempotency.ErrHeld):
		return answer{held, holder}
	case s != claim && errors.Is(err, idempotency.ErrLost):
		return answer{outcome: lost}
	default:
		return answer{}
	}
}
