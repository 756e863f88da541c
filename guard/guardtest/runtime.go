package guardtest

import (
	"context"
	"fmt"
)

// A Runtime is a Runtime API and Extensions API on a loopback port, for a
// function that the caller runs: give the function [Runtime.Addr] as
// AWS_LAMBDA_RUNTIME_API. For one process after another, or several, use
// [Function], which also runs them.
//
// Any number of invocations may be under way, as many at once as the function
// asks for. One that passes its deadline is reported as timed out, and what the
// function answers to it afterwards is refused as Lambda does.
//
// Against Lambda: a response may be 6 MiB even when it is streamed, and an
// extension holds up neither the first invocation nor the next.
type Runtime struct {
	dispatcher *dispatcher
	env        *environment
}

// NewRuntime listens on a free port of 127.0.0.1. Of cfg it uses what describes
// the function and its timeout. The Runtime must be closed.
func NewRuntime(cfg Config) (*Runtime, error) {
	cfg = cfg.withDefaults()
	rt := &Runtime{dispatcher: newDispatcher(cfg.Timeout)}
	env, err := newEnvironment(cfg, rt.dispatcher, hooks{
		changed:    func() {},
		overran:    func(*FunctionError) {},
		initFailed: rt.failInit,
	})
	if err != nil {
		return nil, err
	}
	rt.env = env
	return rt, nil
}

// Addr is the host and port that a function finds in AWS_LAMBDA_RUNTIME_API.
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

// Exited says that the function's process has ended, with the error that
// [os/exec.Cmd.Wait] returned. Invocations that it had taken end with
// Runtime.ExitError; those that wait go on waiting, for another process.
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
