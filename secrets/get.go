package secrets

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/internal/invocation"
)

// answer is what a caller gets for one ref.
type answer struct {
	secret Secret
	err    error
	fetch  uint64 // number of the fetch that brought it; 0 if none did
}

// getAll answers for refs from the cache where it can, and makes one call of the
// source for all the rest.
func (c *Cache) getAll(ctx context.Context, refs []Ref, d demand) []answer {
	got := make([]answer, len(refs))
	open := make([]int, 0, len(refs)) // indices of the refs without an answer
	for i := range refs {
		if refs[i].Name == "" {
			got[i].err = errNoName
			continue
		}
		open = append(open, i)
	}
	for len(open) > 0 {
		calls := c.join(ctx, refs, open, d, got)
		half, leave := withHalf(ctx)
		again := open[:0]
		for i, at := range calls {
			if at == nil {
				continue
			}
			var ok bool
			if got[open[i]], ok = c.await(ctx, half, at, d); !ok {
				again = append(again, open[i])
			}
		}
		leave()
		open = again
	}
	return got
}

// withHalf returns a context with half of the time that ctx has left.
func withHalf(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, time.Until(end)/2)
}

// join answers for the refs that need no wait. For each of the others it returns
// a call to wait for: one that is under way, or one of a new batch.
func (c *Cache) join(ctx context.Context, refs []Ref, open []int, d demand, got []answer) []*call {
	calls := make([]*call, len(open))
	entries := make([]*entry, len(open))
	life := invocation.Lifetime(ctx)
	ended := hasEnded(ctx)
	var own *batch

	c.mu.Lock()
	now := c.clock.Now()
	for i, at := range open {
		ref := &refs[at]
		e := c.lookUp(ref)
		entries[i] = e
		if ended || e.judge(now, d) != mustFetch {
			continue
		}
		under := c.latest(*ref)
		switch usable := under.usable(now, d); {
		case under != nil && under.batch == own: // the same ref twice
			calls[i] = under
		case e.serves(now, d) && (usable || c.timeouts.Hold(now)):
			// another caller waits for it, or has waited in vain
		case usable && under.Board(life) != nil:
			calls[i] = under
		default:
			if own == nil {
				own = c.newBatch(now, d)
			}
			calls[i] = c.add(own, *ref)
		}
	}
	if own != nil {
		c.addDeferred(own)
		c.start(ctx, own)
	}
	c.mu.Unlock()

	for i, at := range open {
		if calls[i] != nil {
			continue
		}
		var ok bool
		if got[at], ok = c.known(ctx, &refs[at], entries[i], now, d); !ok {
			got[at].err = waitError(ctx, &refs[at])
		}
	}
	return calls
}

// hasEnded reports whether ctx has ended or is about to.
func hasEnded(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && !time.Now().Before(deadline)
}

// known returns the answer from an entry for a caller that does not wait. It
// reports false if there is no answer.
func (c *Cache) known(ctx context.Context, ref *Ref, e *entry, now time.Time, d demand) (answer, bool) {
	v := e.judge(now, d)
	switch {
	case v == isFresh:
		return answer{secret: e.secret, fetch: e.fetch}, true
	case v == isDenied:
		return answer{err: e.denied, fetch: e.fetch}, true
	case e.serves(now, d):
		return answer{secret: c.serveStale(ctx, ref, e, now), fetch: e.fetch}, true
	case v == isUnavailable:
		return answer{err: outage(ref, e.failures.Err, e.retryAt(d).Sub(now))}, true
	default:
		return answer{}, false
	}
}

// await waits for a call. It reports false if the caller has to ask again. A
// caller that can go on without the call waits no longer than half, and then
// counts it as a failure.
func (c *Cache) await(ctx, half context.Context, at *call, d demand) (answer, bool) {
	var failure error
	switch {
	case c.entry(&at.ref).suffices(c.clock.Now(), d) && !at.Wait(half) && ctx.Err() == nil && c.blame(at):
		failure = outage(&at.ref, context.DeadlineExceeded, 0)
	case !at.Wait(ctx):
		failure = waitError(ctx, &at.ref)
	case at.discarded:
		return answer{}, false
	case at.failed != nil:
		failure = outage(&at.ref, at.failed, 0)
	case at.Err() != nil:
		return answer{err: denial(&at.ref, fmt.Errorf("%w: %w", guard.Reason("OnFetch"), at.Err()))}, true
	default:
		return answer{secret: at.secret, err: at.denied, fetch: at.number}, true
	}
	got, ok := c.known(ctx, &at.ref, c.entry(&at.ref), c.clock.Now(), d)
	if !ok {
		got.err = failure
	}
	return got, true
}

// inOnStale marks the context of OnStale, whose own calls must not call it again.
type inOnStale struct{ cache *Cache }

// serveStale returns a value past its TTL and reports it.
func (c *Cache) serveStale(ctx context.Context, ref *Ref, e *entry, now time.Time) Secret {
	guard.AddAttrs(ctx, slog.String("staleSecret", ref.Name))
	layer.Count(ctx, layer.StaleSecrets, 1)
	err := e.failures.Err
	if err == nil {
		err = c.lastTimeout()
	}
	if in := (inOnStale{c}); c.onStale != nil && ctx.Value(in) == nil {
		c.onStale(context.WithValue(ctx, in, true), StaleReport{
			Ref: *ref, Version: e.secret.Version(), Age: now.Sub(e.fetchedAt), Err: err,
		})
	}
	stale := e.secret
	stale.stale = true
	return stale
}
