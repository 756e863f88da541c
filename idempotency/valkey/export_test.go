package valkey

import "time"

// SetClock sets the clock of a store that is in use.
func (s *Store) SetClock(now func() time.Time) { Clock(now).apply(s) }

// The scripts, to send without a store.
const (
	ClaimScript    = claimScript
	CompleteScript = completeScript
)
