// Package process runs programs that end with their owner, for tests and for local
// runs of functions.
package process

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"time"
)

// A Process is a program that runs, with its process group where there are such.
// What the program leaves behind in its group ends with it. On Linux the program
// also ends when this process is killed.
type Process struct {
	Exited <-chan struct{} // closed when the process and its group are gone, and the output is complete

	cmd *exec.Cmd
	err error // of Wait; set before Exited is closed
}

// The output is kept open for a second for a descendant that left the group and
// holds on to it. The second is counted in ticks, so that a machine that stood still
// does not lose the end of an output.
const (
	outputTick  = 50 * time.Millisecond
	outputTicks = 20
)

// Start starts a program. Its standard output and error are written to output, line
// by line.
func Start(cmd *exec.Cmd, output io.Writer) (*Process, error) {
	readEnd, writeEnd, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	exited := make(chan struct{})
	p := &Process{Exited: exited, cmd: cmd}
	cmd.Stdout, cmd.Stderr = writeEnd, writeEnd
	isolate(cmd)

	started := make(chan error)
	go func() {
		// Linux counts the thread that started a process as its parent and kills
		// the process with that thread, so the thread has to live as long.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		_ = writeEnd.Close()
		started <- err
		if err != nil {
			return
		}
		copied := make(chan struct{})
		go func() {
			defer close(copied)
			copyLines(output, readEnd)
		}()
		p.err = cmd.Wait()
		killGroup(cmd.Process)
		awaitOutput(copied)
		_ = readEnd.SetReadDeadline(time.Now())
		<-copied
		_ = readEnd.Close()
		close(exited)
	}()
	if err := <-started; err != nil {
		_ = readEnd.Close()
		return nil, err
	}
	return p, nil
}

// awaitOutput returns when the output is complete, or has had the time to be.
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

// Err returns the error of [exec.Cmd.Wait]. It waits until the process is gone.
func (p *Process) Err() error {
	<-p.Exited
	return p.err
}

// Memory returns the bytes that the process holds, 0 when that is not known.
func (p *Process) Memory() int64 { return residentBytes(p.cmd.Process.Pid) }

// Kill ends the process and its group, and returns when they are gone.
func (p *Process) Kill() {
	killGroup(p.cmd.Process)
	<-p.Exited
}

// Stop asks the group to end, and kills it after the grace.
func (p *Process) Stop(grace time.Duration) {
	terminateGroup(p.cmd.Process)
	select {
	case <-p.Exited:
	case <-time.After(grace):
		p.Kill()
	}
}

// Freeze stops the group until Thaw, where there are signals for that. A frozen process
// can be killed, and ends of nothing else.
func (p *Process) Freeze() { p.signalIfRunning(freezeGroup) }

// Thaw has the group go on.
func (p *Process) Thaw() { p.signalIfRunning(thawGroup) }

func (p *Process) signalIfRunning(signal func(*os.Process)) {
	select {
	case <-p.Exited:
	default:
		signal(p.cmd.Process)
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
