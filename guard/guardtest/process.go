package guardtest

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"time"
)

// A process is one process of a function, with its process group where there
// are such: what the function leaves behind in its group ends with it.
type process struct {
	cmd    *exec.Cmd
	exited chan struct{} // closed when the process and its group are gone, and the log is complete
	err    error         // of Wait; read it after exited is closed
}

// The log is kept open for a second for a descendant that left the group and
// holds on to it. The second is counted in ticks, which this process has to be
// running for: a machine that stood still must not cost the end of a log.
const (
	outputTick  = 50 * time.Millisecond
	outputTicks = 20
)

func startProcess(path, dir string, env []string, log io.Writer) (*process, error) {
	output, writeEnd, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.Command(path), exited: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env = dir, env
	p.cmd.Stdout, p.cmd.Stderr = writeEnd, writeEnd
	isolate(p.cmd)

	started := make(chan error)
	go func() {
		// Linux counts the thread that started a process as its parent and kills
		// the process with that thread, so the thread has to live as long.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		_ = writeEnd.Close()
		started <- err
		if err != nil {
			return
		}
		copied := make(chan struct{})
		go func() {
			defer close(copied)
			copyLines(log, output)
		}()
		p.err = p.cmd.Wait()
		killGroup(p.cmd.Process)
		awaitOutput(copied)
		_ = output.SetReadDeadline(time.Now())
		<-copied
		_ = output.Close()
		close(p.exited)
	}()
	if err := <-started; err != nil {
		_ = output.Close()
		return nil, err
	}
	return p, nil
}

// awaitOutput returns when the log is complete, or has had the time to be.
func awaitOutput(copied <-chan struct{}) {
	tick := time.NewTicker(outputTick)
	defer tick.Stop()
	for range outputTicks {
		select {
		case <-copied:
			return
		case <-tick.C:
		}
	}
}

// kill ends the process and its group, and returns when they are gone.
func (p *process) kill() {
	killGroup(p.cmd.Process)
	<-p.exited
}

// stop asks the group to end, and kills it after the grace.
func (p *process) stop(grace time.Duration) {
	terminateGroup(p.cmd.Process)
	select {
	case <-p.exited:
	case <-time.After(grace):
		p.kill()
	}
}

// copyLines writes line by line, so that the lines of several processes do not mix.
func copyLines(to io.Writer, from io.Reader) {
	lines := bufio.NewReaderSize(from, 64<<10)
	for {
		line, err := lines.ReadSlice('\n')
		if n := len(line); n > 0 {
			if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
				line = append(line[:n:n], '\n')
			}
			_, _ = to.Write(line)
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}
