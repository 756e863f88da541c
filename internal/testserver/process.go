package testserver

import (
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"
)

// A process is a server's, with its process group where there are such.
type process struct {
	cmd    *exec.Cmd
	output tail
	exited chan struct{} // closed when the process is gone
	err    error         // of Wait; read it after exited is closed
}

// An exitError tells of a process that ended by itself.
type exitError struct {
	err    error // of Wait; nil for exit status 0
	output string
}

func (e *exitError) Error() string {
	return fmt.Sprintf("ended by itself (%v); its last output:\n%s", e.err, e.output)
}

func (e *exitError) Unwrap() error { return e.err }

func startProcess(path string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(path, args...), exited: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	p.cmd.WaitDelay = 10 * time.Second // for a grandchild that holds on to the output
	isolate(p.cmd)

	started := make(chan error)
	go func() {
		// Linux counts the thread that started a process as its parent and kills the
		// process with that thread, so the thread has to live as long.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.err = p.cmd.Wait()
			close(p.exited)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// kill ends the process and its group, and returns when the process is gone.
func (p *process) kill() {
	killGroup(p.cmd.Process)
	<-p.exited
}

// ended returns nil while the process runs.
func (p *process) ended() error {
	select {
	case <-p.exited:
		return &exitError{err: p.err, output: p.output.String()}
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
	return strings.TrimSpace(string(t.kept))
}
