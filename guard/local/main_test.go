//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

// The command and the functions that the tests run, built once.
var local, echo, authorizer string

const echoPackage = "../guardtest/testdata/echo"

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "local-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	for pkg, binary := range map[string]*string{".": &local, echoPackage: &echo, authorizerPackage: &authorizer} {
		if *binary, err = guardtest.Compile(context.Background(), pkg, dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return m.Run()
}

// patient is more than anything takes that works, on a machine that is slow or
// stands still for a while, too.
const patient = 2 * time.Minute

// A session is a running command.
type session struct {
	t       *testing.T
	cmd     *exec.Cmd
	url     string
	banner  string
	console *output
	temp    string
	stdin   io.Writer
	lines   chan string // of its standard output
	ended   chan error
}

// serveLocal starts the command and returns when it serves.
func serveLocal(t *testing.T, args ...string) *session {
	t.Helper()
	s := startLocal(t, args...)
	for {
		line, ok := <-s.lines
		s.banner += line
		if !ok || strings.HasPrefix(line, "try: ") {
			break
		}
	}
	_, rest, _ := strings.Cut(s.banner, " on ")
	s.url, _, _ = strings.Cut(rest, " ")
	if s.url == "" {
		t.Fatalf("the command does not say what it serves; console:\n%s", s.console)
	}
	return s
}

// startLocal starts the command.
func startLocal(t *testing.T, args ...string) *session {
	t.Helper()
	s := &session{t: t, console: &output{}, temp: t.TempDir(), ended: make(chan error, 1), lines: make(chan string, 64)}
	s.cmd = exec.Command(local, append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	s.cmd.Env = append(os.Environ(), "TMPDIR="+s.temp)
	s.cmd.Stderr = s.console
	stdin, err := s.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.stdin = stdin
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		<-s.ended
		if t.Failed() {
			t.Logf("console:\n%s", s.console)
		}
	})
	go func() {
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			s.lines <- lines.Text() + "\n"
		}
		close(s.lines)
		s.ended <- s.cmd.Wait()
		close(s.ended)
	}()
	return s
}

func (s *session) get(path string) (status int, body string) {
	s.t.Helper()
	client := &http.Client{Timeout: patient}
	res, err := client.Get(s.url + path)
	if err != nil {
		s.t.Errorf("%s: %v", path, err)
		return 0, ""
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Errorf("%s: %v", path, err)
	}
	return res.StatusCode, string(content)
}

// answer is the body of a 200.
func (s *session) answer(path string) string {
	s.t.Helper()
	status, body := s.get(path)
	if status != http.StatusOK {
		s.t.Errorf("%s: %d %s", path, status, body)
	}
	return body
}

// end sends the signal and returns the exit status.
func (s *session) end(signal os.Signal) int {
	s.t.Helper()
	if err := s.cmd.Process.Signal(signal); err != nil {
		s.t.Fatal(err)
	}
	return s.exitStatus()
}

func (s *session) exitStatus() int {
	s.t.Helper()
	select {
	case <-s.ended:
		return s.cmd.ProcessState.ExitCode()
	case <-time.After(patient):
		s.t.Fatal("the command does not end")
		return 0
	}
}

// output collects what a process writes, and can be waited on.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patient); !holds(); {
		if time.Now().After(deadline) {
			t.Fatalf("not so: %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

func (s *session) onConsole(text string) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("%q is on the console", text), func() bool { return strings.Contains(s.console.String(), text) })
}

// runLocal runs the command to its end.
func runLocal(t *testing.T, stdin string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patient)
	defer cancel()
	cmd := exec.CommandContext(ctx, local, args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	if err := cmd.Run(); err != nil {
		if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) {
			t.Fatal(err)
		}
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

func writeFile(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// newEvent returns the path of a file for which functions wait, and has it be there.
func newEvent(t *testing.T) (path string, happen func()) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "event")
	return path, func() {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func gone(pid string) bool {
	var n int
	if _, err := fmt.Sscan(pid, &n); err != nil {
		panic(err)
	}
	if errors.Is(syscall.Kill(n, 0), syscall.ESRCH) {
		return true
	}
	// A zombie is gone but for its parent's attention, and orphans may have a slow one.
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", n))
	return err == nil && strings.Contains(string(stat), ") Z ")
}
