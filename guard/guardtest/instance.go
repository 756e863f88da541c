package guardtest

import (
	"context"
	"errors"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/ids"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/programs"
)

// An instance is one execution environment and the processes in it.
type instance struct {
	fn *Function

	env *environment // guarded by dispatcher.mu until the first process is started

	stopped  context.Context // done when the function is being closed
	stop     context.CancelFunc
	replaced context.Context // done when the processes are of no more use
	replace  context.CancelFunc
	settled  context.Context // done when the init is over; the cause is errReady or why it failed
	settle   context.CancelCauseFunc
}

// errReady is the cause when the environment takes invocations.
var errReady = errors.New("ready")

const memoryInterval = 50 * time.Millisecond

func newInstance(f *Function) *instance {
	in := &instance{fn: f}
	in.stopped, in.stop = context.WithCancel(context.Background())
	in.replaced, in.replace = context.WithCancel(context.Background())
	in.settled, in.settle = context.WithCancelCause(context.Background())
	return in
}

// free is how many further invocations it takes, or will. The caller holds dispatcher.mu.
func (in *instance) free() int {
	if in.env == nil {
		return in.fn.cfg.Concurrency
	}
	return in.env.free()
}

// run starts the processes and returns when they are gone.
func (in *instance) run() {
	f := in.fn
	failed := make(chan struct{}, 1)
	fail := func() {
		select {
		case failed <- struct{}{}:
		default:
		}
	}
	names, err := programs.Files(f.cfg.Extensions)
	if err != nil {
		in.initFailed(death{TypeExtensionLaunch, err.Error()})
		f.retire(in)
		return
	}
	env, err := newEnvironment(f.cfg, f.dispatcher, hooks{
		changed:         in.changed,
		overran:         in.overran,
		initFailed:      fail,
		extensionFailed: fail,
	}, names)
	if err != nil {
		in.initFailed(death{TypeEntrypoint, err.Error()})
		f.retire(in)
		return
	}
	defer env.close()
	ps := newProcesses(f, env)
	f.dispatcher.mu.Lock()
	in.env = env
	if f.cfg.Freeze && !env.managed() {
		env.programs = ps.Set
	}
	f.dispatcher.mu.Unlock()

	how := in.supervise(ps, names, failed)
	env.drain()
	if how.told != spindown { // when it is closed, what runs may still answer
		in.reportEnd(how)
	}
	ps.Shutdown(how.told, f.shutdown, &env.extensions, &env.telemetry.Stream)
	if how.told == spindown {
		in.reportEnd(how)
	}
	f.retire(in)
}

// An ending is why an environment ends.
type ending struct {
	death
	told  string // why, in the SHUTDOWN event
	ready bool   // INIT was over
}

// The reasons are those of the SHUTDOWN event.
const (
	spindown = "spindown" // the Function is closed
	timeout  = "timeout"
	failure  = "failure"
)

// supervise starts the extensions, and when they have registered the runtime. It
// returns when the environment is of no more use.
func (in *instance) supervise(ps *processes, names []string, failed <-chan struct{}) ending {
	cfg := in.fn.cfg
	registered, ready := in.env.registered.Done(), in.env.ready.Done()
	initTimer := time.NewTimer(cfg.InitTimeout)
	defer initTimer.Stop()
	memory := time.NewTicker(memoryInterval)
	defer memory.Stop()

	begun := func() {
		ready = nil
		in.reportExtensions()
		in.settle(errReady)
		initTimer.Stop()
	}
	end := func(told string, d death) ending {
		is := in.env.ready.Err() != nil
		if is && ready != nil { // it became so at the same moment
			begun()
		}
		return ending{death: d, told: told, ready: is}
	}
	if d := ps.startExtensions(names); d != nil {
		return end(failure, *d)
	}
	for {
		select {
		case <-registered:
			registered = nil
			if d := ps.startRuntime(); d != nil {
				return end(failure, *d)
			}
		case <-ready:
			begun()
		case p := <-ps.Exited:
			return end(failure, ps.deathOf(p))
		case <-failed:
			return end(failure, ps.deathAfterError())
		case <-in.replaced.Done():
			return end(timeout, death{TypeExit, "Runtime was killed after a timeout"})
		case <-in.stopped.Done():
			return end(spindown, death{TypeExit, "the function was closed"})
		case <-initTimer.C:
			if in.env.ready.Err() == nil {
				return end(timeout, death{TypeTimeout, "Init timed out after " + seconds(cfg.InitTimeout)})
			}
		case <-memory.C:
			if d := ps.overMemory(); d != nil {
				return end(failure, *d)
			}
		}
	}
}

// reportEnd fails the invocations of the environment, and logs that.
func (in *instance) reportEnd(how ending) {
	f := in.fn
	lost := in.env.lost(how.death)
	for _, failure := range lost {
		f.report(failure.Message + "\n" + failure.Type)
	}
	switch {
	case how.ready || how.told == spindown:
		if len(lost) == 0 && how.told == failure {
			f.report("Error: " + how.reason + "\n" + how.errorType)
		}
		in.settle(ErrClosed) // if it was not ready
	default:
		in.env.failInit(how.errorType)
		in.reportExtensions()
		in.initFailed(how.death)
	}
}

// initFailed fails the invocations that wait: a restart could loop for ever.
func (in *instance) initFailed(d death) {
	f := in.fn
	f.dispatcher.mu.Lock()
	var reported *FunctionError
	if in.env != nil {
		reported = in.env.initError
	}
	f.dispatcher.mu.Unlock()
	asFailure := d.forRequest
	if reported != nil {
		asFailure = func(string) *FunctionError { return reported }
		f.report("Init failed: " + string(reported.Payload) + "\n" + reported.Type)
	} else {
		f.report("Init failed: " + d.reason + "\n" + d.errorType)
	}
	in.settle(asFailure(ids.UUID()))
	f.dispatcher.failWaiting(func(inv *invocation) error { return asFailure(inv.call.RequestID) })
}

// reportExtensions logs what became of each extension in INIT.
func (in *instance) reportExtensions() {
	for _, x := range in.env.extensions.States() {
		in.fn.report(x.LogLine())
	}
}

// changed checks whether a draining environment has finished its invocations, and
// whether there is room for waiting ones.
func (in *instance) changed() {
	d := in.fn.dispatcher
	d.mu.Lock()
	done := in.env.closing() && len(in.env.inFlight) == 0
	d.mu.Unlock()
	if done {
		in.replace()
	}
	in.fn.scale()
}

func (in *instance) overran(failure *FunctionError) {
	in.env.drain()
	in.fn.report(failure.Message)
}
