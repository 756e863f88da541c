package dynamo_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
)

// world is a few processes that share a table, and what came of it.
type world struct {
	*attack
	variant   variant
	flaw      *flaw // what is wrong on purpose
	seed      uint64
	name      string
	start     time.Time
	within    bool // the clocks are within the skew
	processes []*process

	mu         sync.Mutex // guards what follows, and what subjects and operations say it does
	dice       *rand.Rand
	made       int
	calm       bool                // nothing happens to requests any more
	subjects   map[string]*subject // by name
	ordered    []*subject          // as they were first used
	letters    []func()            // requests that are still on their way
	seen       count
	events     []event
	violations []violation
}

// process is one instance of a function.
type process struct {
	skew time.Duration // by which its clock is ahead
	once lambda.Handler
	do   idempotency.Operation
}

func (p *process) String() string { return fmt.Sprintf("a clock that is %v ahead", p.skew) }

func (p *process) now() time.Time { return time.Now().Round(0).Add(p.skew) }

func (w *world) newProcess(skew time.Duration) *process {
	p := &process{skew: skew}
	client := connect(w.proxy.URL, hasty, func(o *dynamodb.Options) { o.HTTPClient = line{client: w.client} })
	judged := skew + w.flaw.ahead
	store := dynamo.New(client, w.table, dynamo.Clock(func() time.Time { return time.Now().Add(judged) }))
	opts := []idempotency.Option{
		idempotency.Skew(maxSkew),
		idempotency.OnStoreError(func(ctx context.Context, _ idempotency.Record, err error) { of(ctx).notSaved(err) }),
		idempotency.OnReplay(func(ctx context.Context, _ idempotency.Record, _ http.Header) { of(ctx).replayed = true }),
	}
	if w.variant.wait > 0 {
		opts = append(opts, idempotency.Wait(w.variant.wait))
	}
	if w.variant.local || w.roll(8) == 0 {
		opts = append(opts, idempotency.LocalReplays(4))
	}
	switch w.variant.policy {
	case refuses:
		opts = append(opts, idempotency.AfterTimeout(idempotency.Refuse))
	case reconciles:
		opts = append(opts, idempotency.Reconcile(w.find))
	}
	opts = append(opts, w.flaw.options...)
	watched := &watched{Store: store, process: p}
	p.do = idempotency.NewOperation("attack", watched, opts...)
	p.once = guard.Wrap(guard.HandlerFunc(w.invoke), httpapi.Problems(), guard.Recover(), remember,
		idempotency.Once(watched, idempotency.Header("Idempotency-Key"), opts...))
	return p
}

func (w *world) roll(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dice.IntN(n)
}

const lanes = 2 // of a process: what it does at a time

// play has the processes call until they have called often enough, and then
// looks at what is there.
func (w *world) play(ctx context.Context) {
	var all sync.WaitGroup
	for i := range w.processes {
		for range lanes {
			all.Go(func() { w.lane(ctx, i) })
		}
	}
	all.Wait()
	w.conclude(ctx)
}

func (w *world) lane(ctx context.Context, i int) {
	p := w.processes[i]
	for range operations / lanes / len(w.processes) {
		if w.roll(16) == 0 { // a new one, that knows nothing
			p = w.newProcess(p.skew)
		}
		for w.roll(3) == 0 && w.arrive() {
		}
		op := w.draw(p)
		op.call(ctx)
		time.Sleep(op.between(0, 40*time.Millisecond)) // before the next
	}
}

// draw makes the next operation of a process.
func (w *world) draw(p *process) *operation {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.made/8 + w.dice.IntN(2)
	if w.dice.IntN(8) == 0 { // one that was used before
		n = w.dice.IntN(n + 1)
	}
	caller := "alice"
	if n%2 == 0 && w.dice.IntN(6) == 0 { // Do knows no callers
		caller = "bob"
	}
	if open := w.unfinished(); len(open) > 0 && w.dice.IntN(2) == 0 {
		s := open[w.dice.IntN(len(open))]
		n, caller = s.n, s.caller
	}
	op := w.operation(p, n, caller, "p0")
	if w.dice.IntN(8) == 0 {
		op.payload = "p1"
	}
	d := 400 * time.Millisecond
	switch w.dice.IntN(10) {
	case 0, 1, 2:
		d = 20*time.Millisecond + time.Duration(w.dice.IntN(40))*time.Millisecond
	case 3, 4, 5:
		d = 60*time.Millisecond + time.Duration(w.dice.IntN(80))*time.Millisecond
	}
	op.deadline = time.Now().Add(d)
	op.silent = w.dice.IntN(12) == 0
	return op
}

// unfinished are the keys that somebody has begun with and nobody completed, as
// far as is known. It is called with mu held, as what follows is.
func (w *world) unfinished() (open []*subject) {
	for _, s := range w.ordered {
		if len(s.operations) > 0 && s.confirmed == "" {
			open = append(open, s)
		}
	}
	return open
}

func (w *world) operation(p *process, n int, caller, payload string) *operation {
	w.made++
	s := w.subject(n, caller)
	op := &operation{
		world: w, process: p, id: fmt.Sprintf("%s-%d", w.name, w.made), of: s, key: fmt.Sprintf("%s-key-%d", w.name, n),
		caller: caller, payload: payload, dice: rand.New(rand.NewPCG(w.seed, uint64(w.made))),
	}
	w.byID.Store(op.id, op)
	return op
}

func (w *world) subject(n int, caller string) *subject {
	name := fmt.Sprintf("key-%d-of-%s", n, caller)
	s := w.subjects[name]
	if s == nil {
		s = &subject{name: name, n: n, caller: caller, http: n%2 == 0}
		w.subjects[name] = s
		w.ordered = append(w.ordered, s)
	}
	return s
}

// conclude lets arrive what is still on its way, and asks for every key once
// more, when all leases are over by the clock of who asks.
func (w *world) conclude(ctx context.Context) {
	w.mu.Lock()
	w.calm = true
	w.mu.Unlock()
	for w.roll(2) == 0 && w.arrive() {
	}
	const later = 2 * time.Hour
	first := w.askAll(ctx, w.newProcess(later))
	for w.arrive() {
	}
	second := w.askAll(ctx, w.newProcess(2*later))
	w.checkEnd(ctx, first, second)
}

func (w *world) askAll(ctx context.Context, p *process) map[*subject]*operation {
	asked := map[*subject]*operation{}
	for _, s := range w.ordered { // which nobody adds to any more
		for _, payload := range []string{"p0", "p1"} {
			w.mu.Lock()
			op := w.operation(p, s.n, s.caller, payload)
			op.last, op.deadline = true, time.Now().Add(time.Minute)
			w.mu.Unlock()
			op.call(ctx)
			asked[s] = op
			if codeOf(op.result) != "idempotency_key_reused" {
				break
			}
		}
	}
	return asked
}
