package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

// Exit statuses.
const (
	exitOK = iota
	exitFailed
	exitUsage
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	// The first signal ends the command gracefully; later signals have their default
	// effect.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	opts, err := parseOptions(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		fmt.Fprintln(stderr, "guard/local:", err)
		return exitUsage
	}
	console := &console{to: stderr}
	functions, err := startFunctions(ctx, &opts, console)
	if err != nil {
		if ctx.Err() != nil {
			return exitOK
		}
		var build *guardtest.BuildError
		if errors.As(err, &build) && build.Output != "" {
			fmt.Fprint(stderr, build.Output)
			return exitFailed
		}
		fmt.Fprintln(stderr, "guard/local:", err)
		return exitFailed
	}
	defer functions.end()
	if opts.event != "" {
		return invokeOnce(ctx, functions.fn.Function, opts.event, stdin, stdout, console)
	}
	return serve(ctx, functions, opts, stdout, console)
}
