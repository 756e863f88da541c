package main

import (
	"context"
	"io"
	"net"
	"os"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/stream"
)

// functions are the functions that the command runs.
type functions struct {
	fn         *runningFunction
	authorizer *runningFunction // nil when there is none
	queue      *queueSettings   // nil when there is none
	stream     *stream.Config   // nil when there is none
	sqs        net.Listener     // of the queue in memory, for SDKs
}

// A runningFunction is a target and what runs it.
type runningFunction struct {
	*guardtest.Function
	target target
}

// startFunctions builds what has to be built. On an error nothing is left.
func startFunctions(ctx context.Context, opts *options, console *console) (f functions, err error) {
	defer func() {
		if err != nil {
			f.end()
		}
	}()
	if opts.authorizer.target != "" {
		config := func(t target, log io.Writer) (guardtest.Config, error) {
			return opts.authorizer.config(opts, t, log), nil
		}
		if f.authorizer, err = startFunction(ctx, opts.authorizer.target, config, console.labelled("authorizer: ")); err != nil {
			return f, err
		}
	}
	f.fn, err = startFunction(ctx, opts.target, func(t target, log io.Writer) (guardtest.Config, error) {
		cfg := opts.config(t, log)
		env, err := f.findQueue(opts, t, console)
		cfg.Env = append(env, cfg.Env...)
		if err == nil {
			err = f.findStream(opts, t, console)
		}
		return cfg, err
	}, console)
	return f, err
}

// findQueue returns the variables by which the function's SQS client finds a queue in
// memory.
func (f *functions) findQueue(opts *options, t target, console *console) (env []string, err error) {
	if opts.event != "" {
		return nil, nil
	}
	if f.queue, err = opts.queue.queueSettings(t.dir); err != nil && !opts.queue.set {
		console.say("without the queue of the template: %v", err)
		return nil, nil
	}
	if err != nil || f.queue == nil {
		return nil, err
	}
	if url := opts.queue.url(); url != "" {
		if endpoint := ownEndpoint(url); endpoint != "" && os.Getenv("AWS_ENDPOINT_URL") == "" {
			env = append(env, "AWS_ENDPOINT_URL_SQS="+endpoint)
		}
		return env, nil
	}
	if f.sqs, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	return queueEnv("http://" + f.sqs.Addr().String()), nil
}

func (f *functions) findStream(opts *options, t target, console *console) (err error) {
	if opts.event != "" {
		return nil
	}
	if f.stream, err = opts.stream.streamSettings(t.dir); err != nil && !opts.stream.set {
		console.say("without the stream of the template: %v", err)
		return nil
	}
	return err
}

func startFunction(ctx context.Context, arg string, config func(target, io.Writer) (guardtest.Config, error), log io.Writer) (*runningFunction, error) {
	target, err := findTarget(ctx, arg)
	if err != nil {
		return nil, err
	}
	cfg, err := config(target, log)
	if err != nil {
		target.remove()
		return nil, err
	}
	fn, err := guardtest.NewFunction(target.binary, cfg)
	if err != nil {
		target.remove()
		return nil, err
	}
	return &runningFunction{fn, target}, nil
}

// warm starts the functions before the first request, which may need something that
// they print at their start. It returns false if the command is to end.
func (f functions) warm(ctx context.Context, console *console) bool {
	for _, fn := range []*runningFunction{f.authorizer, f.fn} {
		if fn == nil {
			continue
		}
		if err := fn.Warm(ctx); err != nil && ctx.Err() == nil {
			console.say("%s did not start, and will be tried with each request: %v", fn.target.name, err)
		}
	}
	return ctx.Err() == nil
}

// close ends the processes; requests under way fail.
func (f functions) close() {
	for _, fn := range []*runningFunction{f.fn, f.authorizer} {
		if fn != nil {
			fn.Close()
		}
	}
}

// end closes the functions and removes the built files.
func (f functions) end() {
	f.close()
	if f.sqs != nil {
		_ = f.sqs.Close()
	}
	for _, fn := range []*runningFunction{f.fn, f.authorizer} {
		if fn != nil {
			fn.target.remove()
		}
	}
}
