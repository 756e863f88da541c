package dynamo_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
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
	client := connect(w.proxy.URL, hasty, func(o *dynamodb.Options) { o.HTTPClient = line{w.client} })
	store := dynamo.New(client, w.table)
	judged := skew + w.flaw.ahead
	store.SetClock(func() time.Time { return time.Now().Add(judged) })
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
		opts = append(opts, idempotency.AfterTimeout(idempotency.Reconcile(w.find)))
	}
	if w.flaw.option != nil {
		opts = append(opts, w.flaw.option)
	}
	watched := &watched{Store: store, process: p}
	p.do = idempotency.NewOperation("attack", watched, opts...)
	p.once = guard.Wrap(guard.HandlerFunc(w.invoke), httpapi.Problems(), guard.Recover(), remember,
		idempotency.Once(watched, idempotency.Header("Idempotency-Key"), opts...))
	return p
}

// subject is what a key stands for, of one caller.
type subject struct {
	name   string
	n      int // of the key
	caller string
	http   bool // it is for Once, and otherwise for Do

	// Guarded by the world's mu.
	operations []*operation // that have begun
	confirmed  string       // the mark of the answer that the store has
	since      time.Time    // it is known
	replay     string       // as HTTP has it
	told       []string     // the marks of answers that the store has not confirmed
	charged    []*operation // in the order of their effects, where those are not staged
	denied     []*operation // whose effects are said not to be there
}

// operation is a call of Once or Do, which makes one attempt at most.
type operation struct {
	*world
	*process
	id       string
	of       *subject
	key      string
	caller   string
	payload  string
	deadline time.Time
	last     bool // one that nothing happens to

	// Written and read by the one goroutine of the operation.
	replayed bool
	err      error // of Once, before it became a response
	result   error // what the caller was told

	mu   sync.Mutex // guards dice
	dice *rand.Rand

	// Guarded by the world's mu.
	dead      bool // its process is
	begun     bool
	released  bool // a release of it has been sent
	asked     bool
	staged    bool
	completed bool  // it has been told that it has
	lost      bool  // its key, and was told
	lateClaim bool  // a copy of its claim has arrived late
	unsaved   error // its completion failed so
	claims    int   // that the store has been asked for
	owner     string
	epoch     int64
	lease     time.Time // by its own clock
	sent      time.Time // its claim
	taken     time.Time // its claim, by its own clock
	settled   time.Time // by its own clock, its completion
	silent    bool      // the store is, once it has begun
}

type operationKey struct{}

func of(ctx context.Context) *operation {
	op, _ := ctx.Value(operationKey{}).(*operation)
	return op
}

// remember keeps the error of Once.
func remember(next lambda.Handler) lambda.Handler {
	return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
		out, err := next.Invoke(ctx, payload)
		of(ctx).err = err
		return out, err
	})
}

func (w *world) roll(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dice.IntN(n)
}

func (o *operation) roll(n int) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.dice.IntN(n)
}

// between draws a time.
func (o *operation) between(from, to time.Duration) time.Duration {
	return from + time.Duration(o.roll(int(to-from)))
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

// mark is what the answer of an operation is known by, and whose it is.
func (o *operation) mark() string {
	return fmt.Sprintf("(%s %s %s %s)", o.id, o.caller, o.payload, o.of.name)
}

// markIn finds the mark in an answer.
func markIn(answer string) string {
	_, rest, ok := strings.Cut(answer, "(")
	mark, _, closed := strings.Cut(rest, ")")
	if !ok || !closed {
		return ""
	}
	return "(" + mark + ")"
}

// call makes the call and has the oracle hear of what it was told.
func (o *operation) call(ctx context.Context) {
	defer o.byID.Delete(o.id)
	ctx, cancel := context.WithDeadline(context.WithValue(ctx, operationKey{}, o), o.deadline)
	defer cancel()
	o.say(o, "calls, %v left, with %s", time.Until(o.deadline).Round(time.Millisecond), o.payload)
	var answer string
	var err error
	if o.of.http {
		event := guardtest.HTTPEvent("POST", "/orders").Header("Authorization", "Bearer "+o.caller).
			Header("Idempotency-Key", o.key).JSON(fmt.Sprintf("{%q:%q}", "payload", o.payload)).Bytes()
		var out []byte
		out, err = o.once.Invoke(ctx, event)
		answer = string(out)
		if o.err != nil {
			err = o.err
		}
	} else {
		answer, err = o.doOnce(ctx)
	}
	o.told(answer, err)
}

var errPanicked = errors.New("panicked")

func (o *operation) doOnce(ctx context.Context) (answer string, err error) {
	defer func() {
		if recover() != nil {
			err = errPanicked
		}
	}()
	return idempotency.Do(ctx, o.process.do, o.key, o.payload, func(ctx context.Context) (string, error) {
		_, err := o.run(ctx)
		return o.mark(), err
	})
}

// invoke is the handler inside Once.
func (w *world) invoke(ctx context.Context, _ []byte) ([]byte, error) {
	op := of(ctx)
	status, err := op.run(ctx)
	if err != nil {
		return nil, err
	}
	return op.response(status), nil
}

func (o *operation) response(status int) []byte {
	body := "done " + o.mark()
	if status >= 500 {
		body = "failed"
	}
	return fmt.Appendf(nil, `{"statusCode":%d,"headers":{"x-attempt":%q},"cookies":["session=%s"],"body":%q}`, status, o.id, o.id, body)
}

// run is what a handler does.
func (o *operation) run(ctx context.Context) (status int, err error) {
	o.began()
	if o.last {
		return http.StatusCreated, o.effect(ctx)
	}
	dice := o.roll(100)
	if dice < 8 { // too slow: past the deadline, or past the lease
		d := time.Until(o.deadline) + o.between(0, 5*maxSkew)
		if o.roll(2) == 0 {
			if err := o.effect(ctx); err != nil {
				return 0, err
			}
			time.Sleep(d)
			return http.StatusCreated, nil
		}
		time.Sleep(d)
	} else if dice < 40 {
		time.Sleep(o.between(0, 8*time.Millisecond))
	}
	dice = o.roll(100)
	if dice < 14 && o.variant.staged && o.roll(2) == 0 { // which an error takes back
		if err := o.effect(ctx); err != nil {
			return 0, err
		}
	}
	switch {
	case dice < 8:
		return 0, errors.New("broken")
	case dice < 14 && o.of.http:
		return 0, &guard.Error{Kind: guard.NotFound, Code: "unknown_sku", Detail: "refused " + o.mark()}
	case dice < 22: // and nobody knows whether there is an effect
		if o.roll(2) == 0 {
			if err := o.effect(ctx); err != nil {
				return 0, err
			}
		}
		switch o.roll(4) {
		case 0:
			panic("attack")
		case 1:
			return 0, context.DeadlineExceeded
		case 2:
			if o.of.http {
				return http.StatusBadGateway, nil
			}
		}
		return 0, fmt.Errorf("a provider is silent: %w", idempotency.ErrOutcomeUnknown)
	case dice < 28:
		if o.roll(2) == 0 {
			if err := o.effect(ctx); err != nil {
				return 0, err
			}
		}
		o.kill("in the handler")
		return 0, context.Canceled
	}
	if err := o.effect(ctx); err != nil {
		return 0, err
	}
	if dice < 36 && o.of.http {
		return http.StatusNotFound, nil
	}
	return http.StatusCreated, nil
}

// effect is what a repeat must not have again.
func (o *operation) effect(ctx context.Context) error {
	if o.variant.staged {
		o.setStaged()
		return dynamo.Stage(ctx, types.TransactWriteItem{Update: &types.Update{
			TableName: &o.effects, Key: id(o.world.name + o.of.name), UpdateExpression: aws.String("ADD n :one, marks :mark"),
			ExpressionAttributeValues: map[string]types.AttributeValue{
				":one": &types.AttributeValueMemberN{Value: "1"}, ":mark": &types.AttributeValueMemberSS{Value: []string{o.mark()}},
			},
		}})
	}
	return o.charge()
}

// find is what Reconcile asks.
func (w *world) find(ctx context.Context, u idempotency.Unfinished) ([]byte, bool, error) {
	op := of(ctx)
	if !op.last && op.roll(8) == 0 {
		return nil, false, errors.New("the provider is down")
	}
	by := op.asks(u)
	if by == nil {
		return nil, false, nil
	}
	if op.of.http {
		return by.response(http.StatusCreated), true, nil
	}
	answer, err := json.Marshal(by.mark())
	return answer, true, err
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
