package guardtest

import (
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/programs"
)

// Pollers is how many requests for an invocation wait.
func (rt *Runtime) Pollers() int {
	rt.dispatcher.mu.Lock()
	defer rt.dispatcher.mu.Unlock()
	return len(rt.dispatcher.pollers)
}

// FailInit is what a Function does when the init has failed.
func (rt *Runtime) FailInit(errorType string) { rt.env.failInit(errorType) }

// SetShutdownGrace is called before the function is closed.
func (f *Function) SetShutdownGrace(d time.Duration) {
	f.shutdown = programs.Limits{Runtime: d, Internal: d, All: d, Flush: d, Report: d}
}
