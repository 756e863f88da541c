package secrets

import (
	"context"
	"time"
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
		if calls[i].flight != nil {
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
func (c *Cache) known(ctx context.Context, ref *Ref, s *state, now int64, d demand) (answer, bool) {
	v := s.judge(now, d)
	switch {
	case v == isFresh:
		return answer{s.secret, nil, s.seq}, true
	case v == isDenied:
		return answer{err: s.denied, seq: s.seq}, true
	case s.serves(now, d):
		return answer{c.serveStale(ctx, ref, s, now), nil, s.seq}, true
	case v == isUnavailable:
		return answer{err: outage(ref, s.failure.err, time.Duration(s.failure.until(d)-now))}, true
	default:
		return answer{}, false
	}
}

// await waits for a call and reports whether there is an answer now.
func (c *Cache) await(ctx context.Context, at call, d demand, got *answer) bool {
	ref := &at.refs[at.index]
	var otherwise error
	select {
	case <-at.done:
		switch o := at.outcome(); {
		case o.void:
			return false
		case o.failed == nil:
			*got = answer{o.secret, o.denied, at.seq}
			return true
		default:
			otherwise = outage(ref, o.failed, 0)
		}
	case <-ctx.Done():
		otherwise = left(ctx, ref)
	}
	var ok bool
	if *got, ok = c.known(ctx, ref, c.table.state(ref), c.now(), d); !ok {
		got.err = otherwise
	}
	return true
}
