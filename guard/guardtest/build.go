package guardtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/gobuild"
)

// A BuildError is a package that does not build, with the go command's output.
type BuildError struct {
	Package string
	Output  string
	Err     error
}

// Error returns the package's name and the go command's output.
func (e *BuildError) Error() string {
	if errors.Is(e.Err, exec.ErrNotFound) {
		return "guardtest: building " + e.Package + " needs the go command: " + e.Err.Error()
	}
	return "guardtest: building " + e.Package + ": " + e.Err.Error() + "\n" + e.Output
}

// Unwrap returns the error of running the go command.
func (e *BuildError) Unwrap() error { return e.Err }

// Compile builds a package, named by import path or folder, for Lambda's OS-only
// runtimes: with the tag lambda.norpc besides the tags in GOFLAGS. It writes the
// binary and temporary files into the folder into, which must exist, and returns the
// binary's path. A package that does not build is a [*BuildError]. When ctx ends, so
// does the build.
//
// A folder in another module is built in that module.
func Compile(ctx context.Context, pkg, into string) (binary string, err error) {
	into, err = filepath.Abs(into)
	if err != nil {
		return "", fmt.Errorf("guardtest: %w", err)
	}
	// A folder of its own, to find the binary under any name.
	out, err := os.MkdirTemp(into, "build-")
	if err != nil {
		return "", fmt.Errorf("guardtest: %w", err)
	}
	dir, target := gobuild.Module(pkg)
	var stderr bytes.Buffer
	env := exec.CommandContext(ctx, "go", "env", "GOFLAGS")
	env.Dir, env.Stderr = dir, &stderr
	flags, err := env.Output()
	if err != nil {
		return "", &BuildError{Package: pkg, Output: stderr.String(), Err: err}
	}
	build := exec.CommandContext(ctx, "go", "build", "-tags", gobuild.Tags(string(flags)), "-o", out+string(filepath.Separator), target)
	build.Dir = dir
	// A go command that is ended leaves its work behind; there it is removed with the rest.
	build.Env = append(build.Environ(), "GOTMPDIR="+into)
	if output, err := build.CombinedOutput(); err != nil {
		return "", &BuildError{Package: pkg, Output: string(output), Err: err}
	}
	built, err := os.ReadDir(out)
	if err != nil {
		return "", fmt.Errorf("guardtest: %w", err)
	}
	if len(built) != 1 {
		return "", &BuildError{Package: pkg, Err: fmt.Errorf("%d commands in it, not one", len(built))}
	}
	return filepath.Join(out, built[0].Name()), nil
}

// Build is [Compile] for one test, into a folder that is removed with it. For
// tests that share a function see [Main].
func Build(t testing.TB, pkg string) string {
	t.Helper()
	binary, err := Compile(t.Context(), pkg, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// Main builds the package once for all tests, sets binary, runs the tests and
// returns the code to exit with:
//
//	var binary string
//
//	func TestMain(m *testing.M) { os.Exit(guardtest.Main(m, ".", &binary)) }
func Main(m *testing.M, pkg string, binary *string) (code int) {
	dir, err := os.MkdirTemp("", "guardtest-")
	if err == nil {
		defer func() { _ = os.RemoveAll(dir) }()
		*binary, err = Compile(context.Background(), pkg, dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// Start returns a Function for the binary that ends with the test. Its log is
// written to the test's output, unless cfg.Log is set.
func Start(t testing.TB, binary string, cfg Config) *Function {
	t.Helper()
	if cfg.Log == nil {
		cfg.Log = t.Output()
	}
	f, err := NewFunction(binary, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}
