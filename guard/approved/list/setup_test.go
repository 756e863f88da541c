package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/approved/internal/approvedtest"
)

const prices = "example.com/prices"

// newFunction is a function with the environment in which the command builds it.
func newFunction(t *testing.T) *approvedtest.Function {
	t.Helper()
	f := approvedtest.New(t)
	for _, variable := range f.Env {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value)
	}
	return f
}

// replace has the function use a fork.
func replace(f *approvedtest.Function) {
	f.Edit("go.mod", "\nreplace", "\nreplace example.com/prices => example.com/fork/prices v1.0.1\n\nreplace")
	f.Sum()
}

// list runs the command.
func list(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(t.Context(), args, &out, &errs)
	return status, out.String(), errs.String()
}

// mustList runs the command, which succeeds.
func mustList(t *testing.T, args ...string) string {
	t.Helper()
	status, stdout, stderr := list(t, args...)
	if status != exitSame {
		t.Fatalf("list %v: status %d: %s%s", args, status, stdout, stderr)
	}
	return stdout
}

// approve keeps the list of a function outside of its folder.
func approve(t *testing.T, f *approvedtest.Function, args ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "approved.txt")
	if err := os.WriteFile(file, []byte(mustList(t, append([]string{f.Dir}, args...)...)), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
