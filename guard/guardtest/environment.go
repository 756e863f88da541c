package guardtest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/extensions"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/programs"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/telemetry"
)

// An environment is one execution environment: the Runtime API and the
// Extensions API that one runtime and its extensions talk to.
//
// It begins in INIT, which ends when the runtime and each launched extension have
// asked for their first event. From then on it takes invocations. The invoke phase
// of one ends when the runtime has answered and each extension that is told of
// invocations has asked for its next event. See
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
type environment struct {
	cfg        Config
	from       *dispatcher
	addr       string
	logStream  string
	server     *http.Server
	stopped    sync.WaitGroup
	hooks      hooks
	extensions extensions.Host
	telemetry  telemetry.Environment
	peak       atomic.Int64 // memory in bytes

	metadata []string // variables of the metadata endpoint

	polled     context.Context // done at the runtime's first request for an invocation
	poll       context.CancelFunc
	registered context.Context // done when each launched extension has registered
	register   context.CancelFunc
	ready      context.Context // done when INIT is over
	endInit    context.CancelFunc
	closed     context.Context // done when it hands out nothing more
	shut       context.CancelFunc

	// Guarded by from.mu.
	initialising bool
	inFlight     map[string]*invocation // the runtime has them
	finishing    []*invocation          // answered, and an extension is not done yet
	restoring    *invocation            // that the process is being restored for
	programs     *programs.Set          // frozen between invocations; nil if none are
	initError    *FunctionError         // what the runtime posted to init/error
}

// Hooks notify the owner of an environment. They are called without locks.
type hooks struct {
	changed         func()               // something finished, or is free again
	overran         func(*FunctionError) // an invocation passed its deadline
	initFailed      func()               // the runtime posted to init/error
	extensionFailed func()               // an extension posted to init/error or exit/error
}

// newEnvironment returns an environment in INIT, which waits for the named
// extensions besides the runtime. These are nil when others start the extensions.
func newEnvironment(cfg Config, from *dispatcher, h hooks, launched []string) (*environment, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("guardtest: %w", err)
	}
	e := &environment{
		cfg:          cfg,
		from:         from,
		addr:         listener.Addr().String(),
		logStream:    logStreamName(cfg.Version),
		hooks:        h,
		initialising: true,
		inFlight:     map[string]*invocation{},
	}
	e.telemetry = telemetry.Environment{
		InitType: cfg.initializationType(), Function: cfg.Name, Version: cfg.Version, Instance: e.logStream, Memory: cfg.Memory,
	}
	e.telemetry.Managed, e.telemetry.Objects = e.managed(), slices.Contains(cfg.Env, "AWS_LAMBDA_LOG_FORMAT=JSON")
	e.extensions.Managed, e.extensions.Changed, e.extensions.Failed = e.managed(), e.asked, h.extensionFailed
	e.extensions.Function = extensions.Function{Name: cfg.Name, Version: cfg.Version, Handler: handlerName, AccountID: AccountID, ARN: cfg.ARN}
	if launched != nil {
		e.extensions.Launch(launched)
	}
	e.polled, e.poll = context.WithCancel(context.Background())
	e.registered, e.register = context.WithCancel(context.Background())
	e.ready, e.endInit = context.WithCancel(context.Background())
	e.closed, e.shut = context.WithCancel(context.Background())
	if len(launched) == 0 {
		e.register()
	}
	e.telemetry.InitStart()
	mux := http.NewServeMux()
	e.routeRuntimeAPI(mux)
	e.routeRestore(mux)
	e.extensions.Route(mux)
	e.telemetry.Route(mux, e.extensions.Identify)
	e.metadata = e.serveMetadata(mux)
	e.server = &http.Server{Handler: mux}
	e.stopped.Go(func() { _ = e.server.Serve(listener) })
	return e, nil
}

// free is how many invocations could be assigned once the runtime and the
// extensions ask. The caller holds from.mu.
func (e *environment) free() int {
	if e.closing() {
		return 0
	}
	return e.cfg.Concurrency - len(e.inFlight) - len(e.finishing)
}

// takes reports whether a runtime that waits is given an invocation. The caller
// holds from.mu.
func (e *environment) takes() bool {
	return !e.closing() && !e.initialising && e.restoring == nil && e.extensions.Done()
}

// advance follows a request of the runtime or of an extension: it ends INIT, ends
// invoke phases, and has waiting invocations taken. The caller holds from.mu.
func (e *environment) advance() {
	if e.initialising {
		if e.extensions.Registered() {
			e.register()
		}
		if e.wasPolled() && e.extensions.Ready() {
			e.initDone("")
			e.endInit()
		}
	}
	if e.extensions.Done() {
		for _, inv := range e.finishing {
			e.endPhase(inv, nil)
		}
		e.finishing = nil
	}
	e.from.match()
}

// asked follows a request of the runtime or of an extension.
func (e *environment) asked() {
	e.from.mu.Lock()
	e.advance()
	e.freezeIfIdle()
	e.from.mu.Unlock()
	e.hooks.changed()
}

// freezeIfIdle stops the programs when each of them waits for its next event. The
// caller holds from.mu.
func (e *environment) freezeIfIdle() {
	if e.programs == nil || !e.takes() || len(e.inFlight) > 0 || !e.extensions.Idle() {
		return
	}
	if slices.ContainsFunc(e.from.pollers, func(p *poller) bool { return p.env == e }) {
		e.programs.Freeze()
	}
}

// failInit records that INIT has failed.
func (e *environment) failInit(errorType string) {
	e.from.mu.Lock()
	defer e.from.mu.Unlock()
	if !e.initialising {
		return // it has ended since
	}
	if e.initError != nil {
		errorType = e.initError.Type
	}
	e.initDone(errorType)
}

func (e *environment) initDone(errorType string) {
	e.initialising = false
	var states []any
	for _, state := range e.extensions.States() {
		states = append(states, state)
	}
	e.telemetry.InitDone(errorType, states)
}

// managed reports whether it is one of Lambda's managed instances, which take several
// invocations at once and have no invoke phase.
func (e *environment) managed() bool { return e.cfg.Concurrency > 1 }

// wasPolled reports whether a process has asked for an invocation.
func (e *environment) wasPolled() bool { return e.polled.Err() != nil }

// closing reports whether it assigns no more invocations. Running ones continue.
func (e *environment) closing() bool { return e.closed.Err() != nil }

// begin begins an invocation that the runtime has. The caller holds from.mu.
func (e *environment) begin(inv *invocation) {
	inv.begun = true
	inv.start(e.from.timeout)
	e.telemetry.Start(inv.forRecords())
	e.extensions.Invoke(inv.call.RequestID, inv.call.TraceID, inv.deadline)
}

// answered finishes an invocation. It returns false when that is finished or was
// never here.
func (e *environment) answered(id string, got answer) bool {
	e.from.mu.Lock()
	inv := e.inFlight[id]
	if inv == nil {
		e.from.mu.Unlock()
		return false
	}
	delete(e.inFlight, id)
	got.ended = time.Now()
	inv.answer = got
	if inv.begun {
		e.telemetry.RuntimeDone(inv.forRecords(), got.failure.errorType())
	}
	e.finishing = append(e.finishing, inv)
	e.advance()
	e.from.mu.Unlock()
	if got.failure != nil {
		inv.finish(Result{}, got.failure)
	} else {
		inv.finish(got.result, nil)
	}
	return true
}

// endPhase is called once for an invocation that this environment took, when it is of
// no more concern to it. The caller holds from.mu.
func (e *environment) endPhase(inv *invocation, failure *FunctionError) {
	inv.timer.Stop()
	if failure != nil {
		inv.overErr = failure
	} else {
		failure = inv.answer.failure
	}
	if !inv.begun {
		e.restored(failure.errorType())
		close(inv.over)
		return
	}
	if inv.answer.ended.IsZero() {
		e.telemetry.RuntimeDone(inv.forRecords(), failure.errorType())
	} else {
		inv.after = time.Since(inv.answer.ended)
	}
	e.telemetry.Report(inv.forRecords(), failure.errorType(), e.peak.Load(), e.extensions.HearInvocations())
	close(inv.over)
}

// expire ends the invoke phase of an invocation whose deadline has passed, also
// when its caller has the answer and only an extension is not done.
func (e *environment) expire(inv *invocation) {
	e.from.mu.Lock()
	err := timeoutError(inv.call.RequestID, inv.deadline.Sub(inv.started))
	running := e.inFlight[inv.call.RequestID] == inv
	i := slices.Index(e.finishing, inv)
	switch {
	case running:
		delete(e.inFlight, inv.call.RequestID)
	case i >= 0:
		e.finishing = slices.Delete(e.finishing, i, i+1)
	default:
		e.from.mu.Unlock()
		return
	}
	e.endPhase(inv, err)
	e.from.mu.Unlock()
	e.hooks.overran(err)
	if running {
		inv.finish(Result{}, err)
	}
	e.hooks.changed()
}

// drain stops the assignment of invocations. None is assigned after it has
// returned.
func (e *environment) drain() {
	e.from.mu.Lock()
	defer e.from.mu.Unlock()
	e.shut()
}

// lost fails the running invocations, because the process has ended.
func (e *environment) lost(d death) []*FunctionError {
	e.from.mu.Lock()
	lost := e.inFlight
	e.inFlight = map[string]*invocation{}
	for id, inv := range lost {
		e.endPhase(inv, d.forRequest(id))
	}
	for _, inv := range e.finishing {
		e.endPhase(inv, d.forRequest(inv.call.RequestID))
	}
	e.finishing = nil
	e.from.mu.Unlock()
	var reports []*FunctionError
	for id, inv := range lost {
		err := d.forRequest(id)
		reports = append(reports, err)
		inv.finish(Result{}, err)
	}
	return reports
}

// close ends the API. Nothing of it is left running on return.
func (e *environment) close() {
	e.drain()
	_ = e.server.Close()
	e.stopped.Wait()
	e.telemetry.Close()
}
