package guardtest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/telemetry"
)

// A dispatcher assigns invocations to the environments that poll for them. Both
// sides wait in the order of arrival.
type dispatcher struct {
	timeout time.Duration

	mu      sync.Mutex
	waiting []*invocation       // not yet taken by a function
	pollers []*poller           // functions waiting for an invocation
	live    map[string]struct{} // request ids of all that are not done
	closed  bool
}

func newDispatcher(timeout time.Duration) *dispatcher {
	return &dispatcher{timeout: timeout, live: map[string]struct{}{}}
}

// An invocation is in exactly one place until it is done: in dispatcher.waiting, or
// in the inFlight of the environment that took it. The code that removes it from
// there finishes it. Once answered it is in the environment's finishing until its
// invoke phase is over.
type invocation struct {
	call Call
	ctx  context.Context // of the caller, for its deadline
	from *dispatcher

	// Set when an environment takes it.
	started  time.Time
	deadline time.Time
	timer    *time.Timer
	begun    bool   // and not only restored for it
	answer   answer // of the runtime, zero until then

	over    chan struct{} // closed at the end of the invoke phase
	overErr error         // why the phase failed; set before over is closed
	after   time.Duration // that the phase lasted after the answer, likewise

	done   chan struct{} // closed when result and err are set
	result Result
	err    error
}

type poller struct {
	env     *environment
	restore bool // it waits for the restore
	taken   chan *invocation
}

func (inv *invocation) forRecords() telemetry.Invocation {
	return telemetry.Invocation{
		RequestID: inv.call.RequestID,
		TraceID:   inv.call.TraceID,
		TenantID:  inv.call.TenantID,
		Started:   inv.started,
		Begun:     inv.answer.begun,
		Ended:     inv.answer.ended,
		Bytes:     inv.answer.bytes,
	}
}

// finish is called once, by the code that removed the invocation from its place,
// without the dispatcher's lock.
func (inv *invocation) finish(result Result, err error) {
	result.RequestID = inv.call.RequestID
	if inv.timer != nil {
		result.taken = inv
	}
	inv.result, inv.err = result, err
	inv.from.mu.Lock()
	delete(inv.from.live, inv.call.RequestID)
	inv.from.mu.Unlock()
	close(inv.done)
}

// submit queues an invocation, and hands it to a function that already waits.
func (d *dispatcher) submit(ctx context.Context, call Call) (*invocation, error) {
	call = call.withDefaults()
	inv := &invocation{call: call, ctx: ctx, from: d, over: make(chan struct{}), done: make(chan struct{})}
	if len(call.Payload) > maxPayload {
		return inv, ErrTooLarge
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return inv, ErrClosed
	}
	if _, taken := d.live[call.RequestID]; taken {
		return inv, fmt.Errorf("guardtest: invocation %s is already running", call.RequestID)
	}
	d.live[call.RequestID] = struct{}{}
	d.waiting = append(d.waiting, inv)
	d.match()
	return inv, nil
}

// match hands waiting invocations to waiting functions. A function waits on while
// its environment takes none: it has not left yet, or an extension is not done. The
// caller holds d.mu.
func (d *dispatcher) match() {
	for len(d.waiting) > 0 {
		first := slices.IndexFunc(d.pollers, func(p *poller) bool { return p.env.takes() })
		if first < 0 {
			return
		}
		p, inv := d.pollers[first], d.waiting[0]
		d.pollers, d.waiting = slices.Delete(d.pollers, first, first+1), d.waiting[1:]
		d.assign(inv, p)
		p.taken <- inv
	}
}

// take waits for an invocation on behalf of env, or for the restore for one. It returns
// nil when ctx ends or the environment takes no more.
func (d *dispatcher) take(ctx context.Context, env *environment, restore bool) *invocation {
	d.mu.Lock()
	if env.closing() {
		d.mu.Unlock()
		return nil
	}
	p := &poller{env: env, restore: restore, taken: make(chan *invocation, 1)}
	d.pollers = append(d.pollers, p)
	d.match()
	env.freezeIfIdle()
	d.mu.Unlock()

	select {
	case inv := <-p.taken:
		return inv
	case <-env.closed.Done():
	case <-ctx.Done():
	}

	if d.leave(p) {
		env.hooks.changed()
	}
	return nil
}

// leave removes a poller whose client is gone, and requeues an invocation that was
// assigned to it at the same moment. Of that, extensions hear again.
func (d *dispatcher) leave(p *poller) (requeued bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if i := slices.Index(d.pollers, p); i >= 0 {
		d.pollers = slices.Delete(d.pollers, i, i+1)
		return false
	}
	inv := <-p.taken
	if p.env.inFlight[inv.call.RequestID] != inv || d.closed {
		return false // what is in flight at the end fails with its environment
	}
	delete(p.env.inFlight, inv.call.RequestID)
	if p.env.restoring == inv {
		p.env.restoring = nil
	}
	inv.timer.Stop()
	inv.timer, inv.begun = nil, false
	d.waiting = slices.Insert(d.waiting, 0, inv)
	return true
}

// assign starts the clock of an invocation. The caller holds d.mu.
func (d *dispatcher) assign(inv *invocation, p *poller) {
	env := p.env
	env.inFlight[inv.call.RequestID] = inv
	inv.timer = time.AfterFunc(d.timeout, func() { env.expire(inv) })
	if env.programs != nil {
		env.programs.Thaw()
	}
	if p.restore {
		env.restore(inv)
	} else {
		env.begin(inv)
	}
}

// start begins the time of an invocation, or begins it again. The caller holds d.mu.
func (inv *invocation) start(limit time.Duration) {
	inv.started = time.Now()
	inv.deadline = inv.started.Add(limit)
	if sooner, ok := inv.ctx.Deadline(); ok && sooner.Before(inv.deadline) {
		inv.deadline = sooner
	}
	inv.timer.Reset(time.Until(inv.deadline))
}

// await returns when the invocation is done or ctx is cancelled. An invocation that
// was still waiting is withdrawn.
func (d *dispatcher) await(ctx context.Context, inv *invocation) (Result, error) {
	select {
	case <-inv.done:
		return inv.result, inv.err
	case <-ctx.Done():
	}
	d.mu.Lock()
	if i := slices.Index(d.waiting, inv); i >= 0 {
		d.waiting = slices.Delete(d.waiting, i, i+1)
		delete(d.live, inv.call.RequestID)
	} else if ctx.Err() == context.DeadlineExceeded {
		// The function has it, and its own deadline is this one.
		d.mu.Unlock()
		<-inv.done
		return inv.result, inv.err
	}
	d.mu.Unlock()
	return Result{RequestID: inv.call.RequestID}, &abandonedError{id: inv.call.RequestID, cause: context.Cause(ctx)}
}

// failWaiting ends every invocation that no function has taken.
func (d *dispatcher) failWaiting(err func(*invocation) error) {
	d.mu.Lock()
	failed := d.waiting
	d.waiting = nil
	d.mu.Unlock()
	for _, inv := range failed {
		inv.finish(Result{}, err(inv))
	}
}

func (d *dispatcher) close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.failWaiting(func(*invocation) error { return ErrClosed })
}

// An abandonedError says that the caller stopped waiting.
type abandonedError struct {
	id    string
	cause error
}

func (e *abandonedError) Error() string {
	return "guardtest: gave up waiting for invocation " + e.id + ": " + e.cause.Error()
}

func (e *abandonedError) Unwrap() error { return e.cause }
