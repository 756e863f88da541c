// Package programs runs the programs of one execution environment: extensions, and
// the runtime beside which they run.
package programs

import (
	"io"
	"os/exec"
	"sync"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/telemetry"
	"github.com/lambdarmor/lambdarmor/internal/process"
)

// A Set is the programs that were started, in that order.
type Set struct {
	Exited <-chan *Program // each that has ended

	exited chan *Program
	mu     sync.Mutex
	all    []*Program
	frozen bool
}

// A Program is an extension or the runtime.
type Program struct {
	*process.Process
	Name string // of an extension; empty for the runtime
}

// NewSet returns a set for most programs at most.
func NewSet(most int) *Set {
	s := &Set{exited: make(chan *Program, most)}
	s.Exited = s.exited
	return s
}

// Start starts a program.
func (s *Set) Start(name string, cmd *exec.Cmd, out Output) (*Program, error) {
	proc, err := process.Start(cmd, out)
	if err != nil {
		return nil, err
	}
	p := &Program{Process: proc, Name: name}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, p)
	go func() {
		<-proc.Exited
		s.exited <- p
	}()
	return p, nil
}

// Memory returns how many bytes all hold, and the program that holds the most.
func (s *Set) Memory() (total int64, largest *Program) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var most int64
	for _, p := range s.all {
		held := p.Memory()
		total += held
		if held > most {
			most, largest = held, p
		}
	}
	return total, largest
}

// Freeze stops all programs until Thaw.
func (s *Set) Freeze() { s.setFrozen(true, (*process.Process).Freeze) }

// Thaw has all programs go on.
func (s *Set) Thaw() { s.setFrozen(false, (*process.Process).Thaw) }

func (s *Set) setFrozen(frozen bool, signal func(*process.Process)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.frozen == frozen {
		return
	}
	s.frozen = frozen
	for _, p := range s.all {
		signal(p.Process)
	}
}

// An Output is what a program writes: lines of the log and of the telemetry.
type Output struct {
	Log    io.Writer
	Stream *telemetry.Stream
	Type   string
}

// Write adds lines.
func (o Output) Write(b []byte) (int, error) {
	o.Stream.Line(o.Type, b)
	return o.Log.Write(b)
}
