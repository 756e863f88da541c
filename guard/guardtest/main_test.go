package guardtest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
	fn, err := guardtest.NewFunction(binary, guardtest.Config{Timeout: time.Hour, InitTimeout: patient})
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
	ctx, cancel := context.WithTimeoutCause(t.Context(), d, errTooLong)
	t.Cleanup(cancel)
	return ctx
}

var errTooLong = errors.New("the test waited too long")

// patient is more than anything takes that works, on a machine that is slow or
// stands still for a while, too.
const patient = 2 * time.Minute

// overrun has an invocation taken by the function pass its deadline. One that
// passes before the function takes it is tried again, with more time.
func overrun(t *testing.T, fn guardtest.Invoker) *guardtest.FunctionError {
	t.Helper()
	for limit := 250 * time.Millisecond; limit < patient; limit *= 2 {
		_, err := fn.Do(within(t, limit), guardtest.Call{Payload: []byte(`{"do":"overrun"}`)})
		if overran := (*guardtest.FunctionError)(nil); errors.As(err, &overran) || !errors.Is(err, errTooLong) {
			return failure(t, err)
		}
	}
	t.Fatal("the function takes no invocation")
	return nil
}

// An event is a file for whose existence functions wait.
type event string

func newEvent(t *testing.T) event { return event(filepath.Join(t.TempDir(), "event")) }

func (e event) happen(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(string(e), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

// awaited is the payload that has a function wait for it.
func (e event) awaited() string { return fmt.Sprintf(`{"do":"await","text":%q}`, e) }

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx := within(t, patient)
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("not so: %s", what)
		case <-time.After(time.Millisecond):
		}
	}
}

func failure(t *testing.T, err error) *guardtest.FunctionError {
	t.Helper()
	var failure *guardtest.FunctionError
	if !errors.As(err, &failure) {
		t.Fatalf("error is %v, want a FunctionError", err)
	}
	return failure
}
