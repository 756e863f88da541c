package secrets

import (
	"context"
	"time"
)

// answer is what one who asks gets.
type answer struct {
	Secret
	err error
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
		var again []int
		for i, at := range c.join(ctx, refs, open, d, got) {
			if at.flight != nil && !c.await(ctx, at, d, &got[open[i]]) {
				again = append(again, open[i])
			}
		}
		open = again
	}
	return got
}

// join answers for what is known, and gives a call to wait for where nothing
// is: one that is under way, or one of a new flight for all such refs.
func (c *Cache) join(ctx context.Context, refs []Ref, open []int, d demand, got []answer) []call {
	calls := make([]call, len(open))
	states := make([]*state, len(open))
	ended := over(ctx)
	var own *flight

	c.mu.Lock()
	now := c.now()
	for i, at := range open {
		ref := &refs[at]
		s := c.table.state(ref)
		states[i] = s
		if ended || s.judge(now, d) != mustAsk {
			continue
		}
		under := c.latest(*ref)
		switch {
		case !under.usable(now, d):
			if own == nil {
				own = c.begin(now, d)
			}
			calls[i] = c.board(own, *ref)
		case under.flight == own || !s.serves(now, d):
			calls[i] = under
		}
	}
	if own != nil {
		c.boardPostponed(own, now)
	}
	c.mu.Unlock()

	if own != nil {
		c.fly(ctx, own)
	}
	for i, at := range open {
		if calls[i].flight == nil {
			got[at] = c.known(ctx, &refs[at], states[i], now, d)
		}
	}
	return calls
}

// over reports whether ctx has ended, or will before anything can be done.
func over(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && !time.Now().Before(deadline)
}

// known answers from a state for one who does not wait, or no longer.
func (c *Cache) known(ctx context.Context, ref *Ref, s *state, now int64, d demand) answer {
	v := s.judge(now, d)
	switch {
	case v == isFresh:
		return answer{Secret: s.secret}
	case v == isDenied:
		return answer{err: s.denied}
	case s.serves(now, d):
		return answer{Secret: c.serveStale(ctx, ref, s, now)}
	case v == isUnavailable:
		return answer{err: outage(ref, s.failure.err, time.Duration(s.failure.until(d)-now))}
	default:
		return answer{err: left(ctx, ref)}
	}
}

// await waits for a call and reports whether it brought an answer.
func (c *Cache) await(ctx context.Context, at call, d demand, got *answer) bool {
	ref := &at.refs[at.index]
	select {
	case <-at.done:
	case <-ctx.Done():
		*got = c.known(ctx, ref, c.table.state(ref), c.now(), d)
		return true
	}
	o := at.outcome()
	if o.void {
		return false
	}
	if o.failed == nil {
		*got = answer{o.secret, o.denied}
		return true
	}
	if s, now := c.table.state(ref), c.now(); s.serves(now, d) {
		got.Secret = c.serveStale(ctx, ref, s, now)
	} else {
		got.err = outage(ref, o.failed, time.Duration(s.failure.until(d)-now))
	}
	return true
}

// postpone keeps in mind what was asked for before its source can answer. The
// caller holds c.mu.
func (c *Cache) postpone(ref Ref) {
	if len(c.postponed) < c.maxEntries {
		c.postponed[ref] = struct{}{}
	}
}

// boardPostponed adds it to a flight. The caller holds c.mu.
func (c *Cache) boardPostponed(f *flight, now int64) {
	for ref := range c.postponed {
		if len(c.calls[ref]) == 0 && c.table.state(&ref).judge(now, demand{}) == mustAsk {
			c.board(f, ref)
		}
	}
	clear(c.postponed)
}
