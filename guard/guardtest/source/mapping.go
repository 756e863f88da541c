package source

import (
	"github.com/lambdarmor/lambdarmor/guard/guardtest/pattern"
)

// A Filter judges a message, which it gets as the event has it. [pattern.Filter] is one.
// A message about which it returns an error does not match.
type Filter interface {
	Match(record []byte) (bool, error)
}

var _ Filter = (*pattern.Filter)(nil)

// A BatchReport is what became of one invocation.
type BatchReport struct {
	Number    int // in the ledger
	RequestID string
	Messages  int
	Failed    int   // will come again, or be dead-lettered
	Err       error // why the whole batch failed
}
