package guardtest

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"sync"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/logtail"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/programs"
)

// A Function runs a function's binary as Lambda does. A process is started when an
// invocation needs one, and takes one invocation after another. It is replaced
// after it has ended or overrun its deadline.
//
// A process that overran is killed. With a Concurrency above 1 it first finishes its
// other invocations, and gets no new ones.
//
// When a process ends before it asks for its first invocation, all waiting
// invocations fail with the reason. The next invocation starts another process.
//
// The programs in Config.Extensions run beside each process, and end with it. They
// start before it, and it waits for them to register. The end of one, or an error that
// it reports, ends them all. An invocation is answered when the runtime answers, as in
// today's Lambda; before 2021 Lambda answered after the extensions. The next one waits
// until each extension registered for INVOKE has asked for its next event, for which
// they have the rest of the timeout.
//
// The processes of a Function end with it. On Linux they also end when the
// process that made the Function is killed.
type Function struct {
	path       string
	cfg        Config
	dispatcher *dispatcher
	log        *logtail.Tail
	running    sync.WaitGroup

	shutdown programs.Limits

	instances map[*instance]struct{} // guarded by dispatcher.mu
}

// NewFunction returns a Function that runs the binary, for which see [Compile].
// Nothing is started yet. The Function must be closed; in a test see [Start].
func NewFunction(binary string, cfg Config) (*Function, error) {
	path, err := filepath.Abs(binary)
	if err != nil {
		return nil, fmt.Errorf("guardtest: %w", err)
	}
	cfg = cfg.withDefaults()
	cfg.Dir = cmp.Or(cfg.Dir, filepath.Dir(path))
	if cfg.Extensions, err = programs.Folder(cfg.Extensions, path); err != nil {
		return nil, fmt.Errorf("guardtest: %w", err)
	}
	return &Function{
		path:       path,
		cfg:        cfg,
		dispatcher: newDispatcher(cfg.Timeout),
		log:        logtail.New(cfg.Log),
		instances:  map[*instance]struct{}{},

		shutdown: programs.LambdasLimits(),
	}, nil
}

// Invoke is Do with nothing but a payload.
func (f *Function) Invoke(ctx context.Context, payload []byte) (Result, error) {
	return f.Do(ctx, Call{Payload: payload})
}

// Do waits for a process to take the invocation and answer it; see [Invoker].
func (f *Function) Do(ctx context.Context, call Call) (Result, error) {
	inv, err := f.dispatcher.submit(ctx, call)
	if err != nil {
		return Result{RequestID: inv.call.RequestID}, err
	}
	f.scale()
	return f.dispatcher.await(ctx, inv)
}

// Warm starts a process if there is none, as provisioned concurrency does, and
// returns when it is ready for an invocation. The error is a [*FunctionError] when
// the process did not start, or ctx's.
func (f *Function) Warm(ctx context.Context) error {
	in, err := f.anyInstance()
	if err != nil {
		return err
	}
	select {
	case <-in.settled.Done():
		if cause := context.Cause(in.settled); cause != errReady {
			return cause
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("guardtest: gave up waiting for a process: %w", context.Cause(ctx))
	}
}

func (f *Function) anyInstance() (*instance, error) {
	f.dispatcher.mu.Lock()
	defer f.dispatcher.mu.Unlock()
	if f.dispatcher.closed {
		return nil, ErrClosed
	}
	for in := range f.instances {
		return in, nil
	}
	return f.addInstance(), nil
}

// addInstance starts a process. The caller holds dispatcher.mu.
func (f *Function) addInstance() *instance {
	in := newInstance(f)
	f.instances[in] = struct{}{}
	f.running.Go(in.run)
	return in
}

// Log returns the last MiB of the function's standard output and error, with
// Lambda's own lines about failures.
func (f *Function) Log() string { return f.log.String() }

// WaitLog waits until text is in the log. It returns an error with the log in it
// when ctx ends first. A log line may arrive after the answer it belongs to.
func (f *Function) WaitLog(ctx context.Context, text string) error { return f.log.Wait(ctx, text) }

// Close ends the function, as Lambda ends an environment that it needs no more. A
// runtime without extensions is killed. With one inside it gets SIGTERM, and SIGKILL
// half a second later. With extensions beside it, it has 0.3 seconds, and they have
// what remains of 2 seconds from their SHUTDOWN event on. Invocations under way fail.
// No process is left on return.
func (f *Function) Close() {
	f.dispatcher.close()
	f.dispatcher.mu.Lock()
	for in := range f.instances {
		in.stop()
	}
	f.dispatcher.mu.Unlock()
	f.running.Wait()
}

// scale starts the processes that the waiting invocations need.
func (f *Function) scale() {
	d := f.dispatcher
	d.mu.Lock()
	defer d.mu.Unlock()
	coming := 0
	for in := range f.instances {
		coming += in.free()
	}
	for len(d.waiting) > coming && len(f.instances) < f.cfg.Instances {
		coming += f.addInstance().free()
	}
}

// retire removes an instance whose processes are gone.
func (f *Function) retire(in *instance) {
	d := f.dispatcher
	d.mu.Lock()
	delete(f.instances, in)
	d.mu.Unlock()
	f.scale()
}

// report adds a line of Lambda's own to the log.
func (f *Function) report(lines string) { _, _ = f.log.Write([]byte(lines + "\n")) }
