package guardtest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

// echo is the binary of testdata/echo, which all tests share.
var echo string

func TestMain(m *testing.M) {
	if config := os.Getenv("GUARDTEST_OWNER"); config != "" {
		ownFunction(config)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "guardtest-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	echo, err = guardtest.Compile(context.Background(), "./testdata/echo", dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// ownFunction is the part of a test whose function's owner is killed: it prints
// the pid of its function and waits. The function is busy, so that it does not
// end for want of a Runtime API.
func ownFunction(binary string) {
	fn, err := guardtest.NewFunction(binary, guardtest.Config{Timeout: time.Hour})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	result, err := fn.Invoke(context.Background(), []byte(`{"do":"pid"}`))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go func() { _, _ = fn.Invoke(context.Background(), []byte(`{"do":"overrun"}`)) }()
	if err := fn.WaitLog(context.Background(), "overrunning"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(string(result.Payload))
	select {}
}

// within bounds what a test waits for; it is an error of the test when it passes.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), d, errors.New("the test waited too long"))
	t.Cleanup(cancel)
	return ctx
}

// patient is more than anything takes that works.
const patient = 20 * time.Second

func failure(t *testing.T, err error) *guardtest.FunctionError {
	t.Helper()
	var failure *guardtest.FunctionError
	if !errors.As(err, &failure) {
		t.Fatalf("error is %v, want a FunctionError", err)
	}
	return failure
}
