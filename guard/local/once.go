package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

// invokeOnce prints the answer to one event, an error's as well.
func invokeOnce(ctx context.Context, fn *guardtest.Function, file string, stdin io.Reader, stdout io.Writer, console *console) int {
	event, err := readEvent(ctx, file, stdin)
	if err != nil {
		console.say("-event: %v", err)
		return exitFailed
	}
	result, err := fn.Invoke(ctx, event)
	if failure := (*guardtest.FunctionError)(nil); errors.As(err, &failure) {
		fmt.Fprintln(stdout, string(failure.Payload))
		return exitFailed
	}
	if err != nil {
		console.say("%v", err)
		return exitFailed
	}
	fmt.Fprintln(stdout, string(result.Payload))
	return exitOK
}

// readEvent returns when ctx ends, also during a read that does not end, as of a
// terminal.
func readEvent(ctx context.Context, file string, stdin io.Reader) ([]byte, error) {
	if file != "-" {
		return os.ReadFile(file)
	}
	type read struct {
		event []byte
		err   error
	}
	done := make(chan read, 1)
	go func() {
		event, err := io.ReadAll(stdin)
		done <- read{event, err}
	}()
	select {
	case r := <-done:
		return r.event, r.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
