package guardtest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
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
	cfg     Config
	from    *dispatcher
	addr    string
	server  *http.Server
	stopped sync.WaitGroup
	hooks   hooks

	polled     context.Context // done at the runtime's first request for an invocation
	poll       context.CancelFunc
	registered context.Context // done when each launched extension has registered
	register   context.CancelFunc
	ready      context.Context // done when INIT is over
	endInit    context.CancelFunc
	closed     context.Context // done when it hands out nothing more
	shut       context.CancelFunc

	// Guarded by from.mu.
	initialising   bool
	inFlight       map[string]*invocation // the runtime has them
	finishing      []*invocation          // answered, and an extension is not done yet
	initError      *FunctionError         // what the runtime posted to init/error
	extensions     []*extension
	extensionError string // Lambda's type for the first error that an extension posted
}

// Hooks notify the owner of an environment. They are called without locks.
type hooks struct {
	changed         func()               // something finished, or is free again
	overran         func(*FunctionError) // an invocation passed its deadline
	initFailed      func()               // the runtime posted to init/error
	extensionFailed func()               // an extension posted to init/error or exit/error
}

// newEnvironment returns an environment in INIT, which waits for the named
// extensions besides the runtime.
func newEnvironment(cfg Config, from *dispatcher, h hooks, launched ...string) (*environment, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("guardtest: %w", err)
	}
	e := &environment{
		cfg:          cfg,
		from:         from,
		addr:         listener.Addr().String(),
		hooks:        h,
		initialising: true,
		inFlight:     map[string]*invocation{},
	}
	for _, name := range launched {
		e.extensions = append(e.extensions, newExtension(name, true))
	}
	e.polled, e.poll = context.WithCancel(context.Background())
	e.registered, e.register = context.WithCancel(context.Background())
	e.ready, e.endInit = context.WithCancel(context.Background())
	e.closed, e.shut = context.WithCancel(context.Background())
	if len(launched) == 0 {
		e.register()
	}
	mux := http.NewServeMux()
	e.routeRuntimeAPI(mux)
	e.routeExtensionsAPI(mux)
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
	return !e.closing() && !e.initialising && e.extensionsDone()
}

// advance follows a request of the runtime or of an extension: it ends INIT, ends
// invoke phases, and has waiting invocations taken. The caller holds from.mu.
func (e *environment) advance() {
	if e.initialising {
		if e.eachLaunched((*extension).isRegistered) {
			e.register()
		}
		if e.wasPolled() && e.eachLaunched((*extension).isReady) {
			e.initialising = false
			e.endInit()
		}
	}
	if e.extensionsDone() {
		for _, inv := range e.finishing {
			inv.endPhase(nil)
		}
		e.finishing = nil
	}
	e.from.match()
}

// wasPolled reports whether a process has asked for an invocation.
func (e *environment) wasPolled() bool { return e.polled.Err() != nil }

// closing reports whether it assigns no more invocations. Running ones continue.
func (e *environment) closing() bool { return e.closed.Err() != nil }

// answered returns an invocation for the caller to finish, or nil when it is
// finished or was never here.
func (e *environment) answered(id string) *invocation {
	e.from.mu.Lock()
	defer e.from.mu.Unlock()
	inv := e.inFlight[id]
	if inv == nil {
		return nil
	}
	delete(e.inFlight, id)
	inv.answered = time.Now()
	e.finishing = append(e.finishing, inv)
	e.advance()
	return inv
}

// expire ends the invoke phase of an invocation whose deadline has passed, also
// when its caller has the answer and only an extension is not done.
func (e *environment) expire(inv *invocation) {
	err := timeoutError(inv.call.RequestID, inv.deadline.Sub(inv.started))
	e.from.mu.Lock()
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
	inv.endPhase(err)
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
		inv.endPhase(d.forRequest(id))
	}
	for _, inv := range e.finishing {
		inv.endPhase(d.forRequest(inv.call.RequestID))
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
}
