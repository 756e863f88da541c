//go:build unix

package testserver

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func TestMissingServer(t *testing.T) {
	empty, full := t.TempDir(), t.TempDir()
	program(t, full, valkey.name, "exit 0")
	program(t, filepath.Join(full, ".cache/servers"), valkey.name, "exit 0")
	inner := filepath.Join(full, "a/package")
	if err := os.MkdirAll(inner, 0o755); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, cwd, servers, ci string
		found, skips           bool
	}{
		{name: "in the folder that the variable names", cwd: empty, servers: full, found: true},
		{name: "not in the folder that the variable names", cwd: inner, servers: empty},
		{name: "upward from the package", cwd: inner, found: true},
		{name: "upward from the package under CI", cwd: inner, ci: "true", found: true},
		{name: "nowhere", cwd: empty, skips: true},
		{name: "nowhere under CI", cwd: empty, ci: "true"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Chdir(tt.cwd)
			t.Setenv("LAMBDARMOR_SERVERS", tt.servers)
			t.Setenv("CI", tt.ci)
			path, err := locate(valkey.name)
			if (err == nil) != tt.found || errors.Is(err, errMissing) != tt.skips {
				t.Fatalf("%q, error %v; want found %v, skips %v", path, err, tt.found, tt.skips)
			}
			r := record(t, func(tb testing.TB) { need(tb, err) })
			if r.skipped != tt.skips || r.failed == (tt.found || tt.skips) {
				t.Errorf("skipped %v, failed %v", r.skipped, r.failed)
			}
			if tt.skips && !strings.Contains(r.message, `run "make test" to install and run it`) {
				t.Errorf("the reason %q does not say what to do", r.message)
			}
		})
	}
}

func TestServerThatEndsAtOnceShowsItsOutput(t *testing.T) {
	fake(t, `echo out of luck >&2; exit 3`)
	_, err := launch(valkey)
	if err == nil || !strings.Contains(err.Error(), "out of luck") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("error %v, want the server's output and status", err)
	}
}

func TestServerThatEndsByItselfFailsItsTest(t *testing.T) {
	Valkey(t) // skips where there is none
	r := record(t, func(tb testing.TB) { Valkey(tb).process.Kill() })
	if !r.failed || !strings.Contains(r.message, "ended by itself") {
		t.Errorf("failed %v, message %q", r.failed, r.message)
	}
}

func TestServerThatEndsByItselfFailsTheRun(t *testing.T) {
	var s Shared
	code := s.Run(runFunc(func() int {
		s.Valkey(t).process.Kill()
		return 0
	}))
	if code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
}

func TestSharedServerNeedsRun(t *testing.T) {
	var s Shared
	r := record(t, func(tb testing.TB) { s.Valkey(tb) })
	if !r.failed {
		t.Error("a server without anyone to stop it was started")
	}
}

func TestStopEndsTheWholeGroup(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "pid")
	p, err := startProcess("/bin/sh", "-c", `sleep 600 & echo $! >"$0.new"; mv "$0.new" "$0"; wait`, pidFile)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	var grandchild int
	eventually(t, "the group to be complete", func() bool {
		b, err := os.ReadFile(pidFile)
		if errors.Is(err, fs.ErrNotExist) {
			return false
		}
		if err != nil {
			t.Fatal(err)
		}
		grandchild, err = strconv.Atoi(strings.TrimSpace(string(b)))
		return err == nil
	})
	p.Kill()
	eventually(t, "the grandchild to be gone", func() bool { return gone(grandchild) })
}

func TestOutputIsBounded(t *testing.T) {
	var out tail
	for range 100 {
		if _, err := out.Write([]byte(strings.Repeat("x", 1000))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := out.Write([]byte("the end")); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); len(got) != tailSize || !strings.HasSuffix(got, "xthe end") {
		t.Errorf("%d bytes kept, the last %q", len(got), got[len(got)-8:])
	}
}

// fake puts a shell script in the place of Valkey.
func fake(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	program(t, dir, valkey.name, script)
	t.Setenv("LAMBDARMOR_SERVERS", dir)
}

func program(t *testing.T, dir, name, script string) {
	t.Helper()
	path := filepath.Join(dir, "bin", name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

// gone reports whether no process has this id but for one that nobody reaped.
func gone(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	return err == nil && strings.Contains(string(stat), ") Z ")
}
