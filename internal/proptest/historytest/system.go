package historytest

import (
	"time"

	"github.com/lambdarmor/lambdarmor/idempotency"
)

// System is a store as several processes use it.
type System struct {
	// Processes each have a client of their own. One takes one step at a time.
	Processes []Process
	// ServerClock says that the server judges leases and expiries, by the clock of
	// this machine and from the moment at which a record arrives. Otherwise each
	// process does, by its own clock and before it sends a step.
	ServerClock bool
	// ExpiryGrain is how much longer than it says a record may count, as with a
	// store that keeps whole seconds.
	ExpiryGrain time.Duration
}

// Process is one of the processes that use a store.
type Process struct {
	Store idempotency.Store
	// Network is what lies between the process and the store.
	Network Network
	// Skew is how much the clock of the process is ahead of this machine's. The
	// store has to have the same clock.
	Skew time.Duration

	here bool // the store is in this process: it reads the clock when a step arrives
}

// Network does to single steps what networks do.
type Network interface {
	// Lose has the server take the next n tries of a step and loses their answers.
	// What it returns ends that, and says how many were lost.
	Lose(n int) (lost func() int)
	// Hold keeps the next try of a step from the server. When it has it, it calls
	// caught, after which the process gives up. Deliver lets the server take the
	// step, and returns when it has.
	Hold(caught func()) (deliver func() error)
}
