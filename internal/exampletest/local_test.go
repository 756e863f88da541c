package exampletest_test

import (
	"bufio"
	"bytes"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// localRun is the command guard/local as a developer runs it.
type localRun struct {
	url     string
	console *console
}

// console is what the command writes, while it writes.
type console struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.Write(p)
}

func (c *console) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String()
}

// has waits for a text: the function's log takes its own way.
func (c *console) has(t *testing.T, text string) {
	t.Helper()
	for end := time.Now().Add(patient); !strings.Contains(c.String(), text); {
		if time.Now().After(end) {
			t.Fatalf("%q is not on the console:\n%s", text, c)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

var address = regexp.MustCompile(` on (http://\S+)`)

func runLocally(t *testing.T, args ...string) localRun {
	t.Helper()
	cmd := exec.Command(built.of(t, "guard/local"), append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	cmd.Dir = "../.."
	run := localRun{console: &console{}}
	cmd.Stderr = io.MultiWriter(run.console, t.Output())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the runner: %v", err)
		}
	})
	lines := bufio.NewScanner(out)
	for run.url == "" && lines.Scan() {
		if found := address.FindStringSubmatch(lines.Text()); found != nil {
			run.url = found[1]
		}
	}
	if run.url == "" {
		t.Fatalf("the command has not started:\n%s", run.console)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return run
}
