package secrets

import (
	"context"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/invocation"
)

// answer is what one who asks gets.
type answer struct {
	Secret
	err error
	seq uint64 // the number of the fetch that brought it; 0 where none did
}

// collect answers for refs with what is known, and asks for all the rest at
// once.
func (c *Cache) collect(ctx context.Context, refs []Ref, d demand) []answer {
	got := make([]answer, len(refs))
	open := make([]int, 0, len(refs)) // indices of what has no answer yet
	for i := range refs {
		if refs[i].Name == "" {
			got[i].err = errNoName
			continue
		}
		open = append(open, i)
	}
	for len(open) > 0 {
		open = c.ask(ctx, refs, open, d, got)
	}
	return got
}

// ask answers for the refs that are open, and returns those to ask for again.
func (c *Cache) ask(ctx context.Context, refs []Ref, open []int, d demand, got []answer) (again []int) {
	calls := c.join(ctx, refs, open, d, got)
	hasty, leave := withHalf(ctx)
	defer leave()
	for i, at := range calls {
		if at.batch != nil && !c.await(ctx, hasty, at, d, &got[open[i]]) {
			again = append(again, open[i])
		}
	}
	return again
}

// withHalf has half of the time that is left of ctx.
func withHalf(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, time.Until(end)/2)
}

// join answers for what is known, and returns a call to wait for where nothing
// is: one that is under way, or one of a new batch of all such refs.
func (c *Cache) join(ctx context.Context, refs []Ref, open []int, d demand, got []answer) []call {
	calls := make([]call, len(open))
	states := make([]*state, len(open))
	life := invocation.Lifetime(ctx)
	ended := over(ctx)
	var own *batch

	c.mu.Lock()
	now := c.clock.Now()
	for i, at := range open {
		ref := &refs[at]
		s := c.table.state(ref)
		states[i] = s
		if ended || s.judge(now, d) != mustAsk {
			continue
		}
		under := c.latest(*ref)
		switch {
		case under.batch != nil && under.batch == own:
			calls[i] = under
		case s.serves(now, d) && (under.usable(now, d) || c.silences.Hold(now)):
			// another one waits for it, or has done so in vain
		case under.usable(now, d) && under.Board(life):
			calls[i] = under
		default:
			if own == nil {
				own = c.begin(now, d)
			}
			calls[i] = c.add(own, *ref)
		}
	}
	if own != nil {
		c.addPostponed(own, now)
		c.fly(ctx, own)
	}
	c.mu.Unlock()

	for i, at := range open {
		if calls[i].batch != nil {
			continue
		}
		var ok bool
		if got[at], ok = c.known(ctx, &refs[at], states[i], now, d); !ok {
			got[at].err = left(ctx, &refs[at])
		}
	}
	return calls
}

// over reports whether ctx has ended, or will before anything can be done.
func over(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && !time.Now().Before(deadline)
}

// known answers from a state for one who does not wait, or no longer, if it
// has an answer.
func (c *Cache) known(ctx context.Context, ref *Ref, s *state, now time.Time, d demand) (answer, bool) {
	v := s.judge(now, d)
	switch {
	case v == isFresh:
		return answer{s.secret, nil, s.seq}, true
	case v == isDenied:
		return answer{err: s.denied, seq: s.seq}, true
	case s.serves(now, d):
		return answer{c.serveStale(ctx, ref, s, now), nil, s.seq}, true
	case v == isUnavailable:
		return answer{err: outage(ref, s.failures.Err, s.retry(d).Sub(now))}, true
	default:
		return answer{}, false
	}
}

// await waits for a call and reports whether there is an answer now. Where
// there is one without the call it waits for no longer than hasty lasts, and
// then holds it against the source.
func (c *Cache) await(ctx, hasty context.Context, at call, d demand, got *answer) bool {
	ref := &at.refs[at.index]
	var otherwise error
	switch {
	case c.state(ref).covers(c.clock.Now(), d) && !at.Wait(hasty) && ctx.Err() == nil && c.blame(at):
		otherwise = outage(ref, context.DeadlineExceeded, 0)
	case !at.Wait(ctx):
		otherwise = left(ctx, ref)
	default:
		switch o := at.outcome(); {
		case o.void:
			return false
		case o.failed == nil:
			*got = answer{o.secret, o.denied, at.seq}
			return true
		default:
			otherwise = outage(ref, o.failed, 0)
		}
	}
	var ok bool
	if *got, ok = c.known(ctx, ref, c.state(ref), c.clock.Now(), d); !ok {
		got.err = otherwise
	}
	return true
}
