package testserver

import (
	"fmt"
	"os/exec"
	"sync"

	"github.com/lambdarmor/lambdarmor/internal/process"
)

// A serverProcess is a running server.
type serverProcess struct {
	*process.Process
	output tail
}

// An exitError reports a process that ended by itself.
type exitError struct {
	err    error // of Wait; nil for exit status 0
	output string
}

func (e *exitError) Error() string {
	return fmt.Sprintf("ended by itself (%v); its last output:\n%s", e.err, e.output)
}

func (e *exitError) Unwrap() error { return e.err }

func startProcess(path string, args ...string) (*serverProcess, error) {
	p := &serverProcess{}
	var err error
	p.Process, err = process.Start(exec.Command(path, args...), &p.output)
	return p, err
}

// ended returns nil while the process runs.
func (p *serverProcess) ended() error {
	select {
	case <-p.Exited:
		return &exitError{err: p.Err(), output: p.output.String()}
	default:
		return nil
	}
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	kept []byte
}

const tailSize = 16 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, b...)
	if over := len(t.kept) - tailSize; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.kept)
}
