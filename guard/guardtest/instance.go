package guardtest

import (
	"context"
	"errors"
	"os/exec"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/ids"
	"github.com/lambdarmor/lambdarmor/internal/process"
)

// An instance is one execution environment and the process in it.
type instance struct {
	fn *Function

	env *environment // guarded by dispatcher.mu until the process is started

	stopped  context.Context // done when the function is being closed
	stop     context.CancelFunc
	replaced context.Context // done when the process is of no more use
	replace  context.CancelFunc
	settled  context.Context // done when the init is over; the cause is errReady or why it failed
	settle   context.CancelCauseFunc
}

// errReady is the cause when a process has asked for an invocation.
var errReady = errors.New("ready")

const (
	// shutdownGrace is Lambda's pause between SIGTERM and SIGKILL.
	shutdownGrace = 500 * time.Millisecond

	// initGrace is for a process to end by itself after it reported a failed init.
	initGrace = 500 * time.Millisecond

	memoryInterval = 50 * time.Millisecond
)

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

// run starts the process and returns when it is gone.
func (in *instance) run() {
	f := in.fn
	initFailed := make(chan struct{}, 1)
	env, err := newEnvironment(f.cfg, f.dispatcher, hooks{
		changed: in.changed,
		overran: in.overran,
		initFailed: func() {
			select {
			case initFailed <- struct{}{}:
			default:
			}
		},
	})
	if err != nil {
		in.failedToStart(err)
		return
	}
	defer env.close()
	f.dispatcher.mu.Lock()
	in.env = env
	f.dispatcher.mu.Unlock()

	cmd := exec.Command(f.path)
	cmd.Dir, cmd.Env = f.cfg.Dir, f.environment(env.addr)
	proc, err := process.Start(cmd, f.log)
	if err != nil {
		env.drain()
		in.failedToStart(err)
		return
	}
	how := in.supervise(proc, initFailed)
	env.drain()
	in.reportEnd(how)
}

func (in *instance) failedToStart(err error) {
	d := death{TypeEntrypoint, err.Error()}
	in.fn.report("Error: " + d.reason + "\n" + d.errorType)
	in.settle(d.forRequest(ids.UUID()))
	in.fn.retire(in, d.forRequest)
}

// An ending is how a process ended.
type ending struct {
	death
	ready    bool // it had asked for an invocation
	expected bool // it was ended by its Function, which knows why
}

// supervise returns when the process is gone.
func (in *instance) supervise(proc *process.Process, initFailed <-chan struct{}) ending {
	cfg := in.fn.cfg
	polled := in.env.polled.Done()
	initTimer := time.NewTimer(cfg.InitTimeout)
	defer initTimer.Stop()
	memory := time.NewTicker(memoryInterval)
	defer memory.Stop()

	var how ending
	for {
		select {
		case <-polled:
			how.ready, polled = true, nil
			in.settle(errReady)
			initTimer.Stop()
		case <-proc.Exited:
			how.death = exitDeath(proc.Err())
			how.ready = how.ready || in.env.wasPolled()
			return how
		case <-in.replaced.Done():
			proc.Kill()
			how.expected = true
			how.death = death{TypeExit, "Runtime was killed after a timeout"}
			return how
		case <-in.stopped.Done():
			in.env.drain()
			in.env.extensions.announceShutdown(time.Now().Add(in.fn.shutdownGrace))
			proc.Stop(in.fn.shutdownGrace)
			how.expected = true
			how.death = exitDeath(proc.Err())
			return how
		case <-initFailed:
			select {
			case <-proc.Exited:
			case <-time.After(initGrace):
				proc.Kill()
			}
			how.death = exitDeath(proc.Err())
			return how
		case <-initTimer.C:
			if in.env.wasPolled() {
				continue
			}
			proc.Kill()
			how.death = death{TypeTimeout, "Init timed out after " + seconds(cfg.InitTimeout)}
			return how
		case <-memory.C:
			if proc.Memory() > int64(cfg.Memory)<<20 {
				proc.Kill()
				how.death = death{TypeOutOfMemory, exitDeath(proc.Err()).reason}
				how.ready = how.ready || in.env.wasPolled()
				return how
			}
		}
	}
}

// reportEnd fails the invocations of the process, and logs that.
func (in *instance) reportEnd(how ending) {
	f := in.fn
	lost := in.env.lost(how.death)
	for _, failure := range lost {
		f.report(failure.Message + "\n" + failure.Type)
	}
	if how.ready || how.expected {
		if len(lost) == 0 && !how.expected {
			f.report("Error: " + how.reason + "\n" + how.errorType)
		}
		if how.ready {
			in.settle(errReady)
		}
		in.settle(ErrClosed)
		f.retire(in, nil)
		return
	}
	f.dispatcher.mu.Lock()
	reported := in.env.initError
	f.dispatcher.mu.Unlock()
	if reported != nil {
		f.report("Init failed: " + string(reported.Payload) + "\n" + reported.Type)
		in.settle(reported)
		f.retire(in, func(string) *FunctionError { return reported })
		return
	}
	f.report("Init failed: " + how.reason + "\n" + how.errorType)
	in.settle(how.forRequest(ids.UUID()))
	f.retire(in, how.forRequest)
}

// changed checks whether a draining process has finished its invocations, and
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
