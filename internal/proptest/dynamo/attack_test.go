package dynamo_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/lambdarmor/lambdarmor/internal/awsproxy"
)

// An attack plays worlds: processes that call one table through a proxy, which
// loses, repeats, holds back and reorders what they send, and kills them. An
// oracle holds what they did and were told to what package idempotency promises.
//
//	cd internal/proptest
//	LAMBDARMOR_OPERATIONS=100000 go test -run TestAttack$ -v -timeout 1h ./dynamo
//	go test -run '^$' -fuzz FuzzAttack -fuzztime 5m ./dynamo
//
// The first logs how many operations it plays a second. An execution of the
// second is as many operations as two worlds have.
//
// What a world does is drawn from its seed, LAMBDARMOR_SEED for the first. How it
// interleaves is up to the machine, so that a seed plays again only as far as
// that goes: a failure shows all that happened to the key.
type attack struct {
	atOnce int // worlds, which wait more than they work

	proxy   *awsproxy.Proxy
	table   string // of records
	effects string // of what is staged
	direct  *dynamodb.Client
	client  *http.Client // of all processes
	byID    sync.Map     // id of an operation → *operation
}

const (
	operations = 64 // of a world
	fuzzed     = 2  // worlds in an execution
	maxSkew    = 30 * time.Millisecond
)

func newAttack(t testing.TB) *attack {
	t.Helper()
	url := servers.DynamoDB(t).URL()
	a := &attack{proxy: awsproxy.New(t, url), direct: connect(url), atOnce: 16}
	a.table, a.effects = table(t, a.direct), table(t, a.direct)
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	a.client = &http.Client{Transport: transport}
	for _, step := range []string{"PutItem", "UpdateItem", "DeleteItem", "GetItem", "TransactWriteItems"} {
		a.proxy.Meet(step, a.meet)
	}
	return a
}

// variant is the options that the operations of a world have.
type variant struct {
	name   string
	policy policy // after a timeout
	staged bool   // effects are staged
	local  bool   // every process has local replays, and not just some
	wait   time.Duration
}

// policy stands for an [idempotency.TimeoutPolicy].
type policy uint8

const (
	rerun policy = iota
	refuses
	reconciles
)

func variants() []variant {
	return []variant{
		{name: "Rerun", policy: rerun},
		{name: "Refuse", policy: refuses},
		{name: "Reconcile", policy: reconciles},
		{name: "Stage", staged: true},
		{name: "Wait", wait: 120 * time.Millisecond},
		{name: "LocalReplays", local: true},
	}
}

// TestAttack also plays one seed that is new each time.
func TestAttack(t *testing.T) {
	n, seed := 256, uint64(1)
	if text := os.Getenv("LAMBDARMOR_OPERATIONS"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil || n < 1 {
			t.Fatalf("LAMBDARMOR_OPERATIONS is %q", text)
		}
	}
	if text := os.Getenv("LAMBDARMOR_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("LAMBDARMOR_SEED: %v", err)
		}
	}
	for _, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			if n <= operations*4 { // longer ones have the machine for themselves
				t.Parallel()
			}
			a, seen, played, start := newAttack(t), count{}, 0, time.Now()
			sound := func(w *world) bool {
				w.mustBeSound(t)
				seen.add(w.seen)
				played += operations
				return !t.Failed()
			}
			fresh := rand.Uint64()
			a.play(t, v, &flaw{}, fresh, 1, sound)
			a.play(t, v, &flaw{}, seed, (n-1)/operations+1, sound)
			took := time.Since(start)
			t.Logf("%d operations in %v, %.0f a second, of seeds %d and %d and on: %v", played, took.Round(time.Millisecond), float64(played)/took.Seconds(), fresh, seed, seen)
			// On a busy machine it may take more of them until all is seen.
			for more := seed + 1<<32; len(seen.missing(v)) > 0 && !t.Failed() && time.Since(start) < patience; more += uint64(a.atOnce) {
				a.play(t, v, &flaw{}, more, a.atOnce, sound)
			}
			if none := seen.missing(v); len(none) > 0 && !t.Failed() {
				t.Errorf("%d operations have not shown: %v", played, none)
			}
		})
	}
}

// patience is for how long at most to look for what a busy machine shows rarely.
const patience = 5 * time.Minute

// play plays n worlds, of seeds from first on. GoOn looks at each that is over,
// one at a time, and reports whether to begin more of them.
func (a *attack) play(t testing.TB, v variant, f *flaw, first uint64, n int, goOn func(*world) bool) {
	t.Helper()
	var mu sync.Mutex // guards what follows
	next, ended := 0, false
	draw := func() (seed uint64, more bool) {
		mu.Lock()
		defer mu.Unlock()
		next++
		return first + uint64(next-1), next <= n && !ended
	}
	var all sync.WaitGroup
	for range min(n, a.atOnce) {
		all.Go(func() {
			for seed, more := draw(); more; seed, more = draw() {
				w := a.newWorld(v, f, seed)
				w.play(t.Context())
				mu.Lock()
				ended = !goOn(w) || ended
				mu.Unlock()
			}
		})
	}
	all.Wait()
}

// FuzzAttack plays a few worlds of a variant in each execution.
func FuzzAttack(f *testing.F) {
	for i := range variants() {
		f.Add(uint8(i), uint64(i+1))
	}
	a := newAttack(f)
	f.Fuzz(func(t *testing.T, which uint8, seed uint64) {
		all := variants()
		a.play(t, all[int(which)%len(all)], &flaw{}, seed, fuzzed, func(w *world) bool {
			w.mustBeSound(t)
			return true
		})
	})
}

// mustBeSound fails the test with what went wrong in a world, and all that
// happened to the keys of that.
func (w *world) mustBeSound(t testing.TB) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.violations) == 0 {
		return
	}
	at := map[*subject]bool{}
	for _, v := range w.violations {
		t.Errorf("%s, seed %d: %s: %s", w.variant.name, w.seed, v.of.name, v.text)
		at[v.of] = true
	}
	var text strings.Builder
	for _, e := range w.events {
		if at[e.of] {
			fmt.Fprintf(&text, "%10v %s\n", e.at.Round(time.Microsecond), e.text)
		}
	}
	t.Logf("%v; what happened:\n%s", w.processes, text.String())
}

// count is how often something was seen.
type count map[string]int

func (c count) add(others count) {
	for what, n := range others {
		c[what] += n
	}
}

// missing is what a variant was to show and has not. That an attempt is told that
// another has replaced it is not asked for: where the machine is too busy, both run out
// of time before. TestAttackSeesFlaws shows that it is met.
func (c count) missing(v variant) (none []string) {
	want := []string{
		"run", "success", "replay", "held", "reused", "completed", "released", "killed",
		"late PutItem", "repeated PutItem", "lost PutItem", "clocks within the skew", "clocks beyond it",
	}
	switch {
	case v.policy == refuses:
		want = append(want, "unknown and refused")
	case v.policy == reconciles:
		want = append(want, "take-over", "asked", "adopted")
	case v.staged:
		want = append(want, "take-over", "late TransactWriteItems", "lost TransactWriteItems")
	default:
		want = append(want, "take-over", "late UpdateItem", "lost UpdateItem", "not confirmed")
	}
	if v.local {
		want = append(want, "local replay")
	}
	for _, what := range want {
		if c[what] == 0 {
			none = append(none, what)
		}
	}
	return none
}

func (a *attack) newWorld(v variant, f *flaw, seed uint64) *world {
	var name [8]byte
	binary.BigEndian.PutUint64(name[:], rand.Uint64()) // no two worlds share keys
	w := &world{
		attack: a, variant: v, flaw: f, seed: seed, name: fmt.Sprintf("%x", name), start: time.Now(),
		dice: rand.New(rand.NewPCG(seed, 0)), subjects: map[string]*subject{}, seen: count{},
	}
	w.within = w.dice.IntN(2) == 0
	for range 4 {
		w.processes = append(w.processes, w.newProcess(w.drawSkew()))
	}
	if w.within {
		w.saw("clocks within the skew")
	} else {
		w.saw("clocks beyond it")
	}
	return w
}

// drawSkew draws by how much a clock is ahead.
func (w *world) drawSkew() time.Duration {
	if w.within {
		return time.Duration(w.dice.Int64N(int64(maxSkew)))
	}
	return [...]time.Duration{0, 0, 100 * time.Millisecond, -100 * time.Millisecond, 10 * time.Minute, -10 * time.Minute}[w.dice.IntN(6)]
}
