package secrets

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/invocation"
)

// step is one thing that happens: somebody asks, the source answers one of its
// calls, or the clock moves.
type step struct {
	do     string
	pick   int // which call is answered, of those under way
	answer string
	time   time.Duration
}

// aScript returns some steps in random order.
func aScript(r *rand.Rand) []step {
	script := make([]step, 1+r.IntN(60))
	for i := range script {
		script[i] = step{
			do: oneOf(r, "get", "get", "get briefly", "get in an invocation", "prefetch in an invocation", "prefetch", "try", "pair",
				"answer", "answer", "answer", "answer", "rotate", "invalidate", "invalidate version", "pass", "pass", "freeze", "set back"),
			pick:   r.IntN(4),
			answer: oneOf(r, "value", "value", "denied", "unavailable", "panic"),
			time: oneOf(r, time.Millisecond, time.Second, 3*time.Second, time.Minute,
				5*time.Minute, 10*time.Minute, time.Hour),
		}
	}
	return script
}

func oneOf[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// world is a cache, its source and all that was seen of them.
type world struct {
	cache  *Cache
	offset atomic.Int64 // of the wall clock
	users  sync.WaitGroup

	mu      sync.Mutex
	version int
	pending []*pending
	denied  map[Ref]uint64 // the number of the last call that was denied, in time
	seen    map[Ref]uint64 // and of the last that somebody has got a value of
	wrong   []string
}

// pending is a call of the source.
type pending struct {
	answer chan string
	ctx    context.Context
}

func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.offset.Load())) }

func (w *world) Fetch(ctx context.Context, refs []Ref) ([]Value, error) {
	p := &pending{answer: make(chan string), ctx: ctx}
	w.mu.Lock()
	w.pending = append(w.pending, p)
	w.mu.Unlock()
	var answer string
	select {
	case answer = <-p.answer:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch answer {
	case "denied":
		return nil, ErrDenied
	case "unavailable":
		return nil, ErrUnavailable
	case "panic":
		panic(answer)
	}
	values := make([]Value, len(refs))
	for i, ref := range refs {
		version := w.version
		if ref.Stage != "" {
			version--
		}
		if version < 1 {
			values[i].Err = ErrNotFound
			continue
		}
		values[i] = Value{Data: fmt.Append(nil, version), Version: strconv.Itoa(version)}
	}
	return values, nil
}

// reported is the hook.
func (w *world) reported(_ context.Context, f FetchReport) {
	if f.Err == nil || couldNotAsk(f.Err) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.denied[f.Ref] = max(w.denied[f.Ref], w.number(f))
}

// number returns the number of a call, which a source does not know.
func (w *world) number(f FetchReport) uint64 {
	if e := w.cache.entry(&f.Ref); e.denied != nil && e.fetchedAt.Equal(f.Began) {
		return e.fetch
	}
	return 0 // what it has said was not taken in
}

func (w *world) complain(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
}

// floor is the number of the call that somebody who asks now must at least get
// the value of.
func (w *world) floor(ref Ref) uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return max(w.denied[ref]+1, w.seen[ref])
}

// check holds what somebody got to what was known before they asked.
func (w *world) check(who string, ref Ref, s Secret, floor uint64) {
	if s.fetch < floor {
		w.complain("%s got the value of call %d, and knew of %d", who, s.fetch, floor)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen[ref] = max(w.seen[ref], s.fetch)
}

func (w *world) get(ctx context.Context, who string, ref Ref) {
	floor := w.floor(ref)
	s, err := w.cache.Get(ctx, ref.Name)
	if err == nil {
		w.check(who, ref, s, floor)
		w.checkAge(who, s)
	}
}

func (w *world) checkAge(who string, s Secret) {
	bound := w.cache.ttl
	if s.stale {
		bound += w.cache.maxStale
	}
	if age := w.now().Sub(s.FetchedAt()); age < -time.Second || age >= bound {
		w.complain("%s got a value of %v, stale %v", who, age, s.stale)
	}
}

func (w *world) try(ctx context.Context, who string) {
	var rejected Secret
	_, _ = Try(ctx, w.cache, "a", func(_ context.Context, s Secret) (int, error) {
		if !rejected.IsZero() && (s.fetch <= rejected.fetch || s.Text() == rejected.Text()) {
			w.complain("%s got version %s of call %d after %s of %d was rejected", who, s.Version(), s.fetch, rejected.Version(), rejected.fetch)
		}
		rejected = s
		return 0, ErrRejected
	})
}

func (w *world) pair(ctx context.Context, who string) {
	floor := w.floor(Ref{Name: "a"})
	current, previous, err := w.cache.Pair(ctx, "a")
	if err != nil {
		return
	}
	w.check(who, Ref{Name: "a"}, current, floor)
	c, _ := strconv.Atoi(current.Version())
	p, _ := strconv.Atoi(previous.Version())
	if c-p > 1 {
		w.complain("%s got the versions %d and %d", who, c, p)
	}
}

func (w *world) do(i int, s step) {
	ctx := context.Background()
	who := fmt.Sprint("step ", i, ", to ", s.do, ",")
	a, b := Ref{Name: "a"}, Ref{Name: "b"}
	switch s.do {
	case "get":
		w.users.Go(func() { w.get(ctx, who, a) })
	case "get briefly":
		brief, cancel := context.WithTimeout(ctx, s.time)
		w.users.Go(func() { defer cancel(); w.get(brief, who, b) })
	case "get in an invocation":
		inside, end := invoked(ctx, s.time, s.pick == 0)
		w.users.Go(func() { defer end(); w.get(inside, who, a) })
	case "prefetch in an invocation":
		inside, end := invoked(ctx, s.time, s.pick == 0)
		brief, leave := context.WithTimeout(inside, s.time/4)
		w.users.Go(func() { defer end(); defer leave(); _ = w.cache.Prefetch(brief, "a", "b"); time.Sleep(s.time / 4) })
	case "prefetch":
		w.users.Go(func() { _ = w.cache.Prefetch(ctx, "a", "b") })
	case "try":
		w.users.Go(func() { w.try(ctx, who) })
	case "pair":
		w.users.Go(func() { w.pair(ctx, who) })
	case "answer":
		w.answer(s.pick, s.answer)
	case "rotate":
		w.mu.Lock()
		w.version++
		w.mu.Unlock()
	case "invalidate":
		w.cache.Invalidate("a", "")
	case "invalidate version":
		w.cache.Invalidate("a", strconv.Itoa(w.version-s.pick))
	case "pass":
		time.Sleep(s.time)
	case "freeze":
		w.offset.Add(int64(s.time))
	case "set back":
		w.offset.Add(-int64(s.time))
	}
	synctest.Wait()
}

// invoked is the context of an invocation that lasts for some time at most, and
// may be unknown as that.
func invoked(ctx context.Context, left time.Duration, unknown bool) (context.Context, context.CancelFunc) {
	ctx, end := context.WithTimeout(ctx, left)
	if unknown {
		return ctx, end
	}
	return invocation.Begin(ctx, nil, false, nil), end
}

// answer answers one of the calls that the source is busy with.
func (w *world) answer(pick int, answer string) {
	w.mu.Lock()
	var busy []*pending
	for _, p := range w.pending {
		if p.ctx.Err() == nil {
			busy = append(busy, p)
		}
	}
	w.pending = busy
	var p *pending
	if len(busy) > 0 {
		at := pick % len(busy)
		p = busy[at]
		w.pending = append(busy[:at:at], busy[at+1:]...)
	}
	w.mu.Unlock()
	if p != nil {
		p.answer <- answer
	}
}

func play(t *testing.T, script []step) (wrong []string) {
	synctest.Test(t, func(*testing.T) {
		w := &world{version: 1, denied: map[Ref]uint64{}, seen: map[Ref]uint64{}}
		w.cache = New(w, Clock(w.now), Jitter(0), OnFetch(w.reported))
		for i, s := range script {
			w.do(i, s)
		}
		w.users.Wait()              // nobody waits for ever: the bubble would be stuck
		time.Sleep(3 * time.Second) // until the last call is out of time
		synctest.Wait()
		wrong = w.wrong
		for _, p := range w.pending {
			if p.ctx.Err() == nil {
				wrong = append(wrong, "a call of the source goes on that nobody waits for")
			}
		}
		if n := len(w.cache.calls); n > 0 {
			wrong = append(wrong, fmt.Sprint(n, " calls are kept that nobody makes"))
		}
	})
	return wrong
}

// Whatever the order in which calls are made, answered, cut and overtaken, and
// however the clock moves: nobody gets a value that was denied, or overtaken by
// one that somebody had, before they asked; none is older than it may be, and
// none is served fresh that is not; what was rejected is not given again, and of
// a pair no value in between is missing.
func TestWhateverHappensInWhateverOrder(t *testing.T) {
	for range 2000 {
		seed := rand.Uint64()
		script := aScript(rand.New(rand.NewPCG(seed, 0)))
		if wrong := play(t, script); len(wrong) > 0 {
			t.Fatalf("seed %d: got\n%s\nwant nothing wrong after %+v", seed, strings.Join(wrong, "\n"), script)
		}
	}
}
