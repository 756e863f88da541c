package guardtest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
)

// An environment is one execution environment: the Runtime API and the
// Extensions API that one process of a function talks to.
type environment struct {
	cfg     Config
	from    *dispatcher
	addr    string
	server  *http.Server
	stopped sync.WaitGroup
	hooks   hooks
	polled  context.Context // done at the first request for an invocation
	poll    context.CancelFunc
	closed  context.Context // done when it hands out nothing more
	shut    context.CancelFunc

	// Guarded by from.mu.
	inFlight  map[string]*invocation
	initError *FunctionError // what the runtime posted to init/error
	restoring *invocation    // that the process is being restored for

	extensions extensions
}

// Hooks notify the owner of an environment. They are called without locks.
type hooks struct {
	changed    func()               // something finished, or is free again
	overran    func(*FunctionError) // an invocation passed its deadline
	initFailed func()               // the runtime posted to init/error
}

func newEnvironment(cfg Config, from *dispatcher, h hooks) (*environment, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("guardtest: %w", err)
	}
	e := &environment{
		cfg:      cfg,
		from:     from,
		addr:     listener.Addr().String(),
		hooks:    h,
		inFlight: map[string]*invocation{},
	}
	e.polled, e.poll = context.WithCancel(context.Background())
	e.closed, e.shut = context.WithCancel(context.Background())
	mux := http.NewServeMux()
	e.routeRuntimeAPI(mux)
	e.routeExtensionsAPI(mux)
	e.routeRestore(mux)
	e.server = &http.Server{Handler: mux}
	e.stopped.Go(func() { _ = e.server.Serve(listener) })
	return e, nil
}

// free is how many invocations could be assigned now. The caller holds from.mu.
func (e *environment) free() int {
	if e.closing() {
		return 0
	}
	return e.cfg.Concurrency - len(e.inFlight)
}

// wasPolled reports whether a process has asked for an invocation.
func (e *environment) wasPolled() bool { return e.polled.Err() != nil }

// closing reports whether it assigns no more invocations. Running ones continue.
func (e *environment) closing() bool { return e.closed.Err() != nil }

// remove returns an invocation for the caller to finish, or nil when it is finished
// or was never here.
func (e *environment) remove(id string) *invocation {
	e.from.mu.Lock()
	defer e.from.mu.Unlock()
	inv := e.inFlight[id]
	delete(e.inFlight, id)
	return inv
}

func (e *environment) expire(inv *invocation) {
	e.from.mu.Lock()
	late := e.inFlight[inv.call.RequestID] == inv
	if late {
		delete(e.inFlight, inv.call.RequestID)
	}
	e.from.mu.Unlock()
	if !late {
		return
	}
	err := timeoutError(inv.call.RequestID, inv.deadline.Sub(inv.started))
	e.hooks.overran(err)
	inv.finish(Result{}, err)
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
