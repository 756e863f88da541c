package jwt

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// A flight is one fetch of keys, for all who wait for it. It has a goroutine of
// its own, since any of them may leave, and ends with the last of them.
type flight struct {
	meant   *header // by whose token it was begun
	cancel  context.CancelFunc
	done    chan struct{} // closed once it has ended
	err     error         // how; set before
	waiters int           // guarded by the lock of its remote
}

// board joins the fetch that is under way, or begins one, if there is to be one.
// Else there is no flight, but the key that is meant or why there is none.
func (r *remote) board(ctx context.Context, h *header) (f *flight, joined bool, k *key, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	k, err = r.decide(h)
	if !errors.Is(err, errAsk) {
		return nil, false, k, err
	}
	f, joined = r.mu.flight, r.mu.flight != nil
	if !joined {
		f = r.begin(ctx, h)
	}
	f.waiters++
	return f, joined, nil, nil
}

// begin starts a fetch for the key that h means; r.mu is held.
func (r *remote) begin(ctx context.Context, h *header) *flight {
	if now := r.now(); r.current.Load().isFresh(now) {
		r.mu.misses.take(now)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := &flight{meant: h, cancel: cancel, done: make(chan struct{})}
	r.mu.flight = f
	go func() {
		defer close(f.done)
		defer cancel()
		set, age, err := (*keySet)(nil), time.Duration(0), errBrokenClient
		defer func() {
			if p := recover(); p != nil { // which nobody else could, in this goroutine
				err = fmt.Errorf("%w: a panic of type %T", err, p)
			}
			r.land(f, set, age, err)
		}()
		set, age, err = r.load(ctx)
	}()
	return f
}

// errBrokenClient is what a fetch that does not return gets.
var errBrokenClient = reason.New("the client's transport is broken")

// land keeps what f has brought, unless nobody waits any more.
func (r *remote) land(f *flight, set *keySet, age time.Duration, err error) {
	f.err = err
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.flight != f {
		return
	}
	r.mu.flight = nil
	now := r.now()
	if err == nil {
		r.current.Store(&snapshot{keySet: set, at: now, fresh: now.Add(age)})
		r.mu.failures = failures{}
		if _, err := set.pick(f.meant); errors.Is(err, errNoKey) {
			r.mu.misses.note(f.meant.kid, now)
		}
		return
	}
	r.mu.fail(err, now)
	if errors.Is(err, errNoUsableKey) {
		r.current.Store(nil) // this is an answer: what was trusted no longer is
	}
}

// wait waits for f, or for the end of ctx. Who leaves last ends f. If there was
// no time left to wait, and keys to go on with, that is a failure of the issuer
// like another: each who comes would spend all of its time on it else.
func (r *remote) wait(ctx context.Context, f *flight) error {
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
	}
	r.mu.Lock()
	f.waiters--
	last := f.waiters == 0
	if last && r.mu.flight == f {
		r.mu.flight, r.mu.err = nil, context.Cause(ctx)
		if now := r.now(); errors.Is(ctx.Err(), context.DeadlineExceeded) && r.current.Load().isTrusted(now) {
			r.mu.fail(r.mu.err, now)
		}
	}
	r.mu.Unlock()
	if last {
		f.cancel()
		<-f.done
	}
	return context.Cause(ctx)
}
