package programs

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/extensions"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/telemetry"
)

// Limits are how long the shutdown phase may take. Without an extension the runtime is
// killed at once. See
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
type Limits struct {
	Runtime  time.Duration // for the runtime, with extensions beside it only
	Internal time.Duration // for the runtime, with extensions inside it
	All      time.Duration // for the runtime and the extensions beside it
	Flush    time.Duration // of this, for telemetry before the extensions are told
	Report   time.Duration // before all that, for a program to exit that has reported an error
}

// LambdasLimits returns those of Lambda, and a Flush and a Report that it does not
// tell.
func LambdasLimits() Limits {
	return Limits{
		Runtime:  300 * time.Millisecond,
		Internal: 500 * time.Millisecond,
		All:      2 * time.Second,
		Flush:    200 * time.Millisecond,
		Report:   500 * time.Millisecond,
	}
}

// Shutdown ends the programs: the runtime, then the extensions. None is left on
// return. Also after a timeout the runtime gets SIGTERM if there are extensions, as
// with Lambda's emulator.
func (s *Set) Shutdown(reason string, limits Limits, host *extensions.Host, stream *telemetry.Stream) {
	s.Thaw()
	begun := time.Now()
	runtime, beside := s.split()
	switch {
	case runtime == nil:
	case host.Inside():
		runtime.Stop(limits.Internal)
	case len(beside) > 0:
		runtime.Stop(limits.Runtime)
	default:
		runtime.Kill()
	}
	flushing, flushed := context.WithTimeout(context.Background(), limits.Flush)
	stream.Flush(flushing)
	flushed()

	deadline := begun.Add(limits.All)
	told := host.Shutdown(reason, deadline)
	var ending sync.WaitGroup
	for _, p := range beside {
		ending.Go(func() {
			if slices.Contains(told, p.Name) {
				select {
				case <-p.Exited:
				case <-time.After(time.Until(deadline)):
				}
			}
			p.Kill()
		})
	}
	ending.Wait()
}

// split returns the runtime, if it was started, and the programs beside it.
func (s *Set) split() (runtime *Program, beside []*Program) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.all {
		if p.Name == "" {
			runtime = p
		} else {
			beside = append(beside, p)
		}
	}
	return runtime, beside
}
