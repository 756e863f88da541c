package guardtest

import (
	"context"
	"fmt"
)

// A Runtime is a Runtime API and an Extensions API on a loopback port, for a
// function that the caller runs with [Runtime.Addr] as AWS_LAMBDA_RUNTIME_API. A
// [Function] also runs the processes.
//
// The function may ask for any number of invocations at once. An invocation that
// passes its deadline is reported as timed out, and a later answer to it is refused,
// as Lambda does.
//
// Unlike Lambda, a streamed response may have 6 MiB at most. INIT ends without the
// extensions, and an extension delays invocations from its first request for an
// event on.
type Runtime struct {
	dispatcher *dispatcher
	env        *environment
}

// NewRuntime listens on a free port of 127.0.0.1. It uses the fields of cfg that
// describe the function, and the timeout. The Runtime must be closed.
func NewRuntime(cfg Config) (*Runtime, error) {
	cfg = cfg.withDefaults()
	rt := &Runtime{dispatcher: newDispatcher(cfg.Timeout)}
	env, err := newEnvironment(cfg, rt.dispatcher, hooks{
		changed:         func() {},
		overran:         func(*FunctionError) {},
		initFailed:      rt.failInit,
		extensionFailed: func() {},
	}, nil)
	if err != nil {
		return nil, err
	}
	rt.env = env
	return rt, nil
}

// Addr returns the host and port for AWS_LAMBDA_RUNTIME_API.
func (rt *Runtime) Addr() string { return rt.env.addr }

// Invoke is Do with nothing but a payload.
func (rt *Runtime) Invoke(ctx context.Context, payload []byte) (Result, error) {
	return rt.Do(ctx, Call{Payload: payload})
}

// Do waits for the function to take the invocation and answer it; see [Invoker].
func (rt *Runtime) Do(ctx context.Context, call Call) (Result, error) {
	inv, err := rt.dispatcher.submit(ctx, call)
	if err != nil {
		return Result{RequestID: inv.call.RequestID}, err
	}
	return rt.dispatcher.await(ctx, inv)
}

// Exited reports that the function's process has ended, with the error of
// [os/exec.Cmd.Wait]. Invocations that it had taken end with Runtime.ExitError. The
// others go on waiting, for another process.
func (rt *Runtime) Exited(err error) {
	rt.env.lost(exitDeath(err))
}

// Close ends the API and every invocation that is under way.
func (rt *Runtime) Close() {
	rt.dispatcher.close()
	rt.env.close()
	rt.env.lost(death{TypeExit, "the runtime was closed"})
}

func (rt *Runtime) failInit() {
	rt.dispatcher.mu.Lock()
	reported := rt.env.initError
	rt.dispatcher.mu.Unlock()
	rt.dispatcher.failWaiting(func(*invocation) error { return reported })
}

func exitDeath(err error) death {
	if err == nil {
		return death{TypeExit, "Runtime exited without providing a reason"}
	}
	return death{TypeExit, fmt.Sprintf("Runtime exited with error: %v", err)}
}
